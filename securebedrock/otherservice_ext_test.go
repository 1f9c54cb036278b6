package securebedrock_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// countingClient is an HTTP client that counts its requests.
type countingClient struct {
	aws.HTTPClient
	n *atomic.Int32
}

func (c countingClient) Do(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.HTTPClient.Do(r)
}

// A client of another service that is made with Config gets no credentials and no
// network, whatever of the configuration the library has replaced. Its error says what
// to do, and the call is not made again.
func TestConfigServesNoOtherService(t *testing.T) {
	signed := func(ctx context.Context, c *sts.Client) error {
		_, err := c.GetCallerIdentity(ctx, nil)
		return err
	}
	anonymously := func(ctx context.Context, c *sts.Client) error {
		_, err := c.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::111122223333:role/r"), RoleSessionName: aws.String("s"), WebIdentityToken: aws.String("a-web-identity-token")})
		return err
	}
	presigned := func(ctx context.Context, c *sts.Client) error {
		_, err := sts.NewPresignClient(c).PresignGetCallerIdentity(ctx, nil)
		return err
	}
	for name, call := range map[string]func(context.Context, *sts.Client) error{"signed": signed, "anonymous": anonymously, "presigned": presigned} {
		for _, row := range []struct {
			name   string
			change func(cfg *aws.Config, elsewhere string)
			option func(o *sts.Options)
		}{
			{name: "as it is"},
			{name: "with another HTTP client", change: func(cfg *aws.Config, url string) { cfg.HTTPClient = redirecting{url} }},
			{name: "with the default HTTP client", change: func(cfg *aws.Config, _ string) { cfg.HTTPClient = nil }},
			{name: "without API options", change: func(cfg *aws.Config, _ string) { cfg.APIOptions = nil }},
			{name: "without credentials", change: func(cfg *aws.Config, _ string) { cfg.Credentials = nil }},
			{name: "with the SDK's retryer", change: func(cfg *aws.Config, _ string) { cfg.Retryer = nil }},
			{name: "without ServiceOptions", change: func(cfg *aws.Config, _ string) { cfg.ServiceOptions = nil }},
			{name: "with its own API options cleared", option: func(o *sts.Options) { o.APIOptions = nil }},
		} {
			t.Run(name+"/"+row.name, func(t *testing.T) {
				other, server := newTrap(t), bedrocktest.NewServer(t)
				c := newClient(t, server)
				cfg := c.Config()
				cfg.BaseEndpoint = &other.URL
				attempts := new(atomic.Int32)
				cfg.HTTPClient = countingClient{cfg.HTTPClient, attempts}
				if row.change != nil {
					row.change(&cfg, other.URL)
				}
				api := sts.NewFromConfig(cfg, func(o *sts.Options) {
					if row.option != nil {
						row.option(o)
					}
				})
				err := call(t.Context(), api)
				refusedBy(t, err, securebedrock.ErrConfig)
				if text := err.Error(); !strings.Contains(text, `"STS"`) || !strings.Contains(text, "the application's own aws.Config") {
					t.Errorf("the error names neither the service nor the remedy: %v", err)
				}
				if strings.Contains(err.Error(), "a-web-identity-token") {
					t.Errorf("the error holds the token: %v", err)
				}
				if n := attempts.Load(); n > 1 {
					t.Errorf("%d attempts", n)
				}
				if n := len(server.Calls()); n != 0 {
					t.Errorf("%d requests arrived", n)
				}
			})
		}
	}
}

// A role that a library would assume with Config's credentials is refused by name.
func TestConfigAssumesNoRole(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	_, err := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c.Config()), "arn:aws:iam::111122223333:role/r").Retrieve(t.Context())
	refusedBy(t, err, securebedrock.ErrConfig)
	_, err = c.Config().Credentials.Retrieve(t.Context())
	if err == nil || !strings.Contains(err.Error(), "bedrockhttp") {
		t.Errorf("credentials without a call: %v", err)
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}
