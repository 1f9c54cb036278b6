package awssink_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/firehose"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/awssink"
)

const soon = 10 * time.Second

// clientFunc is a client of both services that does what a function says.
type clientFunc func(ctx context.Context, lines []string) error

func (f clientFunc) PutLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogEventsOutput, error) {
	var lines []string
	for _, e := range in.LogEvents {
		lines = append(lines, *e.Message)
	}
	return new(cloudwatchlogs.PutLogEventsOutput), f(ctx, lines)
}

func (f clientFunc) PutRecordBatch(ctx context.Context, in *firehose.PutRecordBatchInput, _ ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error) {
	var lines []string
	for _, r := range in.Records {
		lines = append(lines, string(r.Data))
	}
	return new(firehose.PutRecordBatchOutput), f(ctx, lines)
}

// both makes a sink of each service over a client.
func both(t *testing.T, client clientFunc, opts awssink.Options, f func(t *testing.T, sink *awssink.Sink)) {
	t.Helper()
	for _, name := range []string{"CloudWatchLogs", "Firehose"} {
		t.Run(name, func(t *testing.T) {
			sink, err := awssink.CloudWatchLogs(client, awssink.LogsOptions{Group: "group", Stream: "stream", Options: opts})
			if name == "Firehose" {
				sink, err = awssink.Firehose(client, awssink.FirehoseOptions{Stream: "stream", Options: opts})
			}
			if err != nil {
				t.Fatal(err)
			}
			f(t, sink)
		})
	}
}

// A client that panics, ends its goroutine, hangs or is down, and an OnLost that
// does, ends neither the process nor the patience of Write, Flush and Close.
func TestClientThatHangsOrPanics(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	clients := map[string]clientFunc{
		"panics":             func(context.Context, []string) error { panic("the secret record") },
		"ends its goroutine": func(context.Context, []string) error { runtime.Goexit(); return nil },
		"hangs":              func(context.Context, []string) error { <-release; return nil },
		"heeds its context":  func(ctx context.Context, _ []string) error { <-ctx.Done(); return ctx.Err() },
		"is down":            func(context.Context, []string) error { return errors.New("down") },
	}
	onLost := map[string]func(*audit.Record, error){
		"no OnLost":          nil,
		"OnLost that panics": func(*audit.Record, error) { panic("the secret record") },
		"OnLost that hangs":  func(*audit.Record, error) { <-release },
	}
	for name, client := range clients {
		for tells, f := range onLost {
			t.Run(name+" with "+tells, func(t *testing.T) {
				opts := awssink.Options{Buffer: 10, Linger: time.Millisecond, Attempts: 2, Timeout: 50 * time.Millisecond, CloseTimeout: 100 * time.Millisecond, OnLost: f}
				both(t, client, opts, func(t *testing.T, sink *awssink.Sink) {
					before := runtime.NumGoroutine()
					for i := range 5 {
						if err := sink.Write(t.Context(), record(i)); err != nil {
							t.Fatal(err)
						}
					}
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
					defer cancel()
					start := time.Now()
					told := sink.Flush(ctx)
					err := sink.Close()
					if told != nil && strings.Contains(told.Error(), "records were lost") {
						err = errors.Join(told, err) // Close does not repeat a loss that Flush has told
					}
					if took := time.Since(start); err == nil || took > soon || strings.Contains(err.Error(), "secret") {
						t.Errorf("Close after %v: %v", took, err)
					}
					if err != nil && !strings.Contains(err.Error(), "records were lost") {
						t.Errorf("Close: %v", err)
					}
					if f != nil && err != nil && !strings.Contains(err.Error(), "OnLost") {
						t.Errorf("Close does not tell of OnLost: %v", err)
					}
					if n := runtime.NumGoroutine() - before; n > 3 {
						t.Errorf("%d goroutines hang", n)
					}
				})
				opts.Buffer = 0
				both(t, client, opts, func(t *testing.T, sink *awssink.Sink) {
					start := time.Now()
					err := sink.Write(t.Context(), record(1))
					if took := time.Since(start); err == nil || took > soon || strings.Contains(err.Error(), "secret") {
						t.Errorf("Write after %v: %v", took, err)
					}
					if err := sink.Close(); err != nil {
						t.Errorf("Close tells again what Write has told: %v", err)
					}
				})
			})
		}
	}
}

// What is buffered when the time of Close is over is given to OnLost, each record
// of it.
func TestCloseTellsWhatIsLeft(t *testing.T) {
	for _, hang := range []bool{false, true} {
		release := make(chan struct{})
		var mu sync.Mutex
		lost := 0
		client := clientFunc(func(ctx context.Context, _ []string) error {
			if hang {
				<-release
			}
			<-ctx.Done()
			return ctx.Err()
		})
		opts := awssink.Options{Buffer: 100, Attempts: 1000, Timeout: time.Hour, CloseTimeout: 100 * time.Millisecond, OnLost: func(*audit.Record, error) { mu.Lock(); defer mu.Unlock(); lost++ }}
		both(t, client, opts, func(t *testing.T, sink *awssink.Sink) {
			lost = 0
			for i := range 40 {
				if err := sink.Write(t.Context(), record(i)); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			err := sink.Close()
			mu.Lock()
			defer mu.Unlock()
			if took := time.Since(start); err == nil || lost != 40 || took > soon {
				t.Errorf("hang %t, after %v: %v, %d told", hang, took, err, lost)
			}
		})
		close(release)
	}
}

// A send that hangs and then succeeds was made once, and nothing overtook it.
func TestSendThatHangsIsMadeOnce(t *testing.T) {
	var mu sync.Mutex
	var got []string
	client := clientFunc(func(_ context.Context, lines []string) error {
		mu.Lock()
		first := len(got) == 0
		got = append(got, lines...)
		mu.Unlock()
		if first {
			time.Sleep(300 * time.Millisecond)
		}
		return nil
	})
	both(t, client, awssink.Options{Buffer: 10, Attempts: 100, Timeout: 30 * time.Millisecond}, func(t *testing.T, sink *awssink.Sink) {
		mu.Lock()
		got = nil
		mu.Unlock()
		for i := range 3 {
			if err := sink.Write(t.Context(), record(i)); err != nil {
				t.Fatal(err)
			}
			if err := sink.Flush(t.Context()); err != nil {
				t.Errorf("Flush %d: %v", i, err)
			}
		}
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
		all := strings.Join(got, " ")
		if len(got) != 3 || strings.Index(all, "CALL0") > strings.Index(all, "CALL1") {
			t.Errorf("the lines are %q", got)
		}
	})
}

// A loss is told to each Flush that covers it and not to one before it.
func TestFlushTellsOfItsOwnLosses(t *testing.T) {
	gate := make(chan struct{})
	client := clientFunc(func(_ context.Context, lines []string) error {
		<-gate
		if strings.Contains(strings.Join(lines, ""), "CALL7") {
			return errors.New("down")
		}
		return nil
	})
	both(t, client, awssink.Options{Buffer: 10, Attempts: 1, Linger: time.Nanosecond}, func(t *testing.T, sink *awssink.Sink) {
		put := func(i int) {
			if err := sink.Write(t.Context(), record(i)); err != nil {
				t.Fatal(err)
			}
		}
		flush := func() chan error {
			c := make(chan error, 1)
			go func() { c <- sink.Flush(t.Context()) }()
			time.Sleep(100 * time.Millisecond) // it is in the buffer
			return c
		}
		put(1)
		before := flush()
		put(7)
		first, second := flush(), flush()
		for range 10 {
			select {
			case gate <- struct{}{}:
			case <-time.After(200 * time.Millisecond):
			}
		}
		for name, c := range map[string]struct {
			got  chan error
			lost bool
		}{"before": {before, false}, "after": {first, true}, "at the same time": {second, true}} {
			if err := <-c.got; (err != nil) != c.lost {
				t.Errorf("a Flush %s: %v", name, err)
			}
		}
		if err := sink.Flush(t.Context()); err != nil {
			t.Errorf("a later Flush: %v", err)
		}
		if err := sink.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
