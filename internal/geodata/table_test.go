package geodata

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	dataFile = "profiles.json"
	goFile   = "../region/geography_table.go"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGeneratedFileIsFresh(t *testing.T) {
	table, err := Parse(read(t, dataFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Render(table)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, goFile), want) {
		t.Errorf("%s is not what %s makes; run go generate ./internal/region", goFile, dataFile)
	}
}

func TestShared(t *testing.T) {
	p := Profile{Routes: []Route{
		{Sources: []string{"a-a-1"}, Destinations: []string{"a-a-1", "b-b-1"}},
		{Sources: []string{"c-c-1"}, Destinations: []string{"a-a-1", "b-b-1", "c-c-1"}},
	}}
	if got := p.Shared(); !slices.Equal(got, []string{"a-a-1", "b-b-1"}) {
		t.Errorf("got %v", got)
	}
	if got := p.Routes[0].Destinations; len(got) != 2 || got[1] != "b-b-1" {
		t.Errorf("Shared changed the table: %v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"profiles":[{"prefix":"xx","name":"X","routes":[{"sources":["x-y-1"],"destinations":["x-y-1","x-z-1"]}],` +
		`"pages":[{"url":"https://example.com/a","title":"A","lookedUp":"2026-11"}]}]}`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, old, new, says string }{
		{"not JSON", `{"profiles"`, `{`, "profiles.json"},
		{"an unknown field", `"prefix"`, `"prefixes"`, "prefixes"},
		{"no prefix", `"prefix":"xx"`, `"prefix":""`, "prefix"},
		{"no name", `"name":"X"`, `"name":""`, "name"},
		{"no month", `2026-11`, `lately`, "month"},
		{"a page on http", `https:`, `http:`, "https"},
		{"no source at all", `"pages":[{"url":"https://example.com/a","title":"A","lookedUp":"2026-11"}]`, `"pages":[]`, "where it comes from"},
		{"a source outside of its destinations", `["x-y-1","x-z-1"]`, `["x-z-1"]`, "own destinations"},
		{"unsorted", `["x-y-1","x-z-1"]`, `["x-z-1","x-y-1"]`, "unsorted"},
		{"twice", `["x-y-1","x-z-1"]`, `["x-y-1","x-y-1"]`, "twice"},
		{"a word for a region", `"x-z-1"`, `"y"`, "name of a region"},
		{"a star among regions", `"x-z-1"`, `"y-*"`, "name of a region"},
		{"no routes", `[{"sources":["x-y-1"],"destinations":["x-y-1","x-z-1"]}]`, `[]`, "no routes"},
		{"no profiles", good[len(`{"profiles":[`) : len(good)-2], ``, "no profiles"},
	} {
		data := strings.Replace(good, row.old, row.new, 1)
		if data == good {
			t.Fatalf("%s: the row changes nothing", row.name)
		}
		if _, err := Parse([]byte(data)); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
	twice := strings.Replace(good, `"profiles":[`, `"profiles":[`+good[len(`{"profiles":[`):len(good)-2]+",", 1)
	if _, err := Parse([]byte(twice)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a prefix twice: got %v", err)
	}
}
