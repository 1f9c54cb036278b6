package securebedrock

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

type looks struct{}

func (looks) BeforeTransmit(context.Context, *smithyhttp.InterceptorContext) error { return nil }

// A plain configuration pays for no digest of its inputs: it has no steps of its own
// that could change one. Any step or interceptor is watched.
func TestPlainConfigurationIsNotWatched(t *testing.T) {
	step := func(*middleware.Stack) error { return nil }
	for name, row := range map[string]struct {
		change func(*aws.Config)
		want   bool
	}{
		"plain":             {func(*aws.Config) {}, false},
		"with an option":    {func(c *aws.Config) { c.APIOptions = []func(*middleware.Stack) error{step} }, true},
		"with interceptors": {func(c *aws.Config) { c.Interceptors.AddBeforeTransmit(looks{}) }, true},
	} {
		cfg := aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")}
		row.change(&cfg)
		c, err := NewFromConfig(cfg, Options{Region: "us-east-1", Unguarded: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if c.g.watched != row.want {
			t.Errorf("%s: watched %v", name, c.g.watched)
		}
		c.Close()
	}
}
