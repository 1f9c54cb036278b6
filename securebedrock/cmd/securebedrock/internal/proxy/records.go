package proxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// records is the audit log of a proxy, and knows whether it can be written.
type records struct {
	log *audit.Log // nil: the file says why nothing is recorded

	mu     sync.Mutex
	failed bool // the last write
	tried  time.Time
}

// tryEvery bounds how often a log that failed is tried again for the sake of readiness.
const tryEvery = 5 * time.Second

func openRecords(p plan) (*records, error) {
	if p.Unaudited != "" {
		return &records{}, nil
	}
	keys, err := audit.LoadKeys(p.Audit.Keys)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("proxy.audit.keys: %w; make them by: securebedrock audit keys -o %s", err, p.Audit.Keys)
	}
	if err != nil {
		return nil, fmt.Errorf("proxy.audit.keys: %w", err)
	}
	var opts audit.OpenOptions
	if p.Audit.SyncInterval > 0 {
		opts.File = audit.FileOptions{Sync: audit.SyncInterval, Interval: p.Audit.SyncInterval}
	}
	log, err := audit.Open(p.Audit.Log, keys, opts)
	if err != nil {
		return nil, fmt.Errorf("proxy.audit.log: %w", err)
	}
	return &records{log: log}, nil
}

// middleware records each call under its caller's name. Nil where nothing is recorded.
func (r *records) middleware(p plan, log *slog.Logger) (securebedrock.Middleware, error) {
	if r.log == nil {
		return nil, nil
	}
	return audit.Middleware(r, audit.Options{
		Application: p.Audit.Application,
		Subject:     bedrockhttp.Subject,
		OnLost: func(record *audit.Record, err error) {
			log.Error("a record was lost", "call", record.CallID, "error", err.Error())
		},
	})
}

// Write implements audit.Sink.
func (r *records) Write(ctx context.Context, record *audit.Record) error {
	err := r.log.Write(ctx, record)
	r.note(err)
	return err
}

// Flush implements audit.Flusher.
func (r *records) Flush(ctx context.Context) error { return r.log.Flush(ctx) }

func (r *records) note(err error) {
	r.mu.Lock()
	r.failed = err != nil
	r.mu.Unlock()
}

// writable reports whether the last write succeeded. A log that failed is tried again.
func (r *records) writable(ctx context.Context) bool {
	r.mu.Lock()
	failed, again := r.failed, time.Since(r.tried) > tryEvery
	if failed && again {
		r.tried = time.Now()
	}
	r.mu.Unlock()
	if !failed || !again {
		return !failed
	}
	err := r.log.Checkpoint(ctx)
	r.note(err)
	return err == nil
}

// reopen opens the log's path again, after another program has renamed the file.
func (r *records) reopen() error {
	if r.log == nil {
		return nil
	}
	err := r.log.Reopen() // writes a record
	r.note(err)
	return err
}

// close writes the last checkpoint.
func (r *records) close() error {
	if r.log == nil {
		return nil
	}
	return r.log.Close()
}
