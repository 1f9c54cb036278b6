package policy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator, read.
type operator struct {
	family   family
	compare  comparison // of numbers and dates
	set      setOperator
	negated  bool
	ifExists bool
}

type family int

const (
	unknownFamily family = iota
	stringEquals
	stringEqualsFold
	stringLike
	numeric
	date
	boolean
	binary
	ipAddress
	arn
	null
)

type comparison int

const (
	equal comparison = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// setOperator is the quantifier over a request's values.
type setOperator int

const (
	oneValue setOperator = iota
	forAllValues
	forAnyValue
)

// operatorNames lists IAM's operators but for Null, in AWS's spelling. readOperator knows
// each (TestEveryOperatorIsRead).
func operatorNames() []string {
	return []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	}
}

// readOperator reads an operator's name. The second result is false where the name is
// none of IAM's (IAM User Guide reference_policies_elements_condition_operators).
func readOperator(name string) (operator, bool) {
	var op operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		op.set, name = forAllValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		op.set, name = forAnyValue, rest
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	switch name {
	case "StringEquals":
		op.family = stringEquals
	case "StringNotEquals":
		op.family, op.negated = stringEquals, true
	case "StringEqualsIgnoreCase":
		op.family = stringEqualsFold
	case "StringNotEqualsIgnoreCase":
		op.family, op.negated = stringEqualsFold, true
	case "StringLike":
		op.family = stringLike
	case "StringNotLike":
		op.family, op.negated = stringLike, true
	// ArnEquals and ArnLike behave identically, and so do their negations.
	case "ArnEquals", "ArnLike":
		op.family = arn
	case "ArnNotEquals", "ArnNotLike":
		op.family, op.negated = arn, true
	case "Bool":
		op.family = boolean
	case "BinaryEquals":
		op.family = binary
	case "IpAddress":
		op.family = ipAddress
	case "NotIpAddress":
		op.family, op.negated = ipAddress, true
	case "Null":
		op.family = null
		return op, op.set == oneValue && !op.ifExists
	default:
		rest, isNumber := strings.CutPrefix(name, "Numeric")
		op.family = numeric
		if !isNumber {
			var isDate bool
			if rest, isDate = strings.CutPrefix(name, "Date"); !isDate {
				return operator{}, false
			}
			op.family = date
		}
		switch rest {
		case "Equals":
		case "NotEquals":
			op.negated = true
		case "LessThan":
			op.compare = less
		case "LessThanEquals":
			op.compare = lessOrEqual
		case "GreaterThan":
			op.compare = greater
		case "GreaterThanEquals":
			op.compare = greaterOrEqual
		default:
			return operator{}, false
		}
	}
	return op, true
}

// valueFault says why a policy's value cannot be read under the operator; empty for
// none.
func (op operator) valueFault(value string) string {
	switch op.family {
	case stringEquals, stringEqualsFold, stringLike:
		return variableFault(value)
	case arn:
		if !plain(value) && strings.Contains(value, "${") {
			return variableFault(value)
		}
		if _, ok := splitARN(value); !ok {
			return "is no ARN of six parts"
		}
	case numeric:
		if _, ok := readNumber(value); !ok {
			return "is no number"
		}
	case date:
		if _, ok := readDate(value); !ok {
			return "is no date of the ISO 8601 form and no number of seconds"
		}
	case boolean, null:
		if _, ok := readBool(value); !ok {
			return "is neither true nor false"
		}
	case binary:
		if _, err := base64.StdEncoding.DecodeString(value); err != nil {
			return "is not base64"
		}
	case ipAddress:
		if _, ok := readPrefix(value); !ok {
			return "is no IP address and no range in CIDR form"
		}
	}
	return ""
}

// holds evaluates the operator over a policy's values and a request's. No value in got
// means that the request has no such key. fault says why there is no verdict.
func (op operator) holds(values, got []string, f *facts) (yes bool, fault string) {
	if op.family == null {
		// An empty value may count as null.
		if len(got) == 1 && got[0] == "" {
			return false, "is Null over an empty value, which IAM does not define"
		}
		for _, v := range values {
			if want, _ := readBool(v); want == (len(got) == 0) {
				return true, ""
			}
		}
		return false, ""
	}
	if len(got) == 0 {
		switch {
		case op.set == forAllValues:
			return true, ""
		case op.set == forAnyValue && op.ifExists:
			// IAM's pages say true of IfExists and false of ForAnyValue.
			return false, "is ForAnyValue with IfExists over an absent key, which IAM does not define"
		case op.set == forAnyValue:
			return false, ""
		}
		return op.ifExists || op.negated, ""
	}
	if op.set == oneValue && len(got) > 1 {
		return false, "has no set operator, and the request has several values"
	}
	if op.set == forAllValues && len(got) == 1 && got[0] == "" {
		return false, "is ForAllValues over an empty value, which IAM may count as an empty set"
	}
	all, some := true, false
	for _, g := range got {
		matched := false
		for _, v := range values {
			m, fault := op.matches(v, g, f)
			if fault != "" {
				return false, fault
			}
			matched = matched || m
		}
		matched = matched != op.negated
		all, some = all && matched, some || matched
	}
	if op.set == forAllValues {
		return all, ""
	}
	return some, ""
}

// matches compares one value of the policy with one of the request, without negation.
// A request's value that is no ARN is like no ARN.
func (op operator) matches(value, got string, f *facts) (yes bool, fault string) {
	switch op.family {
	case stringEquals, stringEqualsFold, stringLike, arn:
		pattern := op.family == stringLike || op.family == arn
		text, ok, fault := f.expand(value, pattern)
		if !ok {
			return false, fault
		}
		switch op.family {
		case stringEquals:
			return text == got, ""
		case stringEqualsFold:
			return strings.EqualFold(text, got), ""
		case stringLike:
			return glob(text, got, false), ""
		}
		p, ok := splitARN(text)
		if !ok {
			return false, "is no ARN of six parts once its variables are replaced"
		}
		a, ok := splitARN(got)
		return ok && arnLike(p, a), ""
	case numeric:
		v, _ := readNumber(value)
		g, ok := readNumber(got)
		return op.typed(op.compare.of(cmp.Compare(g, v)), ok)
	case date:
		v, _ := readDate(value)
		g, ok := readDate(got)
		return op.typed(op.compare.of(g.Compare(v)), ok)
	case boolean:
		v, _ := readBool(value)
		g, ok := readBool(got)
		return op.typed(v == g, ok)
	case binary:
		v, _ := base64.StdEncoding.DecodeString(value)
		g, err := base64.StdEncoding.DecodeString(got)
		return op.typed(bytes.Equal(v, g), err == nil)
	case ipAddress:
		v, _ := readPrefix(value)
		g, err := netip.ParseAddr(got)
		return op.typed(v.Contains(g), err == nil)
	}
	return false, "is unknown"
}

// typed gives no verdict where the request's value is not of the operator's type.
func (op operator) typed(yes, ok bool) (bool, string) {
	if !ok {
		return false, "meets a value of the request that is not of its type"
	}
	return yes, ""
}

// of says whether an order of -1, 0 or 1 satisfies the comparison.
func (c comparison) of(order int) bool {
	switch c {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	}
	return order == 0
}

// readNumber takes an integer or a decimal number.
func readNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.-+") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// readDate takes the W3C profile of ISO 8601, or seconds since 1970.
func readDate(s string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) > 4 {
		return time.Unix(seconds, 0), true
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func readBool(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// readPrefix takes a range in CIDR form, or one address.
func readPrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// lastOf is the last address of a range.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
