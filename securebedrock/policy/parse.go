package policy

import (
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Parse reads an existing policy. Parse is stricter than AWS where a text could mean two
// policies: it refuses names that stand twice, elements that it does not know, and a
// Version in which a policy variable is plain text. An error in the text is a
// *ParseError.
//
// A single value stands for a list of one, in AWS and here. A condition's number or
// boolean is read as its text, as in AWS. Name, Purpose, Attach and Mirrors of the
// Document are empty, since a policy does not hold them.
func Parse(text []byte, kind Kind) (Document, error) {
	if kind.facts().limit == 0 {
		return Document{}, refusal.Fault("kind", "%s is no kind of policy; use one of the Kind constants", refusal.Quoted(string(kind)))
	}
	r := reader{text: string(text)}
	v, err := r.document()
	if err != nil {
		return Document{}, err
	}
	d := Document{Kind: kind}
	if kind == KindBedrock {
		d.Declarative, err = r.declarative(v)
	} else {
		err = r.policy(v, &d)
	}
	if err != nil {
		return Document{}, err
	}
	return d, nil
}

func (r *reader) policy(v value, d *Document) error {
	if v.kind != objectValue {
		return r.fail(v.at, "a policy is an object, and this is %s", v.kind)
	}
	var versioned, stated bool
	for _, m := range v.members {
		var err error
		switch m.name {
		case "Version":
			versioned = true
			err = r.version(m.value)
		case "Id":
			d.ID, err = r.word(m.value, "Id")
		case "Statement":
			stated = true
			d.Statements, err = r.statements(m.value, d.Kind)
		default:
			err = r.unknown(m, "a policy", "Version", "Id", "Statement")
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !versioned:
		return r.fail(v.at, `Version is missing, and AWS then takes "2008-10-17", in which a policy variable is plain text; write "Version": %q`, version)
	case !stated:
		return r.fail(v.at, "Statement is missing; a policy without statements says nothing")
	}
	return nil
}

// version refuses the older language: reference_policies_elements_version says that a
// variable such as ${aws:username} is a literal text in it.
func (r *reader) version(v value) error {
	switch s, err := r.word(v, "Version"); {
	case err != nil:
		return err
	case s == version:
		return nil
	case s == "2008-10-17":
		return r.fail(v.at, `in Version "2008-10-17" a policy variable is plain text; write %q, and check what each "${" then means`, version)
	default:
		return r.fail(v.at, "Version %s is unknown to AWS; write %q", refusal.Quoted(s), version)
	}
}

func (r *reader) statements(v value, kind Kind) ([]Statement, error) {
	list := []value{v}
	if v.kind == listValue {
		if list = v.list; len(list) == 0 {
			return nil, r.fail(v.at, "Statement is empty; a policy without statements says nothing")
		}
	}
	statements := make([]Statement, 0, len(list))
	for _, v := range list {
		s, err := r.statement(v, kind)
		if err != nil {
			return nil, err
		}
		statements = append(statements, s)
	}
	return statements, nil
}

func (r *reader) statement(v value, kind Kind) (Statement, error) {
	var s Statement
	if v.kind != objectValue {
		return s, r.fail(v.at, "a statement is an object, and this is %s", v.kind)
	}
	for _, m := range v.members {
		var err error
		switch m.name {
		case "Sid":
			s.Sid, err = r.word(m.value, "Sid")
		case "Effect":
			s.Effect, err = r.effect(m.value)
		case "Principal":
			s.Principal, err = r.principal(m.value, "Principal")
		case "NotPrincipal":
			s.NotPrincipal, err = r.principal(m.value, "NotPrincipal")
		case "Action":
			s.Action, err = r.words(m.value, "Action")
		case "NotAction":
			s.NotAction, err = r.words(m.value, "NotAction")
		case "Resource":
			s.Resource, err = r.words(m.value, "Resource")
		case "NotResource":
			s.NotResource, err = r.words(m.value, "NotResource")
		case "Condition":
			s.Condition, err = r.condition(m.value)
		default:
			err = r.unknown(m, "a statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
		}
		if err != nil {
			return s, err
		}
	}
	return s, r.complete(v.at, &s, kind)
}

// complete checks which elements stand beside each other. at is the statement's place.
func (r *reader) complete(at int, s *Statement, kind Kind) error {
	switch {
	case s.Effect == "":
		return r.fail(at, `the statement has no Effect; write "Allow" or "Deny"`)
	case s.Action != nil && s.NotAction != nil:
		return r.fail(at, "the statement has both Action and NotAction; keep one")
	case s.Action == nil && s.NotAction == nil:
		return r.fail(at, "the statement has neither Action nor NotAction; name the actions")
	case s.Resource != nil && s.NotResource != nil:
		return r.fail(at, "the statement has both Resource and NotResource; keep one")
	case kind == KindTrust && (s.Resource != nil || s.NotResource != nil):
		return r.fail(at, "a trust policy is about the role that it stands in; take Resource and NotResource out")
	case kind != KindTrust && s.Resource == nil && s.NotResource == nil:
		return r.fail(at, `the statement has neither Resource nor NotResource; name the resources, or write "*"`)
	case s.Principal != nil && s.NotPrincipal != nil:
		return r.fail(at, "the statement has both Principal and NotPrincipal; keep one")
	case kind == KindRCP && (s.Principal == nil || !s.Principal.Any):
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
		return r.fail(at, `a resource control policy takes Principal "*" alone; name principals in a condition, such as aws:PrincipalArn`)
	case kind.facts().resource && s.Principal == nil && s.NotPrincipal == nil:
		return r.fail(at, `a statement of a policy of kind %s names its principals, and this one has neither Principal nor NotPrincipal; add one, such as "Principal": "*" with a condition`, kind)
	case !kind.facts().resource && (s.Principal != nil || s.NotPrincipal != nil):
		return r.fail(at, "a policy of kind %s is about the identities that it is attached to; take Principal and NotPrincipal out", kind)
	}
	return nil
}

func (r *reader) effect(v value) (Effect, error) {
	s, err := r.word(v, "Effect")
	if err == nil && s != string(Allow) && s != string(Deny) {
		err = r.fail(v.at, `Effect %s is unknown to AWS; write "Allow" or "Deny"`, quotedName(s))
	}
	return Effect(s), err
}

func (r *reader) principal(v value, element string) (*Principal, error) {
	if v.kind == textValue && v.text == "*" {
		return &Principal{Any: true}, nil
	}
	if v.kind != objectValue || len(v.members) == 0 {
		return nil, r.fail(v.at, `%s is "*" or an object such as {"AWS": "arn:aws:iam::111122223333:role/NAME"}`, element)
	}
	var p Principal
	for _, m := range v.members {
		var err error
		switch m.name {
		case "AWS":
			p.AWS, err = r.words(m.value, m.name)
		case "Service":
			p.Service, err = r.words(m.value, m.name)
		case "Federated":
			p.Federated, err = r.words(m.value, m.name)
		case "CanonicalUser":
			p.CanonicalUser, err = r.words(m.value, m.name)
		default:
			err = r.unknown(m, element, "AWS", "Service", "Federated", "CanonicalUser")
		}
		if err != nil {
			return nil, err
		}
	}
	return &p, nil
}

// word reads a text that may not be empty.
func (r *reader) word(v value, element string) (string, error) {
	if v.kind != textValue {
		return "", r.fail(v.at, "%s takes a text, and this is %s; write the value within double quotation marks", element, v.kind)
	}
	if v.text == "" {
		return "", r.fail(v.at, "%s is an empty text; give it a value or take it out", element)
	}
	return v.text, nil
}

// words reads a text, or a list of texts that may not be empty.
func (r *reader) words(v value, element string) ([]string, error) {
	list := []value{v}
	if v.kind == listValue {
		if list = v.list; len(list) == 0 {
			return nil, r.fail(v.at, "%s is an empty list; give it a value", element)
		}
	}
	words := make([]string, 0, len(list))
	for _, v := range list {
		s, err := r.word(v, element)
		if err != nil {
			return nil, err
		}
		words = append(words, s)
	}
	return words, nil
}

// unknown is the error of a name that of does not have.
func (r *reader) unknown(m member, of string, known ...string) error {
	for _, name := range known {
		if strings.EqualFold(name, m.name) {
			return r.fail(m.at, "%s has no element %s; write %q", of, quotedName(m.name), name)
		}
	}
	return r.fail(m.at, "%s has no element %s; it has %s", of, quotedName(m.name), strings.Join(known, ", "))
}
