package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// call is a model call as AWS authorizes it: on the profile, if there is one, and on the
// model in the region that serves the call.
type call struct {
	prefix, model string // prefix is empty for a model by its own ID
	served        string // a region; "" for the region-less leg of a global profile
	action        string
	guardrail     string // the key's value; empty for none
}

// allows asks Decide for each authorization of a call.
func (c call) allows(t *testing.T, s *Spec, docs []Document) bool {
	t.Helper()
	ask := func(resource, requested, profile string) bool {
		req := Request{
			Principal: "arn:aws:iam::111122223333:role/app",
			Action:    c.action,
			Resource:  resource,
			Context:   map[string][]string{keyRegion: {requested}},
		}
		if c.guardrail != "" {
			req.Context[keyGuardrail] = []string{c.guardrail}
		}
		if profile != "" {
			req.Context[keyProfile] = []string{profile}
		}
		verdict, err := Decide(docs, req)
		if err != nil {
			t.Fatal(err)
		}
		return verdict.Allowed
	}
	leg := "arn:aws:bedrock:" + c.served + "::foundation-model/" + c.model
	if c.prefix == "" {
		return ask(leg, c.served, "")
	}
	profile := s.arn("inference-profile/" + c.prefix + "." + c.model)
	requested := c.served
	if requested == "" {
		requested = unspecified
	}
	return ask(profile, s.region, "") && ask(leg, requested, profile)
}

// forms are the ways in which the same calls are allowed.
func forms(s *Spec) map[string][]Document {
	all := make(map[string][]Document)
	for short, name := range []string{"spelled out", "short regions", "short profiles"} {
		all[name] = []Document{{Name: "allow", Kind: KindSession, Statements: s.statements(s.models, shortness(short))}}
		all[name+", guardrail once"] = []Document{{Name: "ceiling", Kind: KindSession, Statements: s.ceiling(shortness(short))}}
	}
	return all
}

// TestShortFormsAdmitTheSameCalls compares the forms over every call of some models, by
// their own IDs and through each profile, served in each region, with and without the
// guardrail. What is expected follows from the Options alone.
func TestShortFormsAdmitTheSameCalls(t *testing.T) {
	t.Parallel()
	const embed, other = "cohere.embed-v4:0", "amazon.e"
	guardrail := securebedrock.Guardrail{ID: "gr1234567890", Version: "3"}
	for _, row := range []struct {
		about string
		opts  securebedrock.Options
		free  bool // embed and other are unguardable
	}{
		{"one model", securebedrock.Options{Region: "eu-central-1", Guardrail: guardrail, Models: []string{"anthropic.a"}}, false},
		{"models and profiles, one model by its ID alone", securebedrock.Options{
			Region: "eu-central-1", Residency: securebedrock.Geography("eu"), Guardrail: guardrail,
			Models: []string{"eu.anthropic.a", "eu.anthropic.b", "anthropic.c", "eu.amazon.d", embed},
		}, true},
		{"an unguardable profile among others", securebedrock.Options{
			Region: "eu-central-1", Residency: securebedrock.Geography("eu"), Guardrail: guardrail,
			Models: []string{"eu.anthropic.a", "eu.anthropic.b", "eu." + embed, "anthropic.c"},
		}, true},
		{"two unguardable ways to one model", securebedrock.Options{
			Region: "eu-central-1", Residency: securebedrock.Geography("eu"), Guardrail: guardrail,
			Models: []string{"eu.anthropic.a", "eu.anthropic.b", "eu." + embed, embed},
		}, true},
		{"a source that is a destination of its own calls alone", securebedrock.Options{
			Region: "eu-west-2", Residency: securebedrock.Geography("eu"), Guardrail: guardrail,
			Models: []string{"eu.anthropic.a", "eu.anthropic.b"},
		}, false},
		{"patterns", securebedrock.Options{
			Region: "us-east-1", Residency: securebedrock.Geography("us"), Guardrail: guardrail,
			Models: []string{"us.anthropic.*", "us.amazon.d", "cohere.*"},
		}, true},
		{"patterns that hold unguardable models", securebedrock.Options{
			Region: "us-east-1", Residency: securebedrock.Geography("us"), Guardrail: guardrail,
			Models: []string{"us.amazon.*", "us.cohere.*", "us.anthropic.a"},
		}, true},
		{"global and geographic profiles, one operation excused", securebedrock.Options{
			Region: "us-east-1", Residency: []string{"*"}, Guardrail: guardrail,
			Models:              []string{"global.anthropic.a", "global.anthropic.b", "us.anthropic.c", "us.amazon.d"},
			UnguardedOperations: map[string]string{"InvokeModelWithBidirectionalStream": "voice"},
		}, false},
		{"excused and unguardable", securebedrock.Options{
			Region: "us-east-1", Residency: securebedrock.Geography("us"), Guardrail: guardrail,
			Models:              []string{"us.anthropic.a", "us.anthropic.b", "us." + embed},
			UnguardedOperations: map[string]string{"StartAsyncInvoke": "video"},
		}, true},
		{"no guardrail", securebedrock.Options{
			Region: "us-east-1", Residency: securebedrock.Geography("us"), Unguarded: "a test",
			Models: []string{"us.anthropic.a", "us.anthropic.b"},
		}, false},
		{"any model", securebedrock.Options{Region: "eu-central-1", Residency: securebedrock.Geography("eu"), Guardrail: guardrail}, true},
		{"any model anywhere", securebedrock.Options{Region: "eu-central-1", Residency: []string{"*"}, Guardrail: guardrail}, false},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			acct := Account{ID: "111122223333"}
			if row.free {
				acct.Unguardable = map[string]string{embed: "an embedding model takes no guardrail", other: "so does this one"}
			}
			s := specOf(t, row.opts, acct)
			ours := s.guardrail + ":" + s.version
			written := forms(s)
			allowed, asked := 0, 0
			for _, model := range []string{"anthropic.a", "anthropic.b", "anthropic.c", "amazon.d", embed, other, "cohere.f", "meta.e"} {
				for _, prefix := range []string{"", "eu", "us", "global"} {
					for _, served := range []string{"", "eu-central-1", "eu-west-2", "eu-west-3", "us-east-1", "us-west-2", "sa-east-1"} {
						for _, guardrail := range []string{"", ours, s.guardrail + ":2", s.guardrail, s.arn("guardrail/lax:1")} {
							for _, action := range []string{invokeModel, invokeModelStream} {
								c := call{prefix, model, served, action, guardrail}
								want := s.expects(c, ours)
								asked++
								if want {
									allowed++
								}
								for form, docs := range written {
									if got := c.allows(t, s, docs); got != want {
										t.Errorf("%s: %+v is allowed: %v", form, c, got)
									}
								}
							}
						}
					}
				}
			}
			if allowed == 0 || allowed == asked {
				t.Errorf("%d of %d calls are expected to pass", allowed, asked)
			}
		})
	}
}

// expects says whether the client would send a call that can be served there.
func (s *Spec) expects(c call, ours string) bool {
	id := c.model
	destinations := []string{s.region}
	if c.prefix != "" {
		id = c.prefix + "." + c.model
		destinations = regions.RoutedDestinations(c.prefix, s.region)
		if c.prefix == "global" {
			destinations = []string{"", s.region}
		}
	}
	named := len(s.opts.Models) == 0
	for _, pattern := range s.opts.Models {
		named = named || glob(pattern, id, false)
	}
	resident := s.anywhere
	if !resident {
		resident = true
		for _, r := range destinations {
			resident = resident && slices.Contains(s.regions, r)
		}
	}
	if s.anywhere && len(s.opts.Models) == 0 && c.prefix != "" {
		destinations = []string{c.served} // IAM leaves the destinations to the profile
	}
	_, free := s.acct.Unguardable[c.model]
	guarded := s.guardrail == "" || free || c.guardrail == ours ||
		c.guardrail == "" && c.action == invokeModel && len(s.opts.UnguardedOperations) > 0
	return named && resident && guarded && slices.Contains(destinations, c.served)
}

func TestLegsOfApplicationProfilesAndRouters(t *testing.T) {
	t.Parallel()
	const (
		app    = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abc"
		router = "arn:aws:bedrock:eu-central-1:111122223333:prompt-router/def"
		prompt = "arn:aws:bedrock:eu-central-1:111122223333:prompt/GHI:1"
	)
	opts, acct := one()
	opts.Residency = []string{"eu-west-1"}
	opts.Models = []string{app, router, prompt}
	acct.ProfileModels = map[string][]string{
		app:    {"anthropic.a", "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.b"},
		router: {"anthropic.c"},
		prompt: {"anthropic.d"},
	}
	s := specOf(t, opts, acct)
	for form, docs := range forms(s) {
		for _, row := range []struct {
			resource, region, key, tie string
			want                       bool
		}{
			{app, "eu-central-1", "", "", true},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.a", "eu-central-1", keyProfile, app, true},
			{"arn:aws:bedrock:eu-west-1::foundation-model/anthropic.b", "eu-west-1", keyProfile, app, true},
			// A model is not paired with a region that only another one has.
			{"arn:aws:bedrock:eu-west-1::foundation-model/anthropic.a", "eu-west-1", keyProfile, app, false},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.b", "eu-central-1", keyProfile, app, false},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.a", "eu-central-1", "", "", false},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.a", "eu-central-1", keyProfile, app + "2", false},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.c", "eu-central-1", keyProfile, app, false},
			{app + "2", "eu-central-1", "", "", false},
			{router, "eu-central-1", "", "", true},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.c", "eu-central-1", keyRouter, router, true},
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.c", "eu-central-1", "", "", false},
			// A prompt's model is called as if by its own ID.
			{"arn:aws:bedrock:eu-central-1::foundation-model/anthropic.d", "eu-central-1", "", "", true},
		} {
			req := Request{Principal: "arn:aws:iam::111122223333:role/app", Action: invokeModel, Resource: row.resource,
				Context: map[string][]string{keyRegion: {row.region}, keyGuardrail: {s.guardrail + ":3"}}}
			if row.key != "" {
				req.Context[row.key] = []string{row.tie}
			}
			verdict, err := Decide(docs, req)
			if err != nil || verdict.Allowed != row.want {
				t.Errorf("%s: %s in %s under %s: %+v, %v", form, row.resource, row.region, row.tie, verdict, err)
			}
		}
	}
}

func TestGlobalApplicationProfile(t *testing.T) {
	t.Parallel()
	const app = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"
	opts, acct := one()
	opts.Region, opts.Residency, opts.Models = "us-east-1", []string{"*"}, []string{app}
	acct.ProfileModels = map[string][]string{app: {"arn:aws:bedrock:::foundation-model/anthropic.a"}}
	s := specOf(t, opts, acct)
	for form, docs := range forms(s) {
		for served, want := range map[string]bool{"us-east-1": true, "": true, "eu-west-1": false} {
			requested := served
			if served == "" {
				requested = unspecified
			}
			verdict, err := Decide(docs, Request{
				Principal: "arn:aws:iam::111122223333:role/app", Action: invokeModel,
				Resource: "arn:aws:bedrock:" + served + "::foundation-model/anthropic.a",
				Context:  map[string][]string{keyRegion: {requested}, keyProfile: {app}, keyGuardrail: {s.guardrail + ":3"}},
			})
			if err != nil || verdict.Allowed != want {
				t.Errorf("%s: served in %q: %+v, %v", form, served, verdict, err)
			}
		}
	}
}

// TestShorterIsShorter holds what the abbreviations are for.
func TestShorterIsShorter(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 24; n++ {
		opts, acct := american(n)
		s := specOf(t, opts, acct)
		size := func(statements []Statement) int { return (Document{Kind: KindSession, Statements: statements}).Size() }
		sizes := []int{size(s.statements(s.models, spelledOut)), size(s.statements(s.models, shortRegions)), size(s.statements(s.models, shortProfiles)), size(s.ceiling(shortProfiles))}
		if !slices.IsSortedFunc(sizes, func(a, b int) int { return b - a }) {
			t.Errorf("%d models take %v", n, sizes)
		}
		if n == 5 || n == 20 {
			t.Log(fmt.Sprintf("%d models in 3 regions:", n), strings.Trim(fmt.Sprint(sizes), "[]"), "characters")
		}
	}
}
