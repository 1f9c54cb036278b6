package wire

import (
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

func readInvokeModel(r *Request, _ bodyReader) (*bedrockruntime.InvokeModelInput, error) {
	return invokeModelInput(r, "Accept"), nil
}

// readInvokeModelStream: a stream's answer has a type of its own, and the model's
// stands in another header.
func readInvokeModelStream(r *Request, _ bodyReader) (*bedrockruntime.InvokeModelWithResponseStreamInput, error) {
	in := bedrockruntime.InvokeModelWithResponseStreamInput(*invokeModelInput(r, "X-Amzn-Bedrock-Accept"))
	return &in, nil
}

func invokeModelInput(r *Request, accept string) *bedrockruntime.InvokeModelInput {
	return &bedrockruntime.InvokeModelInput{
		ModelId:                  r.label("modelId"),
		Body:                     r.Body,
		Accept:                   r.header(accept),
		ContentType:              r.header("Content-Type"),
		GuardrailIdentifier:      r.header("X-Amzn-Bedrock-GuardrailIdentifier"),
		GuardrailVersion:         r.header("X-Amzn-Bedrock-GuardrailVersion"),
		RequestMetadata:          r.header("X-Amzn-Bedrock-Request-Metadata"),
		Trace:                    types.Trace(r.Header.Get("X-Amzn-Bedrock-Trace")),
		PerformanceConfigLatency: types.PerformanceConfigLatency(r.Header.Get("X-Amzn-Bedrock-PerformanceConfig-Latency")),
		ServiceTier:              types.ServiceTierType(r.Header.Get("X-Amzn-Bedrock-Service-Tier")),
	}
}

func readBidirectional(r *Request, _ bodyReader) (*bedrockruntime.InvokeModelWithBidirectionalStreamInput, error) {
	return &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: r.label("modelId")}, nil
}

func readCountTokens(r *Request, body bodyReader) (*bedrockruntime.CountTokensInput, error) {
	in := &bedrockruntime.CountTokensInput{ModelId: r.label("modelId")}
	err := body(r.Body, func(d smithy.ShapeDeserializer) error {
		return readMembers(d, schemas.CountTokensRequest, func(m *smithy.Schema) (bool, error) {
			if m.MemberName() != "input" {
				return false, nil
			}
			return true, smithy.ReadUnion(d, m, func(variant *smithy.Schema) error {
				switch variant.MemberName() {
				case "converse":
					v := &types.CountTokensInputMemberConverse{}
					in.Input = v
					return v.Deserialize(d)
				case "invokeModel":
					v := &types.CountTokensInputMemberInvokeModel{}
					in.Input = v
					return v.Deserialize(d)
				}
				return nil // unread, which a strict reader refuses
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return in, nil
}

func readApplyGuardrail(r *Request, body bodyReader) (*bedrockruntime.ApplyGuardrailInput, error) {
	in := &bedrockruntime.ApplyGuardrailInput{
		GuardrailIdentifier: r.label("guardrailIdentifier"),
		GuardrailVersion:    r.label("guardrailVersion"),
	}
	err := body(r.Body, func(d smithy.ShapeDeserializer) error {
		return readMembers(d, schemas.ApplyGuardrailRequest, func(m *smithy.Schema) (bool, error) {
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
				in.Content = []types.GuardrailContentBlock{}
				return true, readList(d, m, func() error {
					return smithy.ReadUnion(d, m.ListMember(), func(variant *smithy.Schema) error {
						switch variant.MemberName() {
						case "text":
							v := &types.GuardrailContentBlockMemberText{}
							in.Content = append(in.Content, v)
							return v.Deserialize(d)
						case "image":
							v := &types.GuardrailContentBlockMemberImage{}
							in.Content = append(in.Content, v)
							return v.Deserialize(d)
						}
						return nil // unread, which a strict reader refuses
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

func readGuardrailChecks(r *Request, body bodyReader) (*bedrockruntime.InvokeGuardrailChecksInput, error) {
	in := &bedrockruntime.InvokeGuardrailChecksInput{}
	err := body(r.Body, func(d smithy.ShapeDeserializer) error {
		return readMembers(d, schemas.InvokeGuardrailChecksRequest, func(m *smithy.Schema) (bool, error) {
			switch m.MemberName() {
			case "checks":
				in.Checks = &types.GuardrailChecksConfig{}
				return true, in.Checks.Deserialize(d)
			case "messages":
				in.Messages = []types.GuardrailChecksMessage{}
				return true, readList(d, m, func() error {
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
		return nil, err
	}
	return in, nil
}

func readStartAsync(r *Request, body bodyReader) (*bedrockruntime.StartAsyncInvokeInput, error) {
	in := &bedrockruntime.StartAsyncInvokeInput{}
	err := body(r.Body, func(d smithy.ShapeDeserializer) error {
		return readMembers(d, schemas.StartAsyncInvokeRequest, func(m *smithy.Schema) (bool, error) {
			switch m.MemberName() {
			case "clientRequestToken":
				in.ClientRequestToken = new(string)
				return true, d.ReadString(m, in.ClientRequestToken)
			case "modelId":
				in.ModelId = new(string)
				return true, d.ReadString(m, in.ModelId)
			case "modelInput":
				var err error
				in.ModelInput, err = readDocument(d, m)
				return true, err
			case "outputDataConfig":
				return true, smithy.ReadUnion(d, m, func(variant *smithy.Schema) error {
					if variant.MemberName() != "s3OutputDataConfig" {
						return nil // unread, which a strict reader refuses
					}
					v := &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{}
					in.OutputDataConfig = v
					return v.Deserialize(d)
				})
			case "tags":
				in.Tags = []types.Tag{}
				return true, readList(d, m, func() error {
					var tag types.Tag
					err := tag.Deserialize(d)
					in.Tags = append(in.Tags, tag)
					return err
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

func readGetAsync(r *Request, _ bodyReader) (*bedrockruntime.GetAsyncInvokeInput, error) {
	return &bedrockruntime.GetAsyncInvokeInput{InvocationArn: r.label("invocationArn")}, nil
}

func readListAsync(r *Request, _ bodyReader) (*bedrockruntime.ListAsyncInvokesInput, error) {
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return nil, Malformed(err)
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
		if err != nil || strconv.FormatInt(n, 10) != text {
			return nil, Malformed(strconv.ErrSyntax)
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
			return nil, Malformed(err)
		}
		*at = &t
	}
	return in, nil
}
