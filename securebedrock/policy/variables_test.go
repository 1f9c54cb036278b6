package policy

import (
	"testing"
)

// TestVariables is IAM User Guide reference_policies_variables as a table.
func TestVariables(t *testing.T) {
	request := &facts{keys: []conditionKey{
		{"aws:username", []string{"ann"}}, {"aws:PrincipalTag/Cost Centre", []string{"12"}},
		{"aws:TagKeys", []string{"a", "b"}}, {"aws:PrincipalTag/wild", []string{"a*"}},
	}}
	for _, c := range []struct {
		text    string
		pattern bool
		want    string // "-" where a variable has no value, "fault" where there is no verdict
	}{
		{"plain $ and {", false, "plain $ and {"},
		{"${aws:username}", false, "ann"},
		{"${AWS:UserName}", false, "ann"},
		{"home/${aws:username}/${aws:username}.txt", false, "home/ann/ann.txt"},
		{"${aws:PrincipalTag/Cost Centre}", false, "12"},
		{"${aws:userid}", false, "-"},
		{"${aws:userid, 'nobody'}", false, "nobody"},
		{"${aws:userid,'nobody'}", false, "nobody"},
		{"${aws:userid, ''}", false, ""},
		{"${aws:username, 'nobody'}", false, "ann"},
		{"${*}${?}${$}", false, "*?$"},
		{"${*}${?}${$}", true, "\x01\x02$"},
		{"${aws:PrincipalTag/wild}", true, "fault"},
		{"${aws:PrincipalTag/wild}", false, "a*"},
		{"${aws:TagKeys}", false, "fault"},
		{"${aws:username", false, "fault"},
		{"${username}", false, "fault"},
		{"${ aws:username}", false, "fault"},
		{"${aws:userid, nobody}", false, "fault"},
		{"${aws:userid, 'a*'}", false, "fault"},
		{"${aws:userid, ''a'}", false, "fault"},
		{"${aws:${aws:username}}", false, "fault"},
		{"${}", false, "fault"},
	} {
		got, ok, fault := request.expand(c.text, c.pattern)
		switch {
		case fault != "":
			got = "fault"
		case !ok:
			got = "-"
		}
		if got != c.want {
			t.Errorf("%q with pattern %t is %q (%s), want %q", c.text, c.pattern, got, fault, c.want)
		}
	}
}

// TestVariableWithoutValue: nothing equals it, everything differs from it, and it names
// no resource.
func TestVariableWithoutValue(t *testing.T) {
	f := &facts{action: "s3:GetObject", resource: "arn:aws:s3:::b/x"}
	for _, c := range []struct {
		operator string
		want     bool
	}{{"StringEquals", false}, {"StringLike", false}, {"ArnLike", false}, {"StringNotEquals", true}, {"StringNotLike", true}, {"ArnNotLike", true}} {
		op, _ := readOperator(c.operator)
		if got, fault := op.holds([]string{"${aws:PrincipalTag/team}"}, []string{"red"}, f); got != c.want || fault != "" {
			t.Errorf("%s to a variable without a value is %t (%s), want %t", c.operator, got, fault, c.want)
		}
	}
	d := &Document{Kind: KindManaged}
	in := &Statement{Effect: Allow, Action: []string{"*"}, Resource: []string{"arn:aws:s3:::b/${aws:PrincipalTag/team}*"}}
	if fits, fault := in.fits(d, f); fits || fault != "" {
		t.Errorf("Resource with a variable without a value fits (%s)", fault)
	}
	in = &Statement{Effect: Allow, Action: []string{"*"}, NotResource: in.Resource}
	if fits, fault := in.fits(d, f); !fits || fault != "" {
		t.Errorf("NotResource with a variable without a value does not fit (%s)", fault)
	}
}
