package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

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
	if err := os.MkdirAll(filepath.Dir(p.Credentials), 0o700); err != nil {
		return nil, fmt.Errorf("proxy.credentials: %w", err)
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
