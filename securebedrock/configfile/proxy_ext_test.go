package configfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// withProxy is a sound file whose proxy also has some lines.
func withProxy(lines ...string) string {
	return sound + "proxy:\n  " + strings.Join(lines, "\n  ") + "\n"
}

const (
	aFile     = "credentials: keys"
	aCaller   = "callers: [{name: claims}]"
	unaudited = "unaudited: a test"
)

func TestProxyIsRefused(t *testing.T) {
	for _, row := range []struct {
		what, want string
		lines      []string
	}{
		{"an unknown key", "\"lisen\" is no key of proxy; did you mean listen?", []string{"lisen: \"127.0.0.1:1\"", aFile, aCaller, unaudited}},
		{"a secret", "\"secret\" is no key of proxy.callers[0]: a secret never stands in this file", []string{aFile, unaudited, "callers: [{name: a, secret: b}]"}},
		{"no credentials", "x.yaml:5:1: proxy.credentials: it is required", []string{aCaller, unaudited}},
		{"no callers", "x.yaml:5:1: proxy.callers: they are required, since nobody enters without a key", []string{aFile, unaudited}},
		{"an empty list of callers", "proxy.callers: the list is empty", []string{aFile, unaudited, "callers: []"}},
		{"neither audit nor a reason", "x.yaml:5:1: proxy.audit: call without a record: name a log and its keys, or say in unaudited why there is none", []string{aFile, aCaller}},
		{"audit and a reason for none", "x.yaml:9:3: proxy.unaudited: it excludes audit", []string{aFile, aCaller, "audit: {log: a, keys: b}", unaudited}},
		{"a reason of blanks", "proxy.unaudited: it gives no reason", []string{aFile, aCaller, "unaudited: \" \""}},
		{"audit without a log", "proxy.audit.log: it is required", []string{aFile, aCaller, "audit: {keys: b}"}},
		{"audit without keys", "x.yaml:8:3: proxy.audit.keys: it is required where there is audit; make the keys by: securebedrock audit keys", []string{aFile, aCaller, "audit: {log: a}"}},
		{"one file for log and keys", "proxy.audit.keys: it is the log's own path", []string{aFile, aCaller, "audit: {log: a, keys: a}"}},
		{"the log in the place of the credentials", "proxy.credentials: \"keys\" is also the file of proxy.audit.log", []string{aFile, aCaller, "audit: {log: keys, keys: b}"}},
		{"the socket in the place of the credentials", "proxy.credentials: \"keys\" is also the file of proxy.listen", []string{aFile, aCaller, unaudited, "listen: unix:keys"}},
		{"every interface", "x.yaml:9:3: proxy.listen: \"0.0.0.0\" is not a loopback address: prompts and keys would pass the network unencrypted; listen on 127.0.0.1 or a Unix socket, or give tls", []string{aFile, aCaller, unaudited, "listen: \"0.0.0.0:80\""}},
		{"every IPv6 interface", "proxy.listen: \"::\" is not a loopback address", []string{aFile, aCaller, unaudited, "listen: \"[::]:80\""}},
		{"a port alone", "proxy.listen: \":80\" names no address", []string{aFile, aCaller, unaudited, "listen: \":80\""}},
		{"a name", "proxy.listen: \"localhost\" is no IP address", []string{aFile, aCaller, unaudited, "listen: localhost:80"}},
		{"an IPv4 address within IPv6", "is not a loopback address", []string{aFile, aCaller, unaudited, "listen: \"[::ffff:10.0.0.1]:80\""}},
		{"no port", "proxy.listen: \"127.0.0.1\" is no address with a port, such as 127.0.0.1:8990", []string{aFile, aCaller, unaudited, "listen: \"127.0.0.1\""}},
		{"an IPv6 address without brackets", "\"::1:80\" is no address with a port", []string{aFile, aCaller, unaudited, "listen: \"::1:80\""}},
		{"half a bracket", "is no address with a port", []string{aFile, aCaller, unaudited, "listen: \"[::1:80\""}},
		{"an IPv4 address in brackets", "is no address with a port", []string{aFile, aCaller, unaudited, "listen: \"[127.0.0.1]:80\""}},
		{"an address with a zone", "is no IP address", []string{aFile, aCaller, unaudited, "listen: \"[::1%a b]:80\""}},
		{"a port by name", "proxy.listen: \"http\" is no port", []string{aFile, aCaller, unaudited, "listen: 127.0.0.1:http"}},
		{"a port that is too high", "proxy.listen: \"65536\" is no port", []string{aFile, aCaller, unaudited, "listen: \"127.0.0.1:65536\""}},
		{"a port with a sign", "is no port", []string{aFile, aCaller, unaudited, "listen: \"127.0.0.1:+80\""}},
		{"a socket without a path", "proxy.listen: \"unix:\" names no socket", []string{aFile, aCaller, unaudited, "listen: \"unix:\""}},
		{"a folder for a socket", "names no socket", []string{aFile, aCaller, unaudited, "listen: unix:/run/"}},
		{"a socket with TLS", "proxy.tls: a Unix socket has no TLS", []string{aFile, aCaller, unaudited, "listen: unix:/run/x", "tls: {certificate: a, key: b}"}},
		{"half a certificate", "proxy.tls: a certificate and its key belong together", []string{aFile, aCaller, unaudited, "tls: {certificate: a}"}},
		{"another address without hosts", "proxy.hosts: they are required where listen is not a loopback address", []string{aFile, aCaller, unaudited, "listen: \"10.0.0.1:443\"", "tls: {certificate: a, key: b}"}},
		{"a host with a scheme", "proxy.hosts[0]: \"https://x\": it is no plain host name", []string{aFile, aCaller, unaudited, "hosts: [\"https://x\"]"}},
		{"a host with a final dot", "proxy.hosts[0]: \"x.\": it ends in a dot", []string{aFile, aCaller, unaudited, "hosts: [\"x.\"]"}},
		{"any host", "proxy.hosts[1]: (no identifier): it is no plain host name", []string{aFile, aCaller, unaudited, "hosts: [a, \"*.x\"]"}},
		{"a caller without a name", "proxy.callers[0].name: it is required", []string{aFile, unaudited, "callers: [{bearer: true}]"}},
		{"a caller named twice", "proxy.callers[1].name: \"Claims\" is there twice", []string{aFile, unaudited, "callers: [{name: claims}, {name: Claims}]"}},
		{"another caller than the first with the name default", "proxy.callers[1].name: \"default\" is the profile of the first caller", []string{aFile, unaudited, "callers: [{name: a}, {name: default}]"}},
		{"a caller with a path for a name", "proxy.callers[0].name: \"../x\" is no name", []string{aFile, unaudited, "callers: [{name: ../x}]"}},
		{"a caller with a bracket in its name", "is no name", []string{aFile, unaudited, "callers: [{name: \"a]\"}]"}},
		{"a caller with an umlaut", "is no name", []string{aFile, unaudited, "callers: [{name: \"\u00e4\"}]"}},
		{"a model with a blank", "x.yaml:8:28: proxy.callers[0].models: \" a\" matches no model identifier", []string{aFile, unaudited, "callers: [{name: claims, models: [\" a\"]}]"}},
		{"no model", "proxy.callers[0].models: the list is empty", []string{aFile, unaudited, "callers: [{name: claims, models: []}]"}},
		{"a budget of nothing", "budget.tokens: 0 stands for the default", []string{aFile, unaudited, "callers: [{name: claims, budget: {tokens: 0}}]"}},
		{"a budget below nothing", "proxy.callers[0].budget.tokens: -1; a budget has one token at least", []string{aFile, unaudited, "callers: [{name: claims, budget: {tokens: -1}}]"}},
		{"a window without tokens", "budget.tokens: 0; a budget has one token at least", []string{aFile, unaudited, "callers: [{name: claims, budget: {window: 1h}}]"}},
		{"a window of half a second", "budget.window: 500ms; write whole seconds", []string{aFile, unaudited, "callers: [{name: claims, budget: {tokens: 1, window: 500ms}}]"}},
		{"a limit below nothing", "x.yaml:9:12: proxy.limits.max_body: it is below zero", []string{aFile, aCaller, unaudited, "limits: {max_body: -1}"}},
		{"an interval below nothing", "proxy.audit.sync_interval: it is below zero", []string{aFile, aCaller, "audit: {log: a, keys: b, sync_interval: -1s}"}},
		{"a grace below nothing", "proxy.shutdown: it is below zero", []string{aFile, aCaller, unaudited, "shutdown: -1s"}},
	} {
		t.Run(row.what, func(t *testing.T) {
			file, err := configfile.ParseFile([]byte(withProxy(row.lines...)), "x.yaml")
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Fatalf("got  %v\nwant %s", err, row.want)
			}
			if !errors.Is(err, securebedrock.ErrConfig) || file.Proxy != nil || file.Options.Region != "" {
				t.Errorf("a file with a fault gave %+v, %v", file, err)
			}
		})
	}
}

func TestProxyIsAccepted(t *testing.T) {
	for _, row := range []struct {
		network, address string
		lines            []string
	}{
		{"tcp", configfile.DefaultListen, nil},
		{"tcp", "127.0.0.1:0", []string{"listen: \"127.0.0.1:0\""}},
		{"tcp", "[::1]:80", []string{"listen: \"[::1]:80\""}},
		{"tcp", "127.9.9.9:80", []string{"listen: \"127.9.9.9:80\"", "tls: {certificate: a, key: b}"}},
		{"tcp", "0.0.0.0:443", []string{"listen: \"0.0.0.0:443\"", "tls: {certificate: a, key: b}", "hosts: [bedrock.internal, \"10.0.0.1\", \"fd00::1\"]"}},
		{"unix", "/run/x/y.sock", []string{"listen: unix:/run/x/y.sock"}},
		{"unix", "y.sock", []string{"listen: unix:y.sock"}},
	} {
		file, err := configfile.ParseFile([]byte(withProxy(append(row.lines, aFile, aCaller, unaudited)...)), "")
		if err != nil {
			t.Errorf("%s: %v", row.address, err)
			continue
		}
		if network, address := file.Proxy.Address(); network != row.network || address != row.address {
			t.Errorf("%s: got %s %s", row.address, network, address)
		}
	}
	if file, err := configfile.ParseFile([]byte(sound), ""); err != nil || file.Proxy != nil {
		t.Errorf("without a proxy: %+v %v", file.Proxy, err)
	}
}

// TestProxyArrives writes a proxy with every field and reads it again.
func TestProxyArrives(t *testing.T) {
	file := configfile.File{
		Options: securebedrock.Options{Region: "eu-central-1", Guardrail: securebedrock.Guardrail{ID: "abc", Version: "1"}},
		Proxy: &configfile.Proxy{
			Listen: "10.0.0.1:443", TLS: configfile.ProxyTLS{Certificate: "a.crt", Key: "a.key"}, Hosts: []string{"bedrock.internal"},
			Credentials: "/run/keys", KeepKeys: true,
			Callers: []configfile.ProxyCaller{
				{Name: "claims", Models: []string{"amazon.nova-*"}, Budget: configfile.ProxyBudget{Tokens: 5_000_000_000, Window: time.Hour}, Bearer: true},
				{Name: "1"},
			},
			Audit:    configfile.ProxyAudit{Log: "audit.log", Keys: "keys.json", Application: "on", SyncInterval: time.Second},
			Limits:   configfile.ProxyLimits{MaxBody: 1, BodyTimeout: time.Second, MaxInFlight: 2, MaxConnections: 3},
			Shutdown: time.Minute,
		},
	}
	text, err := configfile.MarshalFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "securebedrock.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := configfile.LoadFile(path)
	if err != nil || !reflect.DeepEqual(got, file) {
		t.Errorf("%v\ngot  %+v\nwant %+v\n%s", err, got.Proxy, file.Proxy, text)
	}
	file.Proxy.Credentials = ""
	if _, err := configfile.MarshalFile(file); err == nil || !strings.Contains(err.Error(), "proxy.credentials: it is required") {
		t.Errorf("a faulty proxy is written: %v", err)
	}
}
