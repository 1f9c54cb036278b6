package wire

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Request holds the parts of an HTTP request that an operation's input is read
// from.
type Request struct {
	Method string
	Labels map[string]string // the path's labels, unescaped
	Query  string            // as it was sent, escaped
	Header http.Header
	Body   []byte // without the framing of aws-chunked; nil where the body is an event stream. An input shares its memory.
}

// label returns a pointer to a path label's value.
func (r *Request) label(name string) *string { return aws.String(r.Labels[name]) }

// header returns a pointer to a header's value, nil if the request has none.
func (r *Request) header(name string) *string {
	if values := r.Header.Values(name); len(values) > 0 {
		return aws.String(values[0])
	}
	return nil
}
