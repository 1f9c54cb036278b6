package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func digit(c byte) bool { return c-'0' < 10 }
func upper(c byte) bool { return c-'A' < 26 }
func alpha(c byte) bool { return c|0x20-'a' < 26 }
func alnum(c byte) bool { return digit(c) || alpha(c) }

// wordBefore reports whether a number or word reaches up to i, so that none can
// begin at i.
func wordBefore(s string, i int) bool { return i > 0 && (alnum(s[i-1]) || s[i-1] == '_') }
func wordAt(s string, i int) bool     { return i < len(s) && (alnum(s[i]) || s[i] == '_') }

// awsKey finds access key IDs.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func awsKey(s string, from int) (start, end int, name string) {
	const length = 20
next:
	for i := from; ; i++ {
		at := strings.IndexByte(s[i:], 'A')
		if at < 0 || i+at+length > len(s) {
			return -1, 0, ""
		}
		i += at
		switch s[i : i+4] {
		case "AKIA", "ASIA", "ABIA", "ACCA":
		default:
			continue
		}
		for _, c := range []byte(s[i+4 : i+length]) {
			if !upper(c) && (c < '2' || c > '7') {
				continue next
			}
		}
		return i, i + length, "[AWS_KEY]"
	}
}

// secretKey finds text in the form of a secret access key: 40 characters of mixed
// case with a digit. Longer runs are found too: they are encoded data, which could
// contain a key.
func secretKey(s string, from int) (start, end int, name string) {
	const length = 40
	base64 := func(c byte) bool { return alnum(c) || c == '+' || c == '/' }
	for i := from; i+length <= len(s); {
		begin := i + length // the beginning of the run that reaches s[i+length-1]
		for begin > i && base64(s[begin-1]) {
			begin--
		}
		if begin > i {
			i = begin
			continue
		}
		end := i
		var digits, lower, upper bool
		for ; end < len(s) && base64(s[end]); end++ {
			c := s[end]
			digits = digits || digit(c)
			lower = lower || c >= 'a' && c <= 'z'
			upper = upper || c >= 'A' && c <= 'Z'
		}
		if digits && lower && upper {
			return i, end, "[AWS_SECRET]"
		}
		i = end
	}
	return -1, 0, ""
}

func email(s string, from int) (start, end int, name string) {
	for at := from; ; at++ {
		i := strings.IndexByte(s[at:], '@')
		if i < 0 {
			return -1, 0, ""
		}
		at += i
		start := at
		for start > from {
			r, size := utf8.DecodeLastRuneInString(s[from:start])
			if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("._%+'-", r) {
				break
			}
			start -= size
		}
		if end := domain(s, at+1); start < at && end > 0 {
			return start, end, "[EMAIL]"
		}
	}
}

// domain returns the end of a host name that begins at i and has at least two
// labels, or 0.
func domain(s string, i int) (end int) {
	for label := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '-' || unicode.IsLetter(r) || unicode.IsNumber(r):
			label++
		case r == '.' && label > 0:
			label = 0
			if e, n := letters(s, i); n >= 2 {
				end = e
			}
		default:
			return end
		}
	}
	return end
}

func letters(s string, i int) (end, n int) {
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) {
			break
		}
		i += size
		n++
	}
	return i, n
}

// iban finds account numbers, ISO 13616-1: the first four characters are moved to
// the end, letters count as two digits, and the result is taken modulo 97. The last
// valid end counts, because words may follow a number.
func iban(s string, from int) (start, end int, name string) {
	for i := from; i+4 <= len(s); {
		switch c := s[i+3]; {
		case alpha(c):
			i += 2
		case !digit(c):
			i += 4
		case digit(s[i+2]) && alpha(s[i]) && alpha(s[i+1]):
			if end := ibanEnd(s, i); end > 0 {
				return i, end, "[IBAN]"
			}
			i++
		default:
			i++
		}
	}
	return -1, 0, ""
}

func ibanEnd(s string, start int) (end int) {
	const (
		least, most = 15, 34
		shift       = 27 // 10^6 modulo 97: the first four are six digits
	)
	value := func(m uint64, c byte) uint64 {
		if digit(c) {
			return m*10 + uint64(c-'0')
		}
		return m*100 + uint64(c|0x20-'a') + 10
	}
	var first, m uint64
	for _, c := range []byte(s[start : start+4]) {
		first = value(first, c)
	}
	i := start + 4
	for n := 4; n < most && i < len(s); {
		if (s[i] == ' ' || s[i] == '-') && i+1 < len(s) && alnum(s[i+1]) {
			i++
		}
		if !alnum(s[i]) {
			break
		}
		if m = value(m, s[i]); m > 1<<56 {
			m %= 97
		}
		i++
		n++
		if n >= least && (n == most || i == len(s) || !alnum(s[i])) && (m%97*shift+first)%97 == 1 {
			end = i
		}
	}
	return end
}

// gapAt returns the length of a character that groups digits, or 0.
func gapAt(s string, i int) int {
	switch {
	case i >= len(s):
	case s[i] == ' ' || s[i] == '-' || s[i] == '.':
		return 1
	case s[i] < utf8.RuneSelf:
	case strings.HasPrefix(s[i:], "\u00a0"):
		return len("\u00a0")
	case i+3 <= len(s) && s[i:i+2] == "\u2010"[:2] && s[i+2] >= "\u2010"[2] && s[i+2] <= "\u2013"[2]: // hyphens and dashes
		return 3
	}
	return 0
}

// card finds payment card numbers, ISO/IEC 7812-1. A number may stand beside other
// digits.
func card(s string, from int) (start, end int, name string) {
	const least, most = 13, 19
	const twice = "\x00\x02\x04\x06\x08\x01\x03\x05\x07\x09" // a digit doubled, and the digits of that added
	for i := from; i < len(s); i++ {
		if !digit(s[i]) || i > 0 && digit(s[i-1]) {
			continue
		}
		// The last digit counts once in the Luhn sum plain, and twice in doubled.
		n, plain, doubled, any := 0, 0, 0, false
		at, end := i, 0
		for ; n < most; n++ {
			if n > 0 && at < len(s) && !digit(s[at]) {
				if skip := gapAt(s, at); skip > 0 && at+skip < len(s) && digit(s[at+skip]) {
					at += skip
				}
			}
			if at >= len(s) || !digit(s[at]) {
				break
			}
			d := int(s[at] - '0')
			plain, doubled, any = doubled+d, plain+int(twice[d]), any || d > 0
			at++
			if n+1 >= least && any && plain%10 == 0 && (at == len(s) || !digit(s[at])) {
				end = at
			}
		}
		switch {
		case end > 0:
			return i, end, "[CARD]"
		case n < least: // a number that begins later in this run is shorter still
			i = at - 1
		}
	}
	return -1, 0, ""
}

// phoneWithPrefix finds numbers that begin with + or 00.
func phoneWithPrefix(s string, from int) (start, end int, name string) {
	for i := from; i < len(s); i++ {
		at := i + 1
		switch {
		case s[i] == '+':
		case s[i] == '0' && at < len(s) && s[at] == '0' && !wordBefore(s, i):
			at++
		default:
			continue
		}
		if at >= len(s) || !digit(s[at]) {
			continue
		}
		at++
		n := 0
		for ; n < 14; n++ {
			next := at
			for range 2 {
				if skip := gapAt(s, next); skip > 0 {
					next += skip
				} else if next < len(s) && (s[next] == '/' || s[next] == '(' || s[next] == ')') {
					next++
				}
			}
			if next >= len(s) || !digit(s[next]) {
				break
			}
			at = next + 1
		}
		if n >= 6 {
			return i, at, "[PHONE]"
		}
	}
	return -1, 0, ""
}

// digits returns the number of digits from i on, at most 16.
func digits(s string, i int) int {
	n := 0
	for i+n < len(s) && n < 16 && digit(s[i+n]) {
		n++
	}
	return n
}

// phoneInThree finds numbers in three groups. The first group may be in brackets.
func phoneInThree(s string, from int) (start, end int, name string) {
	for i := from; i < len(s); i++ {
		if !digit(s[i]) || wordBefore(s, i) {
			continue
		}
		n := digits(s, i)
		at := i + n
		if n < 2 || n > 5 {
			continue
		}
		if at < len(s) && s[at] == ')' {
			at++
		}
		skip := gapAt(s, at)
		n = digits(s, at+skip)
		if skip == 0 || n < 3 || n > 4 {
			continue
		}
		at += skip + n
		skip = gapAt(s, at)
		n = digits(s, at+skip)
		if skip == 0 || n < 3 || n > 5 || wordAt(s, at+skip+n) {
			continue
		}
		start = i
		if start > from && s[start-1] == '(' {
			start--
		}
		return start, at + skip + n, "[PHONE]"
	}
	return -1, 0, ""
}

// phoneNational finds numbers in one or two groups that begin with a single 0.
func phoneNational(s string, from int) (start, end int, name string) {
	for i := from; i+1 < len(s); i++ {
		if s[i] != '0' || s[i+1] < '1' || s[i+1] > '9' || wordBefore(s, i) {
			continue
		}
		n := digits(s, i)
		at := i + n
		if n >= 7 && n <= 15 && !wordAt(s, at) {
			return i, at, "[PHONE]"
		}
		if n < 3 || n > 6 || at >= len(s) {
			continue
		}
		switch {
		case s[at] == ' ' || s[at] == '-' || s[at] == '/':
			at++
		case strings.HasPrefix(s[at:], "\u00a0"):
			at += len("\u00a0")
		default:
			continue
		}
		if n = digits(s, at); n >= 4 && n <= 9 && !wordAt(s, at+n) {
			return i, at + n, "[PHONE]"
		}
	}
	return -1, 0, ""
}
