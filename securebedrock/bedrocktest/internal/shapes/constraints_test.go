package shapes

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/runtimemodel"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

func apiModel(t *testing.T) *runtimemodel.Model {
	t.Helper()
	data, err := os.ReadFile("../../../../internal/runtimemodel/bedrock-runtime.json")
	if err != nil {
		t.Fatal(err)
	}
	model, err := runtimemodel.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// examples gives a value that a pattern of the API's model matches, by the name of
// the shape.
func examples() map[string]string {
	return map[string]string{
		"AccountId":                        "123456789012",
		"AsyncInvokeIdempotencyToken":      "token",
		"AsyncInvokeIdentifier":            "amazon.nova-reel-v1:0",
		"AutomatedReasoningRuleIdentifier": "abcdefghijkl",
		"ConversationalModelId":            "anthropic.claude-3-haiku-20240307-v1:0",
		"FoundationModelVersionIdentifier": "anthropic.claude-3-haiku-20240307-v1:0",
		"GuardrailIdentifier":              "abc123",
		"GuardrailVersion":                 "1",
		"InvocationArn":                    "arn:aws:bedrock:us-east-1:123456789012:async-invoke/abcdefghijkl",
		"InvokeModelIdentifier":            "anthropic.claude-3-haiku-20240307-v1:0",
		"KmsKeyId":                         "arn:aws:kms:us-east-1:123456789012:alias/mine",
		"PaginationToken":                  "token",
		"RequestMetadataKeyString":         "team",
		"RequestMetadataValueString":       "blue",
		"S3Uri":                            "s3://bucket/key",
		"TagKey":                           "team",
		"TagValue":                         "blue",
		"ToolName":                         "weather",
		"ToolUseId":                        "tooluse_1",
	}
}

// value is one that the shape takes.
func value(t *testing.T, model *runtimemodel.Model, name string) any {
	t.Helper()
	s := model.Shapes[name]
	switch s.Type {
	case "structure":
		object := map[string]any{}
		if s.Document {
			return object
		}
		for _, member := range slices.Sorted(maps.Keys(s.Members)) {
			if s.Union && len(object) == 1 {
				break
			}
			object[member] = value(t, model, s.Members[member].Shape)
		}
		return object
	case "list":
		return []any{value(t, model, s.Member.Shape)}
	case "map":
		return map[string]any{value(t, model, s.Key.Shape).(string): value(t, model, s.Value.Shape)}
	case "string":
		switch {
		case len(s.Enum) > 0:
			return s.Enum[0]
		case s.Pattern != "" && s.Pattern != `[\s\S]*`:
			text, ok := examples()[name]
			if !ok {
				t.Fatalf("no example of %s: %s", name, s.Pattern)
			}
			return text
		}
		return "text"
	case "blob":
		return base64.StdEncoding.EncodeToString([]byte("bytes"))
	case "integer", "long", "float", "double":
		if s.Min != nil {
			return json.Number(fmt.Sprint(*s.Min))
		}
		return json.Number("1")
	case "boolean":
		return true
	}
	return "2026-11-01T00:00:00Z" // a timestamp
}

// breach is a value that a shape refuses for one constraint.
type breach struct {
	what  string
	value any
}

// breaches are all of a shape's own; a member's that is missing is of its structure.
func breaches(t *testing.T, model *runtimemodel.Model, name string) []breach {
	t.Helper()
	s := model.Shapes[name]
	var out []breach
	add := func(what string, v any) { out = append(out, breach{name + " " + what, v}) }
	longText := func(n float64) string { return strings.Repeat("a", int(n)+1) }
	switch s.Type {
	case "structure":
		if s.Document {
			return nil
		}
		for _, required := range s.Required {
			object := value(t, model, name).(map[string]any)
			delete(object, required)
			add("without "+required, object)
			object = value(t, model, name).(map[string]any)
			object[required] = nil
			add("with a null "+required, object)
		}
		if s.Union {
			add("without a member", map[string]any{})
			add("with an unknown member", map[string]any{"unknown": 1})
			if len(s.Members) > 1 {
				all := map[string]any{}
				for member, ref := range s.Members {
					all[member] = value(t, model, ref.Shape)
				}
				add("with all members", all)
			}
		}
		for member, ref := range s.Members {
			if s.Union {
				for _, b := range breaches(t, model, ref.Shape) {
					add(member+": "+b.what, map[string]any{member: b.value})
				}
				continue
			}
			for _, b := range breaches(t, model, ref.Shape) {
				object := value(t, model, name).(map[string]any)
				object[member] = b.value
				add(member+": "+b.what, object)
			}
		}
	case "list":
		if s.Min != nil && *s.Min > 0 {
			add("empty", []any{})
		}
		if s.Max != nil {
			long := make([]any, int(*s.Max)+1)
			for i := range long {
				long[i] = value(t, model, s.Member.Shape)
			}
			add("too long", long)
		}
		add("with null", []any{nil})
		for _, b := range breaches(t, model, s.Member.Shape) {
			add(b.what, []any{value(t, model, s.Member.Shape), b.value})
		}
	case "map":
		if s.Min != nil && *s.Min > 0 {
			add("empty", map[string]any{})
		}
		if s.Max != nil {
			long := map[string]any{}
			for i := range int(*s.Max) + 1 {
				long[fmt.Sprint("key", i)] = value(t, model, s.Value.Shape)
			}
			add("too long", long)
		}
		for _, b := range breaches(t, model, s.Key.Shape) {
			if key, ok := b.value.(string); ok {
				add("key "+b.what, map[string]any{key: value(t, model, s.Value.Shape)})
			}
		}
		for _, b := range breaches(t, model, s.Value.Shape) {
			add("value "+b.what, map[string]any{value(t, model, s.Key.Shape).(string): b.value})
		}
	case "string":
		if s.Min != nil && *s.Min > 0 {
			add("too short", "")
		}
		if s.Max != nil {
			add("too long", longText(*s.Max))
		}
		if len(s.Enum) > 0 {
			add("not in the enum", "no-such-value")
		}
		if s.Pattern != "" && s.Pattern != `[\s\S]*` {
			add("not of the pattern", "\u00e9 \u00e9")
		}
	case "blob":
		if s.Min != nil && *s.Min > 0 {
			add("too short", "")
		}
	case "integer", "long", "float", "double":
		if s.Min != nil {
			add("too small", json.Number(fmt.Sprint(*s.Min-1)))
		}
		if s.Max != nil {
			add("too large", json.Number(fmt.Sprint(*s.Max+1)))
		}
		if s.Type == "float" && s.Max != nil {
			add("NaN", "NaN")
		}
	}
	return out
}

// requestOf puts members where the operation's request has them.
func requestOf(t *testing.T, s runtimemodel.Shape, members map[string]any) *wire.Request {
	t.Helper()
	r := &wire.Request{Method: http.MethodPost, Header: http.Header{}, Labels: map[string]string{}}
	body, query := map[string]any{}, url.Values{}
	for name, ref := range s.Members {
		v, ok := members[name]
		if !ok || v == nil && ref.Location != "" {
			continue
		}
		switch {
		case ref.Location == "uri":
			r.Labels[ref.LocationName] = fmt.Sprint(v)
		case ref.Location == "header":
			r.Header.Set(ref.LocationName, fmt.Sprint(v))
		case ref.Location == "querystring":
			query.Set(ref.LocationName, fmt.Sprint(v))
		case name != s.Payload:
			body[name] = v
		}
	}
	r.Query = query.Encode()
	var err error
	if r.Body, err = json.Marshal(body); err != nil {
		t.Fatal(err)
	}
	return r
}

// Each constraint of AWS's API model is held, wherever a request can break it, and
// a request that breaks none is taken.
func TestEveryConstraintOfTheAPI(t *testing.T) {
	model, compiled := apiModel(t), new(patterns)
	checked := func(s runtimemodel.Shape, operation string, members map[string]any) error {
		c := constraints{patterns: compiled}
		if err := c.request(shapeOf(requestShape(operation)), requestOf(t, s, members)); err != nil {
			return err
		}
		return c.failure()
	}
	total := 0
	for _, operation := range slices.Sorted(maps.Keys(model.Operations)) {
		name := model.Operations[operation].Input.Shape
		s := model.Shapes[name]
		members, ok := value(t, model, name).(map[string]any)
		if !ok {
			t.Fatal(name)
		}
		if err := checked(s, operation, members); err != nil {
			t.Errorf("%s: %v", operation, err)
		}
		for _, b := range breaches(t, model, name) {
			// The frames of an event stream are no part of the request.
			if strings.Contains(b.what, name+" body") || strings.HasSuffix(b.what, " body") {
				continue
			}
			broken, _ := b.value.(map[string]any)
			total++
			err := checked(s, operation, broken)
			if err == nil {
				t.Errorf("%s takes %s", operation, b.what)
			} else if !strings.Contains(err.Error(), "failed to satisfy constraint") || strings.Contains(err.Error(), "no-such-value") || strings.Contains(err.Error(), "é") {
				t.Errorf("%s, %s: %v", operation, b.what, err)
			}
		}
	}
	if total < 500 {
		t.Errorf("only %d breaches were tried", total)
	}
	t.Logf("%d breaches", total)
}
