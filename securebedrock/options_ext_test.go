package securebedrock_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// goodOptions need no network.
func goodOptions() opts {
	return opts{Region: "eu-central-1", Guardrail: securebedrock.Guardrail{ID: "abc123", Version: "4"}}
}

func goodConfig() aws.Config {
	return aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*opts)
		field  string // that the error names; empty: no error
	}{
		{"good ones", func(*opts) {}, ""},
		{"no region", func(o *opts) { o.Region = "" }, "Region"},
		{"a region with an upper-case letter", func(o *opts) { o.Region = "EU-central-1" }, "Region"},
		{"a region that is a host", func(o *opts) { o.Region = "eu-central-1.evil.com/" }, "Region"},
		{"a GovCloud region", func(o *opts) { o.Region = "us-gov-west-1" }, ""},
		{"a Chinese region", func(o *opts) { o.Region = "cn-north-1" }, ""},
		{"an isolated region", func(o *opts) { o.Region = "us-isob-east-1" }, ""},
		{"a geography in Residency", func(o *opts) { o.Residency = []string{"eu"} }, "Residency"},
		{"everywhere in Residency", func(o *opts) { o.Residency = []string{"*"} }, ""},
		{"no guardrail", func(o *opts) { o.Guardrail = securebedrock.Guardrail{} }, "Guardrail.ID"},
		{"a guardrail without a version", func(o *opts) { o.Guardrail.Version = "" }, "Guardrail.Version"},
		{"a guardrail's draft", func(o *opts) { o.Guardrail.Version = "DRAFT" }, "Guardrail.Version"},
		{"a guardrail's draft, allowed", func(o *opts) { o.Guardrail.Version, o.Guardrail.AllowDraft = "DRAFT", true }, ""},
		{"a version that begins with zero", func(o *opts) { o.Guardrail.Version = "01" }, "Guardrail.Version"},
		{"a guardrail name in place of its ID", func(o *opts) { o.Guardrail.ID = "My-Guardrail" }, "Guardrail.ID"},
		{"a guardrail's ARN", func(o *opts) { o.Guardrail.ID = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123" }, ""},
		{"a guardrail's ARN of another region", func(o *opts) { o.Guardrail.ID = "arn:aws:bedrock:eu-west-1:123456789012:guardrail/abc123" }, "Guardrail.ID"},
		{"a guardrail's ARN of another partition", func(o *opts) { o.Guardrail.ID = "arn:aws-cn:bedrock:eu-central-1:123456789012:guardrail/abc123" }, "Guardrail.ID"},
		{"an ARN that is no guardrail's", func(o *opts) { o.Guardrail.ID = "arn:aws:iam::123456789012:role/app" }, "Guardrail.ID"},
		{"an unknown trace", func(o *opts) { o.Guardrail.Trace = "loud" }, "Guardrail.Trace"},
		{"an unknown streaming mode", func(o *opts) { o.Guardrail.Stream = "SYNC" }, "Guardrail.Stream"},
		{"proof without a trace", func(o *opts) { o.Guardrail.Verify, o.Guardrail.Trace = true, types.GuardrailTraceDisabled }, "Guardrail.Verify"},
		{"a reason beside a guardrail", func(o *opts) { o.Unguarded = "because" }, "Unguarded"},
		{"a reason in place of a guardrail", func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "because" }, ""},
		{"a blank reason", func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, " " }, "Unguarded"},
		{"an empty model", func(o *opts) { o.Models = []string{""} }, "Models"},
		{"a role that is a user", func(o *opts) { o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:user/bob"} }, "Role.ARN"},
		{"a role of another partition", func(o *opts) { o.Role = &securebedrock.Role{ARN: "arn:aws-cn:iam::123456789012:role/app"} }, "Role.ARN"},
		{"a session name with a space", role(securebedrock.Role{SessionName: "a b"}), "Role.SessionName"},
		{"a session name that is too long", role(securebedrock.Role{SessionName: strings.Repeat("x", 65)}), "Role.SessionName"},
		{"an external ID with a space", role(securebedrock.Role{ExternalID: "a b"}), "Role.ExternalID"},
		{"a source identity of one letter", role(securebedrock.Role{SourceIdentity: "a"}), "Role.SourceIdentity"},
		{"a session of a minute", role(securebedrock.Role{Duration: time.Minute}), "Role.Duration"},
		{"a session of a day", role(securebedrock.Role{Duration: 24 * time.Hour}), "Role.Duration"},
		{"tags that differ in case alone", role(securebedrock.Role{Tags: map[string]string{"Team": "a", "team": "b"}}), "Role.Tags"},
		{"a transitive key that is no tag", role(securebedrock.Role{TransitiveTagKeys: []string{"team"}}), "Role.TransitiveTagKeys"},
		{"a policy that is no JSON", role(securebedrock.Role{Policy: "allow all"}), "Role.Policy"},
		{"a policy that is too long", role(securebedrock.Role{Policy: `"` + strings.Repeat("x", 2048) + `"`}), "Role.Policy"},
		{"negative attempts", func(o *opts) { o.Retry.MaxAttempts = -1 }, "Retry.MaxAttempts"},
		{"a nil middleware", func(o *opts) { o.Middleware = []securebedrock.Middleware{nil} }, "Middleware"},
		{"a reason for an unknown operation", func(o *opts) { o.UnguardedOperations = map[string]string{"Invoke": "x"} }, "UnguardedOperations"},
		{"a reason for a guarded operation", func(o *opts) { o.UnguardedOperations = map[string]string{"Converse": "x"} }, "UnguardedOperations"},
		{"a blank reason for an operation", func(o *opts) { o.UnguardedOperations = map[string]string{"StartAsyncInvoke": ""} }, "UnguardedOperations"},
		{"a VPC endpoint", func(o *opts) {
			o.Endpoint.URL = "https://vpce-0a1b2c.bedrock-runtime.eu-central-1.vpce.amazonaws.com"
		}, ""},
		{"plain http", func(o *opts) { o.Endpoint.URL = "http://bedrock.internal" }, "Endpoint"},
		{"plain http on loopback", func(o *opts) { o.Endpoint.URL = "http://[::1]:8080" }, ""},
		{"plain http to a name that only begins with localhost", func(o *opts) { o.Endpoint.URL = "http://localhost.evil.com" }, "Endpoint"},
		{"another scheme", func(o *opts) { o.Endpoint.URL = "ftp://127.0.0.1" }, "Endpoint"},
		{"no host", func(o *opts) { o.Endpoint.URL = "https:///path" }, "Endpoint"},
		{"a password in the URL", func(o *opts) { o.Endpoint.URL = "https://user:hunter2@bedrock.internal" }, "Endpoint"},
		{"a query in the URL", func(o *opts) { o.Endpoint.URL = "https://bedrock.internal/?x=1" }, "Endpoint"},
		{"a broken URL with a password", func(o *opts) { o.Endpoint.URL = "https://user:hunter2@bad host" }, "Endpoint"},
		{"a URL and FIPS", func(o *opts) { o.Endpoint = securebedrock.Endpoint{URL: "https://bedrock.internal", FIPS: true} }, "Endpoint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := goodOptions()
			row.change(&o)
			c, err := securebedrock.NewFromConfig(goodConfig(), o)
			if row.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				c.Close()
				return
			}
			if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": "+row.field+": ") {
				t.Fatalf("got %v, want a fault of %s", err, row.field)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error carries the password: %v", err)
			}
		})
	}
}

func role(r securebedrock.Role) func(*opts) {
	return func(o *opts) {
		if r.ARN == "" {
			r.ARN = "arn:aws:iam::123456789012:role/app"
		}
		o.Role = &r
	}
}

// Every fault is reported at once, by each constructor.
func TestAllFaultsAtOnce(t *testing.T) {
	o := opts{Region: "nowhere", Residency: []string{"eu"}, Models: []string{""}, Retry: securebedrock.Retry{MaxAttempts: -1},
		Endpoint: securebedrock.Endpoint{URL: "http://bedrock.internal"}, Role: &securebedrock.Role{Duration: time.Second}}
	fields := []string{"Region", "Residency", "Guardrail.ID", "Guardrail.Version", "Models", "Role.ARN", "Role.Duration", "Retry.MaxAttempts", "Endpoint"}
	cfg := aws.Config{HTTPClient: doer{}} // and no credentials
	for name, build := range map[string]func() error{
		"New":           func() error { _, err := securebedrock.New(context.Background(), o); return err },
		"NewFromConfig": func() error { _, err := securebedrock.NewFromConfig(cfg, o); return err },
		"Wrap":          func() error { _, err := securebedrock.Wrap(bedrockruntime.NewFromConfig(cfg), o); return err },
	} {
		t.Run(name, func(t *testing.T) {
			err := build()
			want := fields
			if name != "New" {
				want = append(slices.Clone(fields), "Credentials", "HTTPClient")
			}
			for _, f := range want {
				if err == nil || !strings.Contains(err.Error(), ": "+f+": ") {
					t.Errorf("no fault of %s in:\n%v", f, err)
				}
			}
		})
	}
}

// What the caller does to its Options afterwards changes nothing.
func TestOptionsAreCopied(t *testing.T) {
	server := bedrocktest.NewServer(t)
	o := server.Options()
	o.Models = []string{"amazon.*"}
	o.Residency = []string{"us-east-2"}
	o.Role.Tags = map[string]string{"team": "claims"}
	o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "x"}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.Models[0], o.Residency[0] = "*", "*"
	_, err = c.Converse(t.Context(), converse("a secret"))
	refusedBy(t, err, securebedrock.ErrModel)
	delete(o.UnguardedOperations, "StartAsyncInvoke")
	if _, err := c.StartAsyncInvoke(t.Context(), startAsync()); err != nil {
		t.Error(err)
	}
}

func TestWrap(t *testing.T) {
	server := bedrocktest.NewServer(t)
	theirs := bedrockruntime.NewFromConfig(server.Config(), func(o *bedrockruntime.Options) { o.AppID = "claims-app" })
	t.Run("takes region, credentials and HTTP client", func(t *testing.T) {
		o := server.Options()
		o.Region, o.Role = "", nil
		c, err := securebedrock.Wrap(theirs, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
		got := calls(server, "Converse")[0]
		if got.AccessKeyID != server.Credentials().AccessKeyID || got.Region != "us-east-1" || !strings.Contains(got.Header.Get("User-Agent"), "claims-app") {
			t.Errorf("went with key %s, region %s, %s", got.AccessKeyID, got.Region, got.Header.Get("User-Agent"))
		}
		in := converse("a secret")
		in.ModelId = aws.String("global." + haiku)
		_, err = c.Converse(t.Context(), in)
		refusedBy(t, err, securebedrock.ErrResidency)
		if _, err := theirs.Converse(t.Context(), in); err != nil {
			t.Errorf("the wrapped client itself changed: %v", err)
		}
	})
	t.Run("refuses another region", func(t *testing.T) {
		o := server.Options()
		o.Region = "eu-west-1"
		if _, err := securebedrock.Wrap(theirs, o); !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses no client", func(t *testing.T) {
		if _, err := securebedrock.Wrap(nil, server.Options()); !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a guarded client can be wrapped again", func(t *testing.T) {
		once := newClient(t, server)
		if _, err := securebedrock.Wrap(once.Runtime(), server.Options()); !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("got %v: its HTTP client refuses what has not passed its own gate", err)
		}
	})
}

func TestClose(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Role = nil })
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if server.Connections() == 0 {
		t.Error("no connection was kept for the next call")
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
	_, err := c.Converse(t.Context(), converse("hello"))
	refusedBy(t, err, securebedrock.ErrClosed)
	_, err = c.Runtime().Converse(t.Context(), converse("hello"))
	refusedBy(t, err, securebedrock.ErrClosed)
}

// A call in flight at Close ends in its own time, and its connection with it.
func TestCloseDuringACall(t *testing.T) {
	for _, h := range []struct {
		name    string
		options []bedrocktest.Option
	}{{"HTTP2", nil}, {"HTTP1", []bedrocktest.Option{bedrocktest.WithHTTP1()}}} {
		t.Run(h.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t, h.options...)
			c := newClient(t, server, func(o *opts) { o.Role = nil })
			server.Fail("Converse", bedrocktest.StallHeadersFor(300*time.Millisecond))
			done := make(chan error, 1)
			go func() { _, err := c.Converse(t.Context(), converse("hello")); done <- err }()
			settled(t, "the call arrived", func() bool { return len(calls(server, "Converse")) == 1 })
			c.Close()
			if err := <-done; err != nil {
				t.Errorf("the call in flight got %v", err)
			}
			settled(t, "no connection left", func() bool { return server.Connections() == 0 })
		})
	}
}

func TestValidateReportsWhatNewReports(t *testing.T) {
	good := securebedrock.Options{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "abc", Version: "1"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := securebedrock.Options{Region: "nowhere", Guardrail: securebedrock.Guardrail{ID: "abc", Version: "DRAFT"}, Models: []string{""}}
	_, fromNew := securebedrock.NewFromConfig(goodConfig(), bad)
	if err := bad.Validate(); err == nil || !errors.Is(err, securebedrock.ErrConfig) || fromNew == nil || err.Error() != fromNew.Error() {
		t.Errorf("Validate: %v\nNew: %v", err, fromNew)
	}
}
