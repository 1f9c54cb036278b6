package proxy

import (
	"cmp"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// Settings are what Run needs beside the signals.
type Settings struct {
	File     configfile.File
	Dir      string // what the paths of File are relative to
	KeepKeys bool   // as Proxy.KeepKeys of File
	Version  string // of the command
	// Env looks up a variable, as os.LookupEnv. Only the checks of the environment use
	// it; the SDK and OpenTelemetry read the environment themselves.
	Env func(string) (string, bool)
	// Out receives the lines for a person, once the proxy listens.
	Out io.Writer
	// Log receives what happens. It has no prompt and no secret.
	Log *slog.Logger
}

// The defaults of what a file leaves out.
const (
	defaultApplication    = "securebedrock proxy"
	defaultWindow         = 24 * time.Hour
	defaultShutdown       = 30 * time.Second
	defaultMaxConnections = 4096
)

// plan is the proxy of a file with its defaults, and with paths that stand for
// themselves.
type plan struct {
	configfile.Proxy
	options          securebedrock.Options
	network, address string
}

func newPlan(s Settings) plan {
	p := plan{Proxy: *s.File.Proxy, options: s.File.Options.Clone()}
	for _, path := range []*string{&p.Credentials, &p.TLS.Certificate, &p.TLS.Key, &p.Audit.Log, &p.Audit.Keys} {
		*path = from(s.Dir, *path)
	}
	if p.network, p.address = p.Address(); p.network == "unix" {
		p.address = from(s.Dir, p.address)
	}
	p.KeepKeys = p.KeepKeys || s.KeepKeys
	p.Shutdown = cmp.Or(p.Shutdown, defaultShutdown)
	p.Audit.Application = cmp.Or(p.Audit.Application, defaultApplication)
	p.Limits.MaxConnections = cmp.Or(p.Limits.MaxConnections, defaultMaxConnections)
	return p
}

// from is a path that is relative to a folder.
func from(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// absolute is a path that can be given to another process.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// sameFile reports two paths of one file. The file need not be there.
func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if resolved(a) == resolved(b) {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// resolved follows links, as far as the path is there.
func resolved(path string) string {
	path = absolute(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	dir, name := filepath.Split(path)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return filepath.Join(real, name)
	}
	return path
}
