package iamgen

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTableIsFresh(t *testing.T) {
	data := mustRead(t, "extract.json")
	table, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	code, err := Render(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustRead(t, "../table.go"), code) {
		t.Error("table.go is not what extract.json makes; run go generate ./internal/iamdata")
	}
	again, err := Encode(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, data) {
		t.Error("extract.json is not what gen writes; it was edited by hand")
	}
	if !strings.Contains(strings.Join(table.Licence, "\n"), "The above copyright notice and this permission notice shall be included") {
		t.Error("extract.json has lost the licence of its source")
	}
}

// A package of two actions, as npm unpacks it.
func TestExtract(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("package.json", `{"name":"n","version":"1.2","updatedAt":"2026-09-26T04:46:59Z"}`)
	put("LICENSE.txt", "MIT\nwhole\n")
	put("data/services.json", `["bedrock","s3","bedrock-mantle"]`)
	put("dist/cjs/globalConditionKeys.js", "key: 'aws:PrincipalTag/tag-key',\nkey: 'ec2:RoleDelivery',\nkey: 'aws:PrincipalArn',")
	for name := range services() {
		put("data/actions/"+name+".json", `{"do":{"name":"Do","conditionKeys":["`+name+`:Own","other:Key"],"resourceTypes":[
			{"name":"b","conditionKeys":["aws:TagKeys"]},{"name":"a","conditionKeys":["`+name+`:Own"]}]},"list":{"name":"List","conditionKeys":[],"resourceTypes":[]}}`)
		put("data/conditionKeys/"+name+".json", `{"k":{"key":"`+name+`:Own"},"o":{"key":"other:Key"}}`)
		put("data/resourceTypes/"+name+".json", `{"a":{"key":"a","arn":"arn:a","conditionKeys":["aws:ResourceTag/${TagKey}"]},"b":{"key":"b","arn":"arn:b"}}`)
	}
	got, err := Extract(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"bedrock", "bedrock-mantle"}; !reflect.DeepEqual(got.Prefixes, want) {
		t.Errorf("prefixes %v", got.Prefixes)
	}
	if want := []string{"aws:PrincipalArn", "aws:PrincipalTag/${TagKey}"}; !reflect.DeepEqual(got.Global, want) {
		t.Errorf("global keys %v", got.Global)
	}
	if got.Source != "npm n 1.2" || got.Date != "2026-09-26" || !reflect.DeepEqual(got.Licence, []string{"MIT", "whole"}) {
		t.Errorf("head %q %q %q", got.Source, got.Date, got.Licence)
	}
	want := Service{
		Actions: map[string]Action{
			"Do":   {Resources: []string{"a", "b"}, Keys: []string{"aws:ResourceTag/${TagKey}", "aws:TagKeys", "kms:Own"}},
			"List": {},
		},
		Keys: []string{"kms:Own"}, ActionKeys: true, Resources: map[string]string{"a": "arn:a", "b": "arn:b"},
	}
	if !reflect.DeepEqual(got.Services["kms"], want) {
		t.Errorf("got %+v\nwant %+v", got.Services["kms"], want)
	}
	if keys := got.Services["s3"].Actions["Do"].Keys; keys != nil {
		t.Errorf("s3 has the keys %v of an action", keys)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{``, `{}`, `{"Date":"2026-09-26"}`} {
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%q is taken for an extract", text)
		}
	}
}
