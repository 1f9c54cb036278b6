package securebedrock

import (
	"fmt"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

//go:generate go run ../internal/geodata/gen

// The table of system inference profiles: which regions a prefix may send a
// prompt to, by the region that is called. It is generated, into
// geography_table.go, from internal/geodata/profiles.json, where each entry
// names its AWS page and the month of reading. Where AWS lists fewer
// destinations for some models, the union over all models stands there, so that
// a profile is never thought narrower than it is.
//
// AWS states that geographic lists do not change and that global ones do; it
// also says to ask GetInferenceProfile and not to infer
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html),
// which is what a ProfileResolver is for.

// Geography returns the destination regions that the sources of an inference
// profile prefix share: "us", "eu", "apac", "jp", "au", "in", "ca",
// "us-gov". The slice is the caller's own.
//
// For any other name it returns one entry that is no region and admits none.
// Constructors report it as a fault of Options.Residency, with the names that
// there are. For "global." profiles put "*" into Residency.
//
// A few regions can be called with a prefix and are none of its shared
// destinations, such as eu-west-2 for "eu": they add themselves, and need not be
// listed, since Options.Region always counts.
func Geography(name string) []string {
	if list := sharedDestinations(name); list != nil {
		return list
	}
	return []string{unknownGeography + refusal.Quoted(name)}
}

// unknownGeography begins the entry that stands for a name without a list.
const unknownGeography = "unknown geography "

// residencyFault says what is wrong with an entry of Options.Residency.
func residencyFault(entry string) string {
	name, unknown := strings.CutPrefix(entry, unknownGeography)
	switch {
	case entry == anywhere || isRegion(entry):
		return ""
	case unknown:
		return fmt.Sprintf("Geography does not know %s; it knows %s, and \"*\" stands for every region", name, strings.Join(geographies(), ", "))
	case sharedDestinations(entry) != nil:
		return fmt.Sprintf("%q is neither the name of a region nor \"*\"; for the geography give Geography(%q)", entry, entry)
	}
	return refusal.Quoted(entry) + " is neither the name of a region nor \"*\""
}

func isProfilePrefix(s string) bool {
	return s == "global" || sharedDestinations(s) != nil
}

// anywhere stands for every commercial region, the destinations of "global.".
const anywhere = "*"

// profileDestinations gives the destinations of a prefix when called in source;
// nil where the table does not know.
func profileDestinations(prefix, source string) []string { return routedDestinations(prefix, source) }
