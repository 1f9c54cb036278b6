package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// A record that is longer than Verify reads is shortened; its end is not lost in silence.
func TestLongRecordsAreShortened(t *testing.T) {
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b))
	for _, n := range []int{1 << 20, 2 << 20, 9 << 20} {
		r := sample(n)
		r.Input = &audit.Content{Mode: audit.ContentFull, Blocks: []audit.Block{{Kind: "text", Text: "short"}, {Kind: "text", Text: strings.Repeat("<", n)}}}
		if err := c.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if len(r.Input.Blocks[1].Text) != n || r.Input.Blocks[1].Truncated {
			t.Error("the caller's record was changed")
		}
	}
	if _, err := audit.ReadTail(bytes.NewReader(b.Bytes()), keys(key1)); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, b.Bytes(), keys(key1)); !r.OK() || r.Records != 4 {
		t.Error(r.Findings)
	}
	var cut []bool
	for line := range bytes.Lines(b.Bytes()) {
		var r audit.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Input != nil {
			if r.Input.Blocks[0].Truncated || r.Input.Blocks[0].Text != "short" {
				t.Errorf("the short text: %+v", r.Input.Blocks[0])
			}
			cut = append(cut, r.Input.Blocks[1].Truncated)
		}
	}
	if !slices.Equal(cut, []bool{false, true, true}) {
		t.Errorf("truncated: %v", cut)
	}
	// What cannot be shortened is refused, and takes no number.
	r := sample(1)
	r.Tools = []string{strings.Repeat("x", 9<<20)}
	c = chain(t, new(lines))
	if err := c.Write(t.Context(), r); !errors.Is(err, audit.ErrTooLong) || !errors.Is(err, audit.ErrNotWritten) {
		t.Error(err)
	}
	if err := c.Write(t.Context(), sample(2)); err != nil {
		t.Error(err)
	}
}
