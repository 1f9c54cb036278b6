package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// boxes covers a set of choices with products: for each key a list of its values. Each
// box lies within the set, and all of them are the set.
func boxes(set [][]int, keys []keyProbe) [][][]int {
	open := make(map[string]bool, len(set))
	for _, choice := range set {
		open[fmt.Sprint(choice)] = true
	}
	member := maps.Clone(open)
	var list [][][]int
	for _, choice := range set {
		if !open[fmt.Sprint(choice)] {
			continue
		}
		box := make([][]int, len(choice))
		for i, v := range choice {
			box[i] = []int{v}
		}
		for i := range box {
			for v := range keys[i].values {
				if v == choice[i] {
					continue
				}
				slab := slices.Clone(box)
				slab[i] = []int{v}
				if every(slab, func(p []int) bool { return member[fmt.Sprint(p)] }) {
					box[i] = append(box[i], v)
				}
			}
			slices.Sort(box[i])
		}
		every(box, func(p []int) bool { delete(open, fmt.Sprint(p)); return true })
		list = append(list, box)
	}
	return list
}

// every asks about each choice of a box.
func every(box [][]int, is func([]int) bool) bool {
	choice := make([]int, len(box))
	var walk func(i int) bool
	walk = func(i int) bool {
		if i == len(box) {
			return is(choice)
		}
		for _, v := range box[i] {
			choice[i] = v
			if !walk(i + 1) {
				return false
			}
		}
		return true
	}
	return walk(0)
}

// conditionText says which requests are in a box.
func conditionText(keys []keyProbe, box [][]int) string {
	var parts []string
	for i, k := range keys {
		if len(box[i]) == len(k.values) && len(k.values) > 1 {
			continue // whatever the key is
		}
		var labels []string
		absent := false
		for _, v := range box[i] {
			if len(k.values[v].values) == 0 {
				absent = true
				continue
			}
			labels = append(labels, k.values[v].labels...)
		}
		switch {
		case !absent:
			parts = append(parts, "with "+k.key+" "+alternatives(labels))
		case len(labels) == 0:
			parts = append(parts, "without "+k.key)
		default:
			parts = append(parts, "without "+k.key+" or with "+alternatives(labels))
		}
	}
	return strings.Join(parts, " and ")
}

// alternatives names up to six values.
func alternatives(labels []string) string { return abridged(labels, 6, " or ", " or ") }
