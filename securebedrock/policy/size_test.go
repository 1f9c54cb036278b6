package policy

import (
	"errors"
	"strings"
	"testing"
)

// padded is a session policy of exactly n characters.
func padded(t *testing.T, kind Kind, n int) Document {
	t.Helper()
	d := Document{Name: "padded", Kind: kind, Statements: []Statement{
		{Sid: "Small", Effect: Allow, Action: []string{"bedrock:CountTokens"}, Resource: []string{"*"}},
		{Sid: "Large", Effect: Allow, Action: []string{invokeModel}, Resource: []string{"arn:aws:bedrock:eu-central-1::foundation-model/"}},
	}}
	d.Statements[1].Resource[0] += strings.Repeat("m", n-d.Size())
	if d.Size() != n {
		t.Fatalf("%d characters, want %d", d.Size(), n)
	}
	return d
}

func TestLimitIsExact(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		kind Kind
		size int
		fits bool
	}{
		{KindSession, 2047, true}, {KindSession, 2048, true}, {KindSession, 2049, false},
		{KindTrust, 2048, true}, {KindTrust, 2049, false},
		{KindBoundary, 6144, true}, {KindBoundary, 6145, false},
		{KindInline, 10240, true}, {KindInline, 10241, false},
		{KindEndpoint, 20480, true}, {KindEndpoint, 20481, false},
		{KindKey, 32768, true}, {KindKey, 32769, false},
		{KindBucket, 20480, true}, {KindBucket, 20481, false},
	} {
		docs, err := fit(padded(t, row.kind, row.size))
		if row.fits {
			if err != nil || len(docs) != 1 || docs[0].Name != "padded" {
				t.Errorf("%s of %d: %d documents, %v", row.kind, row.size, len(docs), err)
			}
			continue
		}
		var size *SizeError
		if !errors.As(err, &size) || size.Size != row.size || size.Limit != row.size-1 || size.Name != "padded" || size.Kind != row.kind ||
			!strings.Contains(size.Largest, "statement 2 (Large)") {
			t.Errorf("%s of %d: %+v, %v", row.kind, row.size, size, err)
		}
	}
}

// TestSessionAtItsLimit grows a session policy by one character at a time.
func TestSessionAtItsLimit(t *testing.T) {
	t.Parallel()
	opts, acct := american(20)
	least := len((&Document{Kind: KindSession, Statements: specOf(t, opts, acct).ceiling(shortProfiles)}).JSON())
	for _, size := range []int{2047, 2048, 2049} {
		opts, acct := american(20)
		opts.Models[19] = strings.Replace(opts.Models[19], "sonnet", "sonnet"+strings.Repeat("x", size-least), 1)
		d, err := Session(specOf(t, opts, acct))
		var tooLarge *SizeError
		switch {
		case size <= 2048 && (err != nil || d.Size() != size || len(d.JSON()) != size):
			t.Errorf("%d characters: %d, %v", size, d.Size(), err)
		case size > 2048 && (!errors.As(err, &tooLarge) || tooLarge.Size != size || tooLarge.Limit != 2048):
			t.Errorf("%d characters: %v", size, err)
		}
	}
}

func TestSplitByStatements(t *testing.T) {
	t.Parallel()
	d := Document{Name: "many", Kind: KindManaged}
	for i := range 12 {
		d.Statements = append(d.Statements, Statement{Sid: "S" + string(rune('a'+i)), Effect: Allow, Action: []string{invokeModel},
			Resource: []string{"arn:aws:bedrock:eu-central-1::foundation-model/" + strings.Repeat("m", 2500)}})
	}
	docs, err := fit(d)
	if err != nil {
		t.Fatal(err)
	}
	var sids []string
	for _, part := range docs {
		if part.Size() > part.Limit() {
			t.Errorf("%s has %d characters", part.Name, part.Size())
		}
		for _, s := range part.Statements {
			sids = append(sids, s.Sid)
		}
	}
	if got := strings.Join(sids, " "); got != "Sa Sb Sc Sd Se Sf Sg Sh Si Sj Sk Sl" || len(docs) != 6 {
		t.Errorf("%d documents with %s", len(docs), got)
	}
	if d.Name != "many" || len(d.Statements) != 12 {
		t.Errorf("the original is now %s with %d statements", d.Name, len(d.Statements))
	}
	for i := range 10 {
		d.Statements = append(d.Statements, d.Statements[i])
	}
	var size *SizeError
	if _, err := fit(d); !errors.As(err, &size) {
		t.Errorf("22 statements of half a policy each, of which ten policies can be attached: %v", err)
	}
	d.Statements = d.Statements[:1]
	d.Statements[0].Resource[0] += strings.Repeat("m", 4000)
	if _, err := fit(d); !errors.As(err, &size) || size.Size != d.Size() {
		t.Errorf("a statement that is too large by itself: %v", err)
	}
}

func TestWhiteSpaceCountsWhereAWSCountsIt(t *testing.T) {
	t.Parallel()
	text := "{ \"a\": \t\r\n\"b c\" }"
	for kind, want := range map[Kind]int{KindManaged: 10, KindBoundary: 10, KindInline: 10, KindTrust: 10, KindSession: 17, KindSCP: 17, KindEndpoint: 17, KindKey: 17} {
		if got := kind.measure(text); got != want {
			t.Errorf("%s counts %d, want %d", kind, got, want)
		}
	}
	if got := KindSession.measure("ä"); got != 1 {
		t.Errorf("a session counts %d characters", got)
	}
	if got := KindKey.measure("ä"); got != 2 {
		t.Errorf("a key policy counts %d bytes", got)
	}
}

// TestSizeErrorSaysWhatTheKindCounts: a key's policy has bytes and no models.
func TestSizeErrorSaysWhatTheKindCounts(t *testing.T) {
	t.Parallel()
	e := SizeError{Name: "key", Kind: KindKey, Size: 2, Limit: 1}
	if text := e.Error(); !strings.Contains(text, "2 bytes") || strings.Contains(text, "models") {
		t.Error(text)
	}
	d := Document{Kind: KindBedrock, Declarative: &GuardrailInference{Guardrails: []EnforcedGuardrail{{Region: "eu-central-1"}}}}
	if got := largest(d); !strings.Contains(got, "1 regions") {
		t.Errorf("%q", got)
	}
}
