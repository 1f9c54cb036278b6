package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/securebedrock/securebedrock-go/securebedrock/cmd/securebedrock/internal/proxy"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

func newProxy(global *globals) *cobra.Command {
	var keep, probe bool
	c := &cobra.Command{
		Use:   "proxy",
		Short: "Serve the guarded client to the SDKs of other languages and processes",
		Long: `proxy is a sidecar: it takes the requests of any SDK for Bedrock Runtime on a loopback address
or a Unix socket, and makes a call of the guarded client of each. The rules, the guardrail,
the retries and the record are those of the configuration file, whatever the caller sets.

Nobody enters without a key. At the start, proxy writes a key for each caller into an AWS
shared credentials file (mode 0600), which every AWS SDK reads, and prints what to set. The
callers' keys never leave the machine; the proxy's own credentials sign the calls to AWS.

The section "proxy" of the file says where proxy listens, who may call, and where calls are
recorded; "securebedrock init --example" explains its keys. proxy takes credentials, an
HTTPS proxy and a certificate bundle from the environment as the library does, and the
OTEL_* variables of OpenTelemetry (OTLP over HTTP). Nothing there changes a rule.

/healthz answers 200 while the proxy lives. /readyz answers 200 once credentials were
fetched, while records can be written and the proxy is not ending. "proxy --ready" asks the
proxy of the same file, and its exit code is 1 where that is not ready.

SIGTERM or an interrupt ends proxy once the calls in flight are over, or after the time that
"shutdown" gives; a second one ends it at once. SIGHUP opens the audit log's path again after
a rotation. A renewed certificate is taken by itself. The log on stderr is JSON, and holds
neither prompts nor keys.`,
		Example: `  securebedrock proxy
  securebedrock proxy -c /etc/securebedrock/securebedrock.yaml
  securebedrock proxy --keep-keys          # callers keep their keys over a restart
  securebedrock proxy --ready              # the probe of a container`,
		Args: noArgs,
	}
	c.Flags().BoolVar(&keep, "keep-keys", false, "take the keys that the credentials file has, and make only those that are missing")
	c.Flags().BoolVar(&probe, "ready", false, "ask the proxy that runs with this file whether it is ready, and start none")
	c.RunE = action(func(c *cobra.Command, _ []string) error {
		file, err := configfile.LoadFile(global.config)
		if errors.Is(err, fs.ErrNotExist) {
			return missing(global.config)
		}
		if err != nil {
			return err
		}
		if file.Proxy == nil {
			return fmt.Errorf("%s has no proxy section; add proxy with credentials, callers and audit: 'securebedrock init --example' explains the keys", global.config)
		}
		settings := proxy.Settings{
			File: file, Dir: filepath.Dir(global.config), KeepKeys: keep, Version: ownVersion(), Env: os.LookupEnv,
			Out: c.OutOrStdout(), Log: slog.New(slog.NewJSONHandler(c.ErrOrStderr(), nil)),
		}
		if probe {
			return askWhetherReady(c, settings)
		}
		signals := make(chan os.Signal, 4)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		defer signal.Stop(signals)
		return proxy.Run(c.Context(), settings, signals)
	})
	return c
}

// askWhetherReady is the probe. A proxy that is not ready is a finding.
func askWhetherReady(c *cobra.Command, s proxy.Settings) error {
	err := proxy.Probe(c.Context(), s)
	if errors.Is(err, proxy.ErrNotReady) {
		fmt.Fprintf(c.OutOrStdout(), "%s\n", err)
		return finding()
	}
	if err == nil {
		_, err = fmt.Fprintln(c.OutOrStdout(), "ready")
	}
	return err
}
