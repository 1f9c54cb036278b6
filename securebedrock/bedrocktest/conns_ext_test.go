package bedrocktest_test

import (
	"context"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// What a client abandons ends on the server too.
func TestConnectionsAfterCancel(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithHTTP1())
	s.Fail("ConverseStream", bedrocktest.StallStream(1))
	ctx, cancel := context.WithCancel(t.Context())
	out, err := probe.Client(s).ConverseStream(ctx, probe.AskStream("hi"))
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
	cancel()
	eventually(t, "the connection's end", func() bool { return s.Connections() == 0 })
	_ = out.GetStream().Close()
}
