package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrockdoc "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const haiku = "anthropic.claude-3-haiku-20240307-v1:0"

var errSink = errors.New("no space left")

// memory is a sink that keeps records and can be told to fail.
type memory struct {
	mu      sync.Mutex
	records []*audit.Record
	fail    func(r *audit.Record) error
}

func (m *memory) Write(_ context.Context, r *audit.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(r); err != nil {
			return err
		}
	}
	m.records = append(m.records, r)
	return nil
}

func (m *memory) all() []*audit.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]*audit.Record(nil), m.records...)
}

// wait returns when n records are there.
func (m *memory) wait(t testing.TB, n int) []*audit.Record {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if all := m.all(); len(all) >= n || time.Now().After(deadline) {
			if len(all) != n {
				t.Fatalf("%d records, want %d", len(all), n)
			}
			return all
		}
	}
}

// pair is the records of the one call there was.
func (m *memory) pair(t testing.TB) (intent, outcome *audit.Record) {
	t.Helper()
	all := m.wait(t, 2)
	if all[0].Kind != audit.KindIntent || all[1].Kind != audit.KindOutcome || all[0].CallID != all[1].CallID || all[0].CallID == "" {
		t.Fatalf("no pair: %+v and %+v", all[0], all[1])
	}
	return all[0], all[1]
}

func record(t testing.TB, sink audit.Sink, opts audit.Options) securebedrock.Middleware {
	t.Helper()
	mw, err := audit.Middleware(sink, opts)
	if err != nil {
		t.Fatal(err)
	}
	return mw
}

// newClient is a client of server that records in sink.
func newClient(t testing.TB, server *bedrocktest.Server, sink audit.Sink, opts audit.Options, change ...func(*securebedrock.Options)) *securebedrock.Client {
	t.Helper()
	o := server.Options()
	o.Middleware = []securebedrock.Middleware{record(t, sink, opts)}
	for _, f := range change {
		f(&o)
	}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func says(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func converse(text string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: says(text)}
}

func converseStream(text string) *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{ModelId: aws.String(haiku), Messages: says(text)}
}

func invokeBody(text string) []byte {
	return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"` + text + `"}]}`)
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (-update writes it anew):\n%s", path, got)
	}
}

// noGoroutines fails if more goroutines are left at the test's end than there
// were at its beginning.
func noGoroutines(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if runtime.NumGoroutine() <= before {
				return
			}
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<16)
				t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
				return
			}
		}
	})
}

func document(v any) bedrockdoc.Interface { return bedrockdoc.NewLazyDocument(v) }

var (
	key1   = audit.Key{ID: "2026-11", Secret: bytes.Repeat([]byte{1}, 32)}
	key2   = audit.Key{ID: "2026-12", Secret: bytes.Repeat([]byte{2}, 32)}
	signer = audit.Signer{ID: "s1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))}
)

func keys(mac ...audit.Key) audit.Keys {
	return audit.Keys{MAC: mac, Signers: map[string]ed25519.PublicKey{signer.ID: signer.Key.Public().(ed25519.PublicKey)}}
}

func sample(i int) *audit.Record {
	return &audit.Record{Schema: audit.Schema, Kind: audit.KindOutcome, Time: time.Unix(1_790_000_000+int64(i), 0).UTC(),
		CallID: fmt.Sprintf("CALL%d", i), Operation: "Converse", Region: "us-east-1", Attempts: 1, Usage: &audit.Usage{InputTokens: int64(i)}}
}

func chain(t testing.TB, next audit.Sink, change ...func(*audit.ChainOptions)) *audit.Chained {
	t.Helper()
	opts := audit.ChainOptions{Key: key1, Signer: signer}
	for _, f := range change {
		f(&opts)
	}
	c, err := audit.Chain(next, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t testing.TB, s audit.Sink, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := s.Write(context.Background(), sample(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// logOf is a closed chain of n records with a checkpoint after every ten, or so many.
func logOf(t testing.TB, n int, every ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	c := chain(t, audit.JSONLines(&b), func(o *audit.ChainOptions) { o.Every = append(every, 10)[0] })
	write(t, c, 0, n)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(t testing.TB, log []byte, k audit.Keys) *audit.Report {
	t.Helper()
	r, err := audit.Verify(bytes.NewReader(log), k)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// seal makes a line as one who has the MAC key can.
func seal(t *testing.T, r *audit.Record) []byte {
	t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	line = line[:len(line)-1]
	h := hmac.New(sha256.New, key1.Secret)
	h.Write(line)
	return fmt.Appendf(line, ",\"mac\":\"%x\"}\n", h.Sum(nil))
}

// resumed opens a file and continues its chain.
func resumed(t testing.TB, path string, change ...func(*audit.ChainOptions)) (*audit.FileSink, *audit.Chained) {
	t.Helper()
	f, err := audit.File(path, audit.FileOptions{Sync: audit.SyncNever})
	if err != nil {
		t.Fatal(err)
	}
	tail, err := f.Tail(keys(key1, key2))
	if err != nil {
		t.Fatal(err)
	}
	return f, chain(t, f, append([]func(*audit.ChainOptions){func(o *audit.ChainOptions) { o.Resume = tail }}, change...)...)
}

// lines is a sink of lines that does what is told to it, by the number of the call.
type lines struct {
	mu   sync.Mutex
	b    bytes.Buffer
	n    int
	does func(n int, store func()) error
}

func (l *lines) Write(ctx context.Context, r *audit.Record) error {
	l.mu.Lock()
	l.n++
	n, does := l.n, l.does
	l.mu.Unlock()
	store := func() {
		line, _ := r.Line()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.b.Write(append(slices.Clone(line), '\n'))
	}
	if does == nil {
		store()
		return nil
	}
	return does(n, store)
}

func (l *lines) set(does func(n int, store func()) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.does = does
}

func (l *lines) log() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.b.Bytes())
}

func within(t *testing.T, most time.Duration, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > most {
		t.Errorf("%s took %s", what, took)
	}
}
