package wire_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// A long text is read without a copy, and one with escapes with one copy. A short text
// is copied, so that it keeps no body in memory.
func TestLongTextsAreShared(t *testing.T) {
	const length = 1 << 20
	op, labels, _ := wire.Route(http.MethodPost, "/model/m/converse")
	read := func(body []byte) (string, map[string]string) {
		in, err := op.DecodeStrict(&wire.Request{Method: http.MethodPost, Labels: labels, Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		c, ok := in.(*bedrockruntime.ConverseInput)
		if !ok {
			t.Fatalf("%T", in)
		}
		text, _ := c.Messages[0].Content[0].(*types.ContentBlockMemberText)
		return text.Value, c.RequestMetadata
	}
	for _, row := range []struct {
		name, text, want string
		most             uint64 // bytes
	}{
		{"as it is", strings.Repeat("a", length), strings.Repeat("a", length), length / 8},
		{"with escapes", strings.Repeat(`ab\n`, length/4), strings.Repeat("ab\n", length/4), length + length/4},
		{"short", "x", "x", length / 8},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := []byte(`{"messages":[{"role":"user","content":[{"text":"` + row.text + `"}]}],"requestMetadata":{"key":"value"}}`)
			read(body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, metadata := read(body)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > row.most {
				t.Errorf("%d bytes for a text of %d", n, len(row.text))
			}
			if got != row.want {
				t.Error("the text differs")
			}
			clear(body)
			if metadata["key"] != "value" || row.name == "short" && got != "x" {
				t.Error("a short text is the body's memory")
			}
		})
	}
}
