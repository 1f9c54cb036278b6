package proxy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// holdCredentials keeps a second proxy off the credentials file until the result is
// closed. Its keys would lock out the callers of the first.
func holdCredentials(p plan) (io.Closer, error) {
	fail := func(err error) (io.Closer, error) {
		return nil, fmt.Errorf("proxy.credentials: %s: %w", p.Credentials, err)
	}
	dir, name := filepath.Dir(p.Credentials), filepath.Base(p.Credentials)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	root, err := os.OpenRoot(dir) // follows no link out of the folder
	if err != nil {
		return fail(err)
	}
	defer root.Close()
	f, err := root.OpenFile(name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fail(err)
	}
	if err := ownfile.Lock(f); err != nil {
		return fail(errors.Join(fmt.Errorf("another proxy has written its callers' keys there; end that proxy, or name another file: %w", err), f.Close()))
	}
	return f, nil
}

// makeKeys makes a key for each caller and writes the files that callers read. It takes a
// key that is there already where the plan says so.
func makeKeys(p plan) ([]bedrockhttp.Key, error) {
	former, err := formerKeys(p.Credentials)
	if err != nil {
		return nil, err
	}
	keys := make([]bedrockhttp.Key, len(p.Callers))
	for i, c := range p.Callers {
		made := bedrockhttp.NewKey(c.Name)
		keys[i] = made
		if at := slices.IndexFunc(former, func(k bedrockhttp.Key) bool { return k.Name == c.Name }); at >= 0 && p.KeepKeys {
			keys[i] = former[at] // wholly: the door knows that signatures of this key may be old
			if keys[i].Bearer == "" {
				keys[i].Bearer = made.Bearer
			}
		}
		if keys[i].Models = c.Models; !c.Bearer {
			keys[i].Bearer = ""
		}
	}
	if err := bedrockhttp.WriteCredentials(p.Credentials, keys...); err != nil {
		return nil, fmt.Errorf("proxy.credentials: %w", err)
	}
	for i := range keys {
		if err := writeToken(tokenFile(p.Credentials, keys[i].Name), keys[i].Bearer); err != nil {
			return nil, fmt.Errorf("proxy.callers: the token of %s: %w", keys[i].Name, err)
		}
	}
	return keys, nil
}

// formerKeys reads the credentials file, where there is one. A file that the proxy has not
// written is not overwritten.
func formerKeys(path string) ([]bedrockhttp.Key, error) {
	keys, err := bedrockhttp.ReadCredentials(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("proxy.credentials: %s is there and is no credentials file of a proxy that can be replaced; move it away, or name another file: %w", path, err)
	}
	return keys, nil
}

// tokenFile is where the bearer token of a caller stands.
func tokenFile(credentials, name string) string { return credentials + "." + name + ".token" }

// writeToken writes a token, wholly or not at all, for its owner alone. Without a token it
// removes the file.
func writeToken(path, token string) error {
	if token == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return ownfile.Replace(path, []byte(token+"\n"))
}
