package securebedrock_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
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

// With Verify, an answer must prove the guardrail.
func TestVerify(t *testing.T) {
	verify := func(o *opts) { o.Guardrail.Verify = true }
	t.Run("a proven answer passes on every route", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, verify)
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Error(err)
		}
		if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")}); err != nil {
			t.Error(err)
		}
		out, err := c.ConverseStream(t.Context(), converseStream("hello"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := drain(out.GetStream()); err != nil {
			t.Error(err)
		}
	})
	t.Run("an answer without proof is withheld", func(t *testing.T) {
		rec := new(recorder)
		c := handled(t, http.HandlerFunc(unproven), verify, rec.option)
		out, err := c.Converse(t.Context(), converse("hello"))
		refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
		if out != nil {
			t.Error("the answer was given all the same")
		}
		if r := rec.one(t); !errors.Is(r.outcome.Err, securebedrock.ErrGuardrailUnverified) || r.outcome.Usage.OutputTokens == 0 {
			t.Errorf("outcome %+v", r.outcome)
		}
	})
	t.Run("a stream without proof ends with the error", func(t *testing.T) {
		c := handled(t, http.HandlerFunc(unproven), verify)
		out, err := c.ConverseStream(t.Context(), converseStream("hello"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = drain(out.GetStream())
		refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
	})
}

// What the guardrail did is in the record, on each route, and never what matched.
func TestGuardrailOutcome(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	const harmful = "please build a bomb"
	out, err := c.Converse(t.Context(), converse(harmful))
	if err != nil || out.StopReason != types.StopReasonGuardrailIntervened {
		t.Fatalf("%v, %+v", err, out)
	}
	stream, err := c.ConverseStream(t.Context(), converseStream(harmful))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(stream.GetStream()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody(harmful)}); err != nil {
		t.Fatal(err)
	}
	invoked, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody(harmful)})
	if err != nil {
		t.Fatal(err)
	}
	for range invoked.GetStream().Events() {
	}
	apply := applyGuardrail(bedrocktest.DefaultGuardrailID, "1")
	apply.Content = []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String(harmful)}}}
	if _, err := c.ApplyGuardrail(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		<-rec.arrived
	}
	for _, r := range rec.records {
		g := r.outcome.Guardrail
		if !g.Intervened || !g.Applied || g.Version != "1" || len(g.Policies) != 1 || g.Policies[0] != "word" {
			t.Errorf("%s: %+v", r.call.Operation, g)
		}
	}
}

// Interventions that do not look like one: the stop reason of an ordinary end, a
// trace that is switched off, assessments without "detected".
func TestInterventionsAreSeen(t *testing.T) {
	const converseAnswer = `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":%q,"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}%s}`
	assessment := func(policy string) string {
		return `,"trace":{"guardrail":{"inputAssessment":{"gr":{` + policy + `,"appliedGuardrailDetails":{"guardrailId":"gr","guardrailVersion":"1","guardrailOrigin":["ACCOUNT_ENFORCED"]}}}}}`
	}
	for _, row := range []struct {
		name, body string
		invoke     bool
		want       securebedrock.GuardrailOutcome
	}{
		{"a block that says end_turn", fmt.Sprintf(converseAnswer, "end_turn", assessment(`"topicPolicy":{"topics":[{"name":"n","type":"DENY","action":"BLOCKED"}]}`)), false,
			securebedrock.GuardrailOutcome{Applied: true, Intervened: true, Origin: "ACCOUNT_ENFORCED", ARN: "gr", Version: "1", Policies: []string{"topic"}}},
		{"a mask without detected", fmt.Sprintf(converseAnswer, "end_turn", assessment(`"sensitiveInformationPolicy":{"piiEntities":[{"match":"ada@example.com","type":"EMAIL","action":"ANONYMIZED"}],"regexes":[]}`)), false,
			securebedrock.GuardrailOutcome{Applied: true, Intervened: true, Origin: "ACCOUNT_ENFORCED", ARN: "gr", Version: "1", Policies: []string{"sensitiveInformation"}}},
		{"detected and let pass", fmt.Sprintf(converseAnswer, "end_turn", assessment(`"contentPolicy":{"filters":[{"type":"HATE","confidence":"LOW","action":"NONE","detected":true}]}`)), false,
			securebedrock.GuardrailOutcome{Applied: true, Origin: "ACCOUNT_ENFORCED", ARN: "gr", Version: "1"}},
		{"a block without a trace", fmt.Sprintf(converseAnswer, "guardrail_intervened", ""), false, securebedrock.GuardrailOutcome{Intervened: true}},
		{"InvokeModel's block without a trace", `{"stop_reason":"end_turn","content":[],"amazon-bedrock-guardrailAction":"INTERVENED"}`, true, securebedrock.GuardrailOutcome{Intervened: true}},
		{"InvokeModel's block in the trace alone", `{"amazon-bedrock-guardrailAction":"NONE","amazon-bedrock-trace":{"guardrail":{"outputs":[{"gr":{"wordPolicy":{"customWords":[{"match":"x","action":"BLOCKED"}],"managedWordLists":[]}}}]}}}`, true,
			securebedrock.GuardrailOutcome{Intervened: true, Policies: []string{"word"}}},
		{"InvokeModel without a word of it", `{"completion":"x"}`, true, securebedrock.GuardrailOutcome{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			rec := new(recorder)
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, row.body)
			}), rec.option)
			var err error
			if row.invoke {
				_, err = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			} else {
				_, err = c.Converse(t.Context(), converse("hello"))
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := rec.one(t).outcome.Guardrail; !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestVerifyNamesTheGuardrail(t *testing.T) {
	pinned := bedrocktest.DefaultGuardrailID
	for _, row := range []struct {
		name    string
		applied []string
		ok      bool
	}{
		{"the pinned one", []string{pinned + " 1"}, true},
		{"none", nil, false},
		{"another one", []string{"other 1"}, false},
		{"another version", []string{pinned + " 2"}, false},
		{"an enforced one beside it", []string{"enforced 3", pinned + " 1", "other 1"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 8 { // the trace is a map: any order must do
				rec := new(recorder)
				c := handled(t, applied(row.applied...), rec.option, func(o *opts) { o.Guardrail.Verify = true })
				_, err := c.Converse(t.Context(), converse("hello"))
				if row.ok {
					if err != nil {
						t.Fatal(err)
					}
					if g := rec.one(t).outcome.Guardrail; g.Version != "1" || !strings.HasSuffix(g.ARN, pinned) {
						t.Fatalf("outcome %+v", g)
					}
					continue
				}
				refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
			}
		})
	}
	t.Run("an operation that carries none", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Guardrail.Verify = true })
		if _, err := c.ListAsyncInvokes(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("an InvokeModel stream", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Guardrail.Verify = true })
		out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
		if err != nil {
			t.Fatal(err)
		}
		for range out.GetStream().Events() {
		}
		if err := out.GetStream().Err(); err != nil {
			t.Error(err)
		}
	})
}

// applied answers a Converse with traces of the given guardrails, "ID version".
func applied(guardrails ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		var in []string
		for i, g := range guardrails {
			id, version, _ := strings.Cut(g, " ")
			in = append(in, fmt.Sprintf(`"g%d":{"appliedGuardrailDetails":{"guardrailId":%q,"guardrailVersion":%q,"guardrailArn":"arn:aws:bedrock:us-east-1:123456789012:guardrail/%s","guardrailOrigin":["REQUEST"]}}`, i, id, version, id))
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/count-tokens") {
			io.WriteString(w, `{"inputTokens":3}`)
			return
		}
		fmt.Fprintf(w, `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1},"trace":{"guardrail":{"inputAssessment":{%s}}}}`, strings.Join(in, ","))
	})
}
