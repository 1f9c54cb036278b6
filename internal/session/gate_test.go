package session

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// recordingDoer keeps where a request was sent, and answers with f or fails.
type recordingDoer struct {
	asked []string
	f     func() *http.Response
}

var errNoNetwork = errors.New("there is no network")

func (d *recordingDoer) Do(r *http.Request) (*http.Response, error) {
	d.asked = append(d.asked, r.URL.Scheme+"://"+r.URL.Host)
	if d.f == nil {
		return nil, errNoNetwork
	}
	return d.f(), nil
}

// chainOf loads the default chain on a home with a configuration, through the gate
// where there is one.
func chainOf(t *testing.T, region, text string, client *recordingDoer, gate *Gate) aws.CredentialsProvider {
	t.Helper()
	home := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	name := func(sum []byte) string { return hex.EncodeToString(sum) + ".json" }
	live, over := sha1.Sum([]byte("live")), sha1.Sum([]byte("over"))
	login := sha256.Sum256([]byte("me"))
	file(".aws/sso/cache/"+name(live[:]), `{"accessToken":"a","expiresAt":"2999-01-01T00:00:00Z"}`)
	file(".aws/sso/cache/"+name(over[:]), `{"accessToken":"a","expiresAt":"2000-01-01T00:00:00Z","refreshToken":"r","clientId":"c","clientSecret":"s"}`)
	file(".aws/login/cache/"+name(login[:]), `{"accessToken":{"accessKeyId":"A","secretAccessKey":"s","sessionToken":"t","accountId":"123456789012","expiresAt":"2000-01-01T00:00:00Z"},"refreshToken":"r","clientId":"c","idToken":"i","tokenType":"x","dpopKey":"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIE3LJjvNkHSNbVtqqvgzbfNdnfWPqrLk/1uZ8oPVvzFRoAoGCCqGSM49\nAwEHoUQDQgAEm3MTiKMWYvNBGNMF6Z3tfjnqfYHCNGkEkvDCR3vJsiCs0LOuxSUz\nxD4UZFqe7tjP8uN4GzfCCTYQ5PZrXb1E2Q==\n-----END EC PRIVATE KEY-----\n"}`)
	for k, v := range map[string]string{"HOME": home, "AWS_CONFIG_FILE": file("config", text), "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_CA_BUNDLE": ""} {
		t.Setenv(k, v)
	}
	options := []func(*config.LoadOptions) error{config.WithRegion(region), config.WithHTTPClient(client), config.WithRetryMaxAttempts(1)}
	if gate != nil {
		options = append(options, config.WithAPIOptions([]func(*middleware.Stack) error{gate.Install}))
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Credentials
}

// The gate makes the hosts of SSO, OIDC and Signin by itself. They are those that
// the SDK asks in a clean environment, in every partition.
func TestCredentialHostsAreTheSDKs(t *testing.T) {
	for _, region := range []string{"us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"} {
		const sso = "sso_account_id = 123456789012\nsso_role_name = dev\n"
		for what, text := range map[string]string{
			"SSO":          "[default]\nsso_session = live\n" + sso + "[sso-session live]\nsso_region = " + region + "\nsso_start_url = https://s.example\n",
			"OIDC":         "[default]\nsso_session = over\n" + sso + "[sso-session over]\nsso_region = " + region + "\nsso_start_url = https://s.example\n",
			"Signin":       "[default]\nlogin_session = me\n",
			"STS":          "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nsource_profile = base\n[profile base]\naws_access_key_id = A\naws_secret_access_key = s\n",
			"web identity": "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nweb_identity_token_file = /dev/null\n",
		} {
			t.Run(region+"/"+what, func(t *testing.T) {
				theirs := new(recordingDoer)
				if _, err := chainOf(t, region, text, theirs, nil).Retrieve(t.Context()); err == nil || len(theirs.asked) == 0 {
					t.Fatalf("the SDK asked for %v: %v", theirs.asked, err)
				}
				ours, past := new(recordingDoer), new(recordingDoer)
				_, err := chainOf(t, region, text, past, &Gate{Place: Place{Region: region}, Client: ours}).Retrieve(t.Context())
				if !errors.Is(err, errNoNetwork) || len(ours.asked) == 0 || ours.asked[0] != theirs.asked[0] || len(past.asked) > 0 {
					t.Errorf("asked for %v, and past the gate for %v; the SDK asks for %v: %v", ours.asked, past.asked, theirs.asked, err)
				}
			})
		}
	}
}

const ssoProfile = "[default]\nsso_session = live\nsso_account_id = 123456789012\nsso_role_name = dev\n[sso-session live]\nsso_region = eu-west-1\nsso_start_url = https://s.example\n"

// An answer with credentials is bounded, and its redirect is not followed: Go's
// http.Client would take the header with the SSO token along.
func TestCredentialAnswers(t *testing.T) {
	answer := func(status int, body io.Reader, header ...string) func() *http.Response {
		return func() *http.Response {
			h := http.Header{"Content-Type": {"application/json"}}
			for i := 0; i < len(header); i += 2 {
				h.Set(header[i], header[i+1])
			}
			return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(body), ProtoMajor: 1, ProtoMinor: 1}
		}
	}
	read := new(endless)
	for _, row := range []struct {
		name string
		f    func() *http.Response
		rule error
	}{
		{"an endless answer", answer(200, read), refusal.AnswerSize},
		{"an endless error", answer(400, read), refusal.AnswerSize},
		{"a redirect", answer(307, strings.NewReader(""), "Location", "https://evil.example/"), refusal.Redirect},
		{"a redirect of another kind", answer(302, strings.NewReader(""), "Location", "https://evil.example/"), refusal.Redirect},
		{"credentials", answer(200, strings.NewReader(`{"roleCredentials":{"accessKeyId":"ASIAX","secretAccessKey":"s","sessionToken":"t","expiration":32503680000000}}`)), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			read.n = 0
			do := &recordingDoer{f: row.f}
			got, err := chainOf(t, "eu-west-1", ssoProfile, new(recordingDoer), &Gate{Place: Place{Region: "eu-west-1"}, Client: do}).Retrieve(t.Context())
			if !errors.Is(err, row.rule) || (row.rule == nil) != (got.AccessKeyID == "ASIAX") || len(do.asked) != 1 || read.n > 2*maxCredentials {
				t.Errorf("asked %d times and read %d bytes: %+v, %v", len(do.asked), read.n, got.AccessKeyID, err)
			}
		})
	}
}

type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	if e.n > 64<<20 {
		return 0, errors.New("nobody stopped reading")
	}
	e.n += len(p)
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

// A region of a profile cannot make a host that is not AWS's.
func TestSSORegionIsARegion(t *testing.T) {
	for _, region := range []string{"eu-west-1.evil.example", "evil.example/", "eu-west-1@evil.example"} {
		do := new(recordingDoer)
		_, err := chainOf(t, "eu-west-1", strings.ReplaceAll(ssoProfile, "eu-west-1", region), do, &Gate{Place: Place{Region: "eu-west-1"}, Client: do}).Retrieve(t.Context())
		if err == nil || len(do.asked) > 0 {
			t.Errorf("%s: asked for %v: %v", region, do.asked, err)
		}
	}
}

// Metadata comes from addresses of this machine and of its AWS hosts alone.
func TestMetadataHosts(t *testing.T) {
	for _, row := range []struct {
		env, uri string
		ok       bool
	}{
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "", true},
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9911", true},
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://[fd00:ec2::254]", true},
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://evil.example", false},
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://10.1.2.3", false},
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "https://evil.example", false},
		{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254@evil.example", false},
		{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x", true},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", true},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:1338/latest", true},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://evil.example/credentials", false},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://10.1.2.3/credentials", false},
	} {
		t.Run(row.env+" "+row.uri, func(t *testing.T) {
			t.Setenv(row.env, row.uri)
			t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a token")
			notThere := func() *http.Response { // not sent again, unlike a connection that fails
				return &http.Response{StatusCode: 404, Header: http.Header{}, Body: http.NoBody}
			}
			do, past := &recordingDoer{f: notThere}, &recordingDoer{f: notThere}
			_, err := chainOf(t, "eu-west-1", "[default]\n", past, &Gate{Place: Place{Region: "eu-west-1"}, Client: do, Local: do}).Retrieve(t.Context())
			if err == nil || (len(do.asked) > 0) != row.ok || len(past.asked) > 0 || !row.ok && !errors.Is(err, refusal.Endpoint) {
				t.Errorf("asked for %v, and past the gate for %v: %v", do.asked, past.asked, err)
			}
		})
	}
}

// The sessions of the chain's own roles are proven too.
func TestChainSessionIsTheOneAskedFor(t *testing.T) {
	const keys = "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nrole_session_name = me\nsource_profile = base\n[profile base]\naws_access_key_id = A\naws_secret_access_key = s\n"
	const web = "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nrole_session_name = me\nweb_identity_token_file = /dev/null\n"
	for _, row := range []struct {
		operation, profile, account string
		ends                        time.Duration
		ok                          bool
	}{
		{"AssumeRole", keys, "123456789012", 10 * time.Minute, true},
		{"AssumeRole", keys, "999999999999", 10 * time.Minute, false},
		{"AssumeRole", keys, "123456789012", -time.Minute, false},
		{"AssumeRoleWithWebIdentity", web, "123456789012", 10 * time.Minute, true},
		{"AssumeRoleWithWebIdentity", web, "999999999999", 10 * time.Minute, false},
		{"AssumeRoleWithWebIdentity", web, "123456789012", 48 * time.Hour, false},
	} {
		t.Run(fmt.Sprint(row.operation, row.account, row.ends), func(t *testing.T) {
			do := &recordingDoer{f: func() *http.Response {
				body := "<" + row.operation + `Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><` + row.operation + "Result><AssumedRoleUser><Arn>arn:aws:sts::" + row.account + ":assumed-role/app/me</Arn><AssumedRoleId>x:me</AssumedRoleId></AssumedRoleUser>" +
					"<Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" + time.Now().Add(row.ends).UTC().Format(time.RFC3339) + "</Expiration></Credentials></" + row.operation + "Result></" + row.operation + "Response>"
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body))}
			}}
			got, err := chainOf(t, "eu-west-1", row.profile, new(recordingDoer), &Gate{Place: Place{Region: "eu-west-1"}, Client: do}).Retrieve(t.Context())
			if (err == nil) != row.ok || (got.AccessKeyID == "ASIAX") != row.ok || !row.ok && !errors.Is(err, refusal.Auth) {
				t.Errorf("got %s, %v", got.AccessKeyID, err)
			}
		})
	}
}

// silentDoer answers nobody.
type silentDoer struct{}

func (silentDoer) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A service that says nothing does not hold a call for ever, whatever its context.
func TestCredentialsAreBoundedInTime(t *testing.T) {
	chain := chainOf(t, "eu-west-1", ssoProfile, new(recordingDoer), &Gate{Place: Place{Region: "eu-west-1"}, Client: silentDoer{}})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		done := make(chan error, 1)
		go func() { _, err := chain.Retrieve(context.Background()); done <- err }()
		select {
		case err := <-done:
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > requestTimeout {
				t.Errorf("after %v got %v", time.Since(start), err)
			}
		case <-time.After(time.Hour):
			t.Error("it has waited for an hour")
		}
	})
}
