package securebedrock_test

import (
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Client.Close under a reader
func TestCloseUnderReader(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(4))
	c := newClient(t, server)
	out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
	if err != nil {
		t.Fatal(err)
	}
	go func() { time.Sleep(200 * time.Millisecond); c.Close() }()
	text, err := drain(out.GetStream())
	if err == nil {
		t.Errorf("a short answer %q without an error", text)
	}
}
