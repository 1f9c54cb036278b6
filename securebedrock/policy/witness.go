package policy

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// sample is a value that a probe of Diff takes, and how the report names it.
type sample struct{ value, label string }

// otherValue stands for a value that no policy names.
const otherValue = "other-value"

// samplesOf gives values that tell the patterns apart: each pattern with its wildcards
// filled in, what two patterns have in common, and a value of none.
func samplesOf(patterns []string, other string) []sample {
	var list []sample
	add := func(value, label string) {
		if !slices.ContainsFunc(list, func(s sample) bool { return s.value == value }) {
			list = append(list, sample{value, label})
		}
	}
	for _, p := range patterns {
		if !strings.ContainsAny(p, "*?") {
			add(p, p)
		}
	}
	var open []string
	for _, p := range patterns {
		if strings.ContainsAny(p, "*?") && !slices.Contains(open, p) {
			open = append(open, p)
			add(filled(p, "x"), p)
			add(filled(p, ""), p)
			add(filled(p, "yz"), p)
		}
	}
	for i, p := range open {
		for _, q := range open[:i] {
			if common, ok := witness(p, q); ok {
				add(common, q+" that is also "+p)
			}
		}
	}
	add(other, "<other>")
	return list
}

// filled puts a text in the place of each *, and a letter in that of each ?.
func filled(pattern, star string) string {
	return strings.NewReplacer("*", star, "?", "x", string(rune(literalStar)), "*", string(rune(literalMark)), "?").Replace(pattern)
}

// witness gives a text that both patterns match.
func witness(p, q string) (string, bool) {
	failed := make(map[[2]int]bool)
	var find func(i, j int) (string, bool)
	find = func(i, j int) (string, bool) {
		at := [2]int{i, j}
		if failed[at] {
			return "", false
		}
		if i == len(p) && j == len(q) {
			return "", true
		}
		star := func(s string, k int) bool { return k < len(s) && s[k] == '*' }
		if star(p, i) {
			if rest, ok := find(i+1, j); ok {
				return rest, true
			}
		}
		if star(q, j) {
			if rest, ok := find(i, j+1); ok {
				return rest, true
			}
		}
		if i < len(p) && j < len(q) {
			c, nextI, nextJ := byte('x'), i+1, j+1
			switch a, b := p[i], q[j]; {
			case a == '*' && b == '*':
				failed[at] = true
				return "", false
			case a == '*':
				nextI = i
				if b != '?' {
					c = b
				}
			case b == '*':
				nextJ = j
				if a != '?' {
					c = a
				}
			case a == '?' && b != '?':
				c = b
			case b == '?' && a != '?', a == b && a != '?':
				c = a
			case a != b:
				failed[at] = true
				return "", false
			}
			if rest, ok := find(nextI, nextJ); ok {
				return string(c) + rest, true
			}
		}
		failed[at] = true
		return "", false
	}
	return find(0, 0)
}

// samplesFor gives values of a condition key that tell the operator's values apart.
func (op operator) samplesFor(values []string) []sample {
	var list []sample
	literal := func(v ...string) {
		for _, v := range v {
			list = append(list, sample{v, v})
		}
	}
	switch op.family {
	case stringEquals:
		literal(values...)
		list = append(list, sample{otherValue, "another value"})
	case stringEqualsFold:
		literal(values...)
		for _, v := range values {
			literal(strings.ToUpper(v), strings.ToLower(v))
		}
		list = append(list, sample{otherValue, "another value"})
	case stringLike:
		list = samplesOf(values, otherValue)
	case arn:
		list = samplesOf(values, "arn:aws:other:other:999999999999:other")
	case numeric:
		for _, v := range values {
			n, _ := readNumber(v)
			for _, near := range []float64{n - 1, n - 0.5, n, n + 0.5, n + 1} {
				literal(formatNumber(near))
			}
		}
	case date:
		for _, v := range values {
			t, _ := readDate(v)
			for _, near := range []time.Duration{-time.Second, 0, time.Second} {
				literal(t.Add(near).UTC().Format(time.RFC3339))
			}
		}
	case boolean:
		literal("true", "false")
	case binary:
		literal(values...)
		list = append(list, sample{base64.StdEncoding.EncodeToString([]byte(otherValue)), "another value"})
	case ipAddress:
		for _, v := range values {
			p, _ := readPrefix(v)
			first, last := p.Masked().Addr(), lastOf(p)
			literal(first.String(), last.String())
			for _, near := range []string{first.Prev().String(), last.Next().String()} {
				if _, ok := readPrefix(near); ok {
					literal(near)
				}
			}
		}
	}
	return list
}
