package proxy

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// checkEnvironment refuses to start in the environment of a caller. The proxy would sign
// its own calls with the keys that it gives to callers, or would send its calls to
// itself.
func checkEnvironment(p plan, env func(string) (string, bool)) error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: %w", securebedrock.ErrConfig, fmt.Errorf(format, args...)))
	}
	for _, name := range []string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"} {
		if path, _ := env(name); sameFile(path, p.Credentials) {
			fault("%s names the file of proxy.credentials, which is for callers: the proxy would sign its calls to AWS with the callers' keys; start the proxy without %s", name, name)
		}
	}
	home, _ := env("HOME")
	if home == "" {
		home, _ = env("USERPROFILE")
	}
	for _, name := range []string{"credentials", "config"} {
		if home != "" && sameFile(filepath.Join(home, ".aws", name), p.Credentials) {
			fault("proxy.credentials names the user's own file of AWS credentials, which the proxy would overwrite; name another file, such as /run/securebedrock/credentials")
		}
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"} {
		if value, _ := env(name); p.isItself(value) {
			fault("%s names the proxy itself, so that this is the environment of a caller; start the proxy without %s", name, name)
		}
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		if value, _ := env(name); p.isItself(value) {
			fault("%s names the proxy itself, which is no forward proxy; start the proxy without %s", name, name)
		}
	}
	if p.isItself(p.options.Endpoint.URL) {
		fault("endpoint.url names the proxy itself; name the endpoint of Bedrock, or leave endpoint out")
	}
	return errors.Join(faults...)
}

// isItself reports an address at which the proxy listens.
func (p *plan) isItself(address string) bool {
	if address == "" || p.network != "tcp" {
		return false
	}
	if !strings.Contains(address, "://") { // HTTPS_PROXY may be host:port
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	own, ownPort, err := net.SplitHostPort(p.address)
	if err != nil || port != ownPort {
		return false
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() || host == "localhost" {
		return true
	}
	return host == own || slices.ContainsFunc(p.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// checkOwnKeys refuses a key of the door among the credentials of the environment.
func checkOwnKeys(ids []string, env func(string) (string, bool)) error {
	if id, _ := env("AWS_ACCESS_KEY_ID"); id != "" && slices.Contains(ids, id) {
		return fmt.Errorf("%w: AWS_ACCESS_KEY_ID is the key %s of a caller: the proxy would sign its calls to AWS with it; start the proxy with credentials of AWS", securebedrock.ErrConfig, refusal.Quoted(id))
	}
	return nil
}
