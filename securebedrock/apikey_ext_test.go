package securebedrock_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// AWS_BEARER_TOKEN_BEDROCK makes the plain SDK drop its credentials.
func TestBearerTokenInTheEnvironmentIsNotUsed(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "a-bedrock-api-key")
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	got := calls(server, "Converse")[0]
	if got.AuthScheme != "AWS4-HMAC-SHA256" || !strings.HasPrefix(got.AccessKeyID, "ASIA") {
		t.Errorf("went with %s %s", got.AuthScheme, got.AccessKeyID)
	}
	sdk := bedrockruntime.NewFromConfig(server.Config())
	if _, err := sdk.Converse(t.Context(), converse("hello")); err == nil {
		t.Error("the plain SDK no longer prefers the token: this guard may go")
	}
}

// A bearer token that is configured is named once in the log, and not its value.
func TestBearerTokenIsNoted(t *testing.T) {
	for _, env := range []bool{true, false} {
		t.Run(fmt.Sprintf("environment %v", env), func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			var text bytes.Buffer
			cfg.Logger = logging.NewStandardLogger(&text)
			if env {
				t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "the-token")
			} else {
				cfg.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: "the-token"}}
			}
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if n := strings.Count(text.String(), "is not used"); n != 1 || !strings.Contains(text.String(), "AWS_BEARER_TOKEN_BEDROCK") || strings.Contains(text.String(), "the-token") {
				t.Errorf("the log says\n%s", text.String())
			}
		})
	}
}
