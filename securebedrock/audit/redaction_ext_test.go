package audit_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// counting is a Redactor that counts the bytes it is given.
type counting struct{ n *atomic.Int64 }

func (c counting) Redact(text string) string {
	c.n.Add(int64(len(text)))
	return strings.ReplaceAll(text, "secret", "[SECRET]")
}

// A Redactor is given no more of a long prompt than can be stored, whatever the
// prompt is made of.
func TestRedactorIsGivenNoMoreThanIsStored(t *testing.T) {
	const long, most = 256 << 10, 4 << 10
	server := bedrocktest.NewServer(t)
	text := strings.Repeat("a secret ", long/9)
	members, list := map[string]any{}, []any{}
	for i := range 4_000 {
		members[strings.Repeat("k", i%50)+"secret"+string(rune('a'+i%26))+strings.Repeat("x", i/80)] = "secret"
		list = append(list, "secret")
	}
	body := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	invoke := func(b []byte) func(*bedrockruntime.InvokeModelInput) {
		return func(in *bedrockruntime.InvokeModelInput) { in.Body = b }
	}
	for name, fill := range map[string]func(*bedrockruntime.InvokeModelInput){
		"one long string":   invoke(body(map[string]any{"prompt": text})),
		"many strings":      invoke(body(map[string]any{"messages": list})),
		"many keys":         invoke(body(members)),
		"one long number":   invoke([]byte(`{"n":` + strings.Repeat("1", long) + `}`)),
		"a nested string":   invoke(body([]any{[]any{map[string]any{"a": []any{text, text}}}})),
		"one that is short": invoke(body(map[string]any{"b": "a secret", "a": 1})),
	} {
		t.Run(name, func(t *testing.T) {
			sink, given := new(memory), new(atomic.Int64)
			c := newClient(t, server, sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: counting{given}, MaxBytes: most}})
			in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku)}
			fill(in)
			_, _ = c.InvokeModel(t.Context(), in)
			r := sink.wait(t, 2)[0]
			b := r.Input.Blocks[0]
			if given.Load() > 4*most || len(b.Text) > most || b.Truncated != (len(in.Body) > most) || b.Bytes != len(in.Body) || b.Withheld != "" {
				t.Errorf("of %d bytes the Redactor was given %d; the text has %d, truncated %t, withheld %q", len(in.Body), given.Load(), len(b.Text), b.Truncated, b.Withheld)
			}
			if strings.Contains(strings.ReplaceAll(b.Text, "[SECRET]", ""), "secret") || b.Text == "" {
				t.Errorf("the text is %.200q", b.Text)
			}
		})
	}
}

type redactorFunc func(string) string

func (f redactorFunc) Redact(s string) string { return f(s) }

// A Redactor that hangs or is slow holds up no call for longer than the time that
// a record has, and its text is left out.
func TestRedactorThatHangs(t *testing.T) {
	server := bedrocktest.NewServer(t)
	release := make(chan struct{})
	for name, r := range map[string]audit.Redactor{
		"hangs":   redactorFunc(func(s string) string { <-release; return s }),
		"is slow": redactorFunc(func(s string) string { time.Sleep(30 * time.Millisecond); return s }),
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(memory)
			c := newClient(t, server, sink, audit.Options{WriteTimeout: 200 * time.Millisecond, Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: r, DigestKey: key1}})
			before := runtime.NumGoroutine()
			in := converse("hello")
			for range 200 {
				in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberText{Value: "y"})
			}
			for i := range 8 {
				start := time.Now()
				if _, err := c.Converse(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took > soon {
					t.Errorf("a call took %v", took)
				}
				r := sink.wait(t, 2*i+2)[2*i]
				if last := r.Input.Blocks[200]; last.Withheld != "redaction_timeout" || last.Text != "" || last.Digest == "" || r.Input.Digest == "" {
					t.Errorf("the last block is %+v", last)
				}
			}
			if n := runtime.NumGoroutine() - before; n > 20 {
				t.Errorf("%d goroutines hang", n)
			}
		})
	}
	close(release)
}

// Patterns are found in a long prompt in the time that a record has.
func TestPatternsInALongPrompt(t *testing.T) {
	server := bedrocktest.NewServer(t)
	sink := new(memory)
	c := newClient(t, server, sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: audit.Patterns(), MaxBytes: 1 << 20}})
	if _, err := c.Converse(t.Context(), converse(strings.Repeat("write to jane@example.com about 4111 1111 1111 1111, ", 256<<10/54))); err != nil {
		t.Fatal(err)
	}
	in, _ := sink.pair(t)
	if b := in.Input.Blocks[0]; b.Withheld != "" || b.Truncated || strings.Contains(b.Text, "jane") || strings.Count(b.Text, "[CARD]") < 4_800 {
		t.Errorf("%d bytes, withheld %q, truncated %t", len(b.Text), b.Withheld, b.Truncated)
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
