package audit_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

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
