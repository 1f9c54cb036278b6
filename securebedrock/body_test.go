package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// With a configuration of no API options the gate finds the serializer's own
// reader, as it does with the real Bedrock. What stands in it must be what the
// rules approved, though the reader is the same.
func TestSerializersOwnReader(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(r *bytes.Reader, text []byte)
		ok     bool
	}{
		{"untouched", func(*bytes.Reader, []byte) {}, true},
		{"given other bytes", func(r *bytes.Reader, text []byte) { r.Reset(bytes.ReplaceAll(text, []byte("hello"), []byte("HELLO"))) }, false},
		{"given a part of its bytes", func(r *bytes.Reader, text []byte) { r.Reset(text[:len(text)-1]) }, false},
		{"read in part", func(r *bytes.Reader, _ []byte) { _, _ = r.ReadByte() }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = nil
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ran := false
			_, err = c.Converse(t.Context(), converse("hello"), func(o *bedrockruntime.Options) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
					return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
						if r, ok := in.Request.(*smithyhttp.Request).GetStream().(*bytes.Reader); ok {
							text := make([]byte, r.Len())
							_, _ = r.ReadAt(text, 0)
							row.change(r, text)
							ran = true
						}
						return next.HandleFinalize(ctx, in)
					}), middleware.After)
				})
			})
			if !ran {
				t.Fatal("the reader is not the serializer's")
			}
			if row.ok != (err == nil) || !row.ok && !errors.Is(err, securebedrock.ErrEndpoint) || !row.ok && len(calls(server, "Converse")) > 0 {
				t.Errorf("%v; %d arrived", err, len(calls(server, "Converse")))
			}
		})
	}
}
