package bedrocktest

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// header returns a pointer to a header's value, nil if the request has none.
func header(r *request, name string) *string {
	if values := r.http.Header.Values(name); len(values) > 0 {
		return aws.String(values[0])
	}
	return nil
}

func decodeInvokeModel(r *request) (any, error) {
	return &bedrockruntime.InvokeModelInput{
		ModelId:                  aws.String(r.label["modelId"]),
		Body:                     r.body,
		Accept:                   header(r, "Accept"),
		ContentType:              header(r, "Content-Type"),
		GuardrailIdentifier:      header(r, "X-Amzn-Bedrock-GuardrailIdentifier"),
		GuardrailVersion:         header(r, "X-Amzn-Bedrock-GuardrailVersion"),
		RequestMetadata:          header(r, "X-Amzn-Bedrock-Request-Metadata"),
		Trace:                    types.Trace(r.http.Header.Get("X-Amzn-Bedrock-Trace")),
		PerformanceConfigLatency: types.PerformanceConfigLatency(r.http.Header.Get("X-Amzn-Bedrock-PerformanceConfig-Latency")),
		ServiceTier:              types.ServiceTierType(r.http.Header.Get("X-Amzn-Bedrock-Service-Tier")),
	}, nil
}

func decodeInvokeModelStream(r *request) (any, error) {
	return &bedrockruntime.InvokeModelWithResponseStreamInput{
		ModelId:                  aws.String(r.label["modelId"]),
		Body:                     r.body,
		Accept:                   header(r, "X-Amzn-Bedrock-Accept"),
		ContentType:              header(r, "Content-Type"),
		GuardrailIdentifier:      header(r, "X-Amzn-Bedrock-GuardrailIdentifier"),
		GuardrailVersion:         header(r, "X-Amzn-Bedrock-GuardrailVersion"),
		RequestMetadata:          header(r, "X-Amzn-Bedrock-Request-Metadata"),
		Trace:                    types.Trace(r.http.Header.Get("X-Amzn-Bedrock-Trace")),
		PerformanceConfigLatency: types.PerformanceConfigLatency(r.http.Header.Get("X-Amzn-Bedrock-PerformanceConfig-Latency")),
		ServiceTier:              types.ServiceTierType(r.http.Header.Get("X-Amzn-Bedrock-Service-Tier")),
	}, nil
}

func decodeBidirectional(r *request) (any, error) {
	return &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String(r.label["modelId"])}, nil
}

func decodeCountTokens(r *request) (any, error) {
	in := &bedrockruntime.CountTokensInput{ModelId: aws.String(r.label["modelId"])}
	err := decode(r.body, func(d smithy.ShapeDeserializer) error {
		return members(d, schemas.CountTokensRequest, func(m *smithy.Schema) (bool, error) {
			if m.MemberName() != "input" {
				return false, nil
			}
			return true, smithy.ReadUnion(d, m, func(variant *smithy.Schema) error {
				switch variant.MemberName() {
				case "converse":
					v := &types.CountTokensInputMemberConverse{}
					in.Input = v
					return v.Deserialize(d)
				default:
					v := &types.CountTokensInputMemberInvokeModel{}
					in.Input = v
					return v.Deserialize(d)
				}
			})
		})
	})
	if err != nil {
		return nil, malformed(err)
	}
	return in, nil
}

func decodeApplyGuardrail(r *request) (any, error) {
	in := &bedrockruntime.ApplyGuardrailInput{
		GuardrailIdentifier: aws.String(r.label["guardrailIdentifier"]),
		GuardrailVersion:    aws.String(r.label["guardrailVersion"]),
	}
	err := decode(r.body, func(d smithy.ShapeDeserializer) error {
		return members(d, schemas.ApplyGuardrailRequest, func(m *smithy.Schema) (bool, error) {
			var text string
			switch m.MemberName() {
			case "source":
				err := d.ReadString(m, &text)
				in.Source = types.GuardrailContentSource(text)
				return true, err
			case "outputScope":
				err := d.ReadString(m, &text)
				in.OutputScope = types.GuardrailOutputScope(text)
				return true, err
			case "content":
				return true, smithy.ReadList(d, m, func() error {
					return smithy.ReadUnion(d, m.ListMember(), func(variant *smithy.Schema) error {
						if variant.MemberName() == "text" {
							v := &types.GuardrailContentBlockMemberText{}
							in.Content = append(in.Content, v)
							return v.Deserialize(d)
						}
						v := &types.GuardrailContentBlockMemberImage{}
						in.Content = append(in.Content, v)
						return v.Deserialize(d)
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

func decodeGuardrailChecks(r *request) (any, error) {
	in := &bedrockruntime.InvokeGuardrailChecksInput{}
	err := decode(r.body, func(d smithy.ShapeDeserializer) error {
		return members(d, schemas.InvokeGuardrailChecksRequest, func(m *smithy.Schema) (bool, error) {
			switch m.MemberName() {
			case "checks":
				in.Checks = &types.GuardrailChecksConfig{}
				return true, in.Checks.Deserialize(d)
			case "messages":
				return true, smithy.ReadList(d, m, func() error {
					var message types.GuardrailChecksMessage
					err := message.Deserialize(d)
					in.Messages = append(in.Messages, message)
					return err
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

func decodeStartAsync(r *request) (any, error) {
	in := &bedrockruntime.StartAsyncInvokeInput{}
	err := decode(r.body, func(d smithy.ShapeDeserializer) error {
		return members(d, schemas.StartAsyncInvokeRequest, func(m *smithy.Schema) (bool, error) {
			switch m.MemberName() {
			case "clientRequestToken":
				in.ClientRequestToken = new(string)
				return true, d.ReadString(m, in.ClientRequestToken)
			case "modelId":
				in.ModelId = new(string)
				return true, d.ReadString(m, in.ModelId)
			case "outputDataConfig":
				return true, smithy.ReadUnion(d, m, func(*smithy.Schema) error {
					v := &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{}
					in.OutputDataConfig = v
					return v.Deserialize(d)
				})
			case "tags":
				return true, smithy.ReadList(d, m, func() error {
					var tag types.Tag
					err := tag.Deserialize(d)
					in.Tags = append(in.Tags, tag)
					return err
				})
			}
			return false, nil
		})
	})
	// A document can only be made from a value, so the model's input takes the
	// standard library's way.
	var raw struct {
		ModelInput any `json:"modelInput"`
	}
	if err == nil {
		err = json.Unmarshal(r.body, &raw)
	}
	if err != nil {
		return nil, malformed(err)
	}
	if raw.ModelInput != nil {
		in.ModelInput = document.NewLazyDocument(raw.ModelInput)
	}
	if in.ModelId != nil {
		r.call.ModelID = *in.ModelId
	}
	return in, nil
}

func decodeGetAsync(r *request) (any, error) {
	return &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String(r.label["invocationArn"])}, nil
}

func decodeListAsync(r *request) (any, error) {
	query, err := url.ParseQuery(r.http.URL.RawQuery)
	if err != nil {
		return nil, malformed(err)
	}
	in := &bedrockruntime.ListAsyncInvokesInput{
		SortBy:       types.SortAsyncInvocationBy(query.Get("sortBy")),
		SortOrder:    types.SortOrder(query.Get("sortOrder")),
		StatusEquals: types.AsyncInvokeStatus(query.Get("statusEquals")),
	}
	if token := query.Get("nextToken"); token != "" {
		in.NextToken = &token
	}
	if text := query.Get("maxResults"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, malformed(err)
		}
		in.MaxResults = aws.Int32(int32(n))
	}
	for name, at := range map[string]**time.Time{"submitTimeAfter": &in.SubmitTimeAfter, "submitTimeBefore": &in.SubmitTimeBefore} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, malformed(err)
		}
		*at = &t
	}
	return in, nil
}
