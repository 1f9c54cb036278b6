package policy

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

const (
	indexFile = "index.html"
	sumsFile  = "SHA256SUMS"
	// sumsHead marks a list of digests as this package's. sha256sum passes over a
	// comment.
	sumsHead = "# written by securebedrock policies\n"
	// largestFile bounds what is read of a file that is in the way.
	largestFile = 8 << 20
)

// WriteDir writes every document of All into a folder, each as NAME.json, with
// index.html, which describes them, with CloudFormation templates, and with SHA256SUMS.
// The folder is made where it is missing. The same Spec gives the same bytes.
//
// A file holds what AWS is given. It is indented where AWS does not count white space,
// and has no white space where AWS counts it.
//
// WriteDir replaces and removes only what an earlier WriteDir wrote and nobody changed
// since, which SHA256SUMS tells. Where another file is in the way, WriteDir writes
// nothing and returns an error that wraps fs.ErrExist. Each file is replaced as a whole.
// One program at a time may write a folder.
func WriteDir(dir string, s *Spec) error {
	docs, err := All(s)
	if err != nil {
		return err
	}
	files, err := folder(s, docs)
	if err != nil {
		return err
	}
	return writeFiles(dir, files)
}

// file is what AWS is given of the document.
func (d Document) file() string {
	if d.Kind.facts().whiteSpace {
		return d.JSON()
	}
	return d.Indented()
}

// folder makes the files, by name.
func folder(s *Spec, docs []Document) (map[string]string, error) {
	files := make(map[string]string, len(docs)+3)
	var faults []error
	for _, d := range docs {
		if err := checkName(d.Name); err != nil {
			faults = append(faults, err)
			continue
		}
		files[d.Name+".json"] = d.file()
	}
	var templates []string
	for _, part := range []struct {
		name         string
		organization bool
	}{{"cloudformation-account.json", false}, {"cloudformation-organization.json", true}} {
		mine := slices.DeleteFunc(slices.Clone(docs), func(d Document) bool { return d.Kind.ofOrganization() != part.organization })
		if len(mine) == 0 {
			continue
		}
		text, err := CloudFormation(mine)
		faults = append(faults, err)
		files[part.name] = string(text)
		templates = append(templates, part.name)
	}
	page, err := indexPage(s, docs, templates...)
	files[indexFile] = string(page)
	faults = append(faults, err)
	if len(files) != len(docs)+len(templates)+1 {
		faults = append(faults, errors.New("policy: two documents have one name; give each document a name of its own"))
	}
	return files, errors.Join(faults...)
}

// ofOrganization says whether the management account makes the policy.
func (k Kind) ofOrganization() bool { return k == KindSCP || k == KindRCP || k == KindBedrock }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// writeFiles writes all files or, where one is in the way, none.
func writeFiles(dir string, files map[string]string) error {
	return writeFilesBy(replace, dir, files)
}

func writeFilesBy(replace func(root *os.Root, name, text string) error, dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no link leads out of the folder
	if err != nil {
		return err
	}
	defer root.Close()
	before, err := readSums(root)
	if err != nil {
		return err
	}
	var faults []error
	var stale, changed []string
	names := slices.AppendSeq(slices.Collect(maps.Keys(files)), maps.Keys(before))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		wanted, keep := files[name]
		text, err := readRegular(root, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			changed = append(changed, name)
		case err != nil:
			faults = append(faults, err)
		case keep && text == wanted:
		case !slices.Contains(before[name], digest(text)):
			faults = append(faults, inTheWay(name))
		case keep:
			changed = append(changed, name)
		default:
			stale = append(stale, name)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}

	// A run that is cut short leaves files of before and of now, and a list that has
	// the digests of both: the next run knows them all for its own.
	after := make(map[string][]string, len(files))
	both := make(map[string][]string, len(files))
	maps.Copy(both, before)
	for name, text := range files {
		after[name] = []string{digest(text)}
		both[name] = append(slices.Clone(before[name]), after[name]...)
	}
	if err := replace(root, sumsFile, formatSums(both)); err != nil {
		return err
	}
	for _, name := range changed {
		if text, keep := files[name]; keep {
			if err := replace(root, name, text); err != nil {
				return err
			}
		}
	}
	for _, name := range stale {
		if err := root.Remove(name); err != nil {
			return err
		}
	}
	return replace(root, sumsFile, formatSums(after))
}

func inTheWay(name string) error {
	return fmt.Errorf("policy: %s is not as this package wrote it; move the file away, or write to another folder: %w", name, fs.ErrExist)
}

// readRegular reads a file that is no link, no folder and no device.
func readRegular(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > largestFile {
		return "", inTheWay(name)
	}
	text, err := root.ReadFile(name)
	return string(text), err
}

// replace writes a file under a name of its own first, so that the file of this name is
// always whole.
func replace(root *os.Root, name, text string) (err error) {
	fresh := "." + name + "." + rand.Text()
	f, err := root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = root.Rename(fresh, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(fresh))
	}
	return nil
}

// readSums returns the digests that earlier runs wrote, by file. A list that this
// package did not write is in the way.
func readSums(root *os.Root) (map[string][]string, error) {
	text, err := readRegular(root, sumsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines, ours := strings.CutPrefix(text, sumsHead)
	if !ours {
		return nil, inTheWay(sumsFile)
	}
	sums := make(map[string][]string)
	for line := range strings.Lines(lines) {
		sum, name, good := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		base, isJSON := strings.CutSuffix(name, ".json")
		if !good || name != indexFile && (!isJSON || checkName(base) != nil) {
			return nil, inTheWay(sumsFile)
		}
		sums[name] = append(sums[name], sum)
	}
	return sums, nil
}

func formatSums(sums map[string][]string) string {
	var out strings.Builder
	out.WriteString(sumsHead)
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		for _, sum := range sums[name] {
			fmt.Fprintf(&out, "%s  %s\n", sum, name)
		}
	}
	return out.String()
}
