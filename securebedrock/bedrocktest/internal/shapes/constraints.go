package shapes

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// Checker checks requests against the constraints of the API's own model. The zero
// value is ready to use, by several goroutines.
type Checker struct{ patterns patterns }

// Check refuses a request that breaks a constraint. It takes any request of an
// operation that the model does not have.
//
// No message repeats a value of the request. Bedrock's own messages do: they have
// "Value '…' at" in the place of "Value at".
func (k *Checker) Check(operation string, r *wire.Request) error {
	name := requestShape(operation)
	if name == "" {
		return nil
	}
	c := constraints{patterns: &k.patterns}
	if err := c.request(shapeOf(name), r); err != nil {
		return err
	}
	return c.failure()
}

// patterns caches the compiled patterns of the API's model.
type patterns struct{ compiled sync.Map }

func (p *patterns) match(pattern, value string) bool {
	found, ok := p.compiled.Load(pattern)
	if !ok {
		// The generator has compiled every pattern once, so this cannot panic.
		found, _ = p.compiled.LoadOrStore(pattern, regexp.MustCompile("^(?:"+pattern+")$"))
	}
	compiled, ok := found.(*regexp.Regexp)
	return !ok || compiled.MatchString(value)
}

// constraints collects the violations of one request.
type constraints struct {
	patterns *patterns
	errors   []string
}

// maxViolations bounds the violations in a message, since a request can have
// thousands.
const maxViolations = 10

func (c *constraints) failure() error {
	switch n := len(c.errors); n {
	case 0:
		return nil
	case 1:
		return wire.Invalid("1 validation error detected: %s", c.errors[0])
	default:
		return wire.Invalid("%d validation errors detected: %s", n, strings.Join(c.errors[:min(n, maxViolations)], "; "))
	}
}

func (c *constraints) add(path, format string, args ...any) {
	c.errors = append(c.errors, "Value at '"+path+"' failed to satisfy constraint: "+fmt.Sprintf(format, args...))
}

// request checks every member of an operation's request, in the body and elsewhere.
func (c *constraints) request(s shape, r *wire.Request) error {
	inBody := func(m member) bool { return m.location == "" }
	body := map[string]any{}
	if slices.ContainsFunc(s.members, inBody) && r.Method == http.MethodPost && len(r.Body) > 0 {
		d := json.NewDecoder(bytes.NewReader(r.Body))
		d.UseNumber()
		if err := d.Decode(&body); err != nil {
			return wire.Malformed(err)
		}
	}
	query := (&url.URL{RawQuery: r.Query}).Query()
	for _, m := range s.members {
		var value any
		switch m.location {
		case "":
			value = body[m.name]
		case "payload":
			// The frames of an event stream are no part of the request.
			if r.Body != nil {
				c.length(shapeOf(m.shape), m.name, len(r.Body))
			}
			continue
		case "uri":
			if label, ok := r.Labels[m.wire]; ok {
				value = label
			}
		case "header":
			if values := r.Header.Values(m.wire); len(values) > 0 {
				value = values[0]
			}
		case "querystring":
			if values := query[m.wire]; len(values) > 0 {
				value = values[0]
			}
		}
		c.member(m, m.name, value)
	}
	return nil
}

func (c *constraints) member(m member, path string, value any) {
	switch {
	case value != nil:
		c.value(m.shape, path, value)
	case m.required:
		c.add(path, "Member must not be null")
	}
}

// value checks a value and its parts. The deserializer has already refused a value of
// another type.
func (c *constraints) value(name, path string, value any) {
	s := shapeOf(name)
	switch s.kind {
	case isStructure:
		if fields, ok := value.(map[string]any); ok {
			c.structure(s, path, fields)
		}
	case isList:
		if list, ok := value.([]any); ok {
			c.length(s, path, len(list))
			for i, element := range list {
				if element == nil {
					c.add(fmt.Sprintf("%s.%d.member", path, i+1), "Member must not be null")
					continue
				}
				c.value(s.element, fmt.Sprintf("%s.%d.member", path, i+1), element)
			}
		}
	case isMap:
		if entries, ok := value.(map[string]any); ok {
			c.entries(s, path, entries)
		}
	case isString:
		if text, ok := value.(string); ok {
			c.text(s, path, text)
		}
	case isNumber:
		c.number(s, path, value)
	case isBlob:
		if text, ok := value.(string); ok {
			c.length(s, path, base64.StdEncoding.DecodedLen(len(strings.TrimRight(text, "=")))-padding(text))
		}
	}
}

// padding returns how far DecodedLen exceeds the length of a text without padding.
func padding(text string) int {
	if n := len(strings.TrimRight(text, "=")); n%4 != 0 {
		return base64.StdEncoding.DecodedLen(n) - base64.RawStdEncoding.DecodedLen(n)
	}
	return 0
}

func (c *constraints) structure(s shape, path string, fields map[string]any) {
	set := 0
	for _, m := range s.members {
		value := fields[m.name]
		if value != nil {
			set++
		}
		c.member(m, path+"."+m.name, value)
	}
	if s.union && set != 1 {
		var names []string
		for _, m := range s.members {
			names = append(names, m.name)
		}
		c.add(path, "Member must have exactly one of these keys: [%s]", strings.Join(names, ", "))
	}
}

// entries checks a map. No path names a key, since keys are the application's own.
func (c *constraints) entries(s shape, path string, entries map[string]any) {
	c.length(s, path, len(entries))
	for key, value := range entries {
		for _, part := range []struct {
			shape, what string
			value       any
		}{{s.key, "Map keys", key}, {s.element, "Map value", value}} {
			if part.shape == "" || part.value == nil {
				continue
			}
			inner := constraints{patterns: c.patterns}
			inner.value(part.shape, path, part.value)
			for _, e := range inner.errors {
				_, rule, _ := strings.Cut(e, "constraint: ")
				c.add(path, "%s must satisfy constraint: [%s]", part.what, rule)
			}
		}
	}
}

func (c *constraints) text(s shape, path, text string) {
	c.length(s, path, utf8.RuneCountInString(text))
	if len(s.enum) > 0 && !slices.Contains(s.enum, text) {
		c.add(path, "Member must satisfy enum value set: [%s]", strings.Join(s.enum, ", "))
	}
	if s.pattern != "" && !c.patterns.match(s.pattern, text) {
		c.add(path, "Member must satisfy regular expression pattern: %s", s.pattern)
	}
}

func (c *constraints) length(s shape, path string, n int) {
	if s.min != nil && float64(n) < *s.min {
		c.add(path, "Member must have length greater than or equal to %v", *s.min)
	}
	if s.max != nil && float64(n) > *s.max {
		c.add(path, "Member must have length less than or equal to %s", strconv.FormatFloat(*s.max, 'f', -1, 64))
	}
}

// number checks a JSON number, a number of the query, or a string that stands for NaN
// or an infinity.
func (c *constraints) number(s shape, path string, value any) {
	n, err := strconv.ParseFloat(fmt.Sprint(value), 64)
	if err != nil {
		return
	}
	if s.min != nil && !(n >= *s.min) {
		c.add(path, "Member must have value greater than or equal to %v", *s.min)
	}
	if s.max != nil && !(n <= *s.max) {
		c.add(path, "Member must have value less than or equal to %v", *s.max)
	}
}
