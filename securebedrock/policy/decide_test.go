package policy

import (
	"errors"
	"strings"
	"testing"
)

const (
	testRole  = "arn:aws:iam::111122223333:role/app/Assistant"
	testModel = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-x-v1:0"
	testGuard = "arn:aws:bedrock:eu-central-1:111122223333:guardrail/abc123"
)

// doc makes a document of statements.
func doc(kind Kind, statements ...Statement) Document {
	return Document{Name: string(kind), Kind: kind, Statements: statements}
}

func allowing(sid string, c Condition, resource string, actions ...string) Statement {
	return Statement{Sid: sid, Effect: Allow, Action: actions, Resource: []string{resource}, Condition: c}
}

func denying(sid string, c Condition, resource string, actions ...string) Statement {
	return Statement{Sid: sid, Effect: Deny, Action: actions, Resource: []string{resource}, Condition: c}
}

// forAll makes the statement one of an endpoint's policy.
func forAll(s Statement) Statement {
	s.Principal = &Principal{Any: true}
	return s
}

// invoke is a call of the model with what differs from call to call.
func invoke(context ...string) Request {
	r := Request{Principal: testRole, Action: "bedrock:InvokeModel", Resource: testModel, Context: map[string][]string{"aws:RequestedRegion": {"eu-central-1"}}}
	for i := 0; i < len(context); i += 2 {
		r.Context[context[i]] = append(r.Context[context[i]], context[i+1])
	}
	return r
}

func through(r Request) Request { r.ThroughEndpoint = true; return r }

// TestLayers: a Deny decides, and each layer that is there must allow.
func TestLayers(t *testing.T) {
	const act = "bedrock:InvokeModel"
	yes := allowing("Yes", nil, "*", act)
	other := allowing("Other", nil, "*", "s3:GetObject")
	no := denying("No", nil, "*", act)
	for _, c := range []struct {
		name          string
		docs          []Document
		req           Request
		allowed       bool
		document, sid string
	}{
		{"nothing allows", nil, invoke(), false, "", ""},
		{"an identity policy allows", []Document{doc(KindManaged, yes)}, invoke(), true, "managed", "Yes"},
		{"an identity policy allows something else", []Document{doc(KindManaged, other)}, invoke(), false, "managed", ""},
		{"managed and inline are a union", []Document{doc(KindManaged, other), doc(KindInline, yes)}, invoke(), true, "inline", "Yes"},
		{"a Deny after the Allow decides", []Document{doc(KindManaged, yes), doc(KindInline, no)}, invoke(), false, "inline", "No"},
		{"a Deny before the Allow decides", []Document{doc(KindManaged, no, yes)}, invoke(), false, "managed", "No"},
		{"a boundary must allow", []Document{doc(KindManaged, yes), doc(KindBoundary, other)}, invoke(), false, "boundary", ""},
		{"a boundary allows nothing by itself", []Document{doc(KindManaged, other), doc(KindBoundary, yes)}, invoke(), false, "managed", ""},
		{"a session policy must allow", []Document{doc(KindManaged, yes), doc(KindSession, other)}, invoke(), false, "session", ""},
		{"session policies are a union", []Document{doc(KindManaged, yes), doc(KindSession, other), doc(KindSession, yes)}, invoke(), true, "managed", "Yes"},
		{"all layers allow", []Document{doc(KindManaged, yes), doc(KindBoundary, yes), doc(KindSession, yes), doc(KindSCP, yes)}, invoke(), true, "managed", "Yes"},
		{"an SCP without Allow stands under FullAWSAccess", []Document{doc(KindManaged, yes), doc(KindSCP, denying("S", nil, "*", "s3:*"))}, invoke(), true, "managed", "Yes"},
		{"an SCP alone that does not deny", []Document{doc(KindSCP, denying("S", nil, "*", "s3:*"))}, invoke(), true, "scp", ""},
		{"an SCP with Allow must allow", []Document{doc(KindManaged, yes), doc(KindSCP, other)}, invoke(), false, "scp", ""},
		{"an SCP denies", []Document{doc(KindManaged, yes), doc(KindSCP, no)}, invoke(), false, "scp", "No"},
		{"an SCP does not concern a service-linked role", []Document{doc(KindManaged, yes), doc(KindSCP, no)},
			Request{Principal: "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/X", Action: act, Resource: testModel}, true, "managed", "Yes"},
		{"an endpoint must allow who comes through it", []Document{doc(KindManaged, yes), doc(KindEndpoint, forAll(other))}, through(invoke()), false, "endpoint", ""},
		{"an endpoint does not concern who does not", []Document{doc(KindManaged, yes), doc(KindEndpoint, forAll(no))}, invoke(), true, "managed", "Yes"},
		{"an endpoint allows", []Document{doc(KindManaged, yes), doc(KindEndpoint, forAll(yes))}, through(invoke()), true, "managed", "Yes"},
		{"an endpoint denies", []Document{doc(KindManaged, yes), doc(KindEndpoint, forAll(yes), forAll(no))}, through(invoke()), false, "endpoint", "No"},
	} {
		got, err := Decide(c.docs, c.req)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.Allowed != c.allowed || got.Document != c.document || got.Sid != c.sid || got.Reason == "" {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestElements: Action, Resource, Principal and their Not-forms.
func TestElements(t *testing.T) {
	st := func(change func(*Statement)) Statement {
		s := forAll(allowing("S", nil, "*", "bedrock:InvokeModel"))
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		s    Statement
		want bool
	}{
		{"an action in another case", st(func(s *Statement) { s.Action = []string{"BEDROCK:invokemodel"} }), true},
		{"an action's beginning", st(func(s *Statement) { s.Action = []string{"bedrock:Invoke"} }), false},
		{"a pattern of actions", st(func(s *Statement) { s.Action = []string{"s3:*", "bedrock:Invoke*"} }), true},
		{"NotAction of the action", st(func(s *Statement) { s.Action, s.NotAction = nil, []string{"s3:*", "bedrock:*"} }), false},
		{"NotAction of others", st(func(s *Statement) { s.Action, s.NotAction = nil, []string{"s3:*", "iam:*"} }), true},
		{"the resource", st(func(s *Statement) { s.Resource = []string{"arn:aws:s3:::x", testModel} }), true},
		{"another resource", st(func(s *Statement) { s.Resource = []string{"arn:aws:s3:::x"} }), false},
		{"NotResource of the resource", st(func(s *Statement) { s.Resource, s.NotResource = nil, []string{"arn:aws:s3:::x", testModel} }), false},
		{"NotResource of others", st(func(s *Statement) { s.Resource, s.NotResource = nil, []string{"arn:aws:s3:::x"} }), true},
		{"the account's number", st(func(s *Statement) { s.Principal = &Principal{AWS: []string{"111122223333"}} }), true},
		{"the account's root", st(func(s *Statement) { s.Principal = &Principal{AWS: []string{"arn:aws:iam::111122223333:root"}} }), true},
		{"another account's root", st(func(s *Statement) { s.Principal = &Principal{AWS: []string{"arn:aws:iam::444455556666:root"}} }), false},
		{"the role", st(func(s *Statement) { s.Principal = &Principal{AWS: []string{testRole}} }), true},
		{"the role in another case", st(func(s *Statement) { s.Principal = &Principal{AWS: []string{strings.ToLower(testRole)}} }), false},
		{"another account, and anybody", st(func(s *Statement) { s.Principal = &Principal{AWS: []string{"444455556666", "*"}} }), true},
		{"aws:PrincipalArn", st(func(s *Statement) { s.Condition = when("ArnLike", "aws:principalarn", "arn:aws:iam::*:role/app/*") }), true},
		{"aws:PrincipalAccount", st(func(s *Statement) { s.Condition = when("StringNotEquals", "aws:PrincipalAccount", "111122223333") }), false},
		{"two keys, one of which does not hold", st(func(s *Statement) {
			s.Condition = when("StringEquals", "aws:RequestedRegion", "eu-central-1").and(when("StringEquals", "aws:x", "y"))
		}), false},
		{"two operators, one of which does not hold", st(func(s *Statement) {
			s.Condition = when("StringEquals", "aws:RequestedRegion", "eu-central-1").and(when("Bool", "aws:x", "true"))
		}), false},
	} {
		got, err := Decide([]Document{doc(KindEndpoint, c.s)}, through(invoke()))
		if err != nil || got.Allowed != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// TestNotUnderstood: each is ErrUnsupported, and names the statement, also where the
// statement is about another action.
func TestNotUnderstood(t *testing.T) {
	yes := allowing("Yes", nil, "*", "bedrock:*")
	st := func(change func(*Statement)) Document {
		s := allowing("Odd", nil, "*", "s3:GetObject")
		change(&s)
		return doc(KindManaged, yes, s)
	}
	endpoint := func(p *Principal) Document {
		return doc(KindEndpoint, forAll(yes), Statement{Sid: "Odd", Effect: Allow, Principal: p, Action: []string{"s3:*"}, Resource: []string{"*"}})
	}
	for name, d := range map[string]Document{
		"operator":            st(func(s *Statement) { s.Condition = when("StringSounds", "aws:x", "y") }),
		"key":                 st(func(s *Statement) { s.Condition = when("StringEquals", "x", "y") }),
		"no value":            st(func(s *Statement) { s.Condition = when("StringEquals", "aws:x") }),
		"value":               st(func(s *Statement) { s.Condition = when("NumericEquals", "aws:x", "y") }),
		"variable":            st(func(s *Statement) { s.Condition = when("StringEquals", "aws:x", "${y") }),
		"variable in NotRes.": st(func(s *Statement) { s.Resource, s.NotResource = nil, []string{"arn:aws:s3:::${y}"} }),
		"effect":              st(func(s *Statement) { s.Effect = "allow" }),
		"no action":           st(func(s *Statement) { s.Action = nil }),
		"both actions":        st(func(s *Statement) { s.NotAction = s.Action }),
		"no resource":         st(func(s *Statement) { s.Resource = nil }),
		"both resources":      st(func(s *Statement) { s.NotResource = s.Resource }),
		"action":              st(func(s *Statement) { s.Action = []string{"bed*:x"} }),
		"NotAction":           st(func(s *Statement) { s.Action, s.NotAction = nil, []string{"bed*:x"} }),
		"resource":            st(func(s *Statement) { s.Resource = []string{"bucket"} }),
		"principal":           st(func(s *Statement) { s.Principal = &Principal{Any: true} }),
		"not principal":       st(func(s *Statement) { s.NotPrincipal = &Principal{Any: true} }),
		"no principal":        endpoint(nil),
		"empty principal":     endpoint(&Principal{}),
		"service":             endpoint(&Principal{Service: []string{"bedrock.amazonaws.com"}}),
		"session":             endpoint(&Principal{AWS: []string{"arn:aws:sts::111122223333:assumed-role/A/b"}}),
		"principal pattern":   endpoint(&Principal{AWS: []string{"arn:aws:iam::111122223333:role/*"}}),
	} {
		got, err := Decide([]Document{d}, through(invoke()))
		if !errors.Is(err, ErrUnsupported) || got.Allowed || got.Reason != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		} else if !strings.Contains(err.Error(), "Odd of ") {
			t.Errorf("%s: the error does not name the statement: %v", name, err)
		}
		// A Deny that is understood decides all the same, wherever the document stands.
		no := doc(KindInline, denying("No", nil, "*", "bedrock:*"))
		for _, docs := range [][]Document{{no, d}, {d, no}} {
			if got, err := Decide(docs, through(invoke())); err != nil || got.Allowed || got.Sid != "No" {
				t.Errorf("%s beside a Deny: %+v, %v", name, got, err)
			}
		}
	}
	for _, kind := range []Kind{KindTrust, KindRCP, KindKey, KindBucket, KindGuardrail, KindLogs, KindBedrock, "", "other"} {
		if _, err := Decide([]Document{doc(KindManaged, yes), doc(kind, yes)}, invoke()); !errors.Is(err, ErrUnsupported) {
			t.Errorf("kind %q: %v", kind, err)
		}
	}
	for _, kind := range []Kind{KindBoundary, KindEndpoint} {
		s := yes
		if kind == KindEndpoint {
			s = forAll(yes)
		}
		if _, err := Decide([]Document{doc(kind, s), doc(kind, s)}, through(invoke())); !errors.Is(err, ErrUnsupported) {
			t.Errorf("two documents of kind %q: %v", kind, err)
		}
	}
}

// TestNotUnderstoodOfTheRequest: a request can make a statement that fits undecidable.
func TestNotUnderstoodOfTheRequest(t *testing.T) {
	d := []Document{doc(KindManaged, allowing("S", when("StringEquals", "aws:TagKeys", "a").and(when("Bool", "aws:never", "true")), "*", "bedrock:*"))}
	if _, err := Decide(d, invoke("aws:TagKeys", "a", "aws:TagKeys", "b")); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	if got, err := Decide(d, invoke("aws:TagKeys", "a")); err != nil || got.Allowed {
		t.Error(got, err)
	}
	for name, change := range map[string]func(*Request){
		"no principal":       func(r *Request) { r.Principal = "" },
		"session":            func(r *Request) { r.Principal = "arn:aws:sts::111122223333:assumed-role/A/b" },
		"group":              func(r *Request) { r.Principal = "arn:aws:iam::111122223333:group/A" },
		"other service":      func(r *Request) { r.Principal = "arn:aws:s3::111122223333:role/A" },
		"no account":         func(r *Request) { r.Principal = "arn:aws:iam::1:role/A" },
		"principal pattern":  func(r *Request) { r.Principal = "arn:aws:iam::111122223333:role/*" },
		"action pattern":     func(r *Request) { r.Action = "bedrock:*" },
		"no action":          func(r *Request) { r.Action = "" },
		"no resource":        func(r *Request) { r.Resource = "" },
		"resource pattern":   func(r *Request) { r.Resource = "arn:aws:s3:::*" },
		"resource no ARN":    func(r *Request) { r.Resource = "bucket" },
		"key without prefix": func(r *Request) { r.Context["x"] = []string{"y"} },
		"key twice":          func(r *Request) { r.Context["AWS:requestedregion"] = []string{"us-east-1"} },
		"other principal":    func(r *Request) { r.Context["aws:PrincipalArn"] = []string{testRole + "X"} },
		"other account":      func(r *Request) { r.Context["aws:PrincipalAccount"] = []string{"444455556666"} },
	} {
		r := invoke()
		change(&r)
		if _, err := Decide([]Document{doc(KindManaged, allowing("S", nil, "*", "*"))}, r); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "Request.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := invoke()
	r.Principal = "arn:aws:sts::111122223333:assumed-role/A/b"
	if _, err := Decide(d, r); err == nil || !strings.Contains(err.Error(), "is a session, which does not tell the role's path") {
		t.Error(err)
	}
	for range 20 { // a map has no order
		r := invoke("aws:x", "y")
		r.Context["AWS:X"], r.Context["Aws:x"] = nil, nil
		if got, err := Decide([]Document{doc(KindManaged, allowing("S", when("StringEquals", "aws:x", "y"), "*", "*"))}, r); err != nil || !got.Allowed {
			t.Fatalf("an empty key beside the same key: %+v, %v", got, err)
		}
	}
	for name, change := range map[string]func(*Request){
		"user":           func(r *Request) { r.Principal = "arn:aws:iam::111122223333:user/a/B" },
		"root":           func(r *Request) { r.Principal = "arn:aws-us-gov:iam::111122223333:root" },
		"same principal": func(r *Request) { r.Context["aws:PrincipalArn"] = []string{testRole} },
		"empty key":      func(r *Request) { r.Context["aws:x"] = nil },
		"no type":        func(r *Request) { r.Resource = "*" },
	} {
		r := invoke()
		change(&r)
		if got, err := Decide([]Document{doc(KindManaged, allowing("S", when("Null", "aws:x", "true"), "*", "*"))}, r); err != nil || !got.Allowed {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestReasonNamesTheCondition: the answer to an AccessDenied is the condition that was
// not met.
func TestReasonNamesTheCondition(t *testing.T) {
	d := []Document{doc(KindManaged, allowing("Models", when("StringEquals", "aws:RequestedRegion", "eu-central-1", "eu-west-1"), "*", "bedrock:InvokeModel"))}
	r := invoke()
	r.Context["aws:RequestedRegion"] = []string{"eu-north-1"}
	got, err := Decide(d, r)
	const want = "no statement of the identity policy allows it; Models of managed would, but StringEquals aws:RequestedRegion asks for eu-central-1, eu-west-1 and the request has eu-north-1"
	if err != nil || got.Reason != want {
		t.Errorf("%+v, %v", got, err)
	}
	delete(r.Context, "aws:RequestedRegion")
	if got, _ = Decide(d, r); !strings.HasSuffix(got.Reason, "and the request has none") {
		t.Errorf("%+v", got)
	}
}

// TestDecideIsDeterministic: conditions are a map, and the error is the same each time.
func TestDecideIsDeterministic(t *testing.T) {
	c := when("A", "aws:x", "y").and(when("B", "aws:x", "y")).and(when("NumericEquals", "aws:x", "y")).and(when("Bool", "aws:z", "y"))
	d := []Document{doc(KindManaged, allowing("S", c, "*", "*"))}
	_, want := Decide(d, invoke())
	for range 50 {
		if _, err := Decide(d, invoke()); err.Error() != want.Error() {
			t.Fatalf("%v, then %v", want, err)
		}
	}
}

// five are the documents of a benchmark: one of each layer, each of a common size.
func five() []Document {
	guard := when("StringEquals", "bedrock:GuardrailIdentifier", testGuard+":3")
	where := when("StringEquals", "aws:RequestedRegion", "eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2")
	var models []string
	for _, m := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "anthropic.claude-x-v1:0"} {
		models = append(models, "arn:aws:bedrock:*::foundation-model/"+m)
	}
	invoke := Statement{Sid: "Invoke", Effect: Allow, Action: []string{"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}, Resource: models, Condition: guard.and(where)}
	profile := invoke.Clone()
	profile.Sid, profile.Resource = "Profile", []string{"arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.*"}
	apply := allowing("Apply", nil, testGuard, "bedrock:ApplyGuardrail")
	scp := doc(KindSCP, denying("Regions", Condition{"StringNotEquals": where["StringEquals"]}, "*", "bedrock:*", "bedrock-mantle:*"),
		denying("Guardrail", Condition{"StringNotEquals": guard["StringEquals"], "ArnNotLike": {"aws:PrincipalArn": {"arn:aws:iam::111122223333:role/kb"}}}, "*", "bedrock:InvokeModel*"),
		denying("Keys", nil, "*", "bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken"))
	who := when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/app/*")
	endpoint := doc(KindEndpoint, forAll(allowing("Invoke", who, "*", "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:ApplyGuardrail", "bedrock:CountTokens")))
	return []Document{doc(KindManaged, invoke, profile, apply), doc(KindBoundary, allowing("B", nil, "*", "bedrock:*"), scp.Statements[0]),
		doc(KindSession, invoke, profile, apply), scp, endpoint}
}

func BenchmarkDecide(b *testing.B) {
	docs := five()
	r := through(invoke("bedrock:GuardrailIdentifier", testGuard+":3"))
	if got, err := Decide(docs, r); err != nil || !got.Allowed {
		b.Fatal(got, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decide(docs, r); err != nil {
			b.Fatal(err)
		}
	}
}
