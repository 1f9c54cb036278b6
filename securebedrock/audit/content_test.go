package audit_test

import (
	"bytes"
	"encoding/json"
	"slices"
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

// A digest shows that a prompt was sent, and that another was not; an answer has
// the same one whether it was streamed or not.
func TestDigest(t *testing.T) {
	server := bedrocktest.NewServer(t)
	answers(server)
	p := audit.ContentPolicy{Mode: audit.ContentDigest, DigestKey: key1}
	in, out := recorded(t, server, p, false)
	const text = "My card is 4111-1111-1111-1111 and my IBAN DE89 3704 0044 0532 0130 00."
	same, err := audit.DigestOf(key1, converse(text))
	if err != nil || in.Input.Digest != same.Digest || in.Input.KeyID != key1.ID || len(in.Input.Digest) != 64 {
		t.Errorf("%+v, want %+v (%v)", in.Input, same, err)
	}
	if d := audit.DigestText(key1, "user", "text", text); in.Input.Blocks[0].Digest != d || in.Input.Blocks[0].Text != "" {
		t.Errorf("block %+v, want %s", in.Input.Blocks[0], d)
	}
	for name, other := range map[string]*audit.Content{
		"another prompt": must(audit.DigestOf(key1, converse(text+" "))),
		"another key":    must(audit.DigestOf(key2, converse(text))),
	} {
		if other.Digest == in.Input.Digest {
			t.Errorf("%s has the same digest", name)
		}
	}
	if audit.DigestText(key1, "assistant", "text", text) == audit.DigestText(key1, "user", "text", text) {
		t.Error("the role is not part of the digest")
	}
	_, streamed := recorded(t, server, p, true)
	if out.Output == nil || streamed.Output == nil || out.Output.Digest != streamed.Output.Digest || len(out.Output.Blocks) != 2 ||
		out.Output.Blocks[1].Digest != streamed.Output.Blocks[1].Digest {
		t.Errorf("unary %+v\nstream %+v", out.Output, streamed.Output)
	}
	if _, err := audit.DigestOf(key1, "a string"); err == nil {
		t.Error("a digest of something that is no input")
	}
	if _, err := audit.DigestOf(audit.Key{}, converse("x")); err == nil {
		t.Error("a digest without a key")
	}
	for a, b := range map[string]string{`{"b":1, "a":[1.0,"é"]}`: `{"a":[1.0,"\u00e9"],"b":1}`} {
		x := must(audit.DigestOf(key1, &bedrockruntime.InvokeModelInput{Body: []byte(a)}))
		y := must(audit.DigestOf(key1, &bedrockruntime.InvokeModelInput{Body: []byte(b)}))
		if x.Digest != y.Digest {
			t.Errorf("%s and %s differ", a, b)
		}
	}
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

func TestPatterns(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"an address", "to a.b+c@mail.example.co.uk.", "to [EMAIL]."},
		{"an address of another script", "an jörg@exämple.de", "an [EMAIL]"},
		{"a card", "4111111111111111", "[CARD]"},
		{"a card with spaces in a sentence", "pay 5500 0000 0000 0004 now", "pay [CARD] now"},
		{"a card beside another number", "12 4111-1111-1111-1111", "12 [CARD]"},
		{"a number that is no card", "order 4111111111111112", "order 4111111111111112"},
		{"an IBAN", "GB82WEST12345698765432", "[IBAN]"},
		{"an IBAN with spaces before words", "DE89 3704 0044 0532 0130 00 is mine", "[IBAN] is mine"},
		{"an IBAN in small letters", "gb82 west 1234 5698 7654 32", "[IBAN]"},
		{"an access key", "key AKIAIOSFODNN7EXAMPLE.", "key [AWS_KEY]."},
		{"a secret key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[AWS_SECRET]"},
		{"a hash is no secret key", strings.Repeat("0123456789abcdef", 4), strings.Repeat("0123456789abcdef", 4)},
		{"a telephone number", "call +1 (555) 010-9999 today", "call [PHONE] today"},
		{"a national one", "0228 / 1234567", "0228 / 1234567"},
		{"a national one without spaces", "0228/1234567", "[PHONE]"},
		{"an American one", "555-010-9999", "[PHONE]"},
		{"a date is none", "2026-11-24", "2026-11-24"},
		{"an amount is none", "1,234.56 and 100000", "1,234.56 and 100000"},
	} {
		if got := audit.Patterns().Redact(row.text); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// An escape in JSON hides nothing from the redactor, nor does a number or a key.
func TestRedactedJSON(t *testing.T) {
	server := bedrocktest.NewServer(t)
	sink := new(memory)
	c := newClient(t, server, sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: audit.Patterns()}})
	body := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":4111111111111111,"b@example.com":1,"messages":[{"role":"user","content":"a\u0040example.com 4111\u00201111 1111 1111"}]}`
	_, _ = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body)})
	in, _ := sink.pair(t)
	want := `{"[EMAIL]":1,"anthropic_version":"bedrock-2023-05-31","max_tokens":"[CARD]","messages":[{"content":"[EMAIL] [CARD]","role":"user"}]}`
	if got := in.Input.Blocks[0].Text; got != want {
		t.Errorf("%s", got)
	}
}

// Every kind of block that the SDK has is walked: one that it gains makes a prompt
// Incomplete until it is.
func TestEveryBlockIsKnown(t *testing.T) {
	png := []byte{1, 2, 3}
	s3 := types.S3Location{Uri: aws.String("s3://bucket/key")}
	blocks := []types.ContentBlock{
		&types.ContentBlockMemberText{Value: "t"},
		&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("g")}}},
		&types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberImage{Value: types.GuardrailConverseImageBlock{Format: "png", Source: &types.GuardrailConverseImageSourceMemberBytes{Value: png}}}},
		&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Input: document(map[string]any{"a": 1})}},
		&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{
			&types.ToolResultContentBlockMemberText{Value: "r"}, &types.ToolResultContentBlockMemberJson{Value: document(map[string]any{"a": 1})},
			&types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: png}}},
			&types.ToolResultContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Source: &types.DocumentSourceMemberText{Value: "x"}}},
			&types.ToolResultContentBlockMemberVideo{Value: types.VideoBlock{Format: "mp4", Source: &types.VideoSourceMemberS3Location{Value: s3}}},
			&types.ToolResultContentBlockMemberSearchResult{Value: types.SearchResultBlock{Content: []types.SearchResultContentBlock{{Text: aws.String("s")}}}},
		}}},
		&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: aws.String("r")}}},
		&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: png}},
		&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "c"}}}},
		&types.ContentBlockMemberSearchResult{Value: types.SearchResultBlock{Title: aws.String("t")}},
		&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "canary", Source: &types.ImageSourceMemberS3Location{Value: s3}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Context: aws.String("c"), Format: "pdf", Source: &types.DocumentSourceMemberBytes{Value: png}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberS3Location{Value: s3}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberContent{Value: []types.DocumentContentBlock{&types.DocumentContentBlockMemberText{Value: "x"}}}}},
		&types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberBytes{Value: png}}},
		&types.ContentBlockMemberAudio{Value: types.AudioBlock{Format: "mp3", Source: &types.AudioSourceMemberBytes{Value: png}}},
		&types.ContentBlockMemberAudio{Value: types.AudioBlock{Source: &types.AudioSourceMemberS3Location{Value: s3}}},
		&types.ContentBlockMemberCachePoint{}, &types.ContentBlockMemberToolAddition{}, &types.ContentBlockMemberToolRemoval{},
	}
	in := &bedrockruntime.ConverseInput{
		Messages: []types.Message{{Role: "canary", Content: blocks}},
		System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "s"}, &types.SystemContentBlockMemberCachePoint{},
			&types.SystemContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("g")}}}},
		PromptVariables:              map[string]types.PromptVariableValues{"v": &types.PromptVariableValuesMemberText{Value: "p"}},
		AdditionalModelRequestFields: document(map[string]any{"k": 1}),
		ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberCachePoint{}, &types.ToolMemberSystemTool{},
			&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("n"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document(map[string]any{})}}}}},
	}
	c := must(audit.DigestOf(key1, in))
	line, _ := json.Marshal(c)
	if c.Incomplete || len(c.Blocks) == 0 || bytes.Contains(line, []byte("canary")) {
		t.Errorf("%s", line)
	}
	kinds := make([]string, 0, len(c.Kinds))
	for k := range c.Kinds {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	golden(t, "kinds.golden", []byte(strings.Join(kinds, "\n")+"\n"))

	in.Messages[0].Content = append(in.Messages[0].Content, &types.UnknownUnionMember{Tag: "new"})
	if c := must(audit.DigestOf(key1, in)); !c.Incomplete {
		t.Error("a block of an unknown kind goes unsaid")
	}
}
