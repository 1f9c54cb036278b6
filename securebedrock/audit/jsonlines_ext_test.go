package audit_test

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// A writer that panics leaves the next record on a line of its own.
func TestJSONLinesAfterAPanic(t *testing.T) {
	var lines strings.Builder
	broken := true
	sink := audit.JSONLines(writerFunc(func(p []byte) (int, error) {
		if broken {
			lines.Write(p[:len(p)/2])
			panic("the secret prompt")
		}
		return lines.Write(p)
	}))
	if err := audit.Multi(sink).Write(t.Context(), sample(1)); err == nil {
		t.Error("no error")
	}
	broken = false
	write(t, sink, 2, 3)
	all := strings.Split(strings.TrimSpace(lines.String()), "\n")
	want, _ := sample(2).Line()
	if len(all) != 2 || len(all[1]) < len(want)/2 || !strings.HasPrefix(all[1], `{"schema"`) {
		t.Errorf("the lines are %q", all)
	}
}
