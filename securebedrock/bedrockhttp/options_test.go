package bedrockhttp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestValidate(t *testing.T) {
	keys, err := NewKeys(NewKey("a"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		opts HandlerOptions
		want []string // the fields at fault
	}{
		{"keys", HandlerOptions{Keys: keys}, nil},
		{"open, with a reason", HandlerOptions{Open: "a test"}, nil},
		{"all of it", HandlerOptions{Keys: keys, Hosts: []string{"sidecar"}, MaxBody: 1, BodyTimeout: time.Second, MaxInFlight: 1}, nil},
		{"neither keys nor a reason", HandlerOptions{}, []string{"Keys"}},
		{"both", HandlerOptions{Keys: keys, Open: "a test"}, []string{"Open"}},
		{"all faults at once", HandlerOptions{Hosts: []string{""}, MaxBody: -1, BodyTimeout: -1, MaxInFlight: -1}, []string{"Keys", "Hosts", "MaxBody", "BodyTimeout", "MaxInFlight"}},
	} {
		err := row.opts.Validate()
		if (err == nil) != (len(row.want) == 0) || err != nil && !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		for _, field := range row.want {
			if !strings.Contains(err.Error(), "HandlerOptions."+field+": ") {
				t.Errorf("%s: %v has no %s", row.name, err, field)
			}
		}
	}
}

// The Handler keeps nothing that its maker can change.
func TestOptionsAreCopied(t *testing.T) {
	hosts := []string{"a"}
	opts := withDefaults(HandlerOptions{Open: "a test", Hosts: hosts})
	hosts[0] = "b"
	if opts.Hosts[0] != "a" || opts.MaxBody != 32<<20 || opts.BodyTimeout != 30*time.Second || opts.MaxInFlight != 1024 || opts.Log == nil {
		t.Errorf("%+v", opts)
	}
}
