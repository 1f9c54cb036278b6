package securebedrock_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The default bound stays out where the model's own fields carry one, and makes
// room for a budget.
func TestMaxTokensBesideModelFields(t *testing.T) {
	type fields = map[string]any
	for _, row := range []struct {
		name    string
		options int32
		fields  fields
		want    int32 // zero: none is sent
	}{
		{"no fields", 0, nil, 1024},
		{"fields without a bound", 0, fields{"top_k": 5}, 1024},
		{"max_tokens", 0, fields{"max_tokens": 8}, 0},
		{"max_completion_tokens", 0, fields{"max_completion_tokens": 8}, 0},
		{"maxTokens", 0, fields{"maxTokens": 8}, 0},
		{"max_gen_len", 0, fields{"max_gen_len": 8}, 0},
		{"max_new_tokens", 0, fields{"max_new_tokens": 8}, 0},
		{"max_output_tokens", 0, fields{"max_output_tokens": 8}, 0},
		{"max_tokens_to_sample", 0, fields{"max_tokens_to_sample": 8}, 0},
		{"a family's own configuration", 0, fields{"inferenceConfig": fields{"maxTokens": 8}}, 0},
		{"Titan's", 0, fields{"textGenerationConfig": fields{"maxTokenCount": 8}}, 0},
		{"a budget for thinking", 0, fields{"thinking": fields{"type": "enabled", "budget_tokens": 4000}}, 5024},
		{"a budget under its other name", 0, fields{"reasoning_config": fields{"type": "enabled", "budget_tokens": 2048}}, 3072},
		{"a budget and the owner's default", 100, fields{"thinking": fields{"type": "enabled", "budget_tokens": 4000}}, 4100},
		{"a budget beyond what a count can hold", 0, fields{"thinking": fields{"budget_tokens": int64(1) << 40}}, 1<<31 - 1},
		{"a budget and a bound", 0, fields{"max_tokens": 5000, "thinking": fields{"budget_tokens": 4000}}, 0},
		{"thinking without a budget", 0, fields{"thinking": fields{"type": "adaptive"}}, 1024},
		{"Nova's high effort, which allows none", 0, fields{"reasoningConfig": fields{"type": "enabled", "maxReasoningEffort": "high"}}, 0},
		{"Nova's low effort", 0, fields{"reasoningConfig": fields{"type": "enabled", "maxReasoningEffort": "low"}}, 1024},
		{"a tool's parameter of that name", 0, fields{"tools": fields{"properties": fields{"max_tokens": fields{}}}}, 1024},
		{"a schema's word of that name", 0, fields{"response_format": fields{"json_schema": fields{"schema": fields{"properties": fields{"name": fields{"maxLength": 9}}}}}}, 1024},
		{"a schema under its other name", 0, fields{"output_config": fields{"format": fields{"schema": fields{"properties": fields{"max_tokens": fields{"type": "integer"}}}}}}, 1024},
		{"metadata of that name", 0, fields{"metadata": fields{"max_tokens": "8"}}, 1024},
		{"left to the model", -1, fields{"thinking": fields{"budget_tokens": 4000}}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, unguarded := range []bool{false, true} {
				server := bedrocktest.NewServer(t)
				c := newClient(t, server, func(o *opts) {
					o.MaxTokens = row.options
					if unguarded {
						o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "test"
					}
				})
				var extra document.Interface
				if row.fields != nil {
					extra = document.NewLazyDocument(row.fields)
				}
				in, stream := converse("hello"), converseStream("hello")
				in.AdditionalModelRequestFields, stream.AdditionalModelRequestFields = extra, extra
				if _, err := c.Converse(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				out, err := c.ConverseStream(t.Context(), stream)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := drain(out.GetStream()); err != nil {
					t.Fatal(err)
				}
				for operation, config := range map[string]*types.InferenceConfiguration{
					"Converse":       calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput).InferenceConfig,
					"ConverseStream": calls(server, "ConverseStream")[0].Input.(*bedrockruntime.ConverseStreamInput).InferenceConfig,
				} {
					var got *int32
					if config != nil {
						got = config.MaxTokens
					}
					if aws.ToInt32(got) != row.want || row.want == 0 && got != nil {
						t.Errorf("%s, unguarded %v: sent %v, want %d", operation, unguarded, aws.ToInt32(got), row.want)
					}
				}
			}
		})
	}
}

// turncoat encodes differently from the second time on.
type turncoat struct {
	document.Interface
	asked *int
}

func (d turncoat) MarshalSmithyDocument() ([]byte, error) {
	*d.asked++
	if *d.asked == 1 {
		return []byte(`{"top_k":5}`), nil
	}
	return []byte(`{"guardrailConfig":{}}`), nil
}

type written struct {
	document.Interface
	text string
}

func (d written) MarshalSmithyDocument() ([]byte, error) { return []byte(d.text), nil }

// The fields that were checked are the fields that are sent, and cannot leave their
// place in the request.
func TestModelFieldsAreEncodedOnce(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	in := converse("hello")
	in.AdditionalModelRequestFields = turncoat{document.NewLazyDocument(nil), new(int)}
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	sent := string(calls(server, "Converse")[0].Body)
	if !strings.Contains(sent, `"top_k":5`) || strings.Contains(sent, `"additionalModelRequestFields":{"guardrailConfig"`) {
		t.Errorf("sent %s", sent)
	}
	for _, text := range []string{`{},"guardrailConfig":{"guardrailIdentifier":"other"}`, `{"a":1}}`, ``, `[]`, `7`, `{"guardrailConfig":{}}`, `{"amazon-bedrock-x":1}`} {
		in.AdditionalModelRequestFields = written{document.NewLazyDocument(nil), text}
		_, err := c.Converse(t.Context(), in)
		refusedBy(t, err, securebedrock.ErrGuardrailOverride)
	}
	if n := len(calls(server, "Converse")); n != 1 {
		t.Errorf("%d requests arrived", n)
	}
}
