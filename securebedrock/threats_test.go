package securebedrock_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestThreats: what docs/THREATS.md names exists: each test, each row of a test's table, each file.
func TestThreats(t *testing.T) {
	root := os.DirFS("..")
	page, err := fs.ReadFile(root, "docs/THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := findTests(root)
	if err != nil {
		t.Fatal(err)
	}
	rows, faults := checkThreats(string(page), tests, root)
	for _, fault := range faults {
		t.Error("docs/THREATS.md: " + fault)
	}
	if rows < 80 {
		t.Errorf("docs/THREATS.md has %d rows: its tables are no longer read", rows)
	}
}

// The check finds what is wrong with a page.
func TestThreatsFindsFaults(t *testing.T) {
	const head = "| threat | guard | file | test |\n| --- | --- | --- | --- |\n"
	root := os.DirFS("..")
	tests := testIndex{"TestThreats": {"docs/THREATS.md": true}, "FuzzX": {}}
	for _, row := range []struct{ name, page, says string }{
		{"nothing", head + "| a | b | `docs/THREATS.md` | `TestThreats`, `TestThreats/docs/THREATS.md`, `FuzzX` |", ""},
		{"a test that is not there", head + "| a | b | `docs/THREATS.md` | `TestThreat` |", "no function TestThreat"},
		{"a test that is not there, in the prose", "See `FuzzNothing`.", "no function FuzzNothing"},
		{"a row that is not there", head + "| a | b | `docs/THREATS.md` | `TestThreats/a row` |", `"a row"`},
		{"no test", head + "| a | b | `docs/THREATS.md` | by review |", "names no test"},
		{"no file", head + "| a | b | the gate | `TestThreats` |", "names no file"},
		{"a file that is not there", head + "| a | b | `securebedrock/nothing.go` | `TestThreats` |", "no file securebedrock/nothing.go"},
		{"a column too few", head + "| a | `docs/THREATS.md` | `TestThreats` |", "3 columns"},
	} {
		_, faults := checkThreats(row.page, tests, root)
		if all := strings.Join(faults, "\n"); (row.says == "") != (all == "") || !strings.Contains(all, row.says) {
			t.Errorf("%s: found %q, want %q", row.name, all, row.says)
		}
	}
}

// testIndex has, for each test function of the repository, the string literals
// of the files that declare one of that name.
type testIndex map[string]map[string]bool

// findTests parses every _test.go file below root, those of nested modules too.
func findTests(root fs.FS) (testIndex, error) {
	index := testIndex{}
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		literals := map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					literals[s] = true
				}
			}
			return true
		})
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !isTestName(f.Name.Name) {
				continue
			}
			if index[f.Name.Name] == nil {
				index[f.Name.Name] = map[string]bool{}
			}
			for s := range literals {
				index[f.Name.Name][s] = true
			}
		}
		return nil
	})
	return index, err
}

func isTestName(s string) bool {
	return strings.HasPrefix(s, "Test") || strings.HasPrefix(s, "Fuzz")
}

// checkThreats counts the rows of a page's tables and reports what they name in
// vain. A table's columns are threat, guard, file and test.
func checkThreats(page string, tests testIndex, root fs.FS) (rows int, faults []string) {
	quoted := regexp.MustCompile("`([^`]+)`")
	names := func(text string, want func(string) bool) (found []string) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if want(m[1]) {
				found = append(found, m[1])
			}
		}
		return found
	}
	isTest := func(s string) bool {
		name, _, _ := strings.Cut(s, "/")
		return isTestName(name) && token.IsIdentifier(name)
	}
	isPath := func(s string) bool { ext := filepath.Ext(s); return ext == ".go" || ext == ".md" || ext == ".json" }

	table := 0 // lines of the table so far
	for i, line := range strings.Split(page, "\n") {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Sprintf("line %d: ", i+1)+fmt.Sprintf(format, args...))
		}
		for _, test := range names(line, isTest) {
			name, row, hasRow := strings.Cut(test, "/")
			literals, ok := tests[name]
			switch {
			case !ok:
				fault("there is no function %s in any test file", name)
			case hasRow && !literals[row]:
				fault("the file of %s does not hold %q", name, row)
			}
		}
		if !strings.HasPrefix(line, "|") {
			table = 0
			continue
		}
		if table++; table <= 2 {
			continue // the head and its rule
		}
		rows++
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			fault("the row has %d columns, not threat, guard, file and test", len(cells))
			continue
		}
		paths := names(cells[2], isPath)
		if len(paths) == 0 {
			fault("the row names no file")
		}
		for _, path := range paths {
			if _, err := fs.Stat(root, path); err != nil {
				fault("there is no file %s", path)
			}
		}
		if len(names(cells[3], isTest)) == 0 {
			fault("the row names no test")
		}
	}
	return rows, faults
}
