package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// read returns the files of a folder.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) {
	docs := samples()
	files, err := folder(sampleSpec(), docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		text, ok := files[d.Name+".json"]
		if !ok {
			t.Errorf("%s is not written", d.Name)
		}
		// The file is what AWS counts, and stays within what Size promised.
		if d.Kind.measure(text) != d.Size() {
			t.Errorf("%s: the file has %d, the document %d", d.Name, d.Kind.measure(text), d.Size())
		}
		if strings.Contains(text, "\n") == d.Kind.facts().whiteSpace {
			t.Errorf("%s: a reader's white space stands where AWS counts it, or is missing where not", d.Name)
		}
		var one, two any
		if json.Unmarshal([]byte(text), &one) != nil || json.Unmarshal([]byte(d.JSON()), &two) != nil || !equalJSON(one, two) {
			t.Errorf("%s: %s", d.Name, text)
		}
	}
	var others []string
	for name := range files {
		if !slices.ContainsFunc(docs, func(d Document) bool { return d.Name+".json" == name }) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	if want := []string{"cloudformation-account.json", "cloudformation-organization.json", "index.html"}; !slices.Equal(others, want) {
		t.Errorf("%v", others)
	}
	// Each document is in the template of the account that makes it.
	for name, want := range map[string]string{"cloudformation-account.json": `"Document": "invoke"`, "cloudformation-organization.json": `"Document": "scp-regions"`} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s lacks %s", name, want)
		}
	}
	if strings.Contains(files["cloudformation-account.json"], "AWS::Organizations") {
		t.Error("the account's template makes policies of the organisation")
	}
}

// Each configuration of the golden files is a folder, and the templates know what each
// policy of a bucket, a guardrail and an endpoint is put to.
func TestWriteDirOfEachConfiguration(t *testing.T) {
	for _, c := range configurations() {
		s, err := For(c.opts, c.acct)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := All(s)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for range 2 {
			if err := WriteDir(dir, s); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		files := read(t, dir)
		for _, d := range docs {
			if files[d.Name+".json"] != d.file() {
				t.Errorf("%s: %s is not written", c.name, d.Name)
			}
			if d.Target() == "" && (d.Kind == KindBucket || d.Kind == KindGuardrail || d.Kind == KindEndpoint) {
				t.Errorf("%s: the target of %s is not known", c.name, d.Name)
			}
		}
	}
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestFolderRefusesNames(t *testing.T) {
	for _, name := range []string{"", "../x", "a/b", "A", ".hidden", "-o", "a b", "ä", "a.json", strings.Repeat("a", 101)} {
		if _, err := folder(sampleSpec(), []Document{{Name: name, Kind: KindManaged}}); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	for _, docs := range [][]Document{
		{{Name: "a", Kind: KindManaged}, {Name: "a", Kind: KindSCP}},
		{{Name: "cloudformation-account", Kind: KindManaged}},
	} {
		if _, err := folder(sampleSpec(), docs); err == nil || !strings.Contains(err.Error(), "one name") {
			t.Errorf("%v", err)
		}
	}
}

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	first := map[string]string{"a.json": "1", "b.json": "2", indexFile: "page"}
	if err := writeFiles(dir, first); err != nil {
		t.Fatal(err)
	}
	got := read(t, dir)
	if len(got) != 4 || got["a.json"] != "1" || got["b.json"] != "2" || got[indexFile] != "page" {
		t.Errorf("%v", got)
	}
	for name, text := range first {
		sum := sha256.Sum256([]byte(text))
		if line := hex.EncodeToString(sum[:]) + "  " + name + "\n"; !strings.Contains(got[sumsFile], line) {
			t.Errorf("SHA256SUMS lacks %s", line)
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm()&0o600 != 0o600 || info.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}

	// A second run changes one, drops one, and leaves a user's own file alone.
	put(t, dir, "notes.txt", "mine")
	if err := writeFiles(dir, map[string]string{"a.json": "3", indexFile: "page"}); err != nil {
		t.Fatal(err)
	}
	got = read(t, dir)
	if len(got) != 4 || got["a.json"] != "3" || got["notes.txt"] != "mine" || strings.Contains(got[sumsFile], "b.json") {
		t.Errorf("%v", got)
	}
}

// Nothing is written where anything is in the way.
func TestWriteFilesRefuses(t *testing.T) {
	second := map[string]string{"a.json": "3", "c.json": "4"}
	for name, row := range map[string]struct {
		before func(dir string)
		names  string
	}{
		"a file of the user":           {func(dir string) { put(t, dir, "c.json", "mine") }, "c.json"},
		"a file that was edited":       {func(dir string) { put(t, dir, "a.json", "1 and more") }, "a.json"},
		"a stale file that was edited": {func(dir string) { put(t, dir, "b.json", "2 and more") }, "b.json"},
		"another list of digests":      {func(dir string) { put(t, dir, sumsFile, "abc  a.json\n") }, sumsFile},
		"a list that names a parent": {func(dir string) {
			put(t, dir, sumsFile, sumsHead+strings.Repeat("0", 64)+"  ../a.json\n")
		}, sumsFile},
		"a list that is no list": {func(dir string) { put(t, dir, sumsFile, sumsHead+"x\n") }, sumsFile},
		"a link": {func(dir string) {
			put(t, dir, "target", "mine")
			if err := os.Symlink("target", filepath.Join(dir, "c.json")); err != nil {
				t.Skip(err)
			}
		}, "c.json"},
		"a folder": {func(dir string) {
			if err := os.Mkdir(filepath.Join(dir, "c.json"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "c.json"},
		"a file that is too large": {func(dir string) { put(t, dir, "c.json", strings.Repeat("x", largestFile+1)) }, "c.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := writeFiles(dir, map[string]string{"a.json": "1", "b.json": "2"}); err != nil {
				t.Fatal(err)
			}
			row.before(dir)
			before := listing(t, dir)
			err := writeFiles(dir, second)
			if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), row.names) {
				t.Errorf("%v", err)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("written all the same:\n%s\n%s", before, after)
			}
		})
	}
}

// listing tells a folder's state: each name, its type and its digest.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, _ := os.ReadFile(filepath.Join(dir, e.Name()))
		out.WriteString(e.Name() + " " + e.Type().String() + " " + digest(string(text)) + "\n")
	}
	return out.String()
}

// A run that is cut short at any write is finished by the next one, of the same Spec or
// of another.
func TestRunThatIsCutShort(t *testing.T) {
	first := map[string]string{"a.json": "1", "b.json": "2", "d.json": "6"}
	second := map[string]string{"a.json": "3", "b.json": "4", "c.json": "5"}
	third := map[string]string{"a.json": "7"}
	full := errors.New("the disk is full")
	for writes := range 6 {
		for name, next := range map[string]map[string]string{"first": first, "second": second, "third": third} {
			dir := t.TempDir()
			if err := writeFiles(dir, first); err != nil {
				t.Fatal(err)
			}
			n := 0
			err := writeFilesBy(func(root *os.Root, name, text string) error {
				if n++; n > writes {
					return full
				}
				return replace(root, name, text)
			}, dir, second)
			if (writes < 5) != errors.Is(err, full) {
				t.Errorf("after %d writes: %v", writes, err)
			}
			if err := writeFiles(dir, next); err != nil {
				t.Errorf("%s after %d writes: %v", name, writes, err)
			}
			if got := read(t, dir); len(got) != len(next)+1 {
				t.Errorf("%s after %d writes: %v", name, writes, got)
			}
		}
	}
}

// A write that fails leaves nothing behind.
func TestFailedReplace(t *testing.T) {
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{"a.json": "1"}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "c.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := replace(root, "c.json", "x"); err == nil {
		t.Error("a folder is replaced by a file")
	}
	if got := listing(t, dir); strings.Count(got, "\n") != 3 {
		t.Errorf("a failed write leaves a file behind:\n%s", got)
	}
}
