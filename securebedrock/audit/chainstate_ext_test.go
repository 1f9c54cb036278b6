package audit_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// A record whose write failed is written again before the next one, so that no
// number is missing; what that left is told by the chain, and is no finding.
func TestFailedWritesAreTold(t *testing.T) {
	var b bytes.Buffer
	lines := audit.JSONLines(&b)
	fail := map[int]bool{3: true, 4: true, 8: true}
	arrived := map[int]bool{8: true} // although its sink said otherwise
	n := 0
	c := chain(t, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		n++
		if fail[n] {
			if arrived[n] {
				_ = lines.Write(ctx, r)
			}
			return errSink
		}
		return lines.Write(ctx, r)
	}))
	for i := range 12 {
		err := c.Write(t.Context(), sample(i))
		switch i {
		case 2, 6: // the sink's third call, and its eighth
			if !errors.Is(err, errSink) || errors.Is(err, audit.ErrNotWritten) {
				t.Errorf("record %d: %v", i, err)
			}
		case 3: // the third record failed again, and this one was not tried
			if !errors.Is(err, audit.ErrNotWritten) {
				t.Errorf("record %d: %v", i, err)
			}
		default:
			if err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	r := verify(t, b.Bytes(), keys(key1))
	if !r.OK() || len(r.Notes) != 1 || r.Notes[0].Kind != audit.Repeated || r.Notes[0].Seq != 6 || r.Records != 11+1+1 {
		t.Errorf("%+v", r)
	}
	// No line may be taken away, but one of two copies.
	all := bytes.SplitAfter(b.Bytes(), []byte("\n"))
	for i := range 13 {
		r := verify(t, bytes.Join(slices.Delete(slices.Clone(all), i, i+1), nil), keys(key1))
		if copies := i == 5 || i == 6; r.OK() != copies {
			t.Errorf("line %d was removed: %v", i+1, r.Findings)
		}
	}
}

// A write that stopped in mid-line leaves a fragment that the next record vouches for.
func TestPartOfALineIsTold(t *testing.T) {
	var b bytes.Buffer
	n := 0
	c := chain(t, audit.JSONLines(writerFunc(func(p []byte) (int, error) {
		if n++; n == 3 {
			b.Write(p[:50])
			return 50, errSink
		}
		return b.Write(p)
	})))
	for i := range 6 {
		_ = c.Write(t.Context(), sample(i))
	}
	c.Close()
	if r := verify(t, b.Bytes(), keys(key1)); !r.OK() || len(r.Notes) != 1 || r.Notes[0].Kind != audit.Repeated || r.Records != 7 {
		t.Errorf("%+v", r)
	}
	changed := bytes.Clone(b.Bytes())
	changed[bytes.Index(changed, []byte("{\"schema\":\"securebedrock.audit/1\",\"kind\":\"out\n"))+40] ^= 1
	if r := verify(t, changed, keys(key1)); r.OK() {
		t.Error("a byte of the fragment was changed, and it verifies")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
