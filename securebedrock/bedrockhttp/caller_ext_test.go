package bedrockhttp_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The audit record shows the caller's name as it is, in the intent and in the outcome,
// of a call and of a refusal.
func TestSubjectIsRecorded(t *testing.T) {
	key := bedrockhttp.NewKey("team-2/search@eu:1+x=y.z_w")
	key.Models = []string{haiku}
	keys, err := bedrockhttp.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var subjects []string
	sink := audit.SinkFunc(func(_ context.Context, r *audit.Record) error {
		mu.Lock()
		defer mu.Unlock()
		subjects = append(subjects, r.Subject)
		return nil
	})
	record, err := audit.Middleware(sink, audit.Options{Subject: bedrockhttp.Subject})
	if err != nil {
		t.Fatal(err)
	}
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *securebedrock.Options) { o.Middleware = append(o.Middleware, record) })
	d := &keyedDoor{entry: serve(t, bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{Keys: keys}), "HTTP/1.1"), key: key}
	if _, err := d.sdk().Converse(t.Context(), converse("Hello"), d.with(key)); err != nil {
		t.Fatal(err)
	}
	other := converse("Hello")
	other.ModelId = new(string)
	*other.ModelId = "amazon.nova-lite-v1:0"
	if _, err := d.sdk().Converse(t.Context(), other, d.with(key)); err == nil {
		t.Fatal("a model that is not the key's is called")
	}
	if err := c.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := slices.Repeat([]string{key.Name}, 4); !slices.Equal(subjects, want) {
		t.Errorf("recorded %q", subjects)
	}
	if _, ok := bedrockhttp.CallerOf(t.Context()); ok || bedrockhttp.Subject(t.Context(), nil) != "" {
		t.Error("a context without a caller has one")
	}
}
