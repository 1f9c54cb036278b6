package securebedrock_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Inside of the package a refusal is an internal error. On every route to a user a
// PolicyError stands in its place, with the operation of what was refused.
func TestRefusalsArePublicOnEveryRoute(t *testing.T) {
	elsewhere := "arn:aws:bedrock:eu-west-1::foundation-model/" + haiku
	wrong := converse("a secret")
	wrong.ModelId = &elsewhere
	for _, row := range []struct {
		name, operation string
		rule            error
		fault           map[string]bedrocktest.Fault
		sts             stscreds.AssumeRoleAPIClient
		run             func(ctx context.Context, c *securebedrock.Client) error
	}{
		{name: "a method", operation: "Converse", rule: securebedrock.ErrRegion, run: func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Converse(ctx, wrong)
			return err
		}},
		{name: "the Runtime client", operation: "Converse", rule: securebedrock.ErrRegion, run: func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Runtime().Converse(ctx, wrong)
			return err
		}},
		{name: "an answer", operation: "Converse", rule: securebedrock.ErrRedirect,
			fault: map[string]bedrocktest.Fault{"Converse": bedrocktest.Redirect(http.StatusTemporaryRedirect, "https://evil.example/")},
			run: func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.Converse(ctx, converse("hello"))
				return err
			}},
		{name: "a stream", operation: "ConverseStream", rule: securebedrock.ErrStreamTruncated,
			fault: map[string]bedrocktest.Fault{"ConverseStream": bedrocktest.Truncate(2)},
			run: func(ctx context.Context, c *securebedrock.Client) error {
				out, err := c.ConverseStream(ctx, converseStream("hello"))
				if err != nil {
					return err
				}
				_, err = drain(out.GetStream())
				return err
			}},
		{name: "a stream of a closed client", operation: "ConverseStream", rule: securebedrock.ErrStreamTruncated,
			fault: map[string]bedrocktest.Fault{"ConverseStream": bedrocktest.StallStream(1)},
			run: func(ctx context.Context, c *securebedrock.Client) error {
				out, err := c.ConverseStream(ctx, converseStream(longPrompt))
				if err != nil {
					return err
				}
				c.Close()
				_, err = drain(out.GetStream())
				return err
			}},
		{name: "STS in a call", operation: "AssumeRole", rule: securebedrock.ErrAuth, sts: emptySTS{},
			run: func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.Converse(ctx, converse("hello"))
				return err
			}},
		{name: "STS in Warm", operation: "AssumeRole", rule: securebedrock.ErrAuth, sts: emptySTS{},
			run: func(ctx context.Context, c *securebedrock.Client) error { return c.Warm(ctx) }},
		{name: "Warm of a closed client", operation: "Warm", rule: securebedrock.ErrClosed, run: func(ctx context.Context, c *securebedrock.Client) error {
			c.Close()
			return c.Warm(ctx)
		}},
		{name: "a call of a closed client", operation: "Converse", rule: securebedrock.ErrClosed, run: func(ctx context.Context, c *securebedrock.Client) error {
			c.Close()
			_, err := c.Converse(ctx, converse("hello"))
			return err
		}},
		{name: "a call around the guard", operation: "Converse", rule: securebedrock.ErrBypassed, run: func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Runtime().Converse(ctx, converse("hello"), func(o *bedrockruntime.Options) { o.APIOptions = nil })
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			for operation, fault := range row.fault {
				server.Fail(operation, fault)
			}
			var rec recorder
			err := row.run(t.Context(), newClient(t, server, rec.option, func(o *opts) {
				if row.sts != nil {
					role := *o.Role
					role.STS, o.Role = row.sts, &role
				}
			}))
			refusedBy(t, err, row.rule)
			var p *securebedrock.PolicyError
			if errors.As(err, &p); p.Operation != row.operation {
				t.Errorf("the operation is %q, want %q: %v", p.Operation, row.operation, err)
			}
			if says := row.operation + ": "; !strings.Contains(err.Error(), says) {
				t.Errorf("%v does not say %q", err, says)
			}
			rec.mu.Lock()
			defer rec.mu.Unlock()
			for _, r := range rec.records {
				onlyPublic(t, r.outcome.Err)
			}
		})
	}
	t.Run("ParseModel", func(t *testing.T) {
		_, err := securebedrock.ParseModel("no model")
		var p *securebedrock.PolicyError
		if !errors.As(err, &p) || !errors.Is(p.Rule, securebedrock.ErrModel) {
			t.Errorf("got %#v", err)
		}
		onlyPublic(t, err)
	})
	t.Run("New", func(t *testing.T) {
		_, err := securebedrock.New(t.Context(), securebedrock.Options{Role: &securebedrock.Role{}})
		if !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("got %v", err)
		}
		onlyPublic(t, err)
	})
}

// emptySTS assumes no role, and does not say so.
type emptySTS struct{}

func (emptySTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return nil, nil
}

// Options without a guardrail and without a reason say so by a rule of its own.
func TestNoGuardrailIsARule(t *testing.T) {
	o := goodOptions()
	o.Guardrail = securebedrock.Guardrail{}
	_, err := securebedrock.NewFromConfig(goodConfig(), o)
	if !errors.Is(err, securebedrock.ErrConfig) || !errors.Is(err, securebedrock.ErrGuardrailRequired) {
		t.Errorf("got %v", err)
	}
	if o.Unguarded = "a test"; err != nil {
		c, err := securebedrock.NewFromConfig(goodConfig(), o)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}
