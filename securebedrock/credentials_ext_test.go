package securebedrock_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A home holds a user's shared configuration and tokens.
type home string

func (h home) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(string(h), name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// ssoToken writes the token that `aws sso login` leaves for key, a session's name
// or a start URL.
func (h home) ssoToken(t *testing.T, key string, expires time.Time) {
	sum := sha1.Sum([]byte(key))
	text, _ := json.Marshal(map[string]any{
		"accessToken": "an access token", "expiresAt": expires.UTC().Format(time.RFC3339), "region": "eu-west-1",
		"refreshToken": "a refresh token", "clientId": "client", "clientSecret": "client secret", "startUrl": "https://start.example",
		"registrationExpiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	})
	h.write(t, ".aws/sso/cache/"+hex.EncodeToString(sum[:])+".json", string(text))
}

// loginToken writes the token that `aws login` leaves for a session.
func (h home) loginToken(t *testing.T, session string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(session))
	text, _ := json.Marshal(map[string]any{
		"accessToken":  map[string]any{"accessKeyId": "ASIAX", "secretAccessKey": "s", "sessionToken": "t", "accountId": "123456789012", "expiresAt": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)},
		"refreshToken": "a refresh token", "clientId": "client", "idToken": "id", "tokenType": "aws_sigv4",
		"dpopKey": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	h.write(t, ".aws/login/cache/"+hex.EncodeToString(sum[:])+".json", string(text))
}

const ssoSession = "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://start.example\nsso_registration_scopes = sso:account:access\n"

// profiles are the ways of the default chain to credentials over the network, and
// the hosts that they ask first.
var chainProfiles = []struct {
	name, config string
	env          map[string]string
	expired      bool // the SSO token
	asks         string
}{
	{"an SSO session", "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n" + ssoSession, nil, false, "portal.sso.eu-west-1.amazonaws.com:443"},
	{"an SSO session whose token is over", "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n" + ssoSession, nil, true, "oidc.eu-west-1.amazonaws.com:443"},
	{"SSO without a session", "[default]\nsso_start_url = https://start.example\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = dev\n", nil, false, "portal.sso.eu-west-1.amazonaws.com:443"},
	{"a role on an SSO profile", "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nsource_profile = base\n[profile base]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n" + ssoSession, nil, false, "portal.sso.eu-west-1.amazonaws.com:443"},
	{"aws login", "[default]\nlogin_session = arn:aws:iam::123456789012:user/dev\n", nil, false, "eu-central-1.signin.aws.amazon.com:443"},
	{"a role on keys", "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nsource_profile = base\n[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n", nil, false, "sts.eu-central-1.amazonaws.com:443"},
	{"a role on a web identity", "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nsource_profile = base\n[profile base]\nrole_arn = arn:aws:iam::123456789012:role/base\nweb_identity_token_file = TOKEN\n", nil, false, "sts.eu-central-1.amazonaws.com:443"},
}

// ask makes the chain of a fresh process fetch credentials through a proxy that
// refuses, and returns what the proxy was asked for.
func (h home) ask(t *testing.T, env map[string]string) []string {
	t.Helper()
	proxy := newConnectProxy(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChainInAProcess$", "-test.v")
	all := map[string]string{
		"SECUREBEDROCK_TEST_ASK": "1", "HTTPS_PROXY": proxy.URL, "HOME": string(h), "AWS_CONFIG_FILE": filepath.Join(string(h), ".aws/config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(string(h), "none"), "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
	}
	maps.Copy(all, env)
	for k, v := range all {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := slices.DeleteFunc(proxy.asked(), func(host string) bool { return host == "bedrock-runtime.eu-central-1.amazonaws.com:443" }) // Warm's connection
	slices.Sort(got)
	return slices.Compact(got)
}

// TestChainInAProcess is run by home.ask: the SDK reads HOME and the proxy of the
// environment once a process.
func TestChainInAProcess(t *testing.T) {
	if os.Getenv("SECUREBEDROCK_TEST_ASK") == "" {
		t.Skip("it is for a process of its own")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	o := goodOptions()
	o.Retry.MaxAttempts = 1
	c, err := securebedrock.New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Warm(ctx); err == nil {
		t.Error("there are credentials")
	}
}

// Whatever the environment and the profile say, each credential client of the
// chain asks its own regional host, over TLS.
func TestChainAsksItsOwnHosts(t *testing.T) {
	for _, row := range chainProfiles {
		t.Run(row.name, func(t *testing.T) {
			other := newTrap(t)
			h := home(t.TempDir())
			token := h.write(t, "token", "a web identity token")
			expires := time.Now().Add(8 * time.Hour)
			if row.expired {
				expires = time.Now().Add(-time.Minute)
			}
			h.ssoToken(t, "corp", expires)
			h.ssoToken(t, "https://start.example", expires)
			h.loginToken(t, "arn:aws:iam::123456789012:user/dev")
			text := strings.ReplaceAll(row.config, "TOKEN", token)
			services := "[services all]\n"
			moved, changed := map[string]string{}, map[string]string{"AWS_REGION": "us-west-2", "AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}
			for _, s := range []string{"sso", "sso_oidc", "signin", "sts"} {
				services += s + " =\n  endpoint_url = " + other.URL + "\n"
				moved["AWS_ENDPOINT_URL_"+strings.ToUpper(s)] = other.URL
			}
			h.write(t, ".aws/config", text)
			for name, env := range map[string]map[string]string{"AWS_ENDPOINT_URL_SSO and its like": moved, "FIPS, dual stack and another region": changed, "AWS_ENDPOINT_URL": {"AWS_ENDPOINT_URL": other.URL}} {
				if got := h.ask(t, env); !slices.Equal(got, []string{row.asks}) {
					t.Errorf("%s: asked for %v, want %s", name, got, row.asks)
				}
			}
			h.write(t, ".aws/config", strings.Replace(text, "[default]\n", "[default]\nservices = all\nendpoint_url = "+other.URL+"\n", 1)+services)
			if got := h.ask(t, nil); !slices.Equal(got, []string{row.asks}) {
				t.Errorf("a services section: asked for %v, want %s", got, row.asks)
			}
		})
	}
}

// failingProvider is a credentials provider, and a Role.STS, of an application's.
type failingProvider func()

func (f failingProvider) Retrieve(context.Context) (aws.Credentials, error) {
	f()
	return aws.Credentials{}, nil
}

func (f failingProvider) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	f()
	return nil, nil
}

// The session of a role is renewed, and Warm asks for credentials, on goroutines of
// the client's own: what an application's provider does there neither ends the
// process nor leaves a call waiting.
func TestProvidersThatPanic(t *testing.T) {
	for _, how := range []struct {
		name string
		f    failingProvider
	}{
		{"panics", func() { panic("a secret") }},
		{"ends its goroutine", func() { runtime.Goexit() }},
	} {
		for _, row := range []struct {
			name   string
			change func(cfg *aws.Config, o *opts)
			call   func(ctx context.Context, c *client) error
		}{
			{"Role.STS", func(_ *aws.Config, o *opts) { o.Role.STS = how.f }, func(ctx context.Context, c *client) error {
				_, err := c.Converse(ctx, converse("hello"))
				return err
			}},
			{"the credentials below a Role", func(cfg *aws.Config, o *opts) { cfg.Credentials, o.Role.STS = how.f, nil }, func(ctx context.Context, c *client) error {
				_, err := c.ConverseStream(ctx, converseStream("hello"))
				return err
			}},
			{"Warm", func(cfg *aws.Config, o *opts) { cfg.Credentials, o.Role = how.f, nil }, func(ctx context.Context, c *client) error { return c.Warm(ctx) }},
		} {
			t.Run(row.name+" "+how.name, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				cfg, o := server.Config(), server.Options()
				row.change(&cfg, &o)
				c, err := securebedrock.NewFromConfig(cfg, o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				for range 2 {
					if err := row.call(ctx, c); err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "a secret") {
						t.Errorf("got %v", err)
					}
				}
			})
		}
	}
}

func TestAnonymousCredentials(t *testing.T) {
	for name, provider := range map[string]aws.CredentialsProvider{
		"by type":    aws.AnonymousCredentials{},
		"by pointer": &aws.AnonymousCredentials{},
		"in a cache": aws.NewCredentialsCache(aws.AnonymousCredentials{}),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := goodConfig()
			cfg.Credentials = provider
			if _, err := securebedrock.NewFromConfig(cfg, goodOptions()); !errors.Is(err, securebedrock.ErrAuth) || !errors.Is(err, securebedrock.ErrConfig) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("empty at the first call", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		cfg := server.Config()
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, nil })
		o := server.Options()
		o.Role = nil
		c, err := securebedrock.NewFromConfig(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Converse(t.Context(), converse("a secret"))
		refusedBy(t, err, securebedrock.ErrAuth)
		nothingArrived(t, server)
	})
}

func TestCredentialsThatAreNone(t *testing.T) {
	o := opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}}
	_, err := securebedrock.NewFromConfig(aws.Config{Credentials: aws.AnonymousCredentials{}}, o)
	if !errors.Is(err, securebedrock.ErrConfig) || !errors.Is(err, securebedrock.ErrAuth) {
		t.Errorf("anonymous: %v", err)
	}
	_, err = securebedrock.NewFromConfig(aws.Config{}, o)
	if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "Credentials") {
		t.Errorf("none: %v", err)
	}
	o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: failingSTS{}}
	c, err := securebedrock.NewFromConfig(aws.Config{}, o) // the role's own client brings its own
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	for name, creds := range map[string]aws.Credentials{"no key": {}, "no secret": {AccessKeyID: "AKIDEXAMPLE"}, "no ID": {SecretAccessKey: "secret"}} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
			o := server.Options()
			o.Role = nil
			c, err := securebedrock.NewFromConfig(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Converse(t.Context(), converse("a secret"))
			refusedBy(t, err, securebedrock.ErrAuth)
			nothingArrived(t, server)
		})
	}
}

// The client's credentials are for calls that have passed the rules: not before
// them, and not outside of a call.
func TestCredentialsAreSealed(t *testing.T) {
	server := bedrocktest.NewServer(t)
	cfg := server.Config()
	var c *client
	var early error
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("early", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			_, early = c.Runtime().Options().Credentials.Retrieve(ctx)
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	})
	o := server.Options()
	o.Role = nil
	var err error
	if c, err = securebedrock.NewFromConfig(cfg, o); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	refusedBy(t, early, securebedrock.ErrBypassed)
	if _, err := c.Runtime().Options().Credentials.Retrieve(t.Context()); !errors.Is(err, securebedrock.ErrBypassed) {
		t.Errorf("outside of a call: %v", err)
	}
	if !aws.IsCredentialsProvider(c.Runtime().Options().Credentials, credentials.StaticCredentialsProvider{}) {
		t.Error("the seal hides the provider from aws.IsCredentialsProvider")
	}
}

// The user agent tells where the credentials came from, as the plain SDK's does.
func TestUserAgentTellsTheCredentialSource(t *testing.T) {
	for _, row := range []struct {
		change func(*opts)
		want   string
	}{{func(o *opts) { o.Role = nil }, "e"}, {func(*opts) {}, "i"}} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, row.change)
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
		_, features, _ := strings.Cut(calls(server, "Converse")[0].Header.Get("User-Agent"), " m/")
		if !strings.Contains(features, row.want) {
			t.Errorf("features %q, want %s", features, row.want)
		}
	}
}
