package securebedrock

import "slices"

// The table of system inference profiles: which regions a prefix may send a
// prompt to, by the region that is called. Where AWS lists fewer destinations
// for some models, the union over all models stands here, so that a profile is
// never thought narrower than it is.
//
// Source: Amazon Bedrock User Guide, "Supported Regions and models for inference
// profiles" (inference-profiles-support) and, newer, the model cards
// (model-card-*, "Geo inference details"), looked up in November 2026. "in." is
// known from AWS's own announcements and "ca." from public use, not from a card.
// AWS states that geographic lists do not change and that global ones do; it also
// says to ask GetInferenceProfile and not to infer, which is what a
// ProfileResolver is for.

// Geography returns the destination regions that the sources of an inference
// profile prefix share: "us", "eu", "apac", "jp", "au", "in", "ca",
// "us-gov". It returns nil for any other name. The slice is the caller's own.
func Geography(name string) []string {
	switch name {
	case "us":
		return []string{"us-east-1", "us-east-2", "us-west-2"}
	case "eu":
		return []string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}
	case "apac":
		return []string{
			"ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
			"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7",
		}
	case "jp":
		return []string{"ap-northeast-1", "ap-northeast-3"}
	case "au":
		return []string{"ap-southeast-2", "ap-southeast-4"}
	case "in":
		return []string{"ap-south-1", "ap-south-2"}
	case "ca":
		return []string{"ca-central-1", "ca-west-1"}
	case "us-gov":
		return []string{"us-gov-east-1", "us-gov-west-1"}
	}
	return nil
}

// outliers are sources that a geography serves and that add only themselves to
// its destinations.
func outliers(prefix string) []string {
	switch prefix {
	case "us":
		return []string{"us-west-1", "ca-central-1", "ca-west-1"}
	case "eu":
		return []string{"eu-central-2", "eu-west-2", "il-central-1"}
	case "apac":
		return []string{"me-central-1"}
	case "au":
		return []string{"ap-southeast-6"}
	}
	return nil
}

func isProfilePrefix(s string) bool {
	return s == "global" || Geography(s) != nil
}

// anywhere stands for every commercial region, the destinations of "global.".
const anywhere = "*"

// profileDestinations gives the destinations of a prefix when called in source;
// nil where the table does not know.
func profileDestinations(prefix, source string) []string {
	if prefix == "global" {
		return []string{anywhere}
	}
	shared := Geography(prefix)
	switch {
	case slices.Contains(shared, source):
		return shared
	case slices.Contains(outliers(prefix), source):
		return append(shared, source)
	}
	return nil
}
