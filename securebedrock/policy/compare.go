package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// comparing is a Diff under way.
type comparing struct {
	docs       [2]*Document
	statements []*Statement // of both, the existing document's first
	names      []string
	split      int // where the wanted document's begin
	keys       map[string]*keyProbe

	order []string
	found map[string]*Difference
}

// most bounds the requests of one Diff.
const most = 200_000

// situation is an action on a resource: which statements fit, and the region that a request
// for the resource goes to.
type situation struct {
	fits              []byte
	region            string
	action, arn       string
	actions, resource []string // labels
}

// compare asks both documents, and collects the differences.
func (c *comparing) compare() ([]Difference, error) {
	var err error
	if c.keys, err = keyProbes(c.statements); err != nil {
		return nil, err
	}
	situations, err := c.situations()
	if err != nil {
		return nil, err
	}
	c.found = make(map[string]*Difference)
	asked := 0
	for _, s := range situations {
		if asked, err = c.ask(s, asked); err != nil {
			return nil, err
		}
	}
	all := make([]Difference, 0, len(c.order))
	for _, key := range c.order {
		all = append(all, *c.found[key])
	}
	// What is allowed beyond comes first.
	slices.SortStableFunc(all, func(a, b Difference) int { return int(bit(b.Beyond)) - int(bit(a.Beyond)) })
	return all, nil
}

// situations joins the actions and resources that the same statements fit.
func (c *comparing) situations() ([]*situation, error) {
	actions := actionProbes(c.statements)
	var requested []string
	if k := c.keys[strings.ToLower(keyRegion)]; k != nil {
		for _, v := range k.values {
			if len(v.values) == 1 {
				requested = append(requested, v.values[0])
			}
		}
	}
	resources := resourceProbes(c.statements, actions, requested)
	onResource, parts := make([][]byte, len(resources)), make([][arnParts]string, len(resources))
	for i, r := range resources {
		onResource[i] = make([]byte, len(c.statements))
		parts[i], _ = splitARN(r.arn)
		for j, s := range c.statements {
			fits, unclear := s.concerns(r.arn)
			if unclear {
				return nil, fmt.Errorf("%w: %s has a wildcard that may or may not match over a colon in %s", ErrUnsupported, c.names[j], r.arn)
			}
			onResource[i][j] = bit(fits)
		}
	}
	var list []*situation
	index := make(map[string]*situation)
	for _, a := range actions {
		onAction := make([]byte, len(c.statements))
		for j, s := range c.statements {
			onAction[j] = bit(len(s.Action) == 0 != matchesAction(s.Action, a.action) && !matchesAction(s.NotAction, a.action))
		}
		for i, r := range resources {
			if !a.takes(r.arn, parts[i]) {
				continue
			}
			fits := make([]byte, len(c.statements))
			for j := range fits {
				fits[j] = bit(onAction[j] == '1' && onResource[i][j] == '1')
			}
			region := c.regionOf(r)
			key := string(fits) + region
			s := index[key]
			if s == nil {
				s = &situation{fits: fits, region: region, action: a.action, arn: r.arn}
				index[key] = s
				list = append(list, s)
			}
			s.actions, s.resource = note(s.actions, a.label), note(s.resource, r.label)
		}
	}
	return list, nil
}

// noRegion stands for the region of a request for a foundation model's ARN without one,
// which is a global profile's leg. AWS says "unspecified" there, and no region's name.
const noRegion = "none"

// regionOf is aws:RequestedRegion of a request for a resource, where it follows from the
// ARN.
func (c *comparing) regionOf(r resourceProbe) string {
	switch {
	case c.keys[strings.ToLower(keyRegion)] == nil:
		return ""
	case r.region == "" && strings.Contains(r.arn, "::foundation-model/"):
		return noRegion
	}
	return r.region
}

// concerns matches Resource and NotResource alone.
func (s *Statement) concerns(arn string) (yes, unclear bool) {
	entries := slices.Concat(s.Resource, s.NotResource)
	matched := false
	for _, entry := range entries {
		text, _, _ := (&facts{}).expand(entry, true)
		switch matchResource(text, arn) {
		case matchYes:
			matched = true
		case matchUnclear:
			unclear = true
		}
	}
	return matched == (len(s.NotResource) == 0), unclear && !matched
}

// ask compares both documents in a situation, over the condition keys that matter there.
func (c *comparing) ask(s *situation, asked int) (int, error) {
	keys := c.relevant(s)
	choice := make([]int, len(keys))
	outcomes := make(map[string][][]int)
	var order []string
	for {
		if asked++; asked > most {
			return asked, fmt.Errorf("%w: the documents have too many condition keys and values to compare; compare their statements one by one", ErrUnsupported)
		}
		if outcome := c.outcome(s, keys, choice); outcome != "" {
			if outcomes[outcome] == nil {
				order = append(order, outcome)
			}
			outcomes[outcome] = append(outcomes[outcome], slices.Clone(choice))
		}
		i := len(choice) - 1
		for ; i >= 0; i-- {
			if choice[i]++; choice[i] < len(keys[i].values) {
				break
			}
			choice[i] = 0
		}
		if i < 0 {
			break
		}
	}
	for _, outcome := range order {
		for _, box := range boxes(outcomes[outcome], keys) {
			c.note(s, keys, outcome, box)
		}
	}
	return asked, nil
}

// relevant are the keys of the statements that fit, with the values that are possible.
func (c *comparing) relevant(s *situation) []keyProbe {
	names := make(map[string]bool)
	for j, st := range c.statements {
		if s.fits[j] == '0' {
			continue
		}
		for _, keys := range st.Condition {
			for key := range keys {
				names[strings.ToLower(key)] = true
			}
		}
	}
	var list []keyProbe
	for _, name := range slices.Sorted(maps.Keys(names)) {
		k := *c.keys[name]
		if name == strings.ToLower(keyRegion) {
			switch s.region {
			case "":
			case noRegion:
				k.values = slices.DeleteFunc(slices.Clone(k.values), valueProbe.isRegion)
			default:
				k.values = []valueProbe{{[]string{s.region}, []string{s.region}}}
			}
		}
		if name == "aws:principalarn" || name == "aws:principalaccount" || name == strings.ToLower(keyRegion) {
			// Every signed request has these.
			k.values = slices.DeleteFunc(slices.Clone(k.values), func(v valueProbe) bool { return len(v.values) == 0 })
		}
		if len(k.values) > 0 {
			list = append(list, k)
		}
	}
	return list
}

// outcome says how the documents differ for one request; empty where they do not.
func (c *comparing) outcome(s *situation, keys []keyProbe, choice []int) string {
	f := &facts{}
	for i, k := range keys {
		if v := k.values[choice[i]].values; len(v) > 0 {
			f.keys = append(f.keys, conditionKey{k.key, v})
		}
	}
	var does [2]stance
	for i := range does {
		from, to := 0, c.split
		if i == 1 {
			from, to = c.split, len(c.statements)
		}
		does[i] = c.stance(c.docs[i], s, f, from, to)
	}
	if does[0].rank == does[1].rank {
		return ""
	}
	by := does[0].by
	if by < 0 {
		by = does[1].by
	}
	return fmt.Sprintf("%d %d %d", does[0].rank, does[1].rank, by)
}

// stance is what one document does: 0 denies, 1 is silent, 2 allows; and by which
// statement, -1 for none.
type stance struct{ rank, by int }

func (c *comparing) stance(d *Document, s *situation, f *facts, from, to int) stance {
	v := stance{1, -1}
	grants := false
	for j := from; j < to; j++ {
		st := c.statements[j]
		grants = grants || st.Effect == Allow
		if s.fits[j] == '0' || v.rank == 2 && st.Effect == Allow {
			continue
		}
		if yes, fault := st.conditionsHold(f); !yes || fault != "" {
			continue
		}
		if st.Effect == Deny {
			return stance{0, j}
		}
		v = stance{2, j}
	}
	if v.rank == 1 {
		switch {
		case d.Kind == KindSCP && !grants:
			v.rank = 2 // FullAWSAccess stands beside it
		case d.Kind != KindManaged && d.Kind != KindInline:
			v.rank = 0 // what such a layer does not allow is denied
		}
	}
	return v
}

// note adds a box of requests to the difference to which it belongs.
func (c *comparing) note(s *situation, keys []keyProbe, outcome string, box [][]int) {
	var existing, wanted, by int
	if _, err := fmt.Sscan(outcome, &existing, &wanted, &by); err != nil {
		return
	}
	d := Difference{Beyond: existing > wanted, Condition: conditionText(keys, box)}
	switch {
	case wanted == 2 && existing == 1:
		d.how = [2]string{"does not allow", "does"}
	case wanted == 2:
		d.how = [2]string{"denies", "allows it"}
	case existing == 2 && wanted == 1:
		d.how = [2]string{"allows", "does not"}
	case existing == 2:
		d.how = [2]string{"allows", "denies it"}
	case existing == 1:
		d.how = [2]string{"does not deny", "does"}
	default:
		d.how = [2]string{"denies", "does not"}
	}
	if by >= 0 {
		d.Statement = c.names[by]
	}
	key := strings.Join([]string{outcome, d.Condition}, "\x00")
	have := c.found[key]
	if have == nil {
		have = &d
		have.Request = Request{Action: s.action, Resource: s.arn, Context: make(map[string][]string)}
		for i, k := range keys {
			if v := k.values[box[i][0]].values; len(v) > 0 {
				have.Request.Context[k.key] = v
			}
		}
		c.found[key] = have
		c.order = append(c.order, key)
	}
	for _, a := range s.actions {
		have.Actions = note(have.Actions, a)
	}
	for _, r := range s.resource {
		have.Resources = note(have.Resources, r)
	}
}
