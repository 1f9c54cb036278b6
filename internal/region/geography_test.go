package region

import (
	"slices"
	"testing"
)

// What the table says of each prefix stands in TestProfileDestinations of
// securebedrock, where calls are made by it.
func TestGeographies(t *testing.T) {
	for _, prefix := range Geographies() {
		shared := SharedDestinations(prefix)
		if len(shared) == 0 || !IsProfilePrefix(prefix) {
			t.Errorf("%s has the destinations %v", prefix, shared)
		}
		for _, source := range shared {
			routed := RoutedDestinations(prefix, source)
			for _, r := range append(shared, source) {
				if !slices.Contains(routed, r) {
					t.Errorf("%s from %s runs in %v, and the shared destinations hold %s", prefix, source, routed, r)
				}
			}
		}
	}
	for _, word := range []string{"", "EU", "europe", "anthropic"} {
		if IsProfilePrefix(word) || SharedDestinations(word) != nil || RoutedDestinations(word, "eu-west-1") != nil {
			t.Errorf("%q is known", word)
		}
	}
	if got := RoutedDestinations("global", "sa-east-1"); !slices.Equal(got, []string{Anywhere}) || !IsProfilePrefix("global") {
		t.Errorf("global runs in %v", got)
	}
	if got := RoutedDestinations("eu", "us-east-1"); got != nil {
		t.Errorf("eu from us-east-1 runs in %v", got)
	}
}

func TestPartitionOf(t *testing.T) {
	for region, want := range map[string]string{"eu-central-1": "aws", "us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn", "aws-global": "", "": ""} {
		if got := PartitionOf(region); got != want {
			t.Errorf("%q is of %q, want %q", region, got, want)
		}
	}
}
