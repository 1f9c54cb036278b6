package otelbedrock_test

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

func TestTheZeroOptionsAreReady(t *testing.T) {
	mw, err := otelbedrock.Middleware(otelbedrock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, bedrocktest.NewServer(t), through(mw))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
}
