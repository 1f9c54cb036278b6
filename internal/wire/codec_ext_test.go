package wire_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// callSDK calls the operation of an input.
func callSDK(ctx context.Context, c *bedrockruntime.Client, input any) (err error) {
	switch in := input.(type) {
	case *bedrockruntime.ConverseInput:
		_, err = c.Converse(ctx, in)
	case *bedrockruntime.ConverseStreamInput:
		_, err = c.ConverseStream(ctx, in)
	case *bedrockruntime.InvokeModelInput:
		_, err = c.InvokeModel(ctx, in)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		_, err = c.InvokeModelWithResponseStream(ctx, in)
	case *bedrockruntime.CountTokensInput:
		_, err = c.CountTokens(ctx, in)
	case *bedrockruntime.ApplyGuardrailInput:
		_, err = c.ApplyGuardrail(ctx, in)
	case *bedrockruntime.InvokeGuardrailChecksInput:
		_, err = c.InvokeGuardrailChecks(ctx, in)
	case *bedrockruntime.StartAsyncInvokeInput:
		_, err = c.StartAsyncInvoke(ctx, in)
	case *bedrockruntime.GetAsyncInvokeInput:
		_, err = c.GetAsyncInvoke(ctx, in)
	case *bedrockruntime.ListAsyncInvokesInput:
		_, err = c.ListAsyncInvokes(ctx, in)
	default:
		err = errors.New("unknown input")
	}
	return err
}

func wantWithout(t *testing.T, err error, value string) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), value) {
		t.Errorf("%v repeats %q", err, value)
	}
}

// answering is a client whose every request is answered with out.
func answering(t *testing.T, out smithy.Serializable) *bedrockruntime.Client {
	return sdkClient(func(w http.ResponseWriter, _ *http.Request) {
		header, body, err := wire.Encode(out)
		if err != nil {
			t.Error(err)
		}
		send(w, http.StatusOK, header, body)
	})
}

// The SDK reads back the outputs that Encode writes, headers included.
func TestOutputsAreEncoded(t *testing.T) {
	converse := &bedrockruntime.ConverseOutput{
		Output: &types.ConverseOutputMemberMessage{Value: types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
			&types.ContentBlockMemberText{Value: "yes"},
		}}},
		StopReason: types.StopReasonEndTurn,
		Usage:      &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)},
		Metrics:    &types.ConverseMetrics{LatencyMs: aws.Int64(4)},
	}
	have, err := answering(t, converse).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	have.ResultMetadata = middleware.Metadata{}
	if !reflect.DeepEqual(have, converse) {
		t.Errorf("%+v, want %+v", have, converse)
	}
	invoke := &bedrockruntime.InvokeModelOutput{
		Body: []byte(`{"a":1}`), ContentType: aws.String("application/json"), PerformanceConfigLatency: types.PerformanceConfigLatencyOptimized, ServiceTier: types.ServiceTierTypeFlex,
	}
	got, err := answering(t, invoke).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("m"), Body: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	got.ResultMetadata = middleware.Metadata{}
	if !reflect.DeepEqual(got, invoke) {
		t.Errorf("%+v, want %+v", got, invoke)
	}
}
