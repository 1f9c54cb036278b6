package securebedrock_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// proof answers on every route with a trace that names one applied guardrail, by
// ARN and ID, with a match of so many bytes.
func proof(arn, id string, match int) http.Handler {
	long := strings.Repeat("m", match)
	assessment := types.GuardrailAssessment{
		AppliedGuardrailDetails: &types.AppliedGuardrailDetails{GuardrailVersion: aws.String("1")},
		WordPolicy:              &types.GuardrailWordPolicyAssessment{CustomWords: []types.GuardrailCustomWord{{Match: &long, Action: types.GuardrailWordPolicyActionBlocked}}},
	}
	details := `"guardrailVersion":"1"`
	if arn != "" {
		assessment.AppliedGuardrailDetails.GuardrailArn = &arn
		details += fmt.Sprintf(`,"guardrailArn":%q`, arn)
	}
	if id != "" {
		assessment.AppliedGuardrailDetails.GuardrailId = &id
		details += fmt.Sprintf(`,"guardrailId":%q`, id)
	}
	raw := fmt.Sprintf(`{"g":{"wordPolicy":{"customWords":[{"match":%q,"action":"BLOCKED"}],"managedWordLists":[]},"appliedGuardrailDetails":{%s}}}`, long, details)
	body := `{"type":"message_stop","amazon-bedrock-trace":{"guardrail":{"input":` + raw + `}}}`
	p := restjson1.New(schemas.AmazonBedrockFrontendService)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		event := func(union, member *smithy.Schema, v smithy.Serializable) {
			p.SerializeEventMessage(union, member, v, w)
		}
		switch _, op, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/model/"), "/"); op {
		case "converse":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1},"trace":{"guardrail":{"inputAssessment":%s}}}`, raw)
		case "invoke":
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		case "converse-stream":
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			event(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStart, &types.MessageStartEvent{Role: types.ConversationRoleAssistant})
			event(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn})
			event(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_metadata, &types.ConverseStreamMetadataEvent{
				Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)},
				Trace: &types.ConverseStreamTrace{Guardrail: &types.GuardrailTraceAssessment{InputAssessment: map[string]types.GuardrailAssessment{"g": assessment}}}})
		case "invoke-with-response-stream":
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			event(schemas.ResponseStream, schemas.ResponseStream_chunk, &types.PayloadPart{Bytes: []byte(body)})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

// verified makes a call on each route, and gives each one's error.
func verified(t *testing.T, c *client) map[string]error {
	errs := map[string]error{}
	_, errs["Converse"] = c.Converse(t.Context(), converse("hello"))
	_, errs["InvokeModel"] = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
	if out, err := c.ConverseStream(t.Context(), converseStream("hello")); err != nil {
		errs["ConverseStream"] = err
	} else {
		_, errs["ConverseStream"] = drain(out.GetStream())
	}
	out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
	if err == nil {
		for range out.GetStream().Events() {
		}
		err = out.GetStream().Err()
	}
	errs["InvokeModelWithResponseStream"] = err
	return errs
}

// The proof is of the pinned guardrail in its own region, partition and account,
// also where an ID is pinned.
func TestVerifyComparesThePlace(t *testing.T) {
	id := bedrocktest.DefaultGuardrailID
	arn := func(partition, region, account string) string {
		return "arn:" + partition + ":bedrock:" + region + ":" + account + ":guardrail/" + id
	}
	ours := arn("aws", "us-east-1", "123456789012")
	for _, row := range []struct {
		name, pinned, arn, id string
		ok                    bool
	}{
		{"an ID pinned, its ARN proven", id, ours, id, true},
		{"an ID pinned, the ID proven", id, "", id, true},
		{"an ARN pinned and proven", ours, ours, id, true},
		{"an ARN pinned, the ID proven", ours, "", id, true},
		{"an ARN of an account that the owner pinned", arn("aws", "us-east-1", "999999999999"), arn("aws", "us-east-1", "999999999999"), id, true},
		{"an ID pinned, another region", id, arn("aws", "eu-west-1", "123456789012"), id, false},
		{"an ID pinned, another partition", id, arn("aws-us-gov", "us-east-1", "123456789012"), id, false},
		{"an ID pinned, another account", id, arn("aws", "us-east-1", "999999999999"), id, false},
		{"an ID pinned, what is no guardrail", id, "arn:aws:bedrock:us-east-1:123456789012:x:guardrail/" + id, id, false},
		{"an ARN pinned, another region", ours, arn("aws", "eu-west-1", "123456789012"), id, false},
		{"an ARN pinned, another account", ours, arn("aws", "us-east-1", "999999999999"), id, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := handled(t, proof(row.arn, row.id, 10), func(o *opts) {
				o.Guardrail.ID, o.Guardrail.Verify, o.Accounts = row.pinned, true, []string{"123456789012"}
			})
			for route, err := range verified(t, c) {
				if row.ok && err != nil {
					t.Errorf("%s: %v", route, err)
				} else if !row.ok {
					refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
				}
			}
		})
	}
}

// A trace of several MiB is read like any other.
func TestVerifyReadsALongTrace(t *testing.T) {
	id := bedrocktest.DefaultGuardrailID
	for _, size := range []int{1 << 20, 3 << 20} {
		rec := new(recorder)
		c := handled(t, proof("arn:aws:bedrock:us-east-1:123456789012:guardrail/"+id, id, size), rec.option, func(o *opts) { o.Guardrail.Verify = true })
		for route, err := range verified(t, c) {
			if err != nil {
				t.Errorf("%s with %d bytes: %v", route, size, err)
			}
		}
		for range 4 { // a stream's record can come after its last event
			<-rec.arrived
		}
		for _, r := range rec.records {
			g := r.outcome.Guardrail
			if text, _ := json.Marshal(g); !g.Applied || !g.Intervened || len(text) > 1000 {
				t.Errorf("%s with %d bytes: %.300s", r.call.Operation, size, text)
			}
		}
	}
}
