package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// ErrCut says that the proxy has ended before all calls in flight were over.
var ErrCut = errors.New("calls in flight were cut")

// Run serves until a signal tells it to end. The first SIGTERM or interrupt ends it
// gracefully, a second one at once. A hangup opens the audit log's path again.
func Run(ctx context.Context, s Settings, signals <-chan os.Signal) (err error) {
	p := newPlan(s)
	if err := checkEnvironment(p, s.Env); err != nil {
		return err
	}
	var cert *certificate
	if p.TLS.Certificate != "" {
		if cert, err = loadCertificate(p.TLS.Certificate, p.TLS.Key, s.Log); err != nil {
			return err
		}
	}
	// The address comes before the files: a second proxy must not overwrite the keys of
	// the one that runs.
	l, err := listen(ctx, p)
	if err != nil {
		return err
	}
	defer l.Close()
	held, err := holdCredentials(p)
	if err != nil {
		return err
	}
	defer held.Close()
	r, err := openRecords(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	t, err := newTelemetry(ctx, s.Env, s.Version, s.Log)
	if err != nil {
		return err
	}
	defer func() { stopTelemetry(ctx, t, s) }()
	client, err := newClient(ctx, p, t, r, s.Log)
	if err != nil {
		return err
	}
	defer client.Close()
	handler, err := newHandler(p, client, s)
	if err != nil {
		return err
	}
	h := &health{records: r, door: t.join(handler)}
	return serveUntil(ctx, p, s, h, newServer(h, cert, s.Log), l, client, r, signals)
}

// newHandler makes the keys of the callers, and the door that they open.
func newHandler(p plan, client *securebedrock.Client, s Settings) (http.Handler, error) {
	made, err := makeKeys(p)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(made))
	for i := range made {
		ids[i] = made[i].AccessKeyID
	}
	if err := checkOwnKeys(ids, s.Env); err != nil {
		return nil, err
	}
	keys, err := bedrockhttp.NewKeys(made...)
	if err != nil {
		return nil, err
	}
	opts := bedrockhttp.HandlerOptions{
		Keys: keys, Hosts: p.Hosts, MaxBody: p.Limits.MaxBody, BodyTimeout: p.Limits.BodyTimeout, MaxInFlight: p.Limits.MaxInFlight, Log: s.Log,
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return bedrockhttp.Handler(client, opts), nil
}

// serveUntil serves, and ends in order.
func serveUntil(ctx context.Context, p plan, s Settings, h *health, server *http.Server, l net.Listener, client *securebedrock.Client, r *records, signals <-chan os.Signal) error {
	background, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() {
		warm(background, client, s.Log, func() {
			h.warm.Store(true)
			s.Log.Info("ready")
		})
	})
	served := make(chan error, 1)
	wait.Go(func() { served <- serve(server, l, p.TLS.Certificate != "") })
	s.Log.Info("listening", "network", p.network, "address", l.Addr().String(), "tls", p.TLS.Certificate != "", "callers", len(p.Callers),
		"region", p.options.Region, "recorded", r.log != nil, "version", s.Version)
	if _, err := io.WriteString(s.Out, banner(p, l.Addr())); err != nil {
		return errors.Join(err, server.Close())
	}
	if err := notify(ctx, s.Env, "READY=1"); err != nil {
		s.Log.Warn("systemd was not told that the proxy listens", "error", err.Error())
	}
	if failure := untilTold(ctx, r, s, signals, served); failure != nil {
		return errors.Join(failure, server.Close())
	}
	h.stopping.Store(true)
	if err := notify(ctx, s.Env, "STOPPING=1"); err != nil {
		s.Log.Warn("systemd was not told that the proxy ends", "error", err.Error())
	}
	s.Log.Info("ending", "grace", p.Shutdown.String())
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), p.Shutdown)
	defer stop()
	wait.Go(func() { // a second signal
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP {
					s.Log.Warn("ending at once")
					stop()
					return
				}
			case <-background.Done():
				return
			}
		}
	})
	if err := end(grace, server, client); err != nil {
		return fmt.Errorf("%w: %w", ErrCut, err)
	}
	s.Log.Info("ended")
	return nil
}

// untilTold waits for the signal to end, or for the failure of the listener.
func untilTold(ctx context.Context, r *records, s Settings, signals <-chan os.Signal, served <-chan error) error {
	for {
		select {
		case err := <-served:
			return fmt.Errorf("the listener has failed: %w", err)
		case <-ctx.Done():
			return nil
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				return nil
			}
			if err := r.reopen(); err != nil {
				s.Log.Error("the audit log cannot be opened again", "error", err.Error())
			} else {
				s.Log.Info("the audit log was opened again")
			}
		}
	}
}

// exportTimeout bounds how long the proxy waits for a collector at its end.
const exportTimeout = 5 * time.Second

func stopTelemetry(ctx context.Context, t *telemetry, s Settings) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
	defer cancel()
	if err := t.shutdown(ctx); err != nil {
		s.Log.Warn("the last spans and metrics were not exported", "error", err.Error())
	}
}
