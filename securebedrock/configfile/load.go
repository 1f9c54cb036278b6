package configfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// Load reads the file at path, as Parse does. It refuses what is no regular file, and a
// file that every user of the machine may write. A group may: a checkout with umask 002
// is such a file.
func Load(path string) (securebedrock.Options, policy.Account, error) {
	f, err := LoadFile(path)
	return f.Options, f.Account, err
}

// File is all that a file says.
type File struct {
	Options securebedrock.Options
	Account policy.Account // zero where the file has none
	Proxy   *Proxy         // nil where the file has none
}

// LoadFile is Load for those who need the proxy, too.
func LoadFile(path string) (File, error) {
	text, err := read(path)
	if err != nil {
		return File{}, fmt.Errorf("configfile: %w: %w", securebedrock.ErrConfig, err)
	}
	return ParseFile(text, path)
}

func read(path string) ([]byte, error) {
	// Opening a named pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of the file that is read
	if err != nil {
		return nil, err
	}
	if err := writable(info); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}

// Parse reads the text of a file. name stands in errors. Parse reports every fault at
// once, each a *Error: what is wrong with the text; otherwise what
// securebedrock.Options.Validate says of the Options, policy.For of the account where the
// file has one, and Proxy.Validate of the proxy where the file has one.
func Parse(text []byte, name string) (securebedrock.Options, policy.Account, error) {
	f, err := ParseFile(text, name)
	return f.Options, f.Account, err
}

// ParseFile is Parse for those who need the proxy, too.
func ParseFile(text []byte, name string) (File, error) {
	f := &faults{file: name}
	if f.file == "" {
		f.file = "configuration"
	}
	var doc document
	d := &decoder{faults: f, places: map[string]place{}}
	if f.checkText(string(text)) {
		if root := f.parse(string(text)); root != nil {
			d.structure(root, "", reflect.ValueOf(&doc).Elem())
		}
	}
	if len(f.list) == 0 {
		d.judge(doc)
	}
	if err := errors.Join(f.list...); err != nil {
		return File{}, err
	}
	return File{Options: doc.Options, Account: doc.Account, Proxy: doc.Proxy}, nil
}

// judge notes what the library says of a file that could be read.
func (d *decoder) judge(doc document) {
	err := doc.Validate()
	if _, ok := d.places["account"]; ok {
		_, err = policy.For(doc.Options, doc.Account) // which validates the Options
	}
	if doc.Proxy != nil {
		err = errors.Join(err, doc.Proxy.Validate())
	}
	for _, one := range split(err) {
		var fault *refusal.FieldFault
		if !errors.As(one, &fault) {
			d.note(place{}, "", "", one)
			continue
		}
		key := keyOfField(fault.Field)
		if key == "" {
			key = fault.Field
		}
		at := d.placeOf(key)
		d.note(at, key, d.excerpt(at), fault.Err)
	}
}

// split takes joined errors apart. A fault that wraps several errors stays whole.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || reflect.TypeOf(err) != reflect.TypeOf(errors.Join(err)) {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, split(e)...)
	}
	return all
}

// placeOf is where a key stands, or the nearest parent that is there.
func (d *decoder) placeOf(key string) place {
	for {
		if at, ok := d.places[key]; ok {
			return at
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return place{}
		}
		key = key[:i]
	}
}
