package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/iamdata"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// actionProbe is an action that stands for all which the statements treat alike.
type actionProbe struct {
	action string
	label  string
	known  bool               // AWS's table has it
	types  [][arnParts]string // the ARNs of the resource types that it takes, as patterns
}

// probeOf reads what AWS's table has of an action.
func probeOf(action, label string, arns map[string]string) actionProbe {
	a := actionProbe{action: action, label: label}
	types, known := iamdata.ResourceTypes(action)
	a.known = known
	for _, name := range types {
		a.types = append(a.types, wholeARN(arnPattern(arns[name])))
	}
	return a
}

// actionProbes gives the actions that a document can name: those of AWS's table that a
// pattern matches, and those that stand there. An action that no statement names stands
// for all others.
func actionProbes(statements []*Statement) []actionProbe {
	var list []actionProbe
	seen := make(map[string]bool)
	arns := make(map[string]map[string]string)
	add := func(action, label string) {
		if key := strings.ToLower(action); !seen[key] {
			seen[key] = true
			service, _, _ := strings.Cut(key, ":")
			if arns[service] == nil {
				arns[service] = iamdata.ARNs(service)
			}
			list = append(list, probeOf(action, label, arns[service]))
		}
	}
	for _, s := range statements {
		for _, entry := range slices.Concat(s.Action, s.NotAction) {
			prefix, _, _ := strings.Cut(entry, ":")
			for _, action := range iamdata.Actions(prefix) {
				if glob(entry, action, true) {
					add(action, action)
				}
			}
			if !strings.ContainsAny(entry, "*?") {
				add(entry, entry)
			} else if entry != "*" && entry != "*:*" {
				add(filled(entry, "Unlisted"), entry)
			}
		}
	}
	add("otherservice:OtherAction", "<other actions>")
	return list
}

// resourceProbe is a resource of a probe.
type resourceProbe struct {
	arn    string
	region string
	label  string
}

// resourceProbes gives resources that tell the documents' patterns apart: each part of an
// ARN takes the values that a pattern has there, and one that none has.
func resourceProbes(statements []*Statement, actions []actionProbe, requested []string) []resourceProbe {
	list := []resourceProbe{{"*", "", "*"}}
	var patterns [][arnParts]string
	for _, s := range statements {
		for _, entry := range slices.Concat(s.Resource, s.NotResource) {
			if !onlyStars(entry) {
				patterns = append(patterns, wholeARN(entry))
			}
		}
	}
	// What an action takes is a resource, too, where a document says "*".
	for _, a := range actions {
		for _, p := range a.types {
			if !slices.Contains(patterns, p) {
				patterns = append(patterns, p)
			}
		}
	}
	patterns = append(patterns, wholeARN("arn:aws:otherservice:*:*:other/*"))
	var services []string
	for _, p := range patterns {
		if !strings.ContainsAny(p[2], "*?") && !slices.Contains(services, p[2]) {
			services = append(services, p[2])
		}
	}
	for _, service := range services {
		var parts [arnParts][]string
		for _, p := range patterns {
			if !glob(p[2], service, false) {
				continue
			}
			for i := range p {
				if !slices.Contains(parts[i], p[i]) {
					parts[i] = append(parts[i], p[i])
				}
			}
		}
		parts[3] = append(parts[3], requested...)
		list = append(list, combined(service, &parts)...)
	}
	return list
}

// combined makes the ARNs of a service of the values of their parts.
func combined(service string, parts *[arnParts][]string) []resourceProbe {
	others := [arnParts]string{1: "aws", 3: "other-region-1", 4: "999999999999", 5: "other/other"}
	var samples [arnParts][]sample
	for _, i := range []int{1, 3, 4, 5} {
		samples[i] = distinctSamples(samplesOf(parts[i], others[i]), parts[i])
	}
	var list []resourceProbe
	for _, partition := range samples[1] {
		if !strings.HasPrefix(partition.value, "aws") || strings.ContainsAny(partition.label, "*?") {
			continue // a wildcard stands for AWS's partitions, of which "aws" is one
		}
		for _, region := range samples[3] {
			for _, account := range samples[4] {
				for _, resource := range samples[5] {
					list = append(list, resourceProbe{
						arn:    strings.Join([]string{"arn", partition.value, service, region.value, account.value, resource.value}, ":"),
						region: region.value,
						label:  strings.Join([]string{"arn", partition.label, service, region.label, account.label, resource.label}, ":"),
					})
				}
			}
		}
	}
	return list
}

// distinctSamples keeps one value of those that the same patterns match. Values are never
// dropped where a pattern is the value itself.
func distinctSamples(list []sample, patterns []string) []sample {
	seen := make(map[string]bool)
	var kept []sample
	for _, s := range list {
		mark := make([]byte, len(patterns)+1)
		for i, p := range patterns {
			mark[i] = bit(glob(p, s.value, false))
		}
		mark[len(patterns)] = bit(s.value == "") // an empty part means something else to AWS
		if key := string(mark); !seen[key] {
			seen[key] = true
			kept = append(kept, s)
		}
	}
	return kept
}

func bit(yes bool) byte {
	if yes {
		return '1'
	}
	return '0'
}

// wholeARN splits a pattern and completes what is missing.
func wholeARN(entry string) [arnParts]string {
	for strings.Count(entry, ":") < arnParts-1 {
		entry += ":*"
	}
	parts, _ := splitARN(entry)
	return parts
}

// arnPattern makes a pattern of an ARN in AWS's table. An account of another partition is
// left to the documents' own patterns.
func arnPattern(arn string) string {
	for {
		before, rest, found := strings.Cut(arn, "${")
		if !found {
			return strings.Replace(arn, "arn:*:", "arn:aws:", 1)
		}
		_, after, _ := strings.Cut(rest, "}")
		arn = before + "*" + after
	}
}

// takes reports whether an action can be asked for on a resource. What the table does not
// know is possible.
func (a actionProbe) takes(resource string, parts [arnParts]string) bool {
	if !a.known {
		return true
	}
	if len(a.types) == 0 || resource == "*" {
		return len(a.types) == 0 && resource == "*"
	}
	for _, p := range a.types {
		p[1] = "*"
		if arnLike(p, parts) {
			return true
		}
	}
	return false
}

// keyProbe is a condition key and its probes.
type keyProbe struct {
	key    string
	values []valueProbe
}

// valueProbe are a request's values of a key; none means that the key is absent.
type valueProbe struct {
	values []string
	labels []string // of all values that the clauses treat alike
}

// isRegion reports whether the value is a region's name.
func (v valueProbe) isRegion() bool { return len(v.values) == 1 && regions.Valid(v.values[0]) }

// clause is one operator over one key in a statement.
type clause struct {
	operator operator
	name     string // of the operator
	values   []string
}

// keyProbes gives the values of each condition key that tell the documents' clauses apart.
func keyProbes(statements []*Statement) (map[string]*keyProbe, error) {
	clauses := make(map[string][]clause)
	names := make(map[string]string)
	for _, s := range statements {
		for name, keys := range sorted(s.Condition) {
			op, _ := readOperator(name)
			for key, values := range sorted(keys) {
				at := strings.ToLower(key)
				clauses[at] = append(clauses[at], clause{op, name, values})
				if names[at] == "" {
					names[at] = key
				}
			}
		}
	}
	all := make(map[string]*keyProbe, len(clauses))
	for at, list := range clauses {
		k := &keyProbe{key: names[at]}
		if err := k.fill(list); err != nil {
			return nil, err
		}
		all[at] = k
	}
	return all, nil
}

// fill collects the values, one of each outcome.
func (k *keyProbe) fill(clauses []clause) error {
	candidates := []valueProbe{{}}
	several := false
	var likes []string
	for _, c := range clauses {
		if c.operator.family == stringLike || c.operator.family == arn {
			likes = append(likes, c.values...)
		}
	}
	for _, c := range clauses {
		several = several || c.operator.set != oneValue
		values := c.values
		if c.operator.family == stringLike || c.operator.family == arn {
			values = likes // what two patterns of different statements have in common, too
		}
		for _, s := range c.operator.samplesFor(values) {
			candidates = append(candidates, valueProbe{[]string{s.value}, []string{s.label}})
		}
	}
	if len(candidates) == 1 { // Null alone
		candidates = append(candidates, valueProbe{[]string{otherValue}, []string{"any value"}})
	}
	if several {
		singles := candidates[1:]
		for i, a := range singles[:min(len(singles), 12)] {
			for _, b := range singles[:i] {
				candidates = append(candidates, valueProbe{[]string{b.values[0], a.values[0]}, []string{b.labels[0] + " with " + a.labels[0]}})
			}
		}
	}
	seen := make(map[string]int)
	for _, v := range candidates {
		mark := []byte{bit(len(v.values) == 0), bit(v.isRegion())}
		undecided := ""
		for _, c := range clauses {
			yes, fault := c.operator.holds(c.values, v.values, &facts{})
			if fault != "" {
				undecided = fmt.Sprintf("%s %s %s", c.name, k.key, fault)
				break
			}
			mark = append(mark, bit(yes))
		}
		switch {
		case undecided != "" && len(v.values) == 0: // a request without the key is always possible
			return fmt.Errorf("%w: %s", ErrUnsupported, undecided)
		case undecided != "": // such a request is none of this key's type
			continue
		}
		if at, known := seen[string(mark)]; known {
			if own := &k.values[at]; len(v.values) == 1 {
				own.labels = note(own.labels, v.labels[0])
			}
			continue
		}
		seen[string(mark)] = len(k.values)
		k.values = append(k.values, v)
	}
	return nil
}

// note adds a label that is not there.
func note(list []string, label string) []string {
	if slices.Contains(list, label) {
		return list
	}
	return append(list, label)
}
