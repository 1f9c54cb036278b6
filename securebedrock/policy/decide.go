package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Decision is what the documents say of one request.
type Decision struct {
	Allowed bool
	// Document and Sid name the statement that decided: the Deny, or the Allow of the
	// first layer. Where no statement allows, Document names the layer's documents, and
	// Sid is empty.
	Document, Sid string
	// Reason says the same in a sentence.
	Reason string
}

// layer is a kind of policy that must allow by itself.
type layer struct {
	name  string
	kinds [2]Kind
}

// layers are in the order in which Decide looks for an Allow.
func layers() [5]layer {
	return [5]layer{
		{"identity policy", [2]Kind{KindManaged, KindInline}},
		{"permissions boundary", [2]Kind{KindBoundary}},
		{"session policy", [2]Kind{KindSession}},
		{"service control policy", [2]Kind{KindSCP}},
		{"VPC endpoint policy", [2]Kind{KindEndpoint}},
	}
}

// layerOf is the index of a kind's layer; -1 for a kind that Decide does not evaluate.
func layerOf(k Kind) int {
	all := layers()
	return slices.IndexFunc(all[:], func(l layer) bool { return k != "" && slices.Contains(l.kinds[:], k) })
}

// state is what a layer has said so far.
type state struct {
	present bool
	grants  bool // has a statement that allows something
	allow   *Statement
	by      *Document
}

// Decide evaluates identity policies, permissions boundary, session policies, service
// control policies and the VPC endpoint's policy for one request, as IAM does within an
// account (IAM User Guide reference_policies_evaluation-logic). A Deny that applies
// decides. Otherwise each layer that is among the documents must allow:
//
//   - Managed and inline policies are one layer. Their statements are a union, and so are
//     those of several session policies.
//   - A boundary, and the policy of the endpoint, is one document. The endpoint's
//     counts where the request goes through the endpoint.
//   - Service control policies are those of one target. Without any Allow among them,
//     AWS's FullAWSAccess stands beside them. They do not concern a service-linked role.
//
// A layer that is not among the documents is taken to allow. Without any layer nothing
// is allowed.
//
// Decide understands the language's version 2012-10-17. What Decide does not understand
// is ErrUnsupported: another kind, element, operator or form of a variable, a set of
// values under an operator for one, a named part that IAM does not define. This holds
// for every statement of the documents, also for one that would not apply. Only a Deny
// that is understood, and applies, decides all the same: nothing can outweigh it.
func Decide(docs []Document, req Request) (Decision, error) {
	f, err := req.read()
	if err != nil {
		return Decision{}, err
	}
	all := layers()
	var states [len(all)]state
	var unsupported error
	for i := range docs {
		d := &docs[i]
		at := layerOf(d.Kind)
		switch {
		case at < 0 || d.Declarative != nil:
			unsupported = cmp.Or(unsupported, fmt.Errorf("%w: document %s is of kind %q, and Decide knows managed, inline, boundary, session, scp and endpoint; leave it out",
				ErrUnsupported, refusal.Quoted(d.Name), d.Kind))
			continue
		case d.Kind == KindEndpoint && !req.ThroughEndpoint, d.Kind == KindSCP && f.serviceLinked:
			continue
		}
		s := &states[at]
		if s.present && (d.Kind == KindEndpoint || d.Kind == KindBoundary) {
			unsupported = cmp.Or(unsupported, fmt.Errorf("%w: %s and %s are both a %s, and one request meets one; leave the others out",
				ErrUnsupported, refusal.Quoted(s.by.Name), refusal.Quoted(d.Name), all[at].name))
		}
		if !s.present {
			s.present, s.by = true, d
		}
		for j := range d.Statements {
			st := &d.Statements[j]
			applies, err := st.applies(d, j, f)
			switch {
			case err != nil:
				unsupported = cmp.Or(unsupported, err)
			case st.Effect == Deny && applies:
				return Decision{Document: d.Name, Sid: st.Sid, Reason: "denied by " + statementName(d, j)}, nil
			case st.Effect == Allow:
				s.grants = true
				if applies && s.allow == nil {
					s.allow, s.by = st, d
				}
			}
		}
	}
	if unsupported != nil {
		return Decision{}, unsupported
	}
	return conclude(docs, &all, &states, f), nil
}

// conclude finds the first layer without an Allow.
func conclude(docs []Document, all *[5]layer, states *[5]state, f *facts) Decision {
	verdict := Decision{Reason: "no document of a layer that decides is given"}
	for i := range states {
		s := &states[i]
		if !s.present {
			continue
		}
		if s.allow == nil && all[i].kinds[0] == KindSCP && !s.grants {
			if !verdict.Allowed {
				verdict = Decision{Allowed: true, Document: s.by.Name, Reason: "no service control policy denies it"}
			}
			continue
		}
		if s.allow == nil {
			return missing(docs, all[i], f)
		}
		if !verdict.Allowed {
			verdict = Decision{Allowed: true, Document: s.by.Name, Sid: s.allow.Sid, Reason: "allowed by " + documentName(s.by, s.allow.Sid)}
		}
	}
	return verdict
}

// missing says that a layer does not allow, and which statement comes nearest.
func missing(docs []Document, l layer, f *facts) Decision {
	var names []string
	var near string
	for i := range docs {
		d := &docs[i]
		if d.Kind == "" || !slices.Contains(l.kinds[:], d.Kind) {
			continue
		}
		names = append(names, d.Name)
		for j := range d.Statements {
			st := &d.Statements[j]
			if near != "" || st.Effect != Allow {
				continue
			}
			if unmet := st.unmet(d, f); unmet != "" {
				near = "; " + statementName(d, j) + " would, but " + unmet
			}
		}
	}
	return Decision{Document: strings.Join(names, ", "), Reason: "no statement of the " + l.name + " allows it" + near}
}

// unmet names the first condition that keeps an otherwise fitting statement from
// applying; empty where the statement does not fit, or applies.
func (s *Statement) unmet(d *Document, f *facts) string {
	if fits, fault := s.fits(d, f); fault != "" || !fits {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(s.Condition)) {
		op, _ := readOperator(name)
		for _, key := range slices.Sorted(maps.Keys(s.Condition[name])) {
			values := s.Condition[name][key]
			got := f.values(key)
			if yes, _ := op.holds(values, got, f); yes {
				continue
			}
			has := "the request has none"
			if len(got) > 0 {
				has = "the request has " + listed(got)
			}
			return fmt.Sprintf("%s %s asks for %s and %s", name, key, listed(values), has)
		}
	}
	return ""
}

// abridged names a few values.
func abridged(values []string, few int, between, last string) string {
	if len(values) > few {
		return fmt.Sprintf("%s%s%d more", strings.Join(values[:few], between), last, len(values)-few)
	}
	return strings.Join(values, between)
}

// listed names up to four values.
func listed(values []string) string { return abridged(values, 4, ", ", " and ") }

// documentName names a statement by its Sid.
func documentName(d *Document, sid string) string {
	if sid == "" {
		return "a statement of " + d.Name
	}
	return sid + " of " + d.Name
}
