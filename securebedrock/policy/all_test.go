package policy

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// configuration is a configuration whose documents are kept under testdata/golden.
type configuration struct {
	name string
	opts securebedrock.Options
	acct Account
}

// configurations are configurations as people have them.
func configurations() []configuration {
	guardrail := securebedrock.Guardrail{ID: "gr1234567890", Version: "3"}
	role := func(partition string) *securebedrock.Role {
		return &securebedrock.Role{ARN: "arn:" + partition + ":iam::111122223333:role/app", ExternalID: "tenant-7", SourceIdentity: "app"}
	}
	const knowledgeBase = "arn:aws:iam::111122223333:role/service-role/kb"
	spared := map[string]string{knowledgeBase: "the knowledge base embeds and answers with a service role"}
	return []configuration{
		{
			name: "one-region",
			opts: securebedrock.Options{
				Region:    "eu-central-1",
				Guardrail: guardrail,
				Models:    []string{"anthropic.claude-3-haiku-20240307-v1:0", "amazon.titan-embed-text-v2:0"},
				Role:      role("aws"),
			},
			acct: Account{
				ID:          "111122223333",
				Unguardable: map[string]string{"amazon.titan-embed-text-v2:0": "an embedding model takes no guardrail"},
			},
		},
		{
			name: "europe",
			opts: securebedrock.Options{
				Region:    "eu-central-1",
				Residency: securebedrock.Geography("eu"),
				Guardrail: guardrail,
				Models: []string{
					"eu.anthropic.claude-3-haiku-20240307-v1:0",
					"eu.anthropic.claude-3-5-sonnet-20240620-v1:0",
					"eu.anthropic.claude-3-7-sonnet-20250219-v1:0",
					"eu.anthropic.claude-sonnet-4-20250514-v1:0",
					"eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
					"eu.amazon.nova-micro-v1:0",
					"eu.amazon.nova-lite-v1:0",
					"eu.amazon.nova-pro-v1:0",
					"eu.mistral.pixtral-large-2502-v1:0",
					"amazon.titan-embed-text-v2:0",
				},
				Role: role("aws"),
			},
			acct: Account{
				ID:               "111122223333",
				Organization:     "o-abcdefghij",
				Unguardable:      map[string]string{"amazon.titan-embed-text-v2:0": "an embedding model takes no guardrail"},
				ExceptPrincipals: spared,
			},
		},
		{
			name: "govcloud",
			opts: securebedrock.Options{
				Region:    "us-gov-west-1",
				Residency: securebedrock.Geography("us-gov"),
				Guardrail: guardrail,
				Models:    []string{"us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"},
				Role:      role("aws-us-gov"),
			},
			acct: Account{ID: "111122223333", Partition: "aws-us-gov", Organization: "o-abcdefghij"},
		},
		{
			name: "global",
			opts: securebedrock.Options{
				Region:    "us-east-1",
				Residency: []string{"*"},
				Guardrail: guardrail,
				Models:    []string{"global.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.amazon.nova-pro-v1:0"},
				Role:      role("aws"),
				UnguardedOperations: map[string]string{
					"InvokeModelWithBidirectionalStream": "the voice line is supervised by an agent",
				},
			},
			acct: Account{ID: "111122223333"},
		},
		{
			name: "everything",
			opts: resOptions(),
			acct: Account{
				ID:          resAccount,
				Unguardable: map[string]string{"amazon.titan-embed-text-v2:0": "an embedding model takes no guardrail"},
				Resources:   everything(),
			},
		},
	}
}

// TestGoldenFiles compares every document of All with its file. With -update it writes
// them, and takes away what All no longer writes.
func TestGoldenFiles(t *testing.T) {
	for _, c := range configurations() {
		t.Run(c.name, func(t *testing.T) {
			docs, err := All(specOf(t, c.opts, c.acct))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join("testdata", "golden", c.name)
			if *update {
				if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
					t.Fatal(err)
				}
			}
			var written []string
			for _, d := range docs {
				file := filepath.Join(dir, d.Name+".json")
				written = append(written, d.Name+".json")
				if *update {
					if err := os.WriteFile(file, []byte(d.Indented()), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if d.Indented() != string(want) {
					t.Errorf("%s is no longer what %s says; look at the difference, and run go test -run TestGoldenFiles -update", d.Name, file)
				}
			}
			kept, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range kept {
				if !slices.Contains(written, f.Name()) {
					t.Errorf("%s is written no more", f.Name())
				}
			}
		})
	}
}

// TestEveryDocumentIsWhole holds what a reader and AWS need of each document.
func TestEveryDocumentIsWhole(t *testing.T) {
	t.Parallel()
	for _, c := range configurations() {
		docs, err := All(specOf(t, c.opts, c.acct))
		if err != nil {
			t.Fatal(err)
		}
		again, err := All(specOf(t, c.opts, c.acct))
		if err != nil {
			t.Fatal(err)
		}
		names := make(map[string]bool)
		for i, d := range docs {
			if d.JSON() != again[i].JSON() || d.Name != again[i].Name {
				t.Errorf("%s: %s differs from one time to the next", c.name, d.Name)
			}
			if d.Name == "" || d.Kind == "" || d.Purpose == "" || d.Attach == "" {
				t.Errorf("%s: %+v lacks a name, a kind, a purpose or where it is attached", c.name, d)
			}
			if names[d.Name] {
				t.Errorf("%s: two documents are named %s", c.name, d.Name)
			}
			names[d.Name] = true
			if d.Limit() == 0 || d.Size() > d.Limit() {
				t.Errorf("%s: %s has %d characters and may have %d", c.name, d.Name, d.Size(), d.Limit())
			}
			if d.Declarative != nil {
				continue
			}
			sids := make(map[string]bool)
			for _, st := range d.Statements {
				if st.Sid == "" && d.Kind != KindGuardrail || sids[st.Sid] || strings.Trim(st.Sid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
					t.Errorf("%s: %s has a statement %q without a Sid of its own", c.name, d.Name, st.Sid)
				}
				sids[st.Sid] = true
				if st.Effect != Allow && st.Effect != Deny {
					t.Errorf("%s: %s: %s has no effect", c.name, d.Name, st.Sid)
				}
			}
		}
	}
}
