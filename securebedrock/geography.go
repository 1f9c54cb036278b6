package securebedrock

import (
	"fmt"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

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
	if list := regions.SharedDestinations(name); list != nil {
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
	case entry == regions.Anywhere || regions.Valid(entry):
		return ""
	case unknown:
		return fmt.Sprintf("Geography does not know %s; it knows %s, and \"*\" stands for every region", name, strings.Join(regions.Geographies(), ", "))
	case regions.SharedDestinations(entry) != nil:
		return fmt.Sprintf("%q is neither the name of a region nor \"*\"; for the geography give Geography(%q)", entry, entry)
	}
	return refusal.Quoted(entry) + " is neither the name of a region nor \"*\""
}
