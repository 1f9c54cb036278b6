package wire

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// DecodeConverse reads the input of a Converse.
func DecodeConverse(r *Request) (*bedrockruntime.ConverseInput, error) {
	return readConverse(r, lenient)
}

// DecodeConverseStream reads the input of a ConverseStream.
func DecodeConverseStream(r *Request) (*bedrockruntime.ConverseStreamInput, error) {
	return readConverseStream(r, lenient)
}

func readConverse(r *Request, body bodyReader) (*bedrockruntime.ConverseInput, error) {
	in, err := readConversation(r, schemas.ConverseRequest, body)
	if err != nil {
		return nil, err
	}
	return Unary(in), nil
}

func readConverseStream(r *Request, body bodyReader) (*bedrockruntime.ConverseStreamInput, error) {
	return readConversation(r, schemas.ConverseStreamRequest, body)
}

// readConversation decodes the body of a Converse or a ConverseStream. The two differ
// only in the guardrail's stream processing mode.
func readConversation(r *Request, schema *smithy.Schema, body bodyReader) (*bedrockruntime.ConverseStreamInput, error) {
	in := &bedrockruntime.ConverseStreamInput{ModelId: r.label("modelId")}
	err := body(r.Body, func(d smithy.ShapeDeserializer) error {
		return readMembers(d, schema, func(m *smithy.Schema) (bool, error) {
			switch m.MemberName() {
			case "messages":
				in.Messages = []types.Message{}
				return true, readList(d, m, func() error {
					in.Messages = append(in.Messages, types.Message{})
					return in.Messages[len(in.Messages)-1].Deserialize(d)
				})
			case "system":
				in.System = []types.SystemContentBlock{}
				return true, readList(d, m, func() error {
					block, err := readSystemBlock(d, m.ListMember())
					in.System = append(in.System, block)
					return err
				})
			case "toolConfig":
				in.ToolConfig = &types.ToolConfiguration{}
				return true, in.ToolConfig.Deserialize(d)
			case "additionalModelRequestFields":
				var err error
				in.AdditionalModelRequestFields, err = readDocument(d, m)
				return true, err
			case "guardrailConfig":
				in.GuardrailConfig = &types.GuardrailStreamConfiguration{}
				return true, readGuardrailConfig(d, m, in.GuardrailConfig)
			case "inferenceConfig":
				in.InferenceConfig = &types.InferenceConfiguration{}
				return true, in.InferenceConfig.Deserialize(d)
			case "performanceConfig":
				in.PerformanceConfig = &types.PerformanceConfiguration{}
				return true, in.PerformanceConfig.Deserialize(d)
			case "serviceTier":
				in.ServiceTier = &types.ServiceTier{}
				return true, in.ServiceTier.Deserialize(d)
			case "outputConfig":
				in.OutputConfig = &types.OutputConfig{}
				return true, in.OutputConfig.Deserialize(d)
			case "requestMetadata":
				in.RequestMetadata = make(map[string]string)
				return true, smithy.ReadMap(d, m, func(key string) error {
					var value string
					err := d.ReadString(m.MapValue(), &value)
					in.RequestMetadata[key] = value
					return err
				})
			case "additionalModelResponseFieldPaths":
				in.AdditionalModelResponseFieldPaths = []string{}
				return true, readList(d, m, func() error {
					var path string
					err := d.ReadString(m.ListMember(), &path)
					in.AdditionalModelResponseFieldPaths = append(in.AdditionalModelResponseFieldPaths, path)
					return err
				})
			case "promptVariables":
				in.PromptVariables = make(map[string]types.PromptVariableValues)
				return true, smithy.ReadMap(d, m, func(key string) error {
					return smithy.ReadUnion(d, m.MapValue(), func(variant *smithy.Schema) error {
						if variant.MemberName() != "text" {
							return nil // unread, which a strict reader refuses
						}
						value := &types.PromptVariableValuesMemberText{}
						in.PromptVariables[key] = value
						return value.Deserialize(d)
					})
				})
			}
			return false, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return in, nil
}

// readGuardrailConfig reads by the request's own schema: a Converse has no stream
// processing mode, though the type for both has one.
func readGuardrailConfig(d smithy.ShapeDeserializer, schema *smithy.Schema, out *types.GuardrailStreamConfiguration) error {
	return readMembers(d, schema, func(m *smithy.Schema) (bool, error) {
		var text string
		switch m.MemberName() {
		case "guardrailIdentifier":
			out.GuardrailIdentifier = new(string)
			return true, d.ReadString(m, out.GuardrailIdentifier)
		case "guardrailVersion":
			out.GuardrailVersion = new(string)
			return true, d.ReadString(m, out.GuardrailVersion)
		case "trace":
			err := d.ReadString(m, &text)
			out.Trace = types.GuardrailTrace(text)
			return true, err
		case "streamProcessingMode":
			err := d.ReadString(m, &text)
			out.StreamProcessingMode = types.GuardrailStreamProcessingMode(text)
			return true, err
		}
		return false, nil
	})
}

func readSystemBlock(d smithy.ShapeDeserializer, schema *smithy.Schema) (block types.SystemContentBlock, err error) {
	err = smithy.ReadUnion(d, schema, func(variant *smithy.Schema) error {
		switch variant.MemberName() {
		case "text":
			v := &types.SystemContentBlockMemberText{}
			block = v
			return v.Deserialize(d)
		case "guardContent":
			v := &types.SystemContentBlockMemberGuardContent{}
			block = v
			return v.Deserialize(d)
		case "cachePoint":
			v := &types.SystemContentBlockMemberCachePoint{}
			block = v
			return v.Deserialize(d)
		}
		return nil // unread, which a strict reader refuses
	})
	return block, err
}

// Unary returns the Converse with the members of a ConverseStream.
func Unary(in *bedrockruntime.ConverseStreamInput) *bedrockruntime.ConverseInput {
	out := &bedrockruntime.ConverseInput{
		ModelId:                           in.ModelId,
		Messages:                          in.Messages,
		System:                            in.System,
		ToolConfig:                        in.ToolConfig,
		AdditionalModelRequestFields:      in.AdditionalModelRequestFields,
		AdditionalModelResponseFieldPaths: in.AdditionalModelResponseFieldPaths,
		InferenceConfig:                   in.InferenceConfig,
		PerformanceConfig:                 in.PerformanceConfig,
		ServiceTier:                       in.ServiceTier,
		OutputConfig:                      in.OutputConfig,
		RequestMetadata:                   in.RequestMetadata,
		PromptVariables:                   in.PromptVariables,
	}
	if g := in.GuardrailConfig; g != nil {
		out.GuardrailConfig = &types.GuardrailConfiguration{
			GuardrailIdentifier: g.GuardrailIdentifier,
			GuardrailVersion:    g.GuardrailVersion,
			Trace:               g.Trace,
		}
	}
	return out
}
