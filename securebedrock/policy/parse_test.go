package policy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// identity puts a statement's elements into an identity policy.
func identity(elements string) string {
	return `{"Version":"2012-10-17","Statement":[{` + elements + `}]}`
}

const allowAll = `"Effect":"Allow","Action":"*","Resource":"*"`

func bedrockPolicy(config string) string {
	return `{"bedrock":{"guardrail_inference":{"eu-central-1":{"config_1":` + config + `}}}}`
}

const (
	guarded   = `"identifier":{"@@assign":"arn:aws:bedrock:eu-central-1:111122223333:guardrail/abc:1"}`
	guarding  = `"selective_content_guarding":{"system":{"@@assign":"comprehensive"},"messages":{"@@assign":"comprehensive"}}`
	enforcing = `"model_enforcement":{"included_models":{"@@assign":["ALL"]},"excluded_models":{"@@assign":[]}}`
)

func TestParseRefuses(t *testing.T) {
	var got strings.Builder
	for _, row := range []struct {
		name string
		kind Kind
		text string
	}{
		{"an empty text", KindManaged, ""},
		{"white space alone", KindManaged, " \n\t"},
		{"a text of 64 KiB and a byte", KindManaged, strings.Repeat(" ", maxText+1)},
		{"a byte order mark", KindManaged, "\ufeff" + identity(allowAll)},
		{"a text in Latin-1", KindManaged, identity(`"Sid":"` + "\xe9" + `",` + allowAll)},
		{"a character beyond Latin-1", KindManaged, identity("\n\t" + `"Sid":"€",` + allowAll)},
		{"a control character", KindManaged, identity("\x0b" + allowAll)},
		{"an escaped character beyond Latin-1", KindManaged, identity(`"Sid":"\u20ac",` + allowAll)},
		{"an escaped control character", KindManaged, identity(`"Sid":"a\u0000",` + allowAll)},
		{"half a surrogate pair", KindManaged, identity(`"Sid":"\ud800",` + allowAll)},
		{"an unknown escape", KindManaged, identity(`"Sid":"\x",` + allowAll)},
		{"a line break within a text", KindManaged, identity("\"Sid\":\"a\nb\"," + allowAll)},
		{"a text without an end", KindManaged, `{"Version":"2012-10-17`},
		{"a text that ends in an escape", KindManaged, `{"Version":"2012-10-17\`},
		{"an object without an end", KindManaged, `{"Version":"2012-10-17",`},
		{"a list without an end", KindManaged, `{"Version":"2012-10-17","Statement":[`},
		{"a comma before a brace", KindManaged, `{"Version":"2012-10-17",}`},
		{"a comma before a bracket", KindManaged, identity(`"Effect":"Allow","Action":["s3:*",],"Resource":"*"`)},
		{"no comma between members", KindManaged, `{"Version":"2012-10-17" "Statement":[]}`},
		{"no comma between values", KindManaged, identity(`"Effect":"Allow","Action":["s3:*" "sts:*"],"Resource":"*"`)},
		{"no colon", KindManaged, `{"Version" "2012-10-17"}`},
		{"a name without quotation marks", KindManaged, `{Version:"2012-10-17"}`},
		{"a value without quotation marks", KindManaged, `{"Version":2012-10-17}`},
		{"a comment", KindManaged, "// mine\n" + identity(allowAll)},
		{"text after the policy", KindManaged, identity(allowAll) + "\n{}"},
		{"33 levels", KindManaged, identity(`"Effect":` + strings.Repeat("[", 31) + strings.Repeat("]", 31))},
		{"a list for a policy", KindManaged, `[]`},
		{"a number for a policy", KindManaged, `1`},
		{"no Version", KindManaged, `{"Statement":[{` + allowAll + `}]}`},
		{"the older Version", KindManaged, `{"Version":"2008-10-17","Statement":[{` + allowAll + `}]}`},
		{"an unknown Version", KindManaged, `{"Version":"2025-01-01","Statement":[{` + allowAll + `}]}`},
		{"a Version in a list", KindManaged, `{"Version":["2012-10-17"],"Statement":[{` + allowAll + `}]}`},
		{"no Statement", KindManaged, `{"Version":"2012-10-17"}`},
		{"an empty Statement", KindManaged, `{"Version":"2012-10-17","Statement":[]}`},
		{"a text for a statement", KindManaged, `{"Version":"2012-10-17","Statement":["Allow"]}`},
		{"an element of a policy twice", KindManaged, `{"Version":"2012-10-17","Statement":[{` + allowAll + `}],"Version":"2012-10-17"}`},
		{"an unknown element of a policy", KindManaged, `{"Version":"2012-10-17","Statements":[{` + allowAll + `}]}`},
		{"an element of a policy in lower case", KindManaged, `{"version":"2012-10-17","Statement":[{` + allowAll + `}]}`},
		{"Effect twice", KindManaged, identity(`"Effect":"Deny",` + allowAll)},
		{"Effect twice, in two cases", KindManaged, identity(`"effect":"Deny",` + allowAll)},
		{"an unknown element of a statement", KindManaged, identity(`"Actions":"*",` + allowAll)},
		{"an element of a statement in lower case", KindManaged, identity(`"condition":{},` + allowAll)},
		{"no Effect", KindManaged, identity(`"Action":"*","Resource":"*"`)},
		{"an effect in lower case", KindManaged, identity(`"Effect":"allow","Action":"*","Resource":"*"`)},
		{"an unknown effect", KindManaged, identity(`"Effect":"Audit","Action":"*","Resource":"*"`)},
		{"a secret for an effect", KindManaged, identity(`"Effect":"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY","Action":"*","Resource":"*"`)},
		{"an empty Sid", KindManaged, identity(`"Sid":"",` + allowAll)},
		{"no action", KindManaged, identity(`"Effect":"Allow","Resource":"*"`)},
		{"Action and NotAction", KindManaged, identity(`"NotAction":"s3:*",` + allowAll)},
		{"an empty list of actions", KindManaged, identity(`"Effect":"Allow","Action":[],"Resource":"*"`)},
		{"an empty action", KindManaged, identity(`"Effect":"Allow","Action":"","Resource":"*"`)},
		{"a number for an action", KindManaged, identity(`"Effect":"Allow","Action":[1],"Resource":"*"`)},
		{"a list within a list", KindManaged, identity(`"Effect":"Allow","Action":[["s3:*"]],"Resource":"*"`)},
		{"null for a resource", KindManaged, identity(`"Effect":"Allow","Action":"*","Resource":null`)},
		{"no resource", KindManaged, identity(`"Effect":"Allow","Action":"*"`)},
		{"Resource and NotResource", KindManaged, identity(`"NotResource":"*",` + allowAll)},
		{"a principal in an identity policy", KindManaged, identity(`"Principal":"*",` + allowAll)},
		{"a principal in a service control policy", KindSCP, identity(`"NotPrincipal":"*",` + allowAll)},
		{"a resource in a trust policy", KindTrust, identity(`"Principal":"*",` + allowAll)},
		{"NotResource in a trust policy", KindTrust, identity(`"Principal":"*","Effect":"Allow","Action":"*","NotResource":"*"`)},
		{"a trust policy without a principal", KindTrust, identity(`"Effect":"Allow","Action":"sts:AssumeRole"`)},
		{"an endpoint policy without a principal", KindEndpoint, identity(allowAll)},
		{"Principal and NotPrincipal", KindKey, identity(`"Principal":"*","NotPrincipal":{"AWS":"*"},` + allowAll)},
		{"a named principal in a resource control policy", KindRCP, identity(`"Principal":{"AWS":"111122223333"},` + allowAll)},
		{"NotPrincipal in a resource control policy", KindRCP, identity(`"NotPrincipal":"*",` + allowAll)},
		{"an ARN for a principal", KindKey, identity(`"Principal":"arn:aws:iam::111122223333:root",` + allowAll)},
		{"an empty principal", KindKey, identity(`"Principal":{},` + allowAll)},
		{"a list of principals", KindKey, identity(`"Principal":["*"],` + allowAll)},
		{"an unknown type of principal", KindKey, identity(`"Principal":{"User":"*"},` + allowAll)},
		{"a type of principal in lower case", KindKey, identity(`"Principal":{"aws":"*"},` + allowAll)},
		{"an empty list of principals", KindKey, identity(`"Principal":{"AWS":[]},` + allowAll)},
		{"a list for a condition", KindManaged, identity(`"Condition":[],` + allowAll)},
		{"an unknown operator", KindManaged, identity(`"Condition":{"StringEqual":{"aws:username":"a"}},` + allowAll)},
		{"Null with IfExists", KindManaged, identity(`"Condition":{"NullIfExists":{"aws:username":"true"}},` + allowAll)},
		{"an operator twice", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":"true"},"Bool":{"aws:SecureTransport":"false"}},` + allowAll)},
		{"an operator twice, in two cases", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":"true"},"bool":{"aws:SecureTransport":"false"}},` + allowAll)},
		{"a text for an operator's keys", KindManaged, identity(`"Condition":{"Bool":"true"},` + allowAll)},
		{"an operator without keys", KindManaged, identity(`"Condition":{"Bool":{}},` + allowAll)},
		{"a key twice, in two cases", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":"true","aws:securetransport":"false"}},` + allowAll)},
		{"an empty key", KindManaged, identity(`"Condition":{"Bool":{"":"true"}},` + allowAll)},
		{"a key without values", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":[]}},` + allowAll)},
		{"null for a key's value", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":null}},` + allowAll)},
		{"an object for a key's value", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":[{}]}},` + allowAll)},
		{"statements in a Bedrock policy", KindBedrock, identity(allowAll)},
		{"a list for a Bedrock policy", KindBedrock, `[]`},
		{"no guardrail_inference", KindBedrock, `{"bedrock":{}}`},
		{"no region", KindBedrock, `{"bedrock":{"guardrail_inference":{}}}`},
		{"an unknown configuration", KindBedrock, `{"bedrock":{"guardrail_inference":{"eu-central-1":{"config_2":{}}}}}`},
		{"no identifier", KindBedrock, bedrockPolicy(`{` + guarding + `,` + enforcing + `}`)},
		{"a draft", KindBedrock, bedrockPolicy(`{` + strings.Replace(guarded, "abc:1", "abc:DRAFT", 1) + `,` + guarding + `,` + enforcing + `}`)},
		{"an identifier without a version", KindBedrock, bedrockPolicy(`{` + strings.Replace(guarded, "abc:1", "abc", 1) + `,` + guarding + `,` + enforcing + `}`)},
		{"two identifiers", KindBedrock, bedrockPolicy(`{"identifier":{"@@assign":["a:1","b:1"]},` + guarding + `,` + enforcing + `}`)},
		{"selective guarding", KindBedrock, bedrockPolicy(`{` + guarded + `,` + strings.Replace(guarding, "comprehensive", "selective", 1) + `,` + enforcing + `}`)},
		{"the older input_tags", KindBedrock, bedrockPolicy(`{` + guarded + `,"input_tags":{"@@assign":"honor"},` + enforcing + `}`)},
		{"another operator than @@assign", KindBedrock, bedrockPolicy(`{` + guarded + `,` + guarding + `,` + strings.Replace(enforcing, `@@assign`, `@@append`, 1) + `}`)},
		{"control over child policies", KindBedrock, bedrockPolicy(`{` + strings.Replace(guarded, `"@@assign"`, `"@@operators_allowed_for_child_policies":["@@none"],"@@assign"`, 1) + `,` + guarding + `,` + enforcing + `}`)},
		{"no included models", KindBedrock, bedrockPolicy(`{` + guarded + `,` + guarding + `,` + strings.Replace(enforcing, `["ALL"]`, `[]`, 1) + `}`)},
	} {
		d, err := Parse([]byte(row.text), row.kind)
		var at *ParseError
		if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 {
			t.Errorf("%s: got %v, want a *ParseError with its place", row.name, err)
		}
		if !reflect.DeepEqual(d, Document{}) {
			t.Errorf("%s: a document came with the error", row.name)
		}
		fmt.Fprintf(&got, "%s:\n\t%v\n", row.name, err)
	}
	goldenText(t, filepath.Join("testdata", "parse", "errors.golden"), got.String())
}

func TestParseRefusesAnUnknownKind(t *testing.T) {
	if _, err := Parse([]byte(identity(allowAll)), "policy"); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("got %v", err)
	}
}

func TestParseSaysWhere(t *testing.T) {
	_, err := Parse([]byte("{\n  \"Version\": \"2012-10-17\",\n  \"Id\": \"é\", \"Principal\": []\n}"), KindManaged)
	var at *ParseError
	if !errors.As(err, &at) || at.Line != 3 || at.Column != 14 {
		t.Errorf("got %v, want line 3, column 14: a character of two bytes is one column", err)
	}
}

// What AWS takes for one, Parse reads as one.
func TestParseReads(t *testing.T) {
	star := []string{"*"}
	for _, row := range []struct {
		name string
		kind Kind
		text string
		want Statement
	}{
		{"single values", KindManaged, `{"Version":"2012-10-17","Statement":{` + allowAll + `}}`,
			Statement{Effect: Allow, Action: star, Resource: star}},
		{"lists", KindManaged, identity(`"Sid":"a","Effect":"Deny","NotAction":["a:b","c:d"],"NotResource":["x","y"]`),
			Statement{Sid: "a", Effect: Deny, NotAction: []string{"a:b", "c:d"}, NotResource: []string{"x", "y"}}},
		{"any principal", KindKey, identity(`"Principal":"*",` + allowAll),
			Statement{Effect: Allow, Principal: &Principal{Any: true}, Action: star, Resource: star}},
		{"principals", KindKey, identity(`"NotPrincipal":{"AWS":"*","Service":["a","b"],"Federated":"c","CanonicalUser":"d"},` + allowAll),
			Statement{Effect: Allow, NotPrincipal: &Principal{AWS: star, Service: []string{"a", "b"}, Federated: []string{"c"}, CanonicalUser: []string{"d"}}, Action: star, Resource: star}},
		{"a trust policy has no resource", KindTrust, identity(`"Effect":"Allow","Action":"*","Principal":"*"`),
			Statement{Effect: Allow, Principal: &Principal{Any: true}, Action: star}},
		{"numbers and booleans are texts", KindManaged, identity(`"Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"aws:MultiFactorAuthAge":[3600,1e3]}},` + allowAll),
			Statement{Effect: Allow, Action: star, Resource: star, Condition: Condition{
				"Bool": {"aws:SecureTransport": {"true"}}, "NumericLessThan": {"aws:MultiFactorAuthAge": {"3600", "1e3"}}}}},
		{"operators have AWS's spelling", KindManaged, identity(`"Condition":{"foranyvalue:stringlikeifexists":{"aws:TagKeys":""}},` + allowAll),
			Statement{Effect: Allow, Action: star, Resource: star, Condition: Condition{"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": {""}}}}},
		{"an empty condition is none", KindManaged, identity(`"Condition":{},` + allowAll),
			Statement{Effect: Allow, Action: star, Resource: star}},
		{"escapes", KindManaged, identity(`"Sid":"\u00e9\t\"\\\/",` + allowAll),
			Statement{Sid: "é\t\"\\/", Effect: Allow, Action: star, Resource: star}},
		{"white space everywhere", KindManaged, "\r\n {\t\"Version\" : \"2012-10-17\" , \"Statement\" : [ { \"Effect\" : \"Allow\" , \"Action\" : [ \"*\" ] , \"Resource\" : \"*\" } ] } \n",
			Statement{Effect: Allow, Action: star, Resource: star}},
	} {
		d, err := Parse([]byte(row.text), row.kind)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if want := (Document{Kind: row.kind, Statements: []Statement{row.want}}); !reflect.DeepEqual(d, want) {
			t.Errorf("%s: got %+v\nwant %+v", row.name, d, want)
		}
	}
}

// Above a few members names are kept in a map.
func TestParseRefusesTheTwentiethKeyAgain(t *testing.T) {
	for _, last := range []string{"aws:ResourceTag/t1", "AWS:ResourceTag/T18", "aws:resourcetag/t20"} {
		var keys strings.Builder
		for i := range 20 {
			fmt.Fprintf(&keys, `"aws:ResourceTag/t%d":"x",`, i+1)
		}
		_, err := Parse([]byte(identity(`"Condition":{"StringEquals":{`+keys.String()+`"`+last+`":"x"}},`+allowAll)), KindManaged)
		if err == nil || !strings.Contains(err.Error(), "keep one") {
			t.Errorf("%s: got %v", last, err)
		}
	}
}

func TestParseTakes64KiBAnd32Levels(t *testing.T) {
	text := identity(allowAll)
	if _, err := Parse([]byte(text+strings.Repeat(" ", maxText-len(text))), KindManaged); err != nil {
		t.Errorf("64 KiB: %v", err)
	}
	_, err := Parse([]byte(identity(`"Effect":`+strings.Repeat("[", maxLevels-3)+strings.Repeat("]", maxLevels-3))), KindManaged)
	if err == nil || strings.Contains(err.Error(), "levels") {
		t.Errorf("32 levels: got %v, want that Effect takes a text", err)
	}
}

// What is printed is read as the same document, in a random sample of documents.
func TestParseReadsWhatIsPrinted(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 4))
	for range 3000 {
		want := randomDocument(random)
		for _, text := range []string{want.JSON(), want.Indented()} {
			got, err := Parse([]byte(text), want.Kind)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v\nwant %+v\n%s", got, want, text)
			}
			if got.JSON() != want.JSON() {
				t.Fatalf("printed again: %s\nwant %s", got.JSON(), want.JSON())
			}
		}
	}
}

var everyKind = []Kind{KindManaged, KindBoundary, KindInline, KindSession, KindTrust, KindSCP, KindRCP, KindEndpoint, KindKey, KindBucket, KindGuardrail, KindLogs, KindBedrock}

// randomDocument is a document that AWS's grammar takes.
func randomDocument(r *rand.Rand) Document {
	text := func() string {
		const letters = "abcXYZ019:/*?-_.${}\\\"\t\n é\u00ff<>&\u007f\u0085"
		runes := []rune(letters)
		s := make([]rune, 1+r.IntN(12))
		for i := range s {
			s[i] = runes[r.IntN(len(runes))]
		}
		return string(s)
	}
	texts := func() []string {
		list := make([]string, 1+r.IntN(3))
		for i := range list {
			list[i] = text()
		}
		return list
	}
	maybe := func() []string {
		if r.IntN(2) == 0 {
			return nil
		}
		return texts()
	}
	d := Document{Kind: everyKind[r.IntN(len(everyKind))]}
	if d.Kind == KindBedrock {
		d.Declarative = &GuardrailInference{}
		for i := range 1 + r.IntN(3) {
			d.Declarative.Guardrails = append(d.Declarative.Guardrails, EnforcedGuardrail{Region: fmt.Sprintf("eu-%d", i), ARN: text(),
				Version: fmt.Sprint(1 + r.IntN(20)), IncludedModels: maybe(), ExcludedModels: maybe()})
		}
		return d
	}
	if r.IntN(3) == 0 {
		d.ID = text()
	}
	for range 1 + r.IntN(3) {
		s := Statement{Effect: []Effect{Allow, Deny}[r.IntN(2)]}
		if r.IntN(2) == 0 {
			s.Sid = text()
		}
		if s.Action = maybe(); s.Action == nil {
			s.NotAction = texts()
		}
		if d.Kind != KindTrust {
			if s.Resource = maybe(); s.Resource == nil {
				s.NotResource = texts()
			}
		}
		switch {
		case !d.Kind.facts().resource:
		case d.Kind == KindRCP || r.IntN(3) == 0:
			s.Principal = &Principal{Any: true}
		case r.IntN(2) == 0:
			s.Principal = &Principal{AWS: texts(), Service: maybe(), Federated: maybe(), CanonicalUser: maybe()}
		default:
			s.NotPrincipal = &Principal{AWS: maybe(), Service: texts()}
		}
		for range r.IntN(3) {
			if s.Condition == nil {
				s.Condition = Condition{}
			}
			operator := []string{"StringEquals", "ForAnyValue:ArnNotLikeIfExists", "Null", "NumericLessThan"}[r.IntN(4)]
			s.Condition[operator] = map[string][]string{"aws:a" + text(): texts(), "bedrock:b": texts()}
		}
		d.Statements = append(d.Statements, s)
	}
	return d
}

func FuzzParse(f *testing.F) {
	random := rand.New(rand.NewPCG(13, 4))
	for i := range 40 {
		d := randomDocument(random)
		f.Add([]byte(d.JSON()), byte(slices.Index(everyKind, d.Kind)))
		f.Add([]byte(d.Indented()), byte(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, kind byte) {
		d, err := Parse(text, everyKind[int(kind)%len(everyKind)])
		if err != nil {
			var at *ParseError
			if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 || at.Line > 1+strings.Count(string(text), "\n") {
				t.Fatalf("%v has no place in the text", err)
			}
			return
		}
		again, err := Parse([]byte(d.JSON()), d.Kind)
		if len(d.JSON()) > maxText {
			return
		}
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Fatalf("%v: %+v\nprinted and read: %+v", err, d, again)
		}
	})
}

func BenchmarkParse20KB(b *testing.B) {
	d := Document{Kind: KindKey}
	for len(d.Indented()) < 20_000 {
		d.Statements = append(d.Statements, Statement{Sid: "AllowUse", Effect: Allow, Principal: &Principal{AWS: []string{"arn:aws:iam::111122223333:role/app"}},
			Action: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: []string{"*"},
			Condition: Condition{"StringEquals": {"kms:ViaService": {"bedrock.eu-central-1.amazonaws.com"}, "aws:SourceAccount": {"111122223333"}}}})
	}
	text := []byte(d.Indented())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text, KindKey); err != nil {
			b.Fatal(err)
		}
	}
}
