package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonical returns the hash of the canonical request. The computation follows the
// specification and does not use the SDK's signer: any set of signed headers is
// accepted, and the SDK's signer is checked independently
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func (c *Claim) canonical(r *http.Request, payload string) [sha256.Size]byte {
	uri := r.RequestURI
	if uri == "" { // a request that no server has read
		uri = r.URL.RequestURI()
	}
	path, query, _ := strings.Cut(uri, "?")
	b := make([]byte, 0, 1024)
	b = append(append(b, r.Method...), '\n')
	b = append(appendEscaped(b, path, true), '\n')
	b = append(appendQuery(b, query), '\n')
	for _, name := range c.headers {
		b = append(append(b, name...), ':')
		b = append(appendHeader(b, r, name), '\n')
	}
	b = append(b, '\n')
	for i, name := range c.headers {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	b = append(append(b, '\n'), payload...)
	return sha256.Sum256(b)
}

// appendHeader appends the values of a header, as they are signed.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	var values []string
	switch name {
	case "host", ":authority":
		values = []string{r.Host}
	default:
		values = r.Header.Values(name)
		if name == "content-length" && len(values) == 0 {
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
	}
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		first := true
		for word := range strings.FieldsSeq(value) {
			if !first {
				b = append(b, ' ')
			}
			b, first = append(b, word...), false
		}
	}
	return b
}

// appendQuery appends the query, escaped and sorted by name and value.
func appendQuery(b []byte, raw string) []byte {
	if raw == "" {
		return b
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{string(appendEscaped(nil, unescape(name), false)), string(appendEscaped(nil, unescape(value), false))})
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if d := strings.Compare(x.name, y.name); d != 0 {
			return d
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// appendEscaped escapes all but the unreserved characters of RFC 3986. A path arrives
// escaped and is escaped once more, as every service but S3 requires.
func appendEscaped(b []byte, s string, path bool) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~', path && c == '/':
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// sumHex is the form in which a payload's hash is signed.
func sumHex(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
