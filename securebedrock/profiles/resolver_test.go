package profiles_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	runtimetypes "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

// newClient is a client of server that asks r.
func newClient(t *testing.T, server *bedrocktest.Server, r securebedrock.ProfileResolver, residency ...string) *securebedrock.Client {
	t.Helper()
	o := server.Options()
	o.Role, o.Profiles, o.Residency = nil, r, residency
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func say(ctx context.Context, c *securebedrock.Client, id string) error {
	_, err := c.InvokeModelSafely(ctx, id, []runtimetypes.Message{{
		Role:    runtimetypes.ConversationRoleUser,
		Content: []runtimetypes.ContentBlock{&runtimetypes.ContentBlockMemberText{Value: "a secret"}},
	}}, func(*bedrockruntime.Options) {})
	return err
}

func refused(t *testing.T, server *bedrocktest.Server, err error) {
	t.Helper()
	var p *securebedrock.PolicyError
	if !errors.Is(err, securebedrock.ErrResidency) || !errors.As(err, &p) {
		t.Errorf("got %v, want a refusal: %v", err, securebedrock.ErrResidency)
	}
	if calls := server.Calls(); len(calls) != 0 {
		t.Errorf("%d requests reached Bedrock Runtime", len(calls))
	}
}

// What a client with the resolver lets through and what it refuses.
func TestClientWithResolver(t *testing.T) {
	global := systemProfile("global."+model, "", region)
	for _, row := range []struct {
		name, id  string
		answer    profile
		residency []string
		passes    bool
	}{
		{"an application profile within Residency", ownARN, applicationProfile(region, "us-west-2"), []string{"us-west-2"}, true},
		{"an application profile of the own region", ownARN, applicationProfile(region), nil, true},
		{"an application profile with a destination outside", ownARN, applicationProfile(region, "us-west-2"), nil, false},
		{"the last of many destinations outside", ownARN, applicationProfile(region, "us-east-2", "us-west-2", "eu-west-1"), []string{"us-east-2", "us-west-2"}, false},
		{"an application profile of a global one", ownARN, applicationProfile("", region), []string{"us-east-2", "us-west-2"}, false},
		{"an application profile of a global one, and a star", ownARN, applicationProfile("", region), []string{"*"}, true},
		{"a system profile with fewer destinations than the table", systemID, systemProfile(systemID, region, "us-west-2"), []string{"us-west-2"}, true},
		{"a system profile's ARN", account + "inference-profile/" + systemID, systemProfile(systemID, region), nil, true},
		{"a system profile that has grown", systemID, systemProfile(systemID, region, "us-west-2", "mx-central-1"), securebedrock.Geography("us"), false},
		{"a global profile", "global." + model, global, []string{"us-east-2"}, false},
		{"a global profile, and a star", "global." + model, global, []string{"*"}, true},
		{"a global profile that lists regions alone", "global." + model, systemProfile("global."+model, region), nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			cp, server := newControlPlane(t), bedrocktest.NewServer(t)
			cp.put(row.id, row.answer)
			err := say(t.Context(), newClient(t, server, newResolver(t, cp), row.residency...), row.id)
			if !row.passes {
				refused(t, server, err)
				return
			}
			if err != nil || len(server.Calls()) != 1 {
				t.Errorf("%d requests reached Bedrock Runtime, %v", len(server.Calls()), err)
			}
			if got := cp.received(); len(got) != 1 || !strings.HasPrefix(got[0].Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+accessKey+"/") {
				t.Errorf("the control plane received %d requests", len(got))
			}
		})
	}
}

// Whatever is wrong with the control plane or its answer refuses the call.
func TestFailClosed(t *testing.T) {
	change := func(f func(*profile)) func(*controlPlane) {
		return func(cp *controlPlane) {
			p := applicationProfile(region)
			f(&p)
			cp.put(ownARN, p)
		}
	}
	instead := func(h http.HandlerFunc) func(*controlPlane) { return func(cp *controlPlane) { cp.answer(h) } }
	body := func(s string) func(*controlPlane) {
		return instead(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(s)) })
	}
	for _, row := range []struct {
		name string
		set  func(*controlPlane)
		is   error
	}{
		{"the control plane is down", func(cp *controlPlane) { cp.Server.Close() }, nil},
		{"an unknown profile", func(*controlPlane) {}, nil},
		{"access denied", instead(func(w http.ResponseWriter, _ *http.Request) { fail(w, 403, "AccessDeniedException") }), nil},
		{"throttled throughout", instead(func(w http.ResponseWriter, _ *http.Request) { fail(w, 429, "ThrottlingException") }), nil},
		{"an internal error throughout", instead(func(w http.ResponseWriter, _ *http.Request) { fail(w, 500, "InternalServerException") }), nil},
		{"a redirect", instead(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}), securebedrock.ErrRedirect},
		{"HTML with status 200", body("<html>hello</html>"), nil},
		{"an empty body", body(""), nil},
		{"an empty object", body("{}"), nil},
		{"a good answer after two megabytes of nothing", func(cp *controlPlane) {
			good, _ := json.Marshal(applicationProfile(region))
			cp.answer(func(w http.ResponseWriter, _ *http.Request) {
				w.Write(append(bytes.Repeat([]byte(" "), 2<<20), good...))
			})
		}, nil},
		{"an answer that is compressed unasked", func(cp *controlPlane) {
			good, _ := json.Marshal(applicationProfile(region))
			cp.answer(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				z.Write(good)
				z.Close()
			})
		}, nil},
		{"no models", change(func(p *profile) { p.Models = []modelInfo{} }), nil},
		{"models that are null", change(func(p *profile) { p.Models = nil }), nil},
		{"a model without an ARN", change(func(p *profile) { p.Models = append(p.Models, modelInfo{}) }), nil},
		{"a status other than ACTIVE", change(func(p *profile) { p.Status = "CREATING" }), nil},
		{"no status", change(func(p *profile) { p.Status = "" }), nil},
		{"another profile's ARN", change(func(p *profile) { p.ARN = account + "application-inference-profile/other" }), nil},
		{"another account's ARN", change(func(p *profile) { p.ARN = strings.Replace(ownARN, "123456789012", "210987654321", 1) }), nil},
		{"another partition's ARN", change(func(p *profile) { p.ARN = strings.Replace(ownARN, "arn:aws:", "arn:aws-cn:", 1) }), nil},
		{"another profile's ID", change(func(p *profile) { p.ID = "other" }), nil},
		{"a system profile's answer", change(func(p *profile) { p.Type = "SYSTEM_DEFINED" }), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cp, server := newControlPlane(t), bedrocktest.NewServer(t)
			row.set(cp)
			err := say(t.Context(), newClient(t, server, newResolver(t, cp), "us-east-2", "us-west-2"), ownARN)
			refused(t, server, err)
			if row.is != nil && !errors.Is(err, row.is) {
				t.Errorf("%v does not tell of %v", err, row.is)
			}
			if row.is != nil && len(cp.received()) != 1 {
				t.Errorf("a refusal was tried %d times", len(cp.received()))
			}
		})
	}
}

func TestErrorsKeepTheirType(t *testing.T) {
	cp := newControlPlane(t)
	cp.answer(func(w http.ResponseWriter, _ *http.Request) { fail(w, 403, "AccessDeniedException") })
	_, err := newResolver(t, cp).Destinations(t.Context(), ownARN, region)
	var denied *types.AccessDeniedException
	if !errors.As(err, &denied) || !strings.Contains(err.Error(), ownARN) {
		t.Errorf("got %v", err)
	}
}

// What cannot be an inference profile of the pinned region is not asked for.
func TestNotAsked(t *testing.T) {
	cp := newControlPlane(t)
	r := newResolver(t, cp)
	for _, row := range []struct {
		name, id, region string
		is               error
	}{
		{"a call in another region", ownARN, "us-west-2", securebedrock.ErrRegion},
		{"an ARN of another region", strings.Replace(ownARN, region, "us-west-2", 1), region, securebedrock.ErrRegion},
		{"a foundation model", model, region, securebedrock.ErrModel},
		{"a provisioned model", account + "provisioned-model/a1b2c3", region, securebedrock.ErrModel},
		{"a prompt router of another region", strings.Replace(account, region, "us-west-2", 1) + "prompt-router/a1b2c3", region, securebedrock.ErrRegion},
		{"a prompt of another region", strings.Replace(account, region, "us-west-2", 1) + "prompt/ABCDEFGHIJ:1", region, securebedrock.ErrRegion},
		{"an ARN of another partition", strings.Replace(ownARN, "arn:aws:", "arn:aws-us-gov:", 1), region, securebedrock.ErrRegion},
		{"a token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", region, securebedrock.ErrModel},
		{"no identifier", "", region, securebedrock.ErrModel},
		{"a path", account + "application-inference-profile/../x", region, securebedrock.ErrModel},
		{"a query", ownARN + "?x=1", region, securebedrock.ErrModel},
	} {
		if got, err := r.Destinations(t.Context(), row.id, row.region); !errors.Is(err, row.is) || got != nil {
			t.Errorf("%s: got %v, %v", row.name, got, err)
		}
	}
	if n := len(cp.received()); n != 0 {
		t.Errorf("the control plane received %d requests", n)
	}
}

// A hundred first calls make one request, and a caller who gives up fails alone.
func TestOneRequestForAll(t *testing.T) {
	cp, server := newControlPlane(t), bedrocktest.NewServer(t)
	release := make(chan struct{})
	cp.put(ownARN, applicationProfile(region))
	cp.answer(func(w http.ResponseWriter, r *http.Request) {
		<-release
		cp.answer(nil)
		w.Write([]byte(`{"inferenceProfileArn":"` + ownARN + `","inferenceProfileId":"a1b2c3d4e5f6","inferenceProfileName":"mine","status":"ACTIVE","type":"APPLICATION",` +
			`"models":[{"modelArn":"arn:aws:bedrock:us-east-1::foundation-model/` + model + `"}]}`))
	})
	c := newClient(t, server, newResolver(t, cp))

	first, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { gaveUp <- say(first, c, ownARN) }()
	for len(cp.received()) == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for range 100 {
		wg.Go(func() { errs <- say(t.Context(), c, ownARN) })
	}
	cancel() // the caller whose question is under way
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller who gave up got %v", err)
	}
	close(release)
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := len(cp.received()); n != 1 {
		t.Errorf("the control plane received %d requests", n)
	}
	if n := len(server.Calls()); n != 100 {
		t.Errorf("Bedrock Runtime received %d requests", n)
	}
}

// After its time an answer is not used, whether or not there is a newer one.
func TestExpiry(t *testing.T) {
	cp := newControlPlane(t)
	cp.put(ownARN, applicationProfile(region))
	r := newResolver(t, cp, func(_ *aws.Config, o *profiles.Options) { o.ApplicationTTL = 300 * time.Millisecond })
	began := time.Now()
	for range 3 {
		if got, err := r.Destinations(t.Context(), ownARN, region); err != nil || !slices.Equal(got, []string{region}) {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if n := len(cp.received()); n != 1 && time.Since(began) < 300*time.Millisecond {
		t.Errorf("%d requests before the expiry", n)
	}
	time.Sleep(350 * time.Millisecond)
	cp.put(ownARN, applicationProfile(region, "us-west-2"))
	if got, err := r.Destinations(t.Context(), ownARN, region); err != nil || !slices.Equal(got, []string{region, "us-west-2"}) {
		t.Errorf("after the expiry: got %v, %v", got, err)
	}
	time.Sleep(350 * time.Millisecond)
	cp.Server.Close()
	if got, err := r.Destinations(t.Context(), ownARN, region); err == nil {
		t.Errorf("without a control plane: got %v", got)
	}
}

func TestTheListIsTheCallersOwn(t *testing.T) {
	cp := newControlPlane(t)
	cp.put(systemID, systemProfile(systemID, region))
	r := newResolver(t, cp)
	for range 3 { // from the control plane, from memory, and what is left there
		got, err := r.Destinations(t.Context(), systemID, region)
		if err != nil || !slices.Equal(got, []string{region}) {
			t.Fatalf("got %v, %v", got, err)
		}
		got[0] = "changed"
	}
}

func TestTimeout(t *testing.T) {
	cp := newControlPlane(t)
	cp.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r := newResolver(t, cp, func(_ *aws.Config, o *profiles.Options) { o.Timeout = 100 * time.Millisecond })
	if _, err := r.Destinations(t.Context(), ownARN, region); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
