package policy

import (
	"testing"
)

// TestOperatorsOnKeys is IAM User Guide reference_policies_elements_condition_operators
// and reference_policies_condition-single-vs-multi-valued-context-keys as a table.
func TestOperatorsOnKeys(t *testing.T) {
	one := func(v ...string) []string { return v }
	const absent = "absent" // no values in the request
	for _, c := range []struct {
		operator string
		policy   []string
		request  []string // nil: absent
		want     string   // "true", "false" or "fault"
	}{
		{"StringEquals", one("a"), nil, "false"},
		{"StringEquals", one("a"), one("a"), "true"},
		{"StringEquals", one("a"), one("A"), "false"},
		{"StringEquals", one("a", "b"), one("b"), "true"},
		{"StringEquals", one("a", "b"), one("c"), "false"},
		{"StringEquals", one("a*"), one("ab"), "false"},
		{"StringEquals", one("a*"), one("a*"), "true"},
		{"StringEquals", one("a"), one("a", "b"), "fault"},
		{"StringEqualsIfExists", one("a"), nil, "true"},
		{"StringEqualsIfExists", one("a"), one("b"), "false"},
		{"StringNotEquals", one("a"), nil, "true"},
		{"StringNotEquals", one("a"), one("a"), "false"},
		{"StringNotEquals", one("a"), one("b"), "true"},
		{"StringNotEquals", one("a", "b"), one("b"), "false"},
		{"StringNotEquals", one("a", "b"), one("c"), "true"},
		{"StringNotEqualsIfExists", one("a"), nil, "true"},
		{"StringNotEqualsIfExists", one("a"), one("a"), "false"},
		{"StringEqualsIgnoreCase", one("aB"), one("Ab"), "true"},
		{"StringEqualsIgnoreCase", one("aB"), one("Ac"), "false"},
		{"StringNotEqualsIgnoreCase", one("aB"), one("Ab"), "false"},
		{"StringNotEqualsIgnoreCase", one("aB"), nil, "true"},
		{"StringLike", one("a*c"), one("abbc"), "true"},
		{"StringLike", one("a?c"), one("abc"), "true"},
		{"StringLike", one("a?c"), one("abbc"), "false"},
		{"StringLike", one("a?c"), one("aéc"), "true"},
		{"StringLike", one("a*"), one("A"), "false"},
		{"StringLike", one("*"), one("a:b"), "true"},
		{"StringLike", one("*"), nil, "false"},
		{"StringNotLike", one("a*"), nil, "true"},
		{"StringNotLike", one("a*", "b*"), one("ba"), "false"},
		{"StringNotLike", one("a*", "b*"), one("ca"), "true"},

		{"NumericEquals", one("5"), one("5.0"), "true"},
		{"NumericEquals", one("5"), nil, "false"},
		{"NumericNotEquals", one("5"), nil, "true"},
		{"NumericNotEquals", one("5", "6"), one("6"), "false"},
		{"NumericLessThan", one("5"), one("4"), "true"},
		{"NumericLessThan", one("5"), one("5"), "false"},
		{"NumericLessThanEquals", one("5"), one("5"), "true"},
		{"NumericLessThanEquals", one("5"), one("5.1"), "false"},
		{"NumericGreaterThan", one("5"), one("5"), "false"},
		{"NumericGreaterThan", one("5"), one("6"), "true"},
		{"NumericGreaterThanEquals", one("5"), one("5"), "true"},
		{"NumericGreaterThanEquals", one("5"), one("-6"), "false"},
		{"NumericLessThanIfExists", one("5"), nil, "true"},
		{"NumericEquals", one("5"), one("five"), "fault"},

		{"DateEquals", one("2026-11-25T00:00:00Z"), one("1795564800"), "true"},
		{"DateNotEquals", one("2026-11-25T00:00:00Z"), one("2026-11-25T01:00:00+01:00"), "false"},
		{"DateNotEquals", one("2026-11-25T00:00:00Z"), nil, "true"},
		{"DateLessThan", one("2026-11-25"), one("2026-11-24T23:59:59Z"), "true"},
		{"DateLessThan", one("2026-11-25"), one("2026-11-25T00:00:00Z"), "false"},
		{"DateLessThanEquals", one("2026-11-25T00:00Z"), one("2026-11-25"), "true"},
		{"DateGreaterThan", one("2026-11-25"), one("2026-11-25T00:00:01.5Z"), "true"},
		{"DateGreaterThanEquals", one("2026-11"), one("2026-11-01"), "true"},
		{"DateGreaterThan", one("2026-11-25"), nil, "false"},

		{"Bool", one("true"), one("true"), "true"},
		{"Bool", one("true"), one("false"), "false"},
		{"Bool", one("true"), nil, "false"},
		{"Bool", one("false"), nil, "false"},
		{"Bool", one("true", "false"), one("false"), "true"},
		{"BoolIfExists", one("false"), nil, "true"},
		{"BoolIfExists", one("false"), one("true"), "false"},
		{"Bool", one("true"), one("yes"), "fault"},

		{"BinaryEquals", one("QUI="), one("QUI="), "true"},
		{"BinaryEquals", one("QUI="), one("QUM="), "false"},
		{"BinaryEquals", one("QUI="), nil, "false"},

		{"IpAddress", one("10.0.0.0/8"), one("10.1.2.3"), "true"},
		{"IpAddress", one("10.0.0.0/8", "192.0.2.7"), one("192.0.2.7"), "true"},
		{"IpAddress", one("192.0.2.7"), one("192.0.2.8"), "false"},
		{"IpAddress", one("2001:db8::/32"), one("2001:db8::1"), "true"},
		{"IpAddress", one("10.0.0.0/8"), one("2001:db8::1"), "false"},
		{"IpAddress", one("10.0.0.0/8"), nil, "false"},
		{"NotIpAddress", one("10.0.0.0/8"), one("10.1.2.3"), "false"},
		{"NotIpAddress", one("10.0.0.0/8"), one("11.1.2.3"), "true"},
		{"NotIpAddress", one("10.0.0.0/8"), nil, "true"},

		{"ArnLike", one("arn:aws:iam::1:role/*"), one("arn:aws:iam::1:role/a/b:c"), "true"},
		{"ArnLike", one("arn:aws:iam::*:role/x"), one("arn:aws:iam::1:2:role/x"), "false"},
		{"ArnLike", one("arn:*:iam::1:role/x"), one("arn:aws:iam::1:role/x"), "true"},
		{"ArnLike", one("arn:aws:iam::1:role/x"), one("arn:aws:iam::1:role/X"), "false"},
		{"ArnLike", one("arn:aws:iam::1:role/x"), nil, "false"},
		{"ArnLike", one("arn:aws:iam::1:role/x"), one("x"), "false"},
		{"ArnEquals", one("arn:aws:iam::1:role/?"), one("arn:aws:iam::1:role/x"), "true"},
		{"ArnNotLike", one("arn:aws:iam::1:role/x"), nil, "true"},
		{"ArnNotLike", one("arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y"), one("arn:aws:iam::1:role/y"), "false"},
		{"ArnNotEquals", one("arn:aws:iam::1:role/x*"), one("arn:aws:iam::1:role/y"), "true"},
		{"ArnNotEquals", one("arn:aws:iam::1:role/x*"), one("arn:aws:iam::1:role/xy"), "false"},

		{"Null", one("true"), nil, "true"},
		{"Null", one("true"), one("a"), "false"},
		{"Null", one("false"), nil, "false"},
		{"Null", one("false"), one("a"), "true"},
		{"Null", one("false"), one("a", "b"), "true"},
		{"Null", one("false"), one(""), "fault"},

		{"ForAllValues:StringEquals", one("a", "b"), nil, "true"},
		{"ForAllValues:StringEquals", one("a", "b"), one("a", "b"), "true"},
		{"ForAllValues:StringEquals", one("a", "b"), one("a", "c"), "false"},
		{"ForAllValues:StringEquals", one("a"), one(""), "fault"},
		{"ForAllValues:StringLike", one("a*"), one("ab", "ac"), "true"},
		{"ForAllValues:StringNotLike", one("key1*"), nil, "true"},
		{"ForAllValues:StringNotLike", one("key1*"), one("key1:hr", "key2:x"), "false"},
		{"ForAllValues:StringNotLike", one("key1*"), one("key2:audit", "key3"), "true"},
		{"ForAnyValue:StringEquals", one("a", "b"), nil, "false"},
		{"ForAnyValue:StringEquals", one("a", "b"), one("c", "b"), "true"},
		{"ForAnyValue:StringEquals", one("a", "b"), one("c", "d"), "false"},
		{"ForAnyValue:StringNotEquals", one("a", "b"), nil, "false"},
		{"ForAnyValue:StringNotEquals", one("a", "b"), one("a", "c"), "true"},
		{"ForAnyValue:StringNotEquals", one("a", "b"), one("a", "b"), "false"},
		{"ForAllValues:StringEqualsIfExists", one("a"), nil, "true"},
		{"ForAnyValue:StringEqualsIfExists", one("a"), nil, "fault"},
		{"ForAnyValue:StringEqualsIfExists", one("a"), one("b"), "false"},
		{"ForAllValues:ArnLike", one("arn:aws:iam::1:role/*"), one("arn:aws:iam::1:role/a", "arn:aws:iam::1:user/a"), "false"},
	} {
		op, ok := readOperator(c.operator)
		if !ok {
			t.Errorf("%s is unknown", c.operator)
			continue
		}
		for _, v := range c.policy {
			if fault := op.valueFault(v); fault != "" {
				t.Errorf("%s of %q: %s", c.operator, v, fault)
			}
		}
		yes, fault := op.holds(c.policy, c.request, &facts{})
		got := map[bool]string{true: "true", false: "false"}[yes]
		if fault != "" {
			got = "fault"
		}
		if got != c.want {
			request := any(c.request)
			if c.request == nil {
				request = absent
			}
			t.Errorf("%s %q over %v is %s (%s), want %s", c.operator, c.policy, request, got, fault, c.want)
		}
	}
}

func TestOperatorsUnknown(t *testing.T) {
	for _, name := range []string{"", "stringEquals", "StringEqual", "StringsEquals", "NumericLike", "DateBefore", "BoolNot", "NotBool",
		"NullIfExists", "ForAllValues:Null", "ForSomeValues:StringEquals", "StringEqualsIfExistsIfExists", "ForAnyValue:ForAllValues:StringEquals", "IfExists"} {
		if _, ok := readOperator(name); ok {
			t.Errorf("operator %q is read", name)
		}
	}
}

func TestOperatorValuesUnknown(t *testing.T) {
	for _, c := range []struct{ operator, value string }{
		{"NumericEquals", "five"}, {"NumericEquals", ""}, {"NumericEquals", "0x5"}, {"NumericEquals", "${aws:x}"},
		{"DateEquals", "yesterday"}, {"DateEquals", "25.11.2026"}, {"Bool", "yes"}, {"Bool", ""}, {"Null", "1"},
		{"BinaryEquals", "?"}, {"IpAddress", "10.0.0.0/33"}, {"IpAddress", "host"}, {"IpAddress", "fe80::1%eth0"},
		{"ArnLike", "*"}, {"ArnEquals", "arn:aws:iam::*"}, {"ArnLike", "a:b:c:d:e:f"},
		{"StringEquals", "${"}, {"StringLike", "${aws:x"}, {"StringEquals", "${nokey}"}, {"StringEquals", "${aws:x, default}"}, {"StringEquals", "a\x01"},
	} {
		op, _ := readOperator(c.operator)
		if op.valueFault(c.value) == "" {
			t.Errorf("%s takes the value %q", c.operator, c.value)
		}
	}
}

// Parse takes an operator that Decide knows, and no other.
func TestEveryOperatorIsRead(t *testing.T) {
	for _, name := range append(operatorNames(), "Null") {
		for _, set := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, optional := range []string{"", "IfExists"} {
				_, parsed := operatorName(set + name + optional)
				_, read := readOperator(set + name + optional)
				if parsed != read {
					t.Errorf("%s: Parse takes the operator: %v, Decide knows it: %v", set+name+optional, parsed, read)
				}
			}
		}
	}
}
