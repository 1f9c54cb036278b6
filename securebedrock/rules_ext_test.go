package securebedrock_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The model rules stand on every route that names a model.
func TestModelRulesOnEveryRoute(t *testing.T) {
	const global = "global." + haiku
	for name, call := range map[string]func(context.Context, *client) error{
		"Converse": func(ctx context.Context, c *client) error {
			_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(global), Messages: userSays("a secret")})
			return err
		},
		"ConverseStream": func(ctx context.Context, c *client) error {
			_, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: aws.String(global), Messages: userSays("a secret")})
			return err
		},
		"InvokeModel": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(global), Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(global), Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithBidirectionalStream": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String(global)})
			return err
		},
		"StartAsyncInvoke": func(ctx context.Context, c *client) error {
			in := startAsync()
			in.ModelId = aws.String(global)
			_, err := c.StartAsyncInvoke(ctx, in)
			return err
		},
		"CountTokens": func(ctx context.Context, c *client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(global),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("a secret")}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *opts) {
				o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "public", "InvokeModelWithBidirectionalStream": "public"}
			})
			refusedBy(t, call(t.Context(), c), securebedrock.ErrResidency)
			nothingArrived(t, server)
		})
	}
}

// The model that was checked is the one that is sent, whatever happens meanwhile
// to the string that the caller's pointer points to.
func TestModelIsCopiedBeforeItIsChecked(t *testing.T) {
	server := bedrocktest.NewServer(t)
	id := "us." + haiku
	c := newClient(t, server, func(o *opts) {
		o.Profiles = resolver{regions: []string{"us-east-1"}, asked: func() { id = "global." + haiku }}
	})
	in := converse("hello")
	in.ModelId = &id
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := calls(server, "Converse")[0].ModelID; got != "us."+haiku {
		t.Errorf("checked us.%s and sent %s", haiku, got)
	}
}

func TestResolverErrorRefusesAndIsKept(t *testing.T) {
	server := bedrocktest.NewServer(t)
	down := errors.New("control plane is down")
	c := newClient(t, server, func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1"}, err: down} })
	in := converse("a secret")
	in.ModelId = aws.String("us." + haiku)
	_, err := c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrResidency)
	if !errors.Is(err, down) {
		t.Errorf("the resolver's error is lost: %v", err)
	}
	nothingArrived(t, server)
}

// What the caller gave stays as it was: nothing below the first level is written.
func TestCallersInputIsNotWritten(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	config := &types.InferenceConfiguration{Temperature: aws.Float32(0.5)}
	metadata := map[string]string{"team": "claims"}
	unary := &types.GuardrailConfiguration{Trace: types.GuardrailTraceEnabled}
	streamed := &types.GuardrailStreamConfiguration{Trace: types.GuardrailTraceEnabled}
	in, sin := converse("hello"), converseStream("hello")
	in.InferenceConfig, in.RequestMetadata, in.GuardrailConfig = config, metadata, unary
	sin.InferenceConfig, sin.RequestMetadata, sin.GuardrailConfig = config, metadata, streamed
	before, sbefore := *in, *sin
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	out, err := c.ConverseStream(t.Context(), sin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	if config.MaxTokens != nil || len(metadata) != 1 || unary.GuardrailIdentifier != nil || streamed.GuardrailIdentifier != nil || streamed.StreamProcessingMode != "" {
		t.Errorf("the caller's own was written: %+v, %v, %+v, %+v", config, metadata, unary, streamed)
	}
	if !reflect.DeepEqual(before, *in) || !reflect.DeepEqual(sbefore, *sin) {
		t.Errorf("the caller's input was written: %+v, %+v", *in, *sin)
	}
}

// The defaults are written on the streaming routes too.
func TestDefaultsOnStreams(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	in := calls(server, "ConverseStream")[0].Input.(*bedrockruntime.ConverseStreamInput)
	if in.InferenceConfig == nil || aws.ToInt32(in.InferenceConfig.MaxTokens) != 1024 || in.RequestMetadata["securebedrock-call-id"] != rec.calls[0].ID {
		t.Errorf("sent %+v, %v", in.InferenceConfig, in.RequestMetadata)
	}
	if in.GuardrailConfig == nil || in.GuardrailConfig.Trace != types.GuardrailTraceEnabled {
		t.Errorf("sent %+v", in.GuardrailConfig)
	}
	invoked, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
	if err != nil {
		t.Fatal(err)
	}
	for range invoked.GetStream().Events() {
	}
	h := calls(server, "InvokeModelWithResponseStream")[0].Header
	if !strings.Contains(h.Get("X-Amzn-Bedrock-Request-Metadata"), rec.calls[1].ID) || h.Get("X-Amzn-Bedrock-Trace") != "ENABLED" ||
		h.Get("X-Amzn-Bedrock-GuardrailIdentifier") != bedrocktest.DefaultGuardrailID {
		t.Errorf("sent %v", h)
	}
}

// A managed prompt brings its own inference configuration.
func TestPromptGetsNoMaxTokens(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Residency = []string{"*"} })
	_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1")})
	got := calls(server, "Converse")
	if len(got) != 1 {
		t.Fatalf("%d calls, %v", len(got), err)
	}
	if in, ok := got[0].Input.(*bedrockruntime.ConverseInput); ok && in.InferenceConfig != nil {
		t.Errorf("sent %+v", in.InferenceConfig)
	}
}

type (
	client = securebedrock.Client
	opts   = securebedrock.Options
)

// Each row is refused by its rule before a byte leaves; taken out, the rule lets
// the call through to the server, which answers it.
func TestRulesRefuse(t *testing.T) {
	const model2 = "amazon.nova-lite-v1:0"
	withModel := func(id string) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			in := converse("a secret")
			in.ModelId = aws.String(id)
			_, err := c.Converse(ctx, in)
			return err
		}
	}
	withGuardrail := func(g types.GuardrailConfiguration) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			in := converse("a secret")
			in.GuardrailConfig = &g
			_, err := c.Converse(ctx, in)
			return err
		}
	}
	withStreamGuardrail := func(g types.GuardrailStreamConfiguration) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			in := converseStream("a secret")
			in.GuardrailConfig = &g
			_, err := c.ConverseStream(ctx, in)
			return err
		}
	}
	withContent := func(blocks ...types.ContentBlock) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(haiku),
				Messages: []types.Message{{Role: types.ConversationRoleUser, Content: blocks}}})
			return err
		}
	}
	withFields := func(fields map[string]any) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			in := converse("a secret")
			in.AdditionalModelRequestFields = document.NewLazyDocument(fields)
			_, err := c.Converse(ctx, in)
			return err
		}
	}
	withBody := func(body, contentType string) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body)}
			if contentType != "" {
				in.ContentType = aws.String(contentType)
			}
			_, err := c.InvokeModel(ctx, in)
			return err
		}
	}
	guarded := &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{
		Value: types.GuardrailConverseTextBlock{Text: aws.String("scan me")}}}
	plain := &types.ContentBlockMemberText{Value: "a secret"}

	for _, row := range []struct {
		name   string
		rule   error
		change func(*opts)
		call   func(context.Context, *client) error
	}{
		{"a model whose profile may leave the region", securebedrock.ErrResidency, nil, withModel("us." + haiku)},
		{"a profile with one destination outside Residency", securebedrock.ErrResidency,
			func(o *opts) { o.Residency = []string{"us-east-2"} }, withModel("us." + haiku)},
		{"a global profile without the asterisk", securebedrock.ErrResidency,
			func(o *opts) { o.Residency = securebedrock.Geography("us") }, withModel("global." + haiku)},
		{"a profile of another geography", securebedrock.ErrResidency,
			func(o *opts) { o.Residency = securebedrock.Geography("eu") }, withModel("eu." + haiku)},
		{"a system profile's ARN that may leave the region", securebedrock.ErrResidency, nil,
			withModel("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + haiku)},
		{"an application profile that nobody resolves", securebedrock.ErrResidency, nil,
			withModel("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123")},
		{"a prompt router", securebedrock.ErrResidency, nil,
			withModel("arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1")},
		{"a managed prompt", securebedrock.ErrResidency, nil,
			withModel("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1")},
		{"a resolver that fails", securebedrock.ErrResidency,
			func(o *opts) { o.Profiles = resolver{err: errors.New("control plane is down")} }, withModel("us." + haiku)},
		{"a resolver that knows nothing", securebedrock.ErrResidency,
			func(o *opts) { o.Profiles = resolver{} }, withModel("us." + haiku)},
		{"an ARN of another region", securebedrock.ErrRegion, nil,
			withModel("arn:aws:bedrock:us-west-2::foundation-model/" + haiku)},
		{"an ARN of another partition", securebedrock.ErrRegion, nil,
			withModel("arn:aws-us-gov:bedrock:us-east-1::foundation-model/" + haiku)},
		{"an invocation of another region", securebedrock.ErrRegion, nil, func(ctx context.Context, c *client) error {
			_, err := c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{
				InvocationArn: aws.String("arn:aws:bedrock:eu-west-1:123456789012:async-invoke/abc")})
			return err
		}},
		{"a model that is not on the list", securebedrock.ErrModel,
			func(o *opts) { o.Models = []string{"anthropic.*"} }, withModel(model2)},
		{"an unknown prefix", securebedrock.ErrModel, nil, withModel("mars." + haiku)},
		{"an empty model", securebedrock.ErrModel, nil, withModel("")},
		{"a model that is a path", securebedrock.ErrModel, nil, withModel("../guardrail/x/version/1/apply")},
		{"a prompt in the model's place", securebedrock.ErrModel, nil, withModel("a secret in the wrong field")},
		{"a model with a query", securebedrock.ErrModel, nil, withModel(haiku + "?a=b")},
		{"CountTokens of a profile that leaves", securebedrock.ErrResidency, nil, func(ctx context.Context, c *client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String("us." + haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("a secret")}}})
			return err
		}},

		{"another guardrail", securebedrock.ErrGuardrailOverride, nil,
			withGuardrail(types.GuardrailConfiguration{GuardrailIdentifier: aws.String("other"), GuardrailVersion: aws.String("1")})},
		{"another version", securebedrock.ErrGuardrailOverride, nil,
			withGuardrail(types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("DRAFT")})},
		{"another guardrail by ARN", securebedrock.ErrGuardrailOverride, nil,
			withGuardrail(types.GuardrailConfiguration{GuardrailIdentifier: aws.String("arn:aws:bedrock:us-east-1:123456789012:guardrail/other")})},
		{"an empty guardrail", securebedrock.ErrGuardrailOverride, nil,
			withGuardrail(types.GuardrailConfiguration{GuardrailIdentifier: aws.String("")})},
		{"the trace switched off", securebedrock.ErrGuardrailOverride, nil,
			withGuardrail(types.GuardrailConfiguration{Trace: types.GuardrailTraceDisabled})},
		{"a stream's trace switched off", securebedrock.ErrGuardrailOverride, nil,
			withStreamGuardrail(types.GuardrailStreamConfiguration{Trace: types.GuardrailTraceDisabled})},
		{"an asynchronous stream", securebedrock.ErrGuardrailOverride, nil,
			withStreamGuardrail(types.GuardrailStreamConfiguration{StreamProcessingMode: types.GuardrailStreamProcessingModeAsync})},
		{"another guardrail on a stream", securebedrock.ErrGuardrailOverride, nil,
			withStreamGuardrail(types.GuardrailStreamConfiguration{GuardrailIdentifier: aws.String("other")})},
		{"another guardrail on InvokeModel", securebedrock.ErrGuardrailOverride, nil, func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret"),
				GuardrailIdentifier: aws.String("other"), GuardrailVersion: aws.String("1")})
			return err
		}},
		{"InvokeModel's trace switched off", securebedrock.ErrGuardrailOverride, nil, func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret"),
				Trace: types.TraceDisabled})
			return err
		}},
		{"another version on InvokeModelWithResponseStream", securebedrock.ErrGuardrailOverride, nil, func(ctx context.Context, c *client) error {
			_, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku),
				Body: invokeBody("a secret"), GuardrailVersion: aws.String("7")})
			return err
		}},
		{"ApplyGuardrail with another guardrail", securebedrock.ErrGuardrailOverride, nil, func(ctx context.Context, c *client) error {
			_, err := c.ApplyGuardrail(ctx, applyGuardrail("other", "1"))
			return err
		}},
		{"an asynchronous stream asked for in the body", securebedrock.ErrGuardrailOverride, nil,
			withBody(`{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"ASYNCHRONOUS"},"messages":[]}`, "")},

		{"text beside a guardContent block", securebedrock.ErrGuardrailCoverage, nil, withContent(guarded, plain)},
		{"a system prompt beside a guardContent block", securebedrock.ErrGuardrailCoverage, nil, func(ctx context.Context, c *client) error {
			in := converse("a secret")
			in.Messages[0].Content = []types.ContentBlock{guarded}
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "a secret"}}
			_, err := c.Converse(ctx, in)
			return err
		}},
		{"video beside a guardContent block", securebedrock.ErrGuardrailCoverage, nil, withContent(guarded, &types.ContentBlockMemberVideo{Value: types.VideoBlock{Format: types.VideoFormatMp4, Source: &types.VideoSourceMemberBytes{Value: []byte("x")}}})},
		{"a guardContent block that is only a grounding source", securebedrock.ErrGuardrailCoverage, nil, withContent(
			&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{
				Text: aws.String("a secret"), Qualifiers: []types.GuardrailConverseContentQualifier{types.GuardrailConverseContentQualifierGroundingSource}}}})},
		{"a guardrail among the model's own fields", securebedrock.ErrGuardrailOverride, nil, withFields(map[string]any{"amazon-bedrock-guardrailConfig": map[string]any{"tagSuffix": "x"}})},
		{"a model among the model's own fields", securebedrock.ErrModel, nil, withFields(map[string]any{"modelId": "global." + haiku})},
		{"a tag suffix under a key in lower case", securebedrock.ErrGuardrailCoverage, nil,
			withBody(`{"amazon-bedrock-guardrailconfig":{"tagSuffix":"x"},"messages":[]}`, "")},
		{"a tag suffix in the body", securebedrock.ErrGuardrailCoverage, nil,
			withBody(`{"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"},"messages":[]}`, "")},
		{"a tag suffix under an escaped key", securebedrock.ErrGuardrailCoverage, nil,
			withBody(`{"amazon-bedrock-guardrail\u0043onfig":{"tagSuffix":"x"},"messages":[]}`, "")},
		{"a tag suffix under a doubled key", securebedrock.ErrGuardrailCoverage, nil,
			withBody(`{"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"},"amazon-bedrock-guardrailConfig":{}}`, "")},
		{"a body that is no JSON object", securebedrock.ErrGuardrailCoverage, nil, withBody(`["guardrailConfig"]`, "")},
		{"a body that is not called JSON", securebedrock.ErrGuardrailCoverage, nil, withBody(`{}`, "text/plain")},

		{"an asynchronous invocation without a reason", securebedrock.ErrUnguardedOperation, nil, func(ctx context.Context, c *client) error {
			_, err := c.StartAsyncInvoke(ctx, startAsync())
			return err
		}},
		{"a bidirectional stream without a reason", securebedrock.ErrUnguardedOperation, nil, func(ctx context.Context, c *client) error {
			_, err := c.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")})
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option, func(o *opts) {
				if row.change != nil {
					row.change(o)
				}
			})
			err := row.call(t.Context(), c)
			refusedBy(t, err, row.rule)
			if strings.Contains(err.Error(), "a secret") {
				t.Errorf("the error carries the prompt: %v", err)
			}
			nothingArrived(t, server)
			if r := rec.one(t); !errors.Is(r.err, row.rule) || !errors.Is(r.outcome.Err, row.rule) || r.outcome.Attempts != 0 {
				t.Errorf("the middleware saw error %v and outcome %+v", r.err, r.outcome)
			}
		})
	}
}

// Each row passes and arrives; it is the neighbour of a refusal.
func TestRulesAdmit(t *testing.T) {
	gr := bedrocktest.DefaultGuardrailID
	arn := "arn:aws:bedrock:us-east-1:123456789012:guardrail/" + gr
	say := func(model string, g *types.GuardrailConfiguration) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			in := converse("hello")
			in.ModelId, in.GuardrailConfig = aws.String(model), g
			_, err := c.Converse(ctx, in)
			return err
		}
	}
	for _, row := range []struct {
		name      string
		operation string
		change    func(*opts)
		call      func(context.Context, *client) error
	}{
		{"a model of the region", "Converse", nil, say(haiku, nil)},
		{"a model by ARN", "Converse", nil, say("arn:aws:bedrock:us-east-1::foundation-model/"+haiku, nil)},
		{"a profile whose destinations are all admitted", "Converse",
			func(o *opts) { o.Residency = securebedrock.Geography("us") }, say("us."+haiku, nil)},
		{"a global profile with the asterisk", "Converse", func(o *opts) { o.Residency = []string{"*"} }, say("global."+haiku, nil)},
		{"a prompt router with the asterisk", "Converse", func(o *opts) { o.Residency = []string{"*"} },
			say("arn:aws:bedrock:us-east-1:123456789012:prompt-router/abc", nil)},
		{"an application profile that a resolver knows", "Converse", func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1"}} },
			say("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", nil)},
		{"a model on the list", "Converse", func(o *opts) { o.Models = []string{"amazon.*", "anthropic.claude-3-haiku-*"} }, say(haiku, nil)},
		{"the caller's equal guardrail", "Converse", nil,
			say(haiku, &types.GuardrailConfiguration{GuardrailIdentifier: &gr, GuardrailVersion: aws.String("1"), Trace: types.GuardrailTraceEnabled})},
		{"the pinned guardrail by ARN", "Converse", nil,
			say(haiku, &types.GuardrailConfiguration{GuardrailIdentifier: &arn, GuardrailVersion: aws.String("1")})},
		{"the ARN pinned and the ID given", "Converse", func(o *opts) { o.Guardrail.ID = arn },
			say(haiku, &types.GuardrailConfiguration{GuardrailIdentifier: &gr, GuardrailVersion: aws.String("1")})},
		{"no guardrail with a reason", "Converse",
			func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "evaluation set" }, say(haiku, nil)},
		{"partial coverage where it is allowed", "Converse", func(o *opts) { o.Guardrail.AllowPartial = true }, func(ctx context.Context, c *client) error {
			in := converse("plain")
			in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberGuardContent{
				Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("scan me")}}})
			_, err := c.Converse(ctx, in)
			return err
		}},
		{"InvokeModel", "InvokeModel", nil, func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("caf\\u00e9")})
			return err
		}},
		{"an asynchronous invocation with a reason", "StartAsyncInvoke",
			func(o *opts) {
				o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "embeddings of public pages"}
			}, func(ctx context.Context, c *client) error {
				_, err := c.StartAsyncInvoke(ctx, startAsync())
				return err
			}},
		{"ApplyGuardrail with the pinned guardrail", "ApplyGuardrail", nil, func(ctx context.Context, c *client) error {
			_, err := c.ApplyGuardrail(ctx, applyGuardrail(gr, "1"))
			return err
		}},
		{"ListAsyncInvokes", "ListAsyncInvokes", nil, func(ctx context.Context, c *client) error {
			_, err := c.ListAsyncInvokes(ctx, nil)
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option, func(o *opts) {
				if row.change != nil {
					row.change(o)
				}
			})
			if err := row.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			got := calls(server, row.operation)
			if len(got) != 1 {
				t.Fatalf("the server received %d calls of %s", len(got), row.operation)
			}
			if got[0].Region != "us-east-1" || got[0].AuthScheme != "AWS4-HMAC-SHA256" {
				t.Errorf("signed for %s by %s", got[0].Region, got[0].AuthScheme)
			}
			if r := rec.one(t); r.outcome.Err != nil || r.outcome.Attempts != 1 || r.outcome.RequestID == "" {
				t.Errorf("outcome %+v", r.outcome)
			}
		})
	}
}

// What the rules write is on the wire, for each route that carries a guardrail.
func TestGuardrailIsAttached(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	ctx := t.Context()
	metadata := map[string]string{"team": "claims"}
	in := converse("hello")
	in.RequestMetadata = metadata
	if _, err := c.Converse(ctx, in); err != nil {
		t.Fatal(err)
	}
	if in.GuardrailConfig != nil || in.InferenceConfig != nil || len(metadata) != 1 {
		t.Error("the caller's input was written into")
	}
	got := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput)
	if g := got.GuardrailConfig; g == nil || aws.ToString(g.GuardrailIdentifier) != bedrocktest.DefaultGuardrailID ||
		aws.ToString(g.GuardrailVersion) != "1" || g.Trace != types.GuardrailTraceEnabled {
		t.Errorf("Converse went with guardrail %+v", g)
	}
	if got.InferenceConfig == nil || aws.ToInt32(got.InferenceConfig.MaxTokens) != 1024 {
		t.Errorf("Converse went with inferenceConfig %+v", got.InferenceConfig)
	}
	if got.RequestMetadata["team"] != "claims" || got.RequestMetadata["securebedrock-call-id"] != rec.calls[0].ID {
		t.Errorf("Converse went with metadata %v", got.RequestMetadata)
	}

	stream, err := c.ConverseStream(ctx, converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(stream.GetStream()); err != nil {
		t.Fatal(err)
	}
	gotStream := calls(server, "ConverseStream")[0].Input.(*bedrockruntime.ConverseStreamInput)
	if g := gotStream.GuardrailConfig; g == nil || aws.ToString(g.GuardrailIdentifier) != bedrocktest.DefaultGuardrailID ||
		g.StreamProcessingMode != types.GuardrailStreamProcessingModeSync {
		t.Errorf("ConverseStream went with guardrail %+v", g)
	}

	if _, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"),
		RequestMetadata: aws.String(`{"team":"claims"}`)}); err != nil {
		t.Fatal(err)
	}
	h := calls(server, "InvokeModel")[0].Header
	if h.Get("X-Amzn-Bedrock-GuardrailIdentifier") != bedrocktest.DefaultGuardrailID || h.Get("X-Amzn-Bedrock-GuardrailVersion") != "1" ||
		h.Get("X-Amzn-Bedrock-Trace") != "ENABLED" || h.Get("Content-Type") != "application/json" {
		t.Errorf("InvokeModel went with headers %v", h)
	}
	if m := h.Get("X-Amzn-Bedrock-Request-Metadata"); !strings.Contains(m, rec.calls[2].ID) || !strings.Contains(m, "claims") {
		t.Errorf("InvokeModel went with metadata %q", m)
	}
}

// A caller's own bound on tokens stays, and a negative MaxTokens adds none.
func TestMaxTokens(t *testing.T) {
	for _, row := range []struct {
		name    string
		options int32
		caller  *int32
		want    *int32
	}{
		{"none set", 0, nil, aws.Int32(1024)},
		{"set in Options", 77, nil, aws.Int32(77)},
		{"set by the caller", 77, aws.Int32(5), aws.Int32(5)},
		{"left unset", -1, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *opts) { o.MaxTokens = row.options })
			in := converse("hello")
			in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: row.caller, Temperature: aws.Float32(0.5)}
			if _, err := c.Converse(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			got := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput).InferenceConfig
			if aws.ToInt32(got.MaxTokens) != aws.ToInt32(row.want) || (got.MaxTokens == nil) != (row.want == nil) || aws.ToFloat32(got.Temperature) != 0.5 {
				t.Errorf("sent %+v", got)
			}
		})
	}
}

type resolver struct {
	regions []string
	err     error
	asked   func()
}

func (r resolver) Destinations(context.Context, string, string) ([]string, error) {
	if r.asked != nil {
		r.asked()
	}
	return r.regions, r.err
}

func applyGuardrail(id, version string) *bedrockruntime.ApplyGuardrailInput {
	return &bedrockruntime.ApplyGuardrailInput{
		GuardrailIdentifier: &id, GuardrailVersion: &version, Source: types.GuardrailContentSourceInput,
		Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}},
	}
}

func startAsync() *bedrockruntime.StartAsyncInvokeInput {
	return &bedrockruntime.StartAsyncInvokeInput{
		ModelId:    aws.String("amazon.nova-reel-v1:0"),
		ModelInput: asyncInput(),
		OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{
			Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/out")}},
	}
}
