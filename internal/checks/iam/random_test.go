package iam_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// TestRandomRequests asks Decide and the other evaluator for the verdicts of random
// requests under random documents of random configurations, near the boundary of what
// the configuration allows. The requests are the same in every run.
func TestRandomRequests(t *testing.T) {
	const requests, perConfig, seed = 1500, 10, 13
	e := simulator(t)
	r := rand.New(rand.NewPCG(seed, seed))
	began := time.Now()
	asked, allowed, refused, configs := 0, 0, 0, 0
	for asked < requests && !t.Failed() {
		c, _ := policycases.RandomConfig(r)
		all, err := policycases.Documents(c)
		if errors.As(err, new(*policy.SizeError)) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		configs++
		for range perConfig {
			docs, q := policycases.RandomLayers(r, all), policycases.RandomRequest(r, c)
			theirs, err := e.evaluate(docs, q)
			if err != nil && strings.Contains(err.Error(), "no.resource.types") && strings.Contains(q.Resource, ":::foundation-model/") {
				refused++ // the leg of a global profile; the table has it, with the verdict by hand
				continue
			}
			if err != nil {
				t.Fatalf("%v: %s", err, policycases.Describe(q))
			}
			if len(theirs.Ignored) > 0 {
				t.Fatalf("the action has no key %v: %s", theirs.Ignored, policycases.Describe(q))
			}
			ours, err := policy.Decide(docs, q)
			if err != nil {
				t.Fatalf("%v: %s", err, policycases.Describe(q))
			}
			asked++
			if ours.Allowed {
				allowed++
			}
			if ours.Allowed != (theirs.Result == "Allowed") {
				t.Errorf("Decide says %+v and iam-simulate says %s\nrequest: %s", ours, theirs.Result, policycases.Describe(q))
				for _, d := range docs {
					t.Logf("%s %s: %s", d.Kind, d.Name, d.JSON())
				}
			}
		}
	}
	took := time.Since(began)
	t.Logf("%d requests under %d configurations in %v: %d allowed; %d not asked, since iam-simulate knows no ARN of a foundation model without a region",
		asked, configs, took.Round(time.Millisecond), allowed, refused)
	// A test that allows or denies nearly everything shows little.
	if allowed < asked/5 || allowed > asked*4/5 {
		t.Errorf("%d of %d requests are allowed; most shows little", allowed, asked)
	}
	if refused > asked/10 {
		t.Errorf("%d requests could not be asked", refused)
	}
	if took > time.Minute {
		t.Errorf("it took %v; a minute is the most", took)
	}
}
