package testmodel

import (
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// chosenTool returns the use of a tool where the request's tool choice demands one: of
// the named tool, or of the first. Otherwise it returns nil.
func chosenTool(in *bedrockruntime.ConverseInput) *bedrockruntime.ConverseOutput {
	if in.ToolConfig == nil {
		return nil
	}
	name := ""
	switch choice := in.ToolConfig.ToolChoice.(type) {
	case *types.ToolChoiceMemberAny:
	case *types.ToolChoiceMemberTool:
		name = aws.ToString(choice.Value.Name)
	default:
		return nil
	}
	for _, tool := range in.ToolConfig.Tools {
		spec, ok := tool.(*types.ToolMemberToolSpec)
		if !ok || name != "" && aws.ToString(spec.Value.Name) != name {
			continue
		}
		var schema map[string]any
		if s, ok := spec.Value.InputSchema.(*types.ToolInputSchemaMemberJson); ok {
			conversation.ReadDocument(s.Value, &schema)
		}
		sampling := sampler{root: schema, left: maxSample}
		arguments, ok := sampling.value(schema).(map[string]any)
		if !ok {
			arguments = map[string]any{}
		}
		return &bedrockruntime.ConverseOutput{Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant,
			Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
				ToolUseId: aws.String("tooluse_" + base64.RawURLEncoding.EncodeToString(ids.Random(16))),
				Name:      spec.Value.Name,
				Input:     document.NewLazyDocument(arguments),
			}}},
		}}}
	}
	return nil
}

// maxSample bounds the values of a sample, since a schema can refer to itself.
const maxSample = 1000

// sampler makes a value that satisfies a JSON schema.
type sampler struct {
	root map[string]any
	left int
}

// value returns the same value for the same schema: an object's required properties, a
// number's or a length's minimum. It knows the keywords that tool definitions commonly
// have.
func (p *sampler) value(schema map[string]any) any {
	if p.left--; p.left < 0 {
		return nil
	}
	inner := func(v any) (any, bool) {
		s, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		return p.value(s), true
	}
	if ref, ok := schema["$ref"].(string); ok {
		v, _ := inner(resolve(p.root, ref))
		return v
	}
	for _, key := range []string{"const", "default"} {
		if v, ok := schema[key]; ok {
			return v
		}
	}
	for _, key := range []string{"enum", "examples"} {
		if list, ok := schema[key].([]any); ok && len(list) > 0 {
			return list[0]
		}
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		if list, ok := schema[key].([]any); ok && len(list) > 0 && schema["properties"] == nil {
			if v, ok := inner(list[0]); ok {
				return v
			}
		}
	}
	kind, _ := schema["type"].(string)
	if list, ok := schema["type"].([]any); ok && len(list) > 0 {
		kind, _ = list[0].(string)
	}
	number := func(key string) (float64, bool) {
		n, ok := schema[key].(float64)
		return n, ok
	}
	switch kind {
	case "string":
		text := "text"
		if n, ok := number("maxLength"); ok && int(n) < len(text) {
			text = text[:max(int(n), 0)]
		}
		if n, ok := number("minLength"); ok && int(n) > len(text) {
			text += strings.Repeat("x", min(int(n), 1<<16)-len(text))
		}
		return text
	case "integer", "number":
		if n, ok := number("minimum"); ok {
			return n
		}
		if n, ok := number("exclusiveMinimum"); ok {
			return n + 1
		}
		if n, ok := number("maximum"); ok && n < 1 {
			return n
		}
		return 1.0
	case "boolean":
		return true
	case "array":
		list := []any{}
		if n, ok := number("minItems"); ok {
			for range min(int(n), maxSample) {
				v, _ := inner(schema["items"])
				list = append(list, v)
			}
		}
		return list
	case "null":
		return nil
	}
	properties, _ := schema["properties"].(map[string]any)
	if kind == "" && properties == nil {
		return "text"
	}
	object := map[string]any{}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		key, ok := name.(string)
		if !ok {
			continue
		}
		v, ok := inner(properties[key])
		if !ok {
			v = "text"
		}
		object[key] = v
	}
	return object
}

// resolve follows a reference within a schema, such as "#/$defs/name".
func resolve(root map[string]any, ref string) any {
	var at any = root
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return at
}
