package region

//go:generate go run ../geodata/gen

// The table of system inference profiles tells to which regions a prefix may send a
// prompt, by the region that is called. The table is generated, into
// geography_table.go, from internal/geodata/profiles.json, where each entry names its
// AWS page and the month of reading. Where AWS lists fewer destinations for some
// models, the table has the union over all models, so that no profile is thought
// narrower than it is.
//
// AWS states that geographic lists do not change and that global ones do. AWS also
// says to ask GetInferenceProfile and not to infer
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).

// Anywhere stands for every commercial region, the destinations of "global.".
const Anywhere = "*"

// IsProfilePrefix reports whether s is the prefix of a system inference profile.
func IsProfilePrefix(s string) bool {
	return s == "global" || SharedDestinations(s) != nil
}
