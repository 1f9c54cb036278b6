package policy

import (
	"errors"
	"strings"
	"testing"
)

// said joins the differences in words.
func said(t *testing.T, existing, wanted Document) string {
	t.Helper()
	list, err := Diff(existing, wanted)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range list {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

// TestDiff: what the existing document allows beyond the wanted one, and lacks.
func TestDiff(t *testing.T) {
	t.Parallel()
	guard := when("StringEquals", keyGuardrail, testGuard+":3")
	for _, c := range []struct {
		name             string
		existing, wanted Document
		want             string
	}{
		{"the stream action left open",
			doc(KindManaged, allowing("Models", guard, testModel, "bedrock:InvokeModel"), allowing("Stream", nil, testModel, "bedrock:InvokeModelWithResponseStream")),
			doc(KindManaged, allowing("Models", guard, testModel, "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")),
			"the existing document allows bedrock:InvokeModelWithResponseStream on " + testModel + " without bedrock:GuardrailIdentifier or with another value; the wanted one does not (Stream of managed, existing)"},
		{"a lax guardrail",
			doc(KindManaged, allowing("Models", when("Null", keyGuardrail, "false"), testModel, "bedrock:InvokeModel")),
			doc(KindManaged, allowing("Models", guard, testModel, "bedrock:InvokeModel")),
			"the existing document allows bedrock:InvokeModel on " + testModel + " with bedrock:GuardrailIdentifier another value; the wanted one does not (Models of managed, existing)"},
		{"a model lacks",
			doc(KindSession, allowing("A", nil, testModel, "bedrock:InvokeModel")),
			doc(KindSession, allowing("A", nil, testModel, "bedrock:InvokeModel"), allowing("B", nil, "arn:aws:bedrock:eu-west-1::foundation-model/x.*", "bedrock:InvokeModel")),
			"the existing document denies bedrock:InvokeModel on arn:aws:bedrock:eu-west-1::foundation-model/x.*; the wanted one allows it (B of session, wanted)"},
		{"a Deny that an identity policy lacks",
			doc(KindManaged, allowing("A", nil, testModel, "bedrock:InvokeModel")),
			doc(KindManaged, allowing("A", nil, testModel, "bedrock:InvokeModel"), denying("Keys", nil, "*", "bedrock:CallWithBearerToken")),
			"the existing document does not deny bedrock:CallWithBearerToken on *; the wanted one does (Keys of managed, wanted)"},
		{"an SCP that leaves Mantle open",
			doc(KindSCP, denying("Regions", when("StringNotEquals", keyRegion, "eu-central-1"), "*", "bedrock:InvokeModel")),
			doc(KindSCP, denying("Regions", when("StringNotEquals", keyRegion, "eu-central-1"), "*", "bedrock:InvokeModel", "bedrock-mantle:CallWithBearerToken")),
			"the existing document allows bedrock-mantle:CallWithBearerToken on * with aws:RequestedRegion another value; the wanted one denies it (Regions of scp, wanted)"},
		{"an SCP of another region",
			doc(KindSCP, denying("Regions", when("StringNotEquals", keyRegion, "eu-central-1", "eu-west-1"), "*", "bedrock:CallWithBearerToken")),
			doc(KindSCP, denying("Regions", when("StringNotEquals", keyRegion, "eu-central-1"), "*", "bedrock:CallWithBearerToken")),
			"the existing document allows bedrock:CallWithBearerToken on * with aws:RequestedRegion eu-west-1; the wanted one denies it (Regions of scp, wanted)"},
		{"an endpoint's principals",
			doc(KindEndpoint, forAll(allowing("A", nil, testModel, "bedrock:InvokeModel"))),
			doc(KindEndpoint, forAll(allowing("A", when("ArnEquals", "aws:PrincipalArn", testRole), testModel, "bedrock:InvokeModel"))),
			"the existing document allows bedrock:InvokeModel on " + testModel + " with aws:PrincipalArn <other>; the wanted one denies it (A of endpoint, existing)"},
	} {
		if got := said(t, c.existing, c.wanted); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		// The other way round, the same is the other kind of difference.
		there, err := Diff(c.existing, c.wanted)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Diff(c.wanted, c.existing)
		if err != nil || len(back) != len(there) || back[0].Beyond == there[0].Beyond {
			t.Errorf("%s: back %v, %v", c.name, back, err)
		}
		for _, d := range there {
			if !d.shown(t, c.existing, c.wanted) {
				t.Errorf("%s: %+v is none by Decide", c.name, d.Request)
			}
		}
	}
}

// shown asks Decide about the difference's own example.
func (d Difference) shown(t *testing.T, existing, wanted Document) bool {
	t.Helper()
	r := d.Request
	r.Principal, r.ThroughEndpoint = testRole, true
	if arn := r.Context["aws:PrincipalArn"]; arn != nil {
		r.Principal = "arn:aws:iam::999999999999:role/other"
		delete(r.Context, "aws:PrincipalArn")
	}
	a, err := Decide([]Document{existing}, r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decide([]Document{wanted}, r)
	if err != nil {
		t.Fatal(err)
	}
	denies := strings.Contains(a.Reason, "denied by") != strings.Contains(b.Reason, "denied by")
	return a.Allowed != b.Allowed || denies
}

// TestDiffByMeaning: another way of writing is no difference.
func TestDiffByMeaning(t *testing.T) {
	t.Parallel()
	guard := when("StringEquals", keyGuardrail, testGuard+":3")
	two := []string{"arn:aws:bedrock:eu-central-1::foundation-model/a.b", "arn:aws:bedrock:eu-west-1::foundation-model/a.b"}
	both := Statement{Sid: "Both", Effect: Allow, Action: []string{"bedrock:InvokeModel"}, Resource: two, Condition: guard}
	first, second := both.Clone(), both.Clone()
	first.Resource, second.Resource = two[:1], two[1:]
	short := both.Clone()
	short.Resource = []string{"arn:aws:bedrock:*::foundation-model/a.b"}
	short.Condition = guard.and(when("StringEquals", "aws:requestedregion", "eu-west-1", "eu-central-1"))
	for name, pair := range map[string][2]Document{
		"split and in another order":       {doc(KindManaged, both), doc(KindInline, second, first)},
		"a wildcard under a region's list": {doc(KindManaged, both), doc(KindManaged, short)},
		"an action twice": {doc(KindSession, allowing("A", nil, testModel, "bedrock:InvokeModel")),
			doc(KindSession, allowing("B", nil, testModel, "bedrock:invokemodel", "bedrock:InvokeModel"))},
		"a Deny of what a session does not allow": {doc(KindSession, allowing("A", nil, testModel, "bedrock:InvokeModel")),
			doc(KindSession, allowing("A", nil, testModel, "bedrock:InvokeModel"), denying("D", nil, "*", "s3:GetObject"))},
		"a negated operator and Null": {
			doc(KindSCP, denying("A", when("StringNotEquals", keyGuardrail, testGuard), "*", "bedrock:InvokeModel")),
			doc(KindSCP, denying("A", when("StringNotEqualsIfExists", keyGuardrail, testGuard), "*", "bedrock:InvokeModel"))},
		"ArnEquals and ArnLike": {
			doc(KindManaged, allowing("A", when("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::1:role/x*"), testModel, "bedrock:InvokeModel")),
			doc(KindManaged, allowing("A", when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::1:role/x*"), testModel, "bedrock:InvokeModel"))},
	} {
		if got := said(t, pair[0], pair[1]); got != "" {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// TestDiffSeesEachChange: one character of a document makes a difference.
func TestDiffSeesEachChange(t *testing.T) {
	t.Parallel()
	base := doc(KindManaged, allowing("A", Condition{
		"StringLike":            {keyProfile: {"arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.*"}},
		"NumericLessThanEquals": {"s3:max-keys": {"10"}},
		"IpAddress":             {"aws:SourceIp": {"10.0.0.0/8"}},
		"DateLessThan":          {"aws:CurrentTime": {"2027-01-01T00:00:00Z"}},
		"Bool":                  {"aws:SecureTransport": {"true"}},
		"ForAnyValue:StringEquals": {
			"aws:TagKeys": {"a", "b"},
		},
	}, "arn:aws:bedrock:*::foundation-model/a.*", "bedrock:InvokeModel"))
	change := func(operator, key string, values ...string) Document {
		d := base.Clone()
		d.Statements[0].Condition[operator][key] = values
		return d
	}
	for name, other := range map[string]Document{
		"a profile's prefix": change("StringLike", keyProfile, "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/e*"),
		"a number":           change("NumericLessThanEquals", "s3:max-keys", "11"),
		"a half":             change("NumericLessThanEquals", "s3:max-keys", "10.5"),
		"a range":            change("IpAddress", "aws:SourceIp", "10.0.0.0/9"),
		"a wider range":      change("IpAddress", "aws:SourceIp", "10.0.0.0/7"),
		"a second":           change("DateLessThan", "aws:CurrentTime", "2027-01-01T00:00:01Z"),
		"a boolean":          change("Bool", "aws:SecureTransport", "false"),
		"a tag":              change("ForAnyValue:StringEquals", "aws:TagKeys", "a"),
		"a resource": func() Document {
			d := base.Clone()
			d.Statements[0].Resource[0] = "arn:aws:bedrock:*::foundation-model/a.?*"
			return d
		}(),
		"an operator": func() Document {
			d := base.Clone()
			delete(d.Statements[0].Condition, "Bool")
			d.Statements[0].Condition["BoolIfExists"] = map[string][]string{"aws:SecureTransport": {"true"}}
			return d
		}(),
		"all of them": func() Document {
			d := base.Clone()
			d.Statements[0].Condition["ForAllValues:StringEquals"] = d.Statements[0].Condition["ForAnyValue:StringEquals"]
			delete(d.Statements[0].Condition, "ForAnyValue:StringEquals")
			return d
		}(),
	} {
		if said(t, base, other) == "" {
			t.Errorf("%s: no difference", name)
		}
	}
}

func TestDiffNotUnderstood(t *testing.T) {
	t.Parallel()
	good := doc(KindManaged, allowing("A", nil, testModel, "bedrock:InvokeModel"))
	named := doc(KindEndpoint, allowing("A", nil, testModel, "bedrock:InvokeModel"))
	named.Statements[0].Principal = &Principal{AWS: []string{"111122223333"}}
	for name, pair := range map[string][2]Document{
		"another layer":      {good, doc(KindSession, good.Statements...)},
		"a resource policy":  {doc(KindKey, good.Statements...), doc(KindKey, good.Statements...)},
		"a variable":         {good, doc(KindManaged, allowing("A", nil, "arn:aws:s3:::b/${aws:username}", "s3:GetObject"))},
		"an operator":        {good, doc(KindManaged, allowing("A", when("Sounds", "aws:x", "y"), "*", "s3:GetObject"))},
		"an element":         {good, doc(KindManaged, Statement{Effect: Allow})},
		"a named principal":  {named, named},
		"an undefined value": {good, doc(KindManaged, allowing("A", when("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "y"), "*", "s3:GetObject"))},
	} {
		if list, err := Diff(pair[0], pair[1]); !errors.Is(err, ErrUnsupported) || list != nil {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

// TestDiffOfOwnDocuments: each document of All is the same as itself in another order,
// and another one once a statement is gone.
func TestDiffOfOwnDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range configurations() {
		all, err := All(specOf(t, c.opts, c.acct))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			if !comparable(d.Kind) {
				continue
			}
			turned := d.Clone()
			for i, j := 0, len(turned.Statements)-1; i < j; i, j = i+1, j-1 {
				turned.Statements[i], turned.Statements[j] = turned.Statements[j], turned.Statements[i]
			}
			if got := said(t, d, turned); got != "" {
				t.Errorf("%s/%s differs from itself:\n%s", c.name, d.Name, got)
			}
		}
	}
}

func comparable(k Kind) bool {
	for _, l := range layers() {
		if k == l.kinds[0] || k != "" && k == l.kinds[1] {
			return true
		}
	}
	return false
}

func TestWitness(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p, q string
		ok   bool
	}{
		{"eu.*", "*.x", true}, {"a*", "b*", false}, {"a*c", "ab*", true}, {"*", "*", true}, {"?", "*", true}, {"??", "?", false},
		{"a*b*c", "*bb*", true}, {"ab", "a?", true}, {"", "*", true}, {"", "?", false},
	} {
		got, ok := witness(c.p, c.q)
		if ok != c.ok || ok && (!glob(c.p, got, false) || !glob(c.q, got, false)) {
			t.Errorf("witness(%q, %q) is %q, %t", c.p, c.q, got, ok)
		}
	}
}

// TestDiffSeesEachStatement: a document without one of its statements, or without one of
// its conditions, is another one.
func TestDiffSeesEachStatement(t *testing.T) {
	t.Parallel()
	for _, c := range configurations() {
		all, err := All(specOf(t, c.opts, c.acct))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			if !comparable(d.Kind) {
				continue
			}
			for i := range d.Statements {
				less := d.Clone()
				less.Statements = append(less.Statements[:i], less.Statements[i+1:]...)
				list, err := Diff(d, less)
				if err != nil || len(list) == 0 {
					t.Errorf("%s/%s without %s: %v, %v", c.name, d.Name, d.Statements[i].Sid, list, err)
				}
				for operator, keys := range d.Statements[i].Condition {
					for key := range keys {
						less := d.Clone()
						delete(less.Statements[i].Condition[operator], key)
						list, err := Diff(d, less)
						if err != nil || len(list) == 0 {
							t.Errorf("%s/%s without %s %s of %s: %v, %v", c.name, d.Name, operator, key, d.Statements[i].Sid, list, err)
						}
					}
				}
			}
		}
	}
}
