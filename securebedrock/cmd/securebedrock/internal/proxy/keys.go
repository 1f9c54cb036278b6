package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
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
		keys[i] = bedrockhttp.NewKey(c.Name)
		if at := slices.IndexFunc(former, func(k bedrockhttp.Key) bool { return k.Name == c.Name }); at >= 0 && p.KeepKeys {
			keys[i].AccessKeyID, keys[i].SecretAccessKey = former[at].AccessKeyID, former[at].SecretAccessKey
		}
		keys[i].Models = c.Models
		if keys[i].Bearer, err = bearerOf(p, c, keys[i].Bearer); err != nil {
			return nil, err
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
		return nil, fmt.Errorf("proxy.credentials: %s is there and is no file of this proxy, which would overwrite it; move it away, or name another file: %w", path, err)
	}
	return keys, nil
}

// bearerOf is the token of a caller: none, the one of its file, or a new one.
func bearerOf(p plan, c configfile.ProxyCaller, made string) (string, error) {
	if !c.Bearer {
		return "", nil
	}
	if !p.KeepKeys {
		return made, nil
	}
	path := tokenFile(p.Credentials, c.Name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return made, nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := ownfile.Check(f)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	text := make([]byte, min(size, 1<<12))
	n, err := f.Read(text)
	token := strings.TrimSpace(string(text[:n]))
	if err != nil || len(token) != len(made) {
		return "", fmt.Errorf("%s holds no token of this proxy; remove it, and the proxy makes another", path)
	}
	return token, nil
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
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
