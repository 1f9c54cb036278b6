package securebedrock_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A serializer or a protocol of somebody else's makes no request that is sent.
func TestForeignSerializer(t *testing.T) {
	swap := func(f func(ctx context.Context, in middleware.SerializeInput, own middleware.SerializeMiddleware, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error)) func(*middleware.Stack) error {
		return func(s *middleware.Stack) error {
			own, ok := s.Serialize.Get("OperationSerializer")
			if !ok {
				return errAny
			}
			_, err := s.Serialize.Swap("OperationSerializer", middleware.SerializeMiddlewareFunc("OperationSerializer", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				return f(ctx, in, own, next)
			}))
			return err
		}
	}
	unguarded := func(in any) *smithyhttp.Request {
		r := in.(*smithyhttp.Request)
		r.Method, r.URL.Path = "POST", "/model/"+haiku+"/converse"
		r.Header.Set("Content-Type", "application/json")
		own, err := r.SetStream(strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"unguarded"}]}]}`))
		if err != nil {
			t.Error(err)
		}
		return own
	}
	steps := map[string]func(*middleware.Stack) error{
		"one that writes by itself": swap(func(ctx context.Context, in middleware.SerializeInput, _ middleware.SerializeMiddleware, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			in.Request = unguarded(in.Request)
			return next.HandleSerialize(ctx, in)
		}),
		"one that writes after the client's": swap(func(ctx context.Context, in middleware.SerializeInput, own middleware.SerializeMiddleware, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			return own.HandleSerialize(ctx, in, serializeHandler(func(ctx context.Context, in middleware.SerializeInput) (middleware.SerializeOutput, middleware.Metadata, error) {
				in.Request = unguarded(in.Request)
				return next.HandleSerialize(ctx, in)
			}))
		}),
		"one that runs the client's twice": swap(func(ctx context.Context, in middleware.SerializeInput, own middleware.SerializeMiddleware, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			kept := in.Request.(*smithyhttp.Request).Clone()
			_, _, err := own.HandleSerialize(ctx, in, serializeHandler(func(context.Context, middleware.SerializeInput) (middleware.SerializeOutput, middleware.Metadata, error) {
				return middleware.SerializeOutput{}, middleware.Metadata{}, nil
			}))
			if err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			in.Request = kept
			return own.HandleSerialize(ctx, in, next)
		}),
		"one that gives the client's another input": swap(func(ctx context.Context, in middleware.SerializeInput, own middleware.SerializeMiddleware, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			in.Parameters = converse("unguarded")
			return own.HandleSerialize(ctx, in, next)
		}),
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			_, err := c.Converse(t.Context(), converse("a secret"), func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, step) })
			refusedBy(t, err, securebedrock.ErrEndpoint)
			cfg := server.Config()
			cfg.APIOptions = append(cfg.APIOptions, step)
			configured, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer configured.Close()
			_, err = configured.Runtime().Converse(t.Context(), converse("a secret"))
			refusedBy(t, err, securebedrock.ErrEndpoint)
			nothingArrived(t, server)
		})
	}
	t.Run("a protocol", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		_, err := c.Runtime().Converse(t.Context(), converse("a secret"), func(o *sdkOptions) { o.Protocol = rewritingProtocol{o.Protocol} })
		refusedBy(t, err, securebedrock.ErrEndpoint)
		_, err = c.Runtime().Converse(t.Context(), converse("a secret"), func(o *sdkOptions) { o.Protocol = bedrockruntime.New(sdkOptions{}).Options().Protocol })
		refusedBy(t, err, securebedrock.ErrEndpoint)
		nothingArrived(t, server)
	})
}
