package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// follows demands a version that comes after the last one. The same one may be
// prepared again as long as it has no tag.
func follows(version, last string) error {
	next, ok := parse(version)
	if !ok {
		return fmt.Errorf("%q is not a version such as v0.2.0", version)
	}
	before, ok := parse(last)
	if !ok {
		return fmt.Errorf("%s: %q is not a version", versionsFile, last)
	}
	for i := range next {
		switch {
		case next[i] > before[i]:
			return nil
		case next[i] < before[i]:
			return fmt.Errorf("%s comes before %s, the last one", version, last)
		}
	}
	return nil
}

// parse reads a version without a suffix: a module path has no place for v2 yet.
func parse(version string) (n [3]int, ok bool) {
	m := regexp.MustCompile(`^v([01])\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`).FindStringSubmatch(version)
	if m == nil {
		return n, false
	}
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(m[i+1]); err != nil {
			return n, false
		}
	}
	return n, true
}
