package strictjson

import (
	"bytes"
	"unicode/utf8"

	"github.com/aws/smithy-go"
)

// Read calls read with a Reader of a body. The body must be one JSON object that read
// consumes to its end. An error of the body is a *Error.
func Read(body []byte, read func(d smithy.ShapeDeserializer) error) error {
	r := &Reader{scanner: scanner{b: body}}
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return &Error{Why: "begins with a byte order mark: send UTF-8 without one", Syntax: true}
	case !utf8.Valid(body):
		return &Error{Why: "is not valid UTF-8", Syntax: true}
	case r.next() == 0 && r.i == len(body):
		return &Error{Why: "is empty: send a JSON object", Syntax: true}
	case r.next() != '{':
		return &Error{Why: "is not a JSON object", Syntax: true}
	}
	r.frames = r.space[:0]
	err := read(r)
	if r.fault != nil {
		return r.fault
	}
	if err != nil {
		return err
	}
	if r.next(); r.i != len(body) || len(r.frames) != 0 {
		return &Error{Why: "goes on after the JSON object", Syntax: true}
	}
	return nil
}

// Reader is a smithy.ShapeDeserializer. The first fault is final: every later call
// returns it.
type Reader struct {
	scanner
	frames []frame
	seen   []*smithy.Schema // the members that the open structures and unions have
	fault  *Error
	plain  []byte // of the latest string with an escape
	space  [16]frame
}

var _ smithy.ShapeDeserializer = (*Reader)(nil)

type kind uint8

const (
	inStruct kind = iota
	inUnion
	inList
	inMap
)

// frame is an open object or array.
type frame struct {
	kind   kind
	schema *smithy.Schema
	member *smithy.Schema // of a structure or a union: the one whose value comes next
	base   int            // of a structure or a union: where its members begin in Reader.seen
	n      int            // members or elements so far
	value  int            // where the latest value begins
	key    string         // of a map
	keys   map[string]struct{}
}

func (r *Reader) top() *frame { return &r.frames[len(r.frames)-1] }

// open reads the first byte of an object or an array.
func (r *Reader) open(k kind, s *smithy.Schema, c byte) error {
	if r.fault != nil {
		return r.fault
	}
	if !r.take(c) {
		if c == '[' {
			return r.mistyped("an array")
		}
		return r.mistyped("an object")
	}
	if len(r.frames) == maxDepth {
		return r.refuse(tooDeep)
	}
	r.frames = append(r.frames, frame{kind: k, schema: s, base: len(r.seen)})
	return nil
}

// more comes to the next member or element of the top frame. It returns false, and has
// closed the frame, where there is none.
func (r *Reader) more(end byte) (bool, error) {
	f := r.top()
	if f.n > 0 && r.i == f.value {
		return false, r.unread(f)
	}
	if r.take(end) {
		r.seen = r.seen[:f.base]
		r.frames = r.frames[:len(r.frames)-1]
		return false, nil
	}
	if f.n > 0 && !r.take(',') {
		return false, r.malformed()
	}
	return true, nil
}

// unread refuses a value that the SDK's type has left where it was: the type does not
// know the member, and would lose it.
func (r *Reader) unread(f *frame) error {
	if f.member == nil {
		return r.malformed()
	}
	return r.refuse("is a member that this release does not read: remove the member")
}

// ReadStruct implements smithy.ShapeDeserializer.
func (r *Reader) ReadStruct(s *smithy.Schema) error { return r.open(inStruct, s, '{') }

// ReadStructMember implements smithy.ShapeDeserializer. A member that is null is one that
// is left out.
func (r *Reader) ReadStructMember() (*smithy.Schema, error) {
	if r.fault != nil {
		return nil, r.fault
	}
	for {
		ok, err := r.more('}')
		if !ok {
			return nil, err
		}
		f := r.top()
		m, err := r.memberOf(f)
		if err != nil {
			return nil, err
		}
		if set, err := r.beginMember(f, m); set || err != nil {
			return m, err
		}
	}
}

// ReadUnion implements smithy.ShapeDeserializer. The SDK calls ReadUnion for the
// member of a union, and again to see that there is no other. A member that is null is
// none.
func (r *Reader) ReadUnion(s *smithy.Schema) (*smithy.Schema, error) {
	if r.fault != nil {
		return nil, r.fault
	}
	again := len(r.frames) > 0 && r.top().kind == inUnion && r.top().schema == s && r.top().n > 0
	var first *smithy.Schema
	if again {
		first = r.top().member // memberOf forgets it
	} else if err := r.open(inUnion, s, '{'); err != nil {
		return nil, err
	}
	for {
		ok, err := r.more('}')
		if err != nil {
			return nil, err
		}
		if !ok {
			if !again {
				return nil, r.refuse("has no member, and needs one")
			}
			return nil, nil
		}
		f := r.top()
		m, err := r.memberOf(f)
		if err != nil {
			return nil, err
		}
		set, err := r.beginMember(f, m)
		switch {
		case err != nil:
			return nil, err
		case set && again:
			f.member = nil // the path is the union's
			return nil, r.refuse("has two members, " + first.MemberName() + " and " + m.MemberName() + ": send one")
		case set:
			return m, nil
		}
	}
}

// begin comes to a value of a list or a map, where null has no meaning.
func (r *Reader) begin(f *frame) error {
	if r.next() == 'n' {
		f.n++
		return r.refuse("is null: leave the value out")
	}
	f.n++
	f.value = r.i
	return nil
}

// ReadList implements smithy.ShapeDeserializer.
func (r *Reader) ReadList(s *smithy.Schema) error { return r.open(inList, s, '[') }

// ReadListItem implements smithy.ShapeDeserializer. smithy.ReadList takes false for the
// list's end, whatever the error.
func (r *Reader) ReadListItem(*smithy.Schema) (bool, error) {
	if r.fault != nil {
		return true, r.fault
	}
	ok, err := r.more(']')
	if !ok {
		return err != nil, err
	}
	return true, r.begin(r.top())
}

// ReadMap implements smithy.ShapeDeserializer.
func (r *Reader) ReadMap(s *smithy.Schema) error { return r.open(inMap, s, '{') }

// ReadMapKey implements smithy.ShapeDeserializer. smithy.ReadMap takes false for the
// map's end, whatever the error.
func (r *Reader) ReadMapKey(*smithy.Schema) (string, bool, error) {
	if r.fault != nil {
		return "", true, r.fault
	}
	ok, err := r.more('}')
	if !ok {
		return "", err != nil, err
	}
	f := r.top()
	span, escaped, why := r.text()
	if why != "" {
		return "", true, r.syntax(why)
	}
	if escaped {
		span = r.unescape(span)
	}
	f.key = string(span)
	if f.keys == nil {
		f.keys = make(map[string]struct{})
	}
	if _, found := f.keys[f.key]; found {
		f.n++
		return "", true, r.refuse("stands twice")
	}
	f.keys[f.key] = struct{}{}
	if !r.take(':') {
		return "", true, r.malformed()
	}
	return f.key, true, r.begin(f)
}

// ReadNil implements smithy.ShapeDeserializer. No value is null: begin has refused it.
func (r *Reader) ReadNil(*smithy.Schema) (bool, error) {
	if r.fault != nil {
		return false, r.fault
	}
	return false, nil
}
