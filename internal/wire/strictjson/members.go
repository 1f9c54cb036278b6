package strictjson

import (
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// memberOf reads the name of a member.
func (r *Reader) memberOf(f *frame) (*smithy.Schema, error) {
	f.member = nil
	span, escaped, why := r.text()
	if why != "" {
		return nil, r.syntax(why)
	}
	if escaped {
		span = r.unescape(span)
	}
	m := f.schema.Members()[string(span)]
	if m == nil || len(r.frames) == 1 && bound(m) {
		// A member that belongs in the path, in a header or in the query is none of the
		// body's.
		r.fault = &Error{Path: memberPath(r.path(), string(span)), Why: "is no member of the API's body that this release knows: remove the member" + r.otherPlace()}
		return nil, r.fault
	}
	return m, nil
}

// otherPlace says where a model's own parameter belongs. The AI SDK
// (@ai-sdk/amazon-bedrock 5.0.101) has inferenceConfig.topK and anthropicBeta, which
// Bedrock's API does not have.
func (r *Reader) otherPlace() string {
	const fields = "additionalModelRequestFields"
	root := &r.frames[0]
	if root.schema.Members()[fields] == nil || len(r.frames) > 2 || len(r.frames) == 2 && root.member.MemberName() != "inferenceConfig" {
		return ""
	}
	return ", or set a parameter of the model's own, such as top_k or anthropic_beta, in " + fields
}

// bound reports whether the member of an input stands outside of the body.
func bound(m *smithy.Schema) bool {
	if _, ok := smithy.SchemaTrait[*traits.HTTPLabel](m); ok {
		return true
	}
	if _, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
		return true
	}
	_, ok := smithy.SchemaTrait[*traits.HTTPQuery](m)
	return ok
}

// beginMember comes to the value of a member. It passes over null, and returns false.
// Smithy's protocol takes a member that is null for one that is not set: its tests of
// restJson1 call a union whose only member is null one with no member set
// (RestJsonMalformedUnionNoFieldsSet).
func (r *Reader) beginMember(f *frame, m *smithy.Schema) (set bool, err error) {
	f.member = m
	for _, other := range r.seen[f.base:] {
		if other == m {
			return false, r.refuse("stands twice")
		}
	}
	r.seen = append(r.seen, m)
	if !r.take(':') {
		return false, r.malformed()
	}
	f.n++
	if r.next() != 'n' {
		f.value = r.i
		return true, nil
	}
	if !r.word("null") {
		return false, r.malformed()
	}
	return false, nil
}
