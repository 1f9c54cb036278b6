package securebedrock_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// New takes nothing but credentials from the environment.
func TestEnvironmentCannotMoveACall(t *testing.T) {
	other := newTrap(t)
	server := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
	creds := server.Credentials()
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY": creds.SecretAccessKey, "AWS_SESSION_TOKEN": "",
		"AWS_ENDPOINT_URL": other.URL, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": other.URL, "AWS_ENDPOINT_URL_STS": other.URL,
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
		"AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "standard", "AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_DEFAULTS_MODE": "auto",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "HTTP_PROXY": other.URL, "HTTPS_PROXY": other.URL,
	} {
		t.Setenv(k, v)
	}
	o := server.Options()
	c, err := securebedrock.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if got := calls(server, "Converse"); len(got) != 1 || got[0].Region != "us-east-1" {
		t.Errorf("the server received %+v", got)
	}
}

// Each row is set before or after New; the call goes to the pinned host with the
// configured credentials all the same. A row's file is a shared configuration.
func TestHostileEnvironment(t *testing.T) {
	other := newTrap(t)
	keylog := filepath.Join(t.TempDir(), "keys")
	for _, row := range []struct {
		name string
		env  map[string]string
		file string
	}{
		{"a Bedrock API key", map[string]string{"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-x"}, ""},
		{"an endpoint for everything", map[string]string{"AWS_ENDPOINT_URL": other.URL}, ""},
		{"an endpoint for Bedrock Runtime", map[string]string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": other.URL}, ""},
		{"an endpoint for STS", map[string]string{"AWS_ENDPOINT_URL_STS": other.URL}, ""},
		{"endpoint_url in the shared configuration", nil, "[default]\nendpoint_url = " + other.URL + "\n"},
		{"a services section in the shared configuration", nil, "[default]\nservices = all\n[services all]\nbedrock_runtime =\n  endpoint_url = " + other.URL + "\nsts =\n  endpoint_url = " + other.URL + "\n"},
		{"a region in the shared configuration", nil, "[default]\nregion = eu-west-1\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n"},
		{"another profile", map[string]string{"AWS_PROFILE": "other"}, "[profile other]\nregion = eu-west-1\nendpoint_url = " + other.URL + "\nretry_mode = standard\n"},
		{"another region", map[string]string{"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "ap-south-1"}, ""},
		{"FIPS", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, ""},
		{"dual stack", map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, ""},
		{"more attempts", map[string]string{"AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "standard", "AWS_NEW_RETRIES_2026": "true"}, ""},
		{"legacy STS", map[string]string{"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, ""},
		{"other ways to authenticate", map[string]string{"AWS_AUTH_SCHEME_PREFERENCE": "noAuth,httpBearerAuth"}, ""},
		{"account-based endpoints", map[string]string{"AWS_ACCOUNT_ID_ENDPOINT_MODE": "required", "AWS_ACCOUNT_ID": "999999999999"}, ""},
		{"automatic defaults", map[string]string{"AWS_DEFAULTS_MODE": "auto"}, ""},
		{"a proxy", map[string]string{"HTTPS_PROXY": other.URL, "HTTP_PROXY": other.URL, "ALL_PROXY": other.URL, "NO_PROXY": ""}, ""},
		{"a key log", map[string]string{"SSLKEYLOGFILE": keylog}, ""},
	} {
		for _, when := range []string{"before", "after"} {
			t.Run(row.name+"/"+when, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				dir := t.TempDir()
				write := func(name, text string) string {
					path := filepath.Join(dir, name)
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					return path
				}
				creds := server.Credentials()
				quiet := map[string]string{
					"AWS_ACCESS_KEY_ID": creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY": creds.SecretAccessKey, "AWS_SESSION_TOKEN": "",
					"AWS_CA_BUNDLE":   write("ca.pem", string(server.CertificatePEM())),
					"AWS_CONFIG_FILE": write("config", "[default]\n[profile other]\n"), "AWS_SHARED_CREDENTIALS_FILE": write("credentials", ""),
					"AWS_REGION": "", "AWS_PROFILE": "",
				}
				for k, v := range quiet {
					t.Setenv(k, v)
				}
				set := func() {
					if row.file != "" {
						write("config", row.file)
					}
					for k, v := range row.env {
						t.Setenv(k, v)
					}
				}
				if when == "before" {
					set()
				}
				rec := new(recorder)
				o := server.Options()
				rec.option(&o)
				c, err := securebedrock.New(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if when == "after" {
					set()
				}
				attempts := 1
				if row.env["AWS_MAX_ATTEMPTS"] != "" {
					attempts = 3
					server.Fail("Converse", bedrocktest.Throttle(9))
				}
				_, err = c.Converse(t.Context(), converse("a secret"))
				if r := rec.one(t); (err == nil) != (attempts == 1) || r.outcome.Attempts != attempts {
					t.Errorf("sent %d times, %v", r.outcome.Attempts, err)
				}
				got := calls(server, "Converse")
				if len(got) != attempts {
					t.Fatalf("the server received %d calls", len(got))
				}
				if got[0].Region != "us-east-1" || got[0].AuthScheme != "AWS4-HMAC-SHA256" || !strings.HasPrefix(got[0].AccessKeyID, "ASIA") {
					t.Errorf("signed for %s by %s with %s", got[0].Region, got[0].AuthScheme, got[0].AccessKeyID)
				}
			})
		}
	}
	if _, err := os.Stat(keylog); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("TLS keys were logged: %v", err)
	}
}

// A certificate bundle of the environment replaces the authorities, so with a
// foreign one nothing is sent.
func TestForeignCertificateBundle(t *testing.T) {
	server, foreign := bedrocktest.NewServer(t), handledCertificate(t)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, foreign, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", path)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	o := server.Options()
	o.Role, o.Retry.MaxAttempts = nil, 1
	c, err := securebedrock.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Converse(t.Context(), converse("a secret")); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
	nothingArrived(t, server)
}

// The default chain's own requests to STS go to the region's endpoint too. The
// proxy of the environment is read once a process, so each row has its own.
func TestChainAsksRegionalSTS(t *testing.T) {
	if os.Getenv("SECUREBEDROCK_TEST_CHAIN") != "" {
		o := goodOptions()
		o.Retry.MaxAttempts = 1
		c, err := securebedrock.New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := c.Converse(ctx, converse("a secret")); err == nil {
			t.Error("the call went out")
		}
		return
	}
	other := newTrap(t)
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	config := filepath.Join(dir, "config")
	if err := errors.Join(os.WriteFile(token, []byte("a web identity token"), 0o600),
		os.WriteFile(config, []byte("[profile chained]\nrole_arn = arn:aws:iam::123456789012:role/app\nsource_profile = base\n[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{
		"a web identity":   {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/app", "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_CONFIG_FILE": filepath.Join(dir, "none")},
		"a profile's role": {"AWS_PROFILE": "chained", "AWS_CONFIG_FILE": config},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newConnectProxy(t)
			maps.Copy(env, map[string]string{
				"SECUREBEDROCK_TEST_CHAIN": "1", "HTTPS_PROXY": proxy.URL, "AWS_ENDPOINT_URL_STS": other.URL, "AWS_ENDPOINT_URL": other.URL,
				"AWS_REGION": "us-west-2", "AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"),
			})
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChainAsksRegionalSTS$")
			for k, v := range env {
				cmd.Env = append(cmd.Env, k+"="+v)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := proxy.asked()
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, []string{"sts.eu-central-1.amazonaws.com:443"}) {
				t.Errorf("asked for %v", got)
			}
		})
	}
}
