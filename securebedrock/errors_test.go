package securebedrock

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// A refusal becomes a PolicyError wherever it stands in an error, and what an
// application's own PolicyError says stays as it is.
func TestNamed(t *testing.T) {
	theirs := &PolicyError{Rule: ErrAudit, Operation: "their own"}
	ofSTS := &refusal.Refusal{Rule: ErrAuth, Operation: "AssumeRole", Detail: "x"}
	for _, row := range []struct {
		name                    string
		err                     error
		operation, model, named string
	}{
		{"a refusal", refuse(ErrRegion, "x"), "Converse", "m", "region"},
		{"a refusal that is wrapped", fmt.Errorf("not sent: %w", refuse(ErrClosed, "x")), "Converse", "m", "closed"},
		{"a refusal that is joined", errors.Join(io.EOF, refuse(ErrClosed, "x")), "Converse", "m", "closed"},
		{"a refusal of STS", fmt.Errorf("no role: %w", ofSTS), "AssumeRole", "", "auth"},
		{"a refusal around a PolicyError", refuse(fmt.Errorf("%w: %w", ErrResidency, theirs), "x"), "Converse", "m", "residency"},
		{"a PolicyError", theirs, "their own", "", "audit"},
		{"a PolicyError around a refusal", &PolicyError{Rule: fmt.Errorf("%w: %w", ErrStreamTruncated, refuse(ErrClosed, "")), Operation: "ConverseStream"}, "ConverseStream", "", "stream_truncated"},
	} {
		got := named(row.err, "Converse", "m")
		var p *PolicyError
		if !errors.As(got, &p) || p.Operation != row.operation || p.Model != row.model || RuleName(got) != row.named {
			t.Errorf("%s: %#v, named %q", row.name, got, RuleName(got))
		}
		if !errors.Is(got, errors.Unwrap(p)) {
			t.Errorf("%s: the rule is lost", row.name)
		}
	}
	if theirs.Operation != "their own" || theirs.Model != "" {
		t.Errorf("an application's PolicyError was changed: %+v", theirs)
	}
	if err := named(io.EOF, "Converse", "m"); err != io.EOF {
		t.Errorf("got %v", err)
	}
	if err := named(nil, "Converse", "m"); err != nil {
		t.Errorf("got %v", err)
	}
}
