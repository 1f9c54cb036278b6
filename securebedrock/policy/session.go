package policy

import (
	"slices"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Session is the session policy of the client: the most that a session of Options.Role may
// do, whatever the role's own policies allow. It carries the client's calls and nothing
// else, so that the session's credentials are of no use for another model, without the
// guardrail, or for another service.
//
// STS takes 2,048 characters. A policy that would be longer is an error, a *SizeError, and
// is never widened. STS also packs policy and session tags into a limit of its own, which
// only STS can measure
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, PackedPolicySize).
func Session(s *Spec) (Document, error) {
	d := Document{
		Name:    "session",
		Kind:    KindSession,
		Purpose: "Limits a session of Role to the client's calls with the guardrail, whatever the role itself may do." + s.relaxations(),
		Attach:  "Options.Role.Policy, where WithSession puts it, or the parameter Policy of AssumeRole",
		Mirrors: "ErrModel, ErrResidency, ErrGuardrailRequired",
	}
	for short := spelledOut; short <= shortProfiles; short++ {
		for _, statements := range []func(shortness) []Statement{s.allowing, s.ceiling} {
			d.Statements = statements(short)
			if d.Size() <= d.Limit() {
				return d, nil
			}
		}
	}
	docs, err := fit(d)
	if err != nil {
		return Document{}, err
	}
	return docs[0], nil
}

// allowing allows each call by itself.
func (s *Spec) allowing(short shortness) []Statement { return s.statements(s.models, short) }

// session is Session where there is a role whose session it can limit.
func session(s *Spec) ([]Document, error) {
	if s.opts.Role == nil {
		return nil, nil
	}
	d, err := Session(s)
	if err != nil {
		return nil, err
	}
	return []Document{d}, nil
}

// WithSession returns a copy of the Options in which Role.Policy is the session policy.
// A client of these Options holds credentials that can make its own calls and no others.
// The copy shares Middleware, Profiles and Role.STS with the original.
func WithSession(opts securebedrock.Options, acct Account) (securebedrock.Options, error) {
	var faults refusal.Faults
	switch {
	case opts.Role == nil:
		faults.Add("Role", "it is required: a session policy limits the session of a role")
	case opts.Role.Policy != "":
		faults.Add("Role.Policy", "it is set already; leave it empty, or keep it and do without WithSession")
	}
	s, err := For(opts, acct)
	faults.Join(err)
	if err := faults.Err(); err != nil {
		return securebedrock.Options{}, err
	}
	d, err := Session(s)
	if err != nil {
		return securebedrock.Options{}, err
	}
	limited := opts.Clone()
	limited.Role.Policy = d.JSON()
	return limited, nil
}

// ceiling says the same as statements in fewer characters. It names the guardrail once, in
// a Deny. A Deny binds whatever else the session may do, which is nothing; in an identity
// policy it would bind the role's other policies, too.
func (s *Spec) ceiling(short shortness) []Statement {
	var direct Condition
	if _, abbreviated := s.profileARNs(s.models, short); abbreviated {
		direct = when("Null", keyProfile, "true")
	}
	both := variant{actions: modelActions()}
	list := s.invocations(s.models, both, direct, short)
	index := func(sid string) int {
		return slices.IndexFunc(list, func(st Statement) bool { return st.Sid == sid })
	}
	for _, st := range s.others(s.models, short) {
		switch i := index(joins(st.Sid)); {
		case i < 0, st.Sid == "CountTokens" && !slices.Equal(list[i].Resource, st.Resource):
			list = append(list, st)
		default:
			list[i].Action = distinct(slices.Concat(list[i].Action, st.Action))
			list[i].Resource = distinct(slices.Concat(list[i].Resource, st.Resource))
		}
	}
	return append(list, s.denials()...)
}

// joins names the statement that takes another one up. Neither's actions are authorized on
// the other's resources, or the resources are the same.
func joins(sid string) string {
	switch sid {
	case "CountTokens":
		return "Models"
	case "ApplyGuardrail", "ResolveProfiles":
		return "Profiles"
	case "ListInvocations":
		return "GuardrailChecks"
	}
	return ""
}

// denials stop a call without the guardrail. Each negated operator is true of a call that
// carries no guardrail.
func (s *Spec) denials() []Statement {
	if s.guardrail == "" {
		return nil
	}
	deny := Statement{Sid: "Guardrail", Effect: Deny, Action: modelActions(), Condition: s.guardrailIs("StringNotEquals")}
	_, free := s.parted(s.models)
	for _, a := range free {
		if a.profile != "" && a.kind != securebedrock.KindPrompt {
			deny.NotResource = append(deny.NotResource, a.profile)
		}
		for _, model := range a.models {
			deny.NotResource = append(deny.NotResource, s.arnOf("bedrock", "*", "", "foundation-model/"+model))
		}
	}
	if deny.NotResource = distinct(deny.NotResource); deny.NotResource == nil {
		deny.Resource = []string{"*"}
	}
	if len(s.opts.UnguardedOperations) == 0 {
		return []Statement{deny}
	}
	stream := deny.Clone()
	stream.Sid, stream.Action = "GuardrailStream", []string{invokeModelStream}
	// An excused operation carries no guardrail; another one than that of Options stays
	// denied.
	deny.Action, deny.Condition = []string{invokeModel}, deny.Condition.and(when("Null", keyGuardrail, "false"))
	return []Statement{deny, stream}
}
