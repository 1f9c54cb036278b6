package audit_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// answers makes the server answer with text, reasoning and a tool's call.
func answers(server *bedrocktest.Server) {
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return &bedrockruntime.ConverseOutput{StopReason: types.StopReasonToolUse, Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
				&types.ContentBlockMemberText{Value: "Pay to GB82 WEST 1234 5698 7654 32 or call +49 228 1234567, please."},
				&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("pay"), ToolUseId: aws.String("t1"),
					Input: document(map[string]any{"z": 1, "card": "4111 1111 1111 1111", "a": []any{"b"}})}},
			}}}}, nil
	})
}

// recorded makes one call and returns its records.
func recorded(t *testing.T, server *bedrocktest.Server, p audit.ContentPolicy, stream bool) (in, out *audit.Record) {
	t.Helper()
	sink := new(memory)
	c := newClient(t, server, sink, audit.Options{Content: p})
	const text = "My card is 4111-1111-1111-1111 and my IBAN DE89 3704 0044 0532 0130 00."
	if stream {
		o, err := c.ConverseStream(t.Context(), converseStream(text))
		if err != nil {
			t.Fatal(err)
		}
		for range o.GetStream().Events() {
		}
		if err := o.GetStream().Close(); err != nil {
			t.Fatal(err)
		}
	} else if _, err := c.Converse(t.Context(), converse(text)); err != nil {
		t.Fatal(err)
	}
	return sink.pair(t)
}

func must(c *audit.Content, err error) *audit.Content {
	if err != nil {
		panic(err)
	}
	return c
}

func TestRedactedAndFull(t *testing.T) {
	server := bedrocktest.NewServer(t)
	answers(server)
	for _, stream := range []bool{false, true} {
		in, out := recorded(t, server, audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: audit.Patterns()}, stream)
		if got := in.Input.Blocks[0].Text; got != "My card is [CARD] and my IBAN [IBAN]." {
			t.Errorf("prompt %q", got)
		}
		if got := out.Output.Blocks[0].Text; got != "Pay to [IBAN] or call [PHONE], please." {
			t.Errorf("answer %q", got)
		}
		if got := out.Output.Blocks[1].Text; got != `{"a":["b"],"card":"[CARD]","z":1}` {
			t.Errorf("tool %q", got)
		}
		in, out = recorded(t, server, audit.ContentPolicy{Mode: audit.ContentFull, Reason: "pilot, ticket 4", DigestKey: key1}, stream)
		if in.Input.Reason != "pilot, ticket 4" || out.Output.Reason != "pilot, ticket 4" || in.Input.Digest == "" {
			t.Errorf("%+v and %+v", in.Input, out.Output)
		}
		if got := out.Output.Blocks[1].Text; got != `{"a":["b"],"card":"4111 1111 1111 1111","z":1}` {
			t.Errorf("tool %q", got)
		}
	}
}

// What is cut is cut after it was redacted, and says so; its digest is whole.
func TestContentIsBounded(t *testing.T) {
	server := bedrocktest.NewServer(t)
	long := strings.Repeat("lorem ipsum dolor ", 200)
	text := long + "4111 1111 1111 1111 " + long
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return &bedrockruntime.ConverseOutput{StopReason: types.StopReasonEndTurn, Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}}, nil
	})
	// Where much is redacted the cut end would come back into what is stored.
	cards := strings.Repeat("4111 1111 1111 1111 ", 200)
	for most := 1000; most < 1040; most++ {
		sink := new(memory)
		c := newClient(t, server, sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: audit.Patterns(), MaxBytes: most}})
		if _, err := c.Converse(t.Context(), converse(cards)); err != nil {
			t.Fatal(err)
		}
		in, _ := sink.pair(t)
		if b := in.Input.Blocks[0]; strings.ContainsAny(b.Text, "0123456789") || !b.Truncated || len(b.Text) < 50 {
			t.Fatalf("most %d: %q", most, b.Text)
		}
	}
	whole, streamed := "", ""
	for most := len(long) - 300; most < len(long)+300; most += 7 {
		for _, stream := range []bool{false, true} {
			_, out := recorded(t, server, audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: audit.Patterns(), DigestKey: key1, MaxBytes: most}, stream)
			b := out.Output.Blocks[0]
			if len(b.Text) > most || !b.Truncated || b.Bytes != len(text) || strings.ContainsAny(strings.ReplaceAll(b.Text, "[CARD]", ""), "0123456789") {
				t.Fatalf("most %d, stream %t: %d bytes, truncated %t, of %d: …%q", most, stream, len(b.Text), b.Truncated, b.Bytes, b.Text[max(0, len(b.Text)-40):])
			}
			if stream {
				streamed = b.Digest
			} else {
				whole = b.Digest
			}
		}
	}
	if whole == "" || whole != streamed || whole != audit.DigestText(key1, "assistant", "text", text) {
		t.Errorf("digests %q and %q", whole, streamed)
	}
	sink := new(memory)
	c := newClient(t, server, sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentDigest, DigestKey: key1}})
	in := converse("x")
	for range 300 {
		in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberText{Value: "y"})
	}
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if r, _ := sink.pair(t); len(r.Input.Blocks) != 256 || r.Input.Omitted != 45 || r.Input.Digest != must(audit.DigestOf(key1, in)).Digest {
		t.Errorf("%d blocks, %d omitted", len(r.Input.Blocks), r.Input.Omitted)
	}
}
