package securebedrock_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// failingProvider is a credentials provider, and a Role.STS, of an application's.
type failingProvider func()

func (f failingProvider) Retrieve(context.Context) (aws.Credentials, error) {
	f()
	return aws.Credentials{}, nil
}

func (f failingProvider) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	f()
	return nil, nil
}

// The session of a role is renewed, and Warm asks for credentials, on goroutines of
// the client's own: what an application's provider does there neither ends the
// process nor leaves a call waiting.
func TestProvidersThatPanic(t *testing.T) {
	for _, how := range []struct {
		name string
		f    failingProvider
	}{
		{"panics", func() { panic("a secret") }},
		{"ends its goroutine", func() { runtime.Goexit() }},
	} {
		for _, row := range []struct {
			name   string
			change func(cfg *aws.Config, o *opts)
			call   func(ctx context.Context, c *client) error
		}{
			{"Role.STS", func(_ *aws.Config, o *opts) { o.Role.STS = how.f }, func(ctx context.Context, c *client) error {
				_, err := c.Converse(ctx, converse("hello"))
				return err
			}},
			{"the credentials below a Role", func(cfg *aws.Config, o *opts) { cfg.Credentials, o.Role.STS = how.f, nil }, func(ctx context.Context, c *client) error {
				_, err := c.ConverseStream(ctx, converseStream("hello"))
				return err
			}},
			{"Warm", func(cfg *aws.Config, o *opts) { cfg.Credentials, o.Role = how.f, nil }, func(ctx context.Context, c *client) error { return c.Warm(ctx) }},
		} {
			t.Run(row.name+" "+how.name, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				cfg, o := server.Config(), server.Options()
				row.change(&cfg, &o)
				c, err := securebedrock.NewFromConfig(cfg, o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				for range 2 {
					if err := row.call(ctx, c); err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "a secret") {
						t.Errorf("got %v", err)
					}
				}
			})
		}
	}
}
