package policy

import (
	"slices"
	"strings"
)

// unspecified is the region of a global profile's leg: aws:RequestedRegion has this value
// there (Bedrock User Guide, global-cross-region-inference).
const unspecified = "unspecified"

// DenyRegions keeps Bedrock in Region and in the regions of Residency. It is attached to
// the account or to its organisational unit, and mirrors ErrResidency.
//
// The leg of an inference profile is checked with the destination's region as
// aws:RequestedRegion, so that a list without the destinations stops the profile. Mantle,
// AgentCore and web search have service prefixes of their own, which a statement on
// "bedrock:*" leaves open. Other services are not touched: IAM, STS and Organizations
// answer from one region for all others, and a region rule over them locks the account
// out.
//
// A guardrail with a cross-region guardrail profile is evaluated in that profile's
// regions. Where Residency does not have them, every call with the guardrail is denied:
// the text would leave Residency.
//
// Residency "*" permits every destination, and there is no region to deny to a profile. What
// remains is Region itself: calls that no profile or prompt router brought to another
// region are denied. A cross-region guardrail stays open, too.
// https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
func DenyRegions(s *Spec) ([]Document, error) {
	if !s.anywhere {
		// An absent region is denied, too: StringNotEquals is true of an absent key.
		return denial("scp-regions",
			"Keeps Bedrock in Options.Region and Options.Residency: "+strings.Join(s.regions, ", ")+". Everything under Bedrock's four service prefixes is denied elsewhere, Mantle included.",
			"ErrResidency",
			Statement{
				Sid:       "DenyBedrockInOtherRegions",
				Effect:    Deny,
				Action:    bedrockActions(),
				Resource:  []string{"*"},
				Condition: when("StringNotEquals", keyRegion, s.regions...),
			})
	}
	elsewhere := when("StringNotEquals", keyRegion, s.region, unspecified)
	return denial("scp-regions",
		`Keeps direct calls in Options.Region, `+s.region+`. Options.Residency has "*", so that every destination of an inference profile is permitted, and none is denied here.`,
		"ErrRegion",
		Statement{
			Sid:         "DenyDirectCallsInOtherRegions",
			Effect:      Deny,
			Action:      []string{"bedrock:*"},
			NotResource: []string{s.arnOf("bedrock", "*", "*", "guardrail-profile/*")},
			Condition: elsewhere.and(Condition{"Null": {
				keyProfile: {"true"},
				keyRouter:  {"true"},
			}}),
		},
		Statement{
			// No profile of these services crosses regions.
			Sid:       "DenyOtherPrefixesInOtherRegions",
			Effect:    Deny,
			Action:    slices.Clone(bedrockActions()[1:]),
			Resource:  []string{"*"},
			Condition: when("StringNotEquals", keyRegion, s.region),
		})
}
