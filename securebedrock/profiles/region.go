package profiles

import regions "github.com/securebedrock/securebedrock-go/internal/region"

// isRegion accepts the names of regions, by the SDK's own partition table.
func isRegion(s string) bool { return regions.Valid(s) }
