package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithydocument "github.com/aws/smithy-go/document"
)

// The SDK decodes every type of the API but the operations' inputs, which only
// a client has. The members of those are read here, by name.

// members reads a structure, calling member for each of its members that the
// request has. A member that member leaves unread is skipped.
func members(d smithy.ShapeDeserializer, schema *smithy.Schema, member func(m *smithy.Schema) (read bool, err error)) error {
	return smithy.ReadStruct(d, schema, func(m *smithy.Schema) error {
		read, err := member(m)
		if read || err != nil {
			return err
		}
		var skipped smithydocument.Value
		return d.ReadDocument(m, &skipped)
	})
}

func decodeConverse(r *request) (any, error) {
	stream, err := converseBody(r, schemas.ConverseRequest)
	if err != nil {
		return nil, err
	}
	return unary(stream), nil
}

func decodeConverseStream(r *request) (any, error) {
	in, err := converseBody(r, schemas.ConverseStreamRequest)
	if err != nil {
		return nil, err
	}
	return in, nil
}

// converseBody decodes both Converse and ConverseStream, whose bodies differ
// in nothing but the stream's processing mode.
func converseBody(r *request, schema *smithy.Schema) (*bedrockruntime.ConverseStreamInput, error) {
	// What a token count is asked for is the part of the request that the SDK
	// can decode by itself.
	var prompt types.ConverseTokensRequest
	if err := decode(r.body, prompt.Deserialize); err != nil {
		return nil, malformed(err)
	}
	in := &bedrockruntime.ConverseStreamInput{
		ModelId:                      aws.String(r.label["modelId"]),
		Messages:                     prompt.Messages,
		System:                       prompt.System,
		ToolConfig:                   prompt.ToolConfig,
		AdditionalModelRequestFields: prompt.AdditionalModelRequestFields,
	}
	err := decode(r.body, func(d smithy.ShapeDeserializer) error {
		return members(d, schema, func(m *smithy.Schema) (bool, error) {
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
		return nil, malformed(err)
	}
	return in, nil
}

// unary is the Converse that a ConverseStream would be.
func unary(in *bedrockruntime.ConverseStreamInput) *bedrockruntime.ConverseInput {
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
