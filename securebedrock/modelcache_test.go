package securebedrock

import (
	"fmt"
	"testing"
)

func TestModelCacheIsBounded(t *testing.T) {
	rs := &ruleset{region: "us-east-1", known: new(modelCache)}
	for i := range maxCachedModels + 10 {
		id := fmt.Sprintf("amazon.model-%d", i)
		for range 2 {
			if m, err := rs.model(t.Context(), id); err != nil || m.ID != id || m.Kind != KindFoundationModel {
				t.Fatalf("%s: %+v, %v", id, m, err)
			}
		}
	}
	if n := len(*rs.known.known.Load()); n != maxCachedModels {
		t.Errorf("%d models are cached; want %d", n, maxCachedModels)
	}
}

func TestRefusedModelIsNotCached(t *testing.T) {
	rs := &ruleset{region: "us-east-1", models: []string{"amazon.*"}, known: new(modelCache)}
	for range 2 {
		if _, err := rs.model(t.Context(), "anthropic.claude"); err == nil {
			t.Error("a model outside of Options.Models passed")
		}
		if _, err := rs.model(t.Context(), "eu.amazon.nova"); err == nil {
			t.Error("a model outside of Options.Models passed")
		}
	}
	if rs.known.known.Load() != nil {
		t.Error("a refused model is cached")
	}
}

// The destinations of a cached model are those that the rules find, and a resolver is
// asked each time.
func TestCachedModelKeepsItsDestinations(t *testing.T) {
	for id, want := range map[string][]string{
		"amazon.nova-lite-v1:0":    {"us-east-1"},
		"us.amazon.nova-lite-v1:0": Geography("us"),
		"eu.amazon.nova-lite-v1:0": nil, // not callable here: the rules say so each time
	} {
		rs := &ruleset{region: "us-east-1", known: new(modelCache)}
		for range 2 {
			m, err := rs.model(t.Context(), id)
			if err != nil || fmt.Sprint(m.Regions) != fmt.Sprint(want) {
				t.Errorf("%s: %v, %v; want %v", id, m.Regions, err, want)
			}
		}
	}
}
