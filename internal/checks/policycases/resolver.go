package policycases

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/region"
)

// Resolver is a securebedrock.ProfileResolver over a table: profile → destinations. A
// system profile that the table lacks is resolved as the client itself does.
type Resolver map[string][]string

// Destinations implements securebedrock.ProfileResolver.
func (r Resolver) Destinations(_ context.Context, profile, source string) ([]string, error) {
	if list := r[profile]; len(list) > 0 {
		return slices.Clone(list), nil
	}
	if _, name, ok := strings.Cut(profile, ":inference-profile/"); ok {
		profile = name
	}
	prefix, _, _ := strings.Cut(profile, ".")
	if list := region.RoutedDestinations(prefix, source); list != nil {
		return list, nil
	}
	return nil, fmt.Errorf("the table has no %q", profile)
}
