package awssink_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/firehose"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/awssink"
)

// service speaks the wire of both services and holds callers to their limits.
type service struct {
	mu       sync.Mutex
	lines    []string
	requests int
	most     int // records in a request
	faults   []fault
	delay    time.Duration
	last     int64
	wrong    []string
}

// fault is what happens to one request.
type fault struct {
	status int // of an error of the whole request
	code   string
	reject func(i int) bool // records that are not taken
}

func (s *service) complain(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	var f fault
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if f.status != 0 {
		w.WriteHeader(f.status)
		fmt.Fprintf(w, `{"__type":%q,"message":"secret"}`, f.code)
		return
	}
	rejected := func(i int) bool { return f.reject != nil && f.reject(i) }
	_, target, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch target {
	case "PutLogEvents":
		var in struct {
			LogGroupName, LogStreamName string
			LogEvents                   []struct {
				Timestamp int64
				Message   string
			}
		}
		if err := json.Unmarshal(body, &in); err != nil {
			s.complain("%v", err)
		}
		size := 0
		firstRejected := -1
		for i, e := range in.LogEvents {
			size += len(e.Message) + 26
			if e.Timestamp < s.last {
				s.complain("event %d goes back in time", i)
			}
			s.last = e.Timestamp
			if len(e.Message) > 1<<20 {
				s.complain("an event has %d bytes", len(e.Message))
			}
			if rejected(i) {
				if firstRejected < 0 {
					firstRejected = i
				}
				continue
			}
			s.lines = append(s.lines, e.Message)
		}
		if size > 1_048_576 || len(in.LogEvents) > 10_000 || in.LogGroupName != "group" || in.LogStreamName != "stream" {
			s.complain("a request of %d events and %d bytes to %s/%s", len(in.LogEvents), size, in.LogGroupName, in.LogStreamName)
		}
		s.most = max(s.most, len(in.LogEvents))
		if firstRejected >= 0 {
			fmt.Fprintf(w, `{"rejectedLogEventsInfo":{"tooNewLogEventStartIndex":%d}}`, firstRejected)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	case "PutRecordBatch":
		var in struct {
			DeliveryStreamName string
			Records            []struct{ Data []byte }
		}
		if err := json.Unmarshal(body, &in); err != nil {
			s.complain("%v", err)
		}
		size, failed := 0, 0
		var answers []string
		for i, r := range in.Records {
			size += len(r.Data)
			if len(r.Data) > 1_000*1024 || !bytes.HasSuffix(r.Data, []byte("\n")) {
				s.complain("a record has %d bytes and ends with %q", len(r.Data), r.Data[len(r.Data)-1])
			}
			if rejected(i) {
				failed++
				answers = append(answers, `{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"secret"}`)
				continue
			}
			answers = append(answers, `{"RecordId":"1"}`)
			s.lines = append(s.lines, strings.TrimSuffix(string(r.Data), "\n"))
		}
		if size > 4<<20 || len(in.Records) > 500 || in.DeliveryStreamName != "stream" {
			s.complain("a request of %d records and %d bytes", len(in.Records), size)
		}
		s.most = max(s.most, len(in.Records))
		fmt.Fprintf(w, `{"FailedPutCount":%d,"RequestResponses":[%s]}`, failed, strings.Join(answers, ","))
	default:
		s.complain("%s", r.Header.Get("X-Amz-Target"))
	}
}

// each makes both sinks, each over a service of its own.
func each(t *testing.T, opts awssink.Options, f func(t *testing.T, sink *awssink.Sink, s *service)) {
	t.Helper()
	for _, name := range []string{"CloudWatchLogs", "Firehose"} {
		t.Run(name, func(t *testing.T) {
			s := new(service)
			server := httptest.NewServer(s)
			defer server.Close()
			before := runtime.NumGoroutine()
			transport := new(http.Transport)
			httpClient := &http.Client{Transport: transport}
			creds := credentials.NewStaticCredentialsProvider("AKID", "SECRET", "")
			var sink *awssink.Sink
			var err error
			if name == "Firehose" {
				c := firehose.New(firehose.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &server.URL, HTTPClient: httpClient, RetryMaxAttempts: 1})
				sink, err = awssink.Firehose(c, awssink.FirehoseOptions{Stream: "stream", Options: opts})
			} else {
				c := cloudwatchlogs.New(cloudwatchlogs.Options{Region: "us-east-1", Credentials: creds, BaseEndpoint: &server.URL, HTTPClient: httpClient, RetryMaxAttempts: 1})
				sink, err = awssink.CloudWatchLogs(c, awssink.LogsOptions{Group: "group", Stream: "stream", Options: opts})
			}
			if err != nil {
				t.Fatal(err)
			}
			f(t, sink, s)
			_ = sink.Close()
			if err := sink.Write(t.Context(), record(1)); !errors.Is(err, audit.ErrClosed) {
				t.Errorf("a write after Close: %v", err)
			}
			transport.CloseIdleConnections()
			server.CloseClientConnections()
			for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
				}
			}
			if len(s.wrong) > 0 {
				t.Errorf("the service complains: %s", s.wrong[0])
			}
		})
	}
}

func record(i int) *audit.Record {
	return &audit.Record{Schema: audit.Schema, Kind: audit.KindOutcome, Time: time.Now().UTC(), CallID: fmt.Sprintf("CALL%d", i)}
}

func long(i, size int) *audit.Record {
	r := record(i)
	r.Output = &audit.Content{Blocks: []audit.Block{{Kind: "text", Text: strings.Repeat("x", size)}}}
	return r
}

// A write that has returned is stored, and those that come at once go together.
func TestWritersShareRequests(t *testing.T) {
	each(t, awssink.Options{}, func(t *testing.T, sink *awssink.Sink, s *service) {
		s.delay = 5 * time.Millisecond
		var wg sync.WaitGroup
		for g := range 64 {
			wg.Go(func() {
				for i := range 20 {
					id := 100*g + i
					if err := sink.Write(t.Context(), record(id)); err != nil {
						t.Error(err)
						return
					}
					s.mu.Lock()
					there := strings.Contains(strings.Join(s.lines, "\n"), fmt.Sprintf(`"CALL%d"`, id))
					s.mu.Unlock()
					if !there {
						t.Errorf("record %d was acknowledged and is not there", id)
						return
					}
				}
			})
		}
		wg.Wait()
		if len(s.lines) != 64*20 || s.requests > 64*20/4 || s.most < 8 {
			t.Errorf("%d lines in %d requests, at most %d in one", len(s.lines), s.requests, s.most)
		}
	})
}

// A thousand long records, whose requests have to be cut by bytes and by count.
func TestLimitsAreKept(t *testing.T) {
	each(t, awssink.Options{Buffer: 3000, Linger: 50 * time.Millisecond}, func(t *testing.T, sink *awssink.Sink, s *service) {
		for i := range 40 {
			if err := sink.Write(t.Context(), long(i, 200_000)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 1500 {
			if err := sink.Write(t.Context(), record(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := sink.Write(t.Context(), long(1, 999_000)); err != nil {
			t.Fatal(err)
		}
		if err := sink.Write(t.Context(), long(1, 1_000_000)); !errors.Is(err, awssink.ErrTooLarge) {
			t.Errorf("a record over the limit: %v", err)
		}
		if err := sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.lines) != 1541 {
			t.Errorf("%d lines", len(s.lines))
		}
	})
}

func TestFailuresAreSentAgain(t *testing.T) {
	down := fault{status: 503, code: "ServiceUnavailableException"}
	part := fault{reject: func(i int) bool { return i >= 1 }}
	for _, row := range []struct {
		name   string
		faults []fault
		ok     bool
	}{
		{"a request that fails once", []fault{down}, true},
		{"a record that is rejected once", []fault{{reject: func(int) bool { return true }}}, true},
		{"a request of which a part is taken", []fault{part, part}, true},
		{"a service that is down", []fault{down, down, down}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, awssink.Options{Attempts: 3}, func(t *testing.T, sink *awssink.Sink, s *service) {
				s.faults = append([]fault(nil), row.faults...)
				err := sink.Write(t.Context(), record(1))
				if (err == nil) != row.ok || (len(s.lines) == 1) != row.ok {
					t.Errorf("%v, %d lines", err, len(s.lines))
				}
			})
		})
	}
	t.Run("a buffered record that is lost is told", func(t *testing.T) {
		var lost []*audit.Record
		each(t, awssink.Options{Buffer: 10, Attempts: 1, OnLost: func(r *audit.Record, _ error) { lost = append(lost, r) }}, func(t *testing.T, sink *awssink.Sink, s *service) {
			lost = nil
			s.faults = []fault{down}
			if err := sink.Write(t.Context(), record(7)); err != nil {
				t.Fatal(err)
			}
			if err := sink.Flush(t.Context()); err == nil || len(lost) != 1 || lost[0].CallID != "CALL7" {
				t.Errorf("%v, lost %v", err, lost)
			}
			if err := sink.Flush(t.Context()); err != nil {
				t.Errorf("a second Flush tells it again: %v", err)
			}
		})
	})
}

func TestContextEndsAWrite(t *testing.T) {
	each(t, awssink.Options{}, func(t *testing.T, sink *awssink.Sink, s *service) {
		s.delay = 300 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if err := sink.Write(ctx, record(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// A chain through a buffered sink verifies as CloudWatch Logs has it.
func TestChainVerifies(t *testing.T) {
	key := audit.Key{ID: "k", Secret: bytes.Repeat([]byte{1}, 32)}
	signer := audit.Signer{ID: "s", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))}
	each(t, awssink.Options{Buffer: 100, Linger: time.Millisecond}, func(t *testing.T, sink *awssink.Sink, s *service) {
		s.faults = []fault{{status: 500, code: "InternalFailure"}}
		chain, err := audit.Chain(sink, audit.ChainOptions{Key: key, Signer: signer, Every: 10})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			if err := chain.Write(t.Context(), record(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := chain.Close(); err != nil {
			t.Fatal(err)
		}
		report, err := audit.Verify(strings.NewReader(strings.Join(s.lines, "\n")+"\n"), audit.Keys{MAC: []audit.Key{key},
			Signers: map[string]ed25519.PublicKey{"s": signer.Key.Public().(ed25519.PublicKey)}})
		if err != nil || !report.OK() || report.Records != 500+report.Checkpoints {
			t.Errorf("%v: %+v", err, report)
		}
	})
}

// A record that the service would never take stops no chain: nothing of the record is
// stored, and the next record has its number.
func TestChainGoesOnAfterATooLargeRecord(t *testing.T) {
	key := audit.Key{ID: "k", Secret: bytes.Repeat([]byte{1}, 32)}
	signer := audit.Signer{ID: "s", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))}
	each(t, awssink.Options{}, func(t *testing.T, sink *awssink.Sink, s *service) {
		chain, err := audit.Chain(sink, audit.ChainOptions{Key: key, Signer: signer})
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.Write(t.Context(), long(0, 1_000_000)); !errors.Is(err, awssink.ErrTooLarge) || !errors.Is(err, audit.ErrNotWritten) {
			t.Fatalf("a record over the limit: %v", err)
		}
		if err := chain.Write(t.Context(), record(1)); err != nil {
			t.Fatalf("the record after it: %v", err)
		}
		if err := chain.Close(); err != nil {
			t.Fatal(err)
		}
		report, err := audit.Verify(strings.NewReader(strings.Join(s.lines, "\n")+"\n"), audit.Keys{MAC: []audit.Key{key},
			Signers: map[string]ed25519.PublicKey{"s": signer.Key.Public().(ed25519.PublicKey)}})
		if err != nil || !report.OK() {
			t.Errorf("%v: %+v", err, report)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := awssink.CloudWatchLogs(nil, awssink.LogsOptions{Options: awssink.Options{Attempts: -1}})
	for _, word := range []string{"api", "Group", "Stream", "Attempts"} {
		if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s is not named in %v", word, err)
		}
	}
	if _, err := awssink.Firehose(nil, awssink.FirehoseOptions{}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("%v", err)
	}
}
