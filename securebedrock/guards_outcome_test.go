package securebedrock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestCredentialsThatAreNone(t *testing.T) {
	o := opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}}
	_, err := securebedrock.NewFromConfig(aws.Config{Credentials: aws.AnonymousCredentials{}}, o)
	if !errors.Is(err, securebedrock.ErrConfig) || !errors.Is(err, securebedrock.ErrAuth) {
		t.Errorf("anonymous: %v", err)
	}
	_, err = securebedrock.NewFromConfig(aws.Config{}, o)
	if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "Credentials") {
		t.Errorf("none: %v", err)
	}
	o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: failingSTS{}}
	c, err := securebedrock.NewFromConfig(aws.Config{}, o) // the role's own client brings its own
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	for name, creds := range map[string]aws.Credentials{"no key": {}, "no secret": {AccessKeyID: "AKIDEXAMPLE"}, "no ID": {SecretAccessKey: "secret"}} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
			o := server.Options()
			o.Role = nil
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Converse(t.Context(), converse("a secret"))
			refusedBy(t, err, securebedrock.ErrAuth)
			nothingArrived(t, server)
		})
	}
}

// The client's credentials are for calls that have passed the rules: not before
// them, and not outside of a call.
func TestCredentialsAreSealed(t *testing.T) {
	server := bedrocktest.NewServer(t)
	cfg := server.Config()
	var c *client
	var early error
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("early", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			_, early = c.Runtime().Options().Credentials.Retrieve(ctx)
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	})
	o := server.Options()
	o.Role = nil
	var err error
	if c, err = securebedrock.NewFromConfig(cfg, o); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	refusedBy(t, early, securebedrock.ErrBypassed)
	if _, err := c.Runtime().Options().Credentials.Retrieve(t.Context()); !errors.Is(err, securebedrock.ErrBypassed) {
		t.Errorf("outside of a call: %v", err)
	}
	if !aws.IsCredentialsProvider(c.Runtime().Options().Credentials, credentials.StaticCredentialsProvider{}) {
		t.Error("the seal hides the provider from aws.IsCredentialsProvider")
	}
}

// The user agent tells where the credentials came from, as the plain SDK's does.
func TestUserAgentTellsTheCredentialSource(t *testing.T) {
	for _, row := range []struct {
		change func(*opts)
		want   string
	}{{func(o *opts) { o.Role = nil }, "e"}, {func(*opts) {}, "i"}} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, row.change)
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
		_, features, _ := strings.Cut(calls(server, "Converse")[0].Header.Get("User-Agent"), " m/")
		if !strings.Contains(features, row.want) {
			t.Errorf("features %q, want %s", features, row.want)
		}
	}
}

func TestPublicHosts(t *testing.T) {
	for _, row := range []struct {
		e    securebedrock.Endpoint
		want string
	}{
		{securebedrock.Endpoint{FIPS: true}, "bedrock-runtime-fips.us-east-1.amazonaws.com:443"},
		{securebedrock.Endpoint{DualStack: true}, "bedrock-runtime.us-east-1.api.aws:443"},
		{securebedrock.Endpoint{FIPS: true, DualStack: true}, "bedrock-runtime-fips.us-east-1.api.aws:443"},
	} {
		proxy := newConnectProxy(t)
		c, err := securebedrock.NewFromConfig(aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: proxy.client()},
			opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}, Endpoint: row.e, Retry: securebedrock.Retry{MaxAttempts: 1}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, _ = c.Converse(ctx, converse("a secret"))
		cancel()
		c.Close()
		if got := proxy.asked(); len(got) != 1 || got[0] != row.want {
			t.Errorf("asked for %v, want %s", got, row.want)
		}
	}
}

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
