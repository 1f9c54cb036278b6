package bedrocktest_test

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestStartRefuses(t *testing.T) {
	for _, opt := range []bedrocktest.Option{
		bedrocktest.WithAddr("0.0.0.0:0"), bedrocktest.WithAddr(":0"), bedrocktest.WithAddr("192.0.2.1:0"), bedrocktest.WithAddr("example.com:0"),
		bedrocktest.WithAddr("127.0.0.1"), bedrocktest.WithAddr("127.0.0.1:http"), bedrocktest.WithRegion(""),
	} {
		if s, err := bedrocktest.Start(opt); err == nil {
			s.Close()
			t.Error("it started")
		}
	}
}

func TestWithAddr(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithAddr("localhost:0"))
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Error(s.URL())
	}
	if _, err := bedrocktest.Start(bedrocktest.WithAddr(strings.TrimPrefix(s.URL(), "https://"))); err == nil {
		t.Error("two servers on one port")
	}
}

// A new model is added by its ID, its profile's, or its ARN.
func TestWithModels(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithModels("newcomer.model-4.5", "anthropic.saga-1"), bedrocktest.WithModels("mars.anthropic.claude-v2"))
	for _, id := range strings.Fields(`newcomer.model-4.5 anthropic.saga-1 us.anthropic.saga-1 mars.anthropic.claude-v2 arn:aws:bedrock:us-east-1::foundation-model/newcomer.model-4.5
		arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.saga-1`) {
		if err := converseWith(t.Context(), probe.Client(s), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range strings.Fields(`newcomer.model-4.6 anthropic.saga-2 mars.anthropic.saga-1 venus.anthropic.claude-v2`) {
		probe.RefusesWith(t, id, converseWith(t.Context(), probe.Client(s), id), "WithModels")
	}
}
