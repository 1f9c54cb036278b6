package wire

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// DecodeConverse reads the input of a Converse.
func DecodeConverse(r *Request) (*bedrockruntime.ConverseInput, error) {
	in, err := readConverse(r, schemas.ConverseRequest)
	if err != nil {
		return nil, err
	}
	return Unary(in), nil
}

// DecodeConverseStream reads the input of a ConverseStream.
func DecodeConverseStream(r *Request) (*bedrockruntime.ConverseStreamInput, error) {
	return readConverse(r, schemas.ConverseStreamRequest)
}

// readConverse decodes the body of a Converse or a ConverseStream. The two differ
// only in the guardrail's stream processing mode.
func readConverse(r *Request, schema *smithy.Schema) (*bedrockruntime.ConverseStreamInput, error) {
	// ConverseTokensRequest holds the part of the request that the SDK can decode
	// by itself.
	var prompt types.ConverseTokensRequest
	if err := DecodeBody(r.Body, prompt.Deserialize); err != nil {
		return nil, Malformed(err)
	}
	in := &bedrockruntime.ConverseStreamInput{
		ModelId:                      r.label("modelId"),
		Messages:                     prompt.Messages,
		System:                       prompt.System,
		ToolConfig:                   prompt.ToolConfig,
		AdditionalModelRequestFields: prompt.AdditionalModelRequestFields,
	}
	err := DecodeBody(r.Body, func(d smithy.ShapeDeserializer) error {
		return readMembers(d, schema, func(m *smithy.Schema) (bool, error) {
			switch m.MemberName() {
			case "guardrailConfig":
				in.GuardrailConfig = &types.GuardrailStreamConfiguration{}
				return true, in.GuardrailConfig.Deserialize(d)
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
				return true, smithy.ReadList(d, m, func() error {
					var path string
					err := d.ReadString(m.ListMember(), &path)
					in.AdditionalModelResponseFieldPaths = append(in.AdditionalModelResponseFieldPaths, path)
					return err
				})
			case "promptVariables":
				in.PromptVariables = make(map[string]types.PromptVariableValues)
				return true, smithy.ReadMap(d, m, func(key string) error {
					return smithy.ReadUnion(d, m.MapValue(), func(*smithy.Schema) error {
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
		return nil, Malformed(err)
	}
	return in, nil
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
