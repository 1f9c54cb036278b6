package securebedrock

import (
	"fmt"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// Geography returns the destination regions of an inference profile prefix: "us", "eu",
// "apac", "jp", "au", "in", "ca" or "us-gov". They are the destinations that the
// prefix's source regions share. The caller owns the slice.
//
// For any other name Geography returns one entry that is not a region and permits none.
// Constructors report the entry as a fault of Options.Residency and list the known
// names. For "global." profiles put "*" into Residency.
//
// A few regions can be called with a prefix and are not among its shared destinations,
// such as eu-west-2 for "eu". Such a region adds itself. It need not be listed, since
// Options.Region is always permitted.
func Geography(name string) []string {
	if list := regions.SharedDestinations(name); list != nil {
		return list
	}
	return []string{unknownGeography + refusal.Quoted(name)}
}

// unknownGeography begins the entry that Geography returns for an unknown name.
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
