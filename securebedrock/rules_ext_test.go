package securebedrock_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
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
