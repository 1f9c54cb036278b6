package bedrocktest_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// slowWriter returns from Write only when the answer has long been there.
type slowWriter struct{ net.Conn }

func (c slowWriter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	time.Sleep(10 * time.Millisecond)
	return n, err
}

// An answer that overtakes the end of its request is read whole.
func TestAnswerOvertakesRequest(t *testing.T) {
	for name, opt := range map[string]bedrocktest.Option{"Plain": bedrocktest.WithPlainHTTP(), "HTTP1": bedrocktest.WithHTTP1()} {
		t.Run(name, func(t *testing.T) {
			s := bedrocktest.NewServer(t, opt)
			cfg := s.Config()
			cfg.HTTPClient = cfg.HTTPClient.(*awshttp.BuildableClient).WithTransportOptions(func(tr *http.Transport) {
				tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, network, addr)
					return slowWriter{conn}, err
				}
			})
			c := bedrockruntime.NewFromConfig(cfg)
			out, err := c.ConverseStream(t.Context(), probe.AskStream("hi"))
			if err != nil {
				t.Fatal(err)
			}
			// The connection has time to be closed under the stream.
			time.Sleep(20 * time.Millisecond)
			if got := collect(out.GetStream()); got.err != nil || got.stop == "" {
				t.Errorf("%+v (%v)", got, got.err)
			}
		})
	}
}
