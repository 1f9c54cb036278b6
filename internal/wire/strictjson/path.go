package strictjson

import (
	"strconv"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// path is where the Reader stands.
func (r *Reader) path() string {
	var p []byte
	for i := range r.frames {
		switch f := &r.frames[i]; {
		case f.n == 0 && f.member == nil, f.kind <= inUnion && f.member == nil:
		case f.kind == inList:
			p = append(p, '[')
			p = strconv.AppendInt(p, int64(f.n-1), 10)
			p = append(p, ']')
		case f.kind == inMap:
			p = append(p, '[')
			p = append(p, refusal.Quoted(f.key)...)
			p = append(p, ']')
		default:
			if len(p) > 0 {
				p = append(p, '.')
			}
			p = append(p, f.member.MemberName()...)
		}
	}
	return string(p)
}

// refuse makes the first fault, at the path where the Reader stands.
func (r *Reader) refuse(why string) error {
	r.fault = &Error{Path: r.path(), Why: why}
	return r.fault
}

// mistyped refuses a value that is not of the schema's type.
func (r *Reader) mistyped(want string) error {
	r.fault = &Error{Path: r.path(), Why: "is not " + want, Syntax: true}
	return r.fault
}

// malformed refuses what is no JSON.
func (r *Reader) malformed() error { return r.syntax(noJSON) }

func (r *Reader) syntax(why string) error {
	r.fault = &Error{Path: r.path(), Why: why, Syntax: true}
	return r.fault
}
