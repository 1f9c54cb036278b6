package wire

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/securebedrock/securebedrock-go/internal/wire/strictjson"
)

// DecodeStrict is Decode for a request that is judged and sent on: it refuses, by
// path and name, what the SDK's types do not know, so that nothing of the request is
// lost. Headers outside of the API are not looked at: they are not sent on.
func (o Operation) DecodeStrict(r *Request) (any, error) {
	if err := o.checkLabels(r); err != nil {
		return nil, err
	}
	if err := o.checkQuery(r.Query); err != nil {
		return nil, err
	}
	header, err := o.checkHeader(r.Header)
	if err != nil {
		return nil, err
	}
	if o.body == noBody && len(r.Body) > 0 {
		return nil, Invalid("%s has no body", o.Name)
	}
	in, err := o.read(&Request{Method: r.Method, Labels: r.Labels, Query: r.Query, Header: header, Body: r.Body}, strict)
	if err != nil {
		return nil, err
	}
	keepDocuments(in)
	return in, nil
}

// checkLabels refuses labels that would make another path of the path that is sent on.
func (o Operation) checkLabels(r *Request) error {
	for segment := range strings.SplitSeq(o.Path, "/") {
		name, ok := strings.CutPrefix(segment, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		value := r.Labels[name]
		if !utf8.ValidString(value) || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' }) {
			return Invalid("%s in the path has a character that no identifier has", name)
		}
		for part := range strings.SplitSeq(value, "/") {
			switch part {
			case "":
				return Invalid("%s in the path is empty, or has an empty part", name)
			case ".", "..":
				return Invalid("%s in the path has a part of dots, which means another path", name)
			}
		}
	}
	return nil
}

// checkQuery refuses query parameters that the operation does not know.
func (o Operation) checkQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return Invalid("the query is wrongly escaped")
	}
	for name, values := range query {
		known := false
		for _, m := range o.input.Members() {
			if q, ok := smithy.SchemaTrait[*traits.HTTPQuery](m); ok && q.Name == name {
				known = true
			}
		}
		switch {
		case !known:
			return Invalid("%s has no query parameter %s: remove it", o.Name, strictjson.Name(name))
		case len(values) > 1:
			return Invalid("the query parameter %s stands twice", name)
		case values[0] == "":
			return Invalid("the query parameter %s is empty: leave it out", name)
		case !utf8.ValidString(values[0]):
			return Invalid("the query parameter %s is not valid UTF-8", name)
		}
	}
	return nil
}

const apiHeaders = "X-Amzn-Bedrock-"

// checkHeader returns the headers that the operation knows, by their canonical names.
// It refuses those of the API that the operation does not know.
func (o Operation) checkHeader(header http.Header) (http.Header, error) {
	known := make(http.Header)
	for _, m := range o.input.Members() {
		if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
			known[http.CanonicalHeaderKey(h.Name)] = nil
		}
	}
	_, typed := known["Content-Type"]
	contentType := ""
	for key, values := range header {
		name := http.CanonicalHeaderKey(key)
		have, ok := known[name]
		switch {
		case name == "Content-Encoding":
			if !PlainEncoding(values) {
				return nil, Invalid("the body has a Content-Encoding: send it as it is")
			}
			continue
		case name == "Content-Type" && !ok:
			have = nil
			if contentType != "" {
				have = []string{contentType}
			}
		case !ok && strings.HasPrefix(name, apiHeaders):
			return nil, Invalid("%s has no header %s: remove it", o.Name, strictjson.Name(name))
		case !ok:
			continue
		}
		if len(values)+len(have) != 1 {
			return nil, Invalid("the header %s stands twice", name)
		}
		if values[0] == "" || strings.ContainsFunc(values[0], func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return nil, Invalid("the header %s is empty, or has a control character", name)
		}
		if ok {
			known[name] = values
		} else {
			contentType = values[0]
		}
	}
	if !typed {
		if err := o.checkContentType(contentType); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// checkContentType refuses a body that is not of the operation's type. A charset of
// UTF-8 says what JSON is.
func (o Operation) checkContentType(value string) error {
	want := "application/json"
	switch o.body {
	case eventBody:
		if want = EventStreamType; value == "" { // aws-sdk-go-v2's bedrockruntime v1.63.11 sends none
			return nil
		}
	case noBody:
		return nil
	}
	have, parameters, err := mime.ParseMediaType(value)
	charset := strings.ToLower(parameters["charset"])
	delete(parameters, "charset")
	if err != nil || have != want || len(parameters) > 0 || charset != "" && charset != "utf-8" && charset != "utf8" {
		return Invalid("the Content-Type must be %s, in UTF-8", want)
	}
	return nil
}

// PlainEncoding reports whether the values of Content-Encoding leave the body as it is,
// but for the framing of aws-chunked, which Request.Body does not have.
func PlainEncoding(values []string) bool {
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "", "identity", "aws-chunked":
			default:
				return false
			}
		}
	}
	return true
}
