package proxy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// fakeEnv is an environment of "NAME=value".
func fakeEnv(lines ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, line := range lines {
			if n, value, _ := strings.Cut(line, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

func TestEnvironmentOfACallerIsRefused(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "run", "credentials")
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "run"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	for _, row := range []struct {
		what, listen, env, want string
		hosts                   []string
		endpoint                string
		credentials             string
	}{
		{what: "nothing"},
		{what: "credentials of its own", env: "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "other")},
		{what: "the callers' credentials", env: "AWS_SHARED_CREDENTIALS_FILE=" + own, want: "start the proxy without AWS_SHARED_CREDENTIALS_FILE"},
		{what: "the callers' credentials by another path", env: "AWS_SHARED_CREDENTIALS_FILE=" + dir + "/run/../run/./credentials", want: "without AWS_SHARED"},
		{what: "the callers' credentials by a link", env: "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "link", "credentials"), want: "without AWS_SHARED"},
		{what: "the callers' credentials as configuration", env: "AWS_CONFIG_FILE=" + own, want: "without AWS_CONFIG_FILE"},
		{what: "the user's own credentials", env: "HOME=" + dir, credentials: filepath.Join(dir, ".aws", "credentials"), want: "would overwrite"},
		{what: "the user's own configuration", env: "HOME=" + dir, credentials: filepath.Join(dir, ".aws", "config"), want: "would overwrite"},
		{what: "another endpoint", env: "AWS_ENDPOINT_URL=http://127.0.0.1:4566"},
		{what: "itself", env: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:8990", want: "without AWS_ENDPOINT_URL_BEDROCK_RUNTIME"},
		{what: "itself by name", env: "AWS_ENDPOINT_URL=http://localhost:8990/x", want: "without AWS_ENDPOINT_URL"},
		{what: "itself by IPv6", env: "AWS_ENDPOINT_URL=http://[::1]:8990", want: "without AWS_ENDPOINT_URL"},
		{what: "itself as a forward proxy", env: "HTTPS_PROXY=127.0.0.1:8990", want: "without HTTPS_PROXY"},
		{what: "itself as a forward proxy in lower case", env: "https_proxy=http://127.0.0.1:8990", want: "without https_proxy"},
		{what: "another forward proxy", env: "HTTPS_PROXY=http://proxy.internal:8990"},
		{what: "itself by a host of its own", listen: "10.0.0.1:443", hosts: []string{"bedrock.internal"}, env: "AWS_ENDPOINT_URL=https://Bedrock.internal", want: "without AWS_ENDPOINT_URL"},
		{what: "itself by its address", listen: "10.0.0.1:443", hosts: []string{"bedrock.internal"}, env: "AWS_ENDPOINT_URL=https://10.0.0.1", want: "without AWS_ENDPOINT_URL"},
		{what: "itself as Bedrock", endpoint: "http://127.0.0.1:8990", want: "endpoint.url names the proxy itself"},
		{what: "no URL", env: "AWS_ENDPOINT_URL=http://[::1"},
	} {
		t.Run(row.what, func(t *testing.T) {
			proxy := &configfile.Proxy{Listen: row.listen, Hosts: row.hosts, Credentials: own}
			if row.credentials != "" {
				proxy.Credentials = row.credentials
			}
			p := newPlan(Settings{File: configfile.File{Proxy: proxy, Options: securebedrock.Options{Endpoint: securebedrock.Endpoint{URL: row.endpoint}}}})
			err := checkEnvironment(p, fakeEnv(row.env))
			if row.want == "" && err == nil {
				return
			}
			if row.want == "" || err == nil || !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	if err := checkOwnKeys([]string{"one", "two"}, fakeEnv("AWS_ACCESS_KEY_ID=two")); err == nil || !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("a caller's key for its own: %v", err)
	}
	if err := checkOwnKeys([]string{"one"}, fakeEnv("AWS_ACCESS_KEY_ID=two")); err != nil {
		t.Error(err)
	}
}
