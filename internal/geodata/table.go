package geodata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Table is profiles.json.
type Table struct {
	Profiles []Profile `json:"profiles"`
}

// Profile is what one prefix of a system inference profile may do.
type Profile struct {
	Prefix string   `json:"prefix"`
	Name   string   `json:"name"`
	Routes []Route  `json:"routes"`
	Pages  []Page   `json:"pages"` // empty where no AWS page says it; a note then says who does
	Notes  []string `json:"notes"`
}

// Route gives the destinations of a call made in any of the sources. "*" alone
// stands for every commercial region.
type Route struct {
	Sources      []string `json:"sources"`
	Destinations []string `json:"destinations"`
}

// Page is where AWS says it, and the month in which it was read there.
type Page struct {
	URL      string `json:"url"`
	Title    string `json:"title"`
	LookedUp string `json:"lookedUp"` // "2026-11"
}

// Parse reads profiles.json and reports every fault of it at once.
func Parse(data []byte) (Table, error) {
	var t Table
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Table{}, fmt.Errorf("profiles.json: %w", err)
	}
	var faults []error
	if len(t.Profiles) == 0 {
		faults = append(faults, errors.New("it holds no profiles"))
	}
	seen := make(map[string]bool)
	for _, p := range t.Profiles {
		if seen[p.Prefix] {
			faults = append(faults, fmt.Errorf("%q stands there twice", p.Prefix))
		}
		seen[p.Prefix] = true
		for _, err := range p.faults() {
			faults = append(faults, fmt.Errorf("%q: %w", p.Prefix, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return Table{}, fmt.Errorf("profiles.json: %w", err)
	}
	return t, nil
}

func (p *Profile) faults() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(p.Prefix) || p.Name == "" {
		fault("the prefix or its name is missing or malformed")
	}
	if len(p.Pages) == 0 && len(p.Notes) == 0 {
		fault("neither a page nor a note says where it comes from")
	}
	month := regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`)
	for _, page := range p.Pages {
		if page.Title == "" || !regexp.MustCompile(`^https://[^\s]+$`).MatchString(page.URL) || !month.MatchString(page.LookedUp) {
			fault("page %q lacks a title, an https address or a month", page.URL)
		}
	}
	if len(p.Routes) == 0 {
		fault("it has no routes")
	}
	seen := make(map[string]bool)
	for _, r := range p.Routes {
		if p.Anywhere() {
			continue
		}
		for _, list := range [][]string{r.Sources, r.Destinations} {
			if len(list) == 0 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
				fault("%v is empty, unsorted or has a region twice", list)
			}
			for _, region := range list {
				if !regexp.MustCompile(`^[a-z]+(-[a-z]+)+-\d+$`).MatchString(region) {
					fault("%q is not the name of a region", region)
				}
			}
		}
		for _, source := range r.Sources {
			if seen[source] {
				fault("source %s stands there twice", source)
			}
			seen[source] = true
			if !slices.Contains(r.Destinations, source) {
				fault("source %s is not among its own destinations", source)
			}
		}
	}
	if !p.Anywhere() && len(p.Shared()) == 0 {
		fault("its sources share no destination")
	}
	return faults
}

// Anywhere tells whether the profile runs in every commercial region.
func (p *Profile) Anywhere() bool {
	return len(p.Routes) == 1 && slices.Equal(p.Routes[0].Sources, []string{"*"}) && slices.Equal(p.Routes[0].Destinations, []string{"*"})
}

// Shared gives the destinations that all sources have.
func (p *Profile) Shared() []string {
	var shared []string
	for i, r := range p.Routes {
		if i == 0 {
			shared = slices.Clone(r.Destinations)
			continue
		}
		shared = slices.DeleteFunc(shared, func(d string) bool { return !slices.Contains(r.Destinations, d) })
	}
	return shared
}
