package bedrocktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// Calls hands out copies.
func TestCallsAreCopies(t *testing.T) {
	s := bedrocktest.NewServer(t)
	if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi")); err != nil {
		t.Fatal(err)
	}
	first := s.Calls()
	first[0].Operation, first[0].Body[0] = "changed", 'x'
	first[0].Header.Set("Authorization", "changed")
	if c := s.Calls()[0]; c.Operation != "Converse" || c.Body[0] != '{' || c.Header.Get("Authorization") == "changed" {
		t.Errorf("%+v", c)
	}
	if _, ok := first[0].Input.(*bedrockruntime.ConverseInput).Messages[0].Content[0].(*types.ContentBlockMemberText); !ok {
		t.Error("the input is not decoded")
	}
}
