package bedrockhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/internal/token"
)

// Generated keys have no fault, no form of AWS's and no bit in common.
func TestNewKey(t *testing.T) {
	var keys []Key
	for n := range 1000 {
		k := NewKey(fmt.Sprintf("caller-%d", n))
		if len(k.AccessKeyID) != 20 || len(k.SecretAccessKey) != 40 || len(k.Bearer) < 50 || isAWS(k.AccessKeyID) ||
			token.In(k.AccessKeyID) || token.In(k.Bearer) {
			t.Fatalf("%d: %d, %d, %d", n, len(k.AccessKeyID), len(k.SecretAccessKey), len(k.Bearer))
		}
		keys = append(keys, k)
	}
	if _, err := NewKeys(keys...); err != nil {
		t.Fatal(err)
	}
}

// Every fault is told at once, by its place, and no secret is repeated.
func TestKeyFaults(t *testing.T) {
	good := func() Key { return NewKey("billing") }
	secret, long := strings.Repeat("s3cret", 6), strings.Repeat("A", 129)
	for _, row := range []struct {
		name   string
		change func(*Key)
		says   string // empty: no fault
	}{
		{"a generated one", func(*Key) {}, ""},
		{"a pair alone", func(k *Key) { k.Bearer = "" }, ""},
		{"a bearer token alone", func(k *Key) { k.AccessKeyID, k.SecretAccessKey = "", "" }, ""},
		{"a name as in an ARN", func(k *Key) { k.Name = "team-2/search@eu:1+x=y.z_w" }, ""},
		{"a name of 64 bytes", func(k *Key) { k.Name = strings.Repeat("a", 64) }, ""},
		{"no name", func(k *Key) { k.Name = "" }, "Name"},
		{"a name of 65 bytes", func(k *Key) { k.Name = strings.Repeat("a", 65) }, "Name"},
		{"a name with a space", func(k *Key) { k.Name = "the billing" }, "Name"},
		{"a name with a bracket", func(k *Key) { k.Name = "a]b" }, "Name"},
		{"a name of another alphabet", func(k *Key) { k.Name = "Jörg" }, "Name"},
		{"a name with a line", func(k *Key) { k.Name = "a\nb" }, "Name"},
		{"a name that is a key", func(k *Key) { k.Name = "AKIAIOSFODNN7EXAMPLE" }, "Name"},
		{"nothing", func(k *Key) { *k = Key{Name: "n"} }, "neither a pair"},
		{"no ID", func(k *Key) { k.AccessKeyID = "" }, "AccessKeyID"},
		{"no secret", func(k *Key) { k.SecretAccessKey = "" }, "SecretAccessKey"},
		{"an ID of AWS", func(k *Key) { k.AccessKeyID = "AKIAIOSFODNN7EXAMPLE" }, "form of AWS's own"},
		{"an ID of AWS's sessions", func(k *Key) { k.AccessKeyID = "ASIAIOSFODNN7EXAMPLE" }, "form of AWS's own"},
		{"an ID of AWS in lower case", func(k *Key) { k.AccessKeyID = "akiaiosfodnn7example" }, "form of AWS's own"},
		{"a longer ID of AWS", func(k *Key) { k.AccessKeyID = "ABIAIOSFODNN7EXAMPLE22" }, "form of AWS's own"},
		{"a short ID", func(k *Key) { k.AccessKeyID = "SBRK" }, "16 to 128"},
		{"a long ID", func(k *Key) { k.AccessKeyID = long }, "16 to 128"},
		{"an ID with a slash", func(k *Key) { k.AccessKeyID = "SBRKAAAAAAAA/AAAAAAA" }, "16 to 128"},
		{"an ID with a comma", func(k *Key) { k.AccessKeyID = "SBRKAAAAAAAA,AAAAAAA" }, "16 to 128"},
		{"a short secret", func(k *Key) { k.SecretAccessKey = secret[:31] }, "32 to 512"},
		{"a secret with a line", func(k *Key) { k.SecretAccessKey = secret + "\n" + secret }, "32 to 512"},
		{"a secret with a comment", func(k *Key) { k.SecretAccessKey = "#" + secret }, "32 to 512"},
		{"a short bearer token", func(k *Key) { k.Bearer = secret[:31] }, "32 to 512"},
		{"a bearer token with a space", func(k *Key) { k.Bearer = secret + " " + secret }, "32 to 512"},
		{"an API key of Bedrock", func(k *Key) { k.Bearer = "ABSK" + secret }, "of another kind"},
		{"a short-term API key of Bedrock", func(k *Key) { k.Bearer = "bedrock-api-key-" + secret }, "of another kind"},
		{"a JSON web token", func(k *Key) { k.Bearer = "eyJhbGciOiJIUzI1NiJ9." + secret }, "of another kind"},
		{"the secret as a bearer token", func(k *Key) { k.SecretAccessKey, k.Bearer = secret, secret }, "the SecretAccessKey too"},
		{"no models", func(k *Key) { k.Models = []string{} }, "Models"},
		{"an empty pattern", func(k *Key) { k.Models = []string{"a", ""} }, "Models"},
	} {
		k := good()
		row.change(&k)
		_, err := NewKeys(good2(), k)
		if row.says == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		if !errors.Is(err, refusal.Config) || !strings.Contains(err.Error(), "Keys[1].") || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		} else if k.SecretAccessKey != "" && strings.Contains(err.Error(), k.SecretAccessKey) || k.Bearer != "" && strings.Contains(err.Error(), k.Bearer) {
			t.Errorf("%s: the error repeats a secret: %v", row.name, err)
		}
	}
	a, b := good(), good()
	b.AccessKeyID, b.Bearer = a.AccessKeyID, a.Bearer
	_, err := NewKeys(a, b)
	if err == nil || strings.Count(err.Error(), "another key has the same") != 3 {
		t.Errorf("three doubled fields: %v", err)
	}
	if _, err := NewKeys(); !errors.Is(err, refusal.Config) {
		t.Errorf("no keys: %v", err)
	}
}

func good2() Key { return NewKey("other") }

// Whatever prints a key, or what holds one, prints its name.
func TestKeyPrintsNoSecret(t *testing.T) {
	k := NewKey("billing")
	var log bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		l.Info("m", "key", k, "pointer", &k, "list", []Key{k}, "struct", struct{ K Key }{k})
	}
	text, err := json.Marshal(map[string]any{"key": k, "pointer": &k, "list": []Key{k}})
	if err != nil {
		t.Fatal(err)
	}
	log.Write(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10v"} {
		fmt.Fprintf(&log, verb, k)
		fmt.Fprintf(&log, verb, &k)
		fmt.Fprintf(&log, verb, []Key{k})
		fmt.Fprintf(&log, verb, struct{ K Key }{k})
	}
	fmt.Fprint(&log, k, errors.New(k.String()))
	for _, secret := range []string{k.AccessKeyID, k.SecretAccessKey, k.Bearer, fmt.Sprintf("%x", k.Bearer), fmt.Sprintf("%X", k.SecretAccessKey)} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("a secret is printed: %s", log.String())
		}
	}
	if n := strings.Count(log.String(), "billing"); n < 40 {
		t.Errorf("the name is printed %d times", n)
	}
}

// The caller's list of models is not the key's: nobody widens it afterwards.
func TestKeysShareNothing(t *testing.T) {
	k := NewKey("billing")
	k.Models = []string{"amazon.nova-*"}
	keys, err := NewKeys(k)
	if err != nil {
		t.Fatal(err)
	}
	k.Models[0] = "*"
	if got := keys.set.Load().find(k.AccessKeyID).Models[0]; got != "amazon.nova-*" {
		t.Errorf("the pattern is %q", got)
	}
	c := &claim{keys: keys, entry: keys.set.Load().find(k.AccessKeyID)}
	caller, err := c.verify(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	caller.Models[0] = "*"
	if got := keys.set.Load().find(k.AccessKeyID).Models[0]; got != "amazon.nova-*" {
		t.Errorf("the pattern is %q", got)
	}
}
