package profiles_test

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

const (
	region    = "us-east-1"
	model     = "anthropic.claude-3-haiku-20240307-v1:0"
	account   = "arn:aws:bedrock:" + region + ":123456789012:"
	ownARN    = account + "application-inference-profile/a1b2c3d4e5f6"
	systemID  = "us." + model
	accessKey = "AKIDCONTROLPLANE"
)

// profile is a GetInferenceProfile answer as it is on the wire.
type profile struct {
	ARN    string      `json:"inferenceProfileArn"`
	ID     string      `json:"inferenceProfileId"`
	Name   string      `json:"inferenceProfileName"`
	Models []modelInfo `json:"models"`
	Status string      `json:"status"`
	Type   string      `json:"type"`
}

type modelInfo struct {
	ARN string `json:"modelArn"`
}

func modelsIn(regions ...string) []modelInfo {
	var out []modelInfo
	for _, r := range regions {
		out = append(out, modelInfo{"arn:aws:bedrock:" + r + "::foundation-model/" + model})
	}
	return out
}

// applicationProfile and systemProfile are good answers.
func applicationProfile(regions ...string) profile {
	return profile{ARN: ownARN, ID: "a1b2c3d4e5f6", Name: "mine", Models: modelsIn(regions...), Status: "ACTIVE", Type: "APPLICATION"}
}

func systemProfile(id string, regions ...string) profile {
	return profile{ARN: account + "inference-profile/" + id, ID: id, Name: "theirs", Models: modelsIn(regions...), Status: "ACTIVE", Type: "SYSTEM_DEFINED"}
}

// controlPlane is the part of Bedrock's control plane that answers
// GetInferenceProfile, over HTTPS on loopback.
type controlPlane struct {
	*httptest.Server
	mu       sync.Mutex
	profiles map[string]profile // by identifier as it is asked for
	instead  http.HandlerFunc   // answers in the place of all that
	requests []*http.Request
}

func newControlPlane(t testing.TB) *controlPlane {
	cp := &controlPlane{profiles: make(map[string]profile)}
	cp.Server = httptest.NewUnstartedServer(http.HandlerFunc(cp.serve))
	cp.Config.ErrorLog = log.New(io.Discard, "", 0)
	cp.StartTLS()
	t.Cleanup(cp.Close)
	return cp
}

func (cp *controlPlane) serve(w http.ResponseWriter, r *http.Request) {
	cp.mu.Lock()
	cp.requests = append(cp.requests, r)
	id, found := strings.CutPrefix(r.URL.EscapedPath(), "/inference-profiles/")
	id, err := url.PathUnescape(id)
	p, known := cp.profiles[id]
	instead := cp.instead
	cp.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case instead != nil:
		instead(w, r)
	case r.Method != http.MethodGet || !found || err != nil || !known:
		fail(w, http.StatusNotFound, "ResourceNotFoundException")
	default:
		json.NewEncoder(w).Encode(p)
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(status)
	w.Write([]byte(`{"message":"no"}`))
}

func (cp *controlPlane) put(id string, p profile) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.profiles[id] = p
}

func (cp *controlPlane) answer(h http.HandlerFunc) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.instead = h
}

func (cp *controlPlane) received() []*http.Request {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	return append([]*http.Request(nil), cp.requests...)
}

func (cp *controlPlane) config() aws.Config {
	return aws.Config{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, "secret", ""),
		HTTPClient:  cp.Client(),
	}
}

func (cp *controlPlane) options() profiles.Options {
	return profiles.Options{Region: region, Endpoint: securebedrock.Endpoint{URL: cp.URL}}
}

func newResolver(t testing.TB, cp *controlPlane, change ...func(*aws.Config, *profiles.Options)) *profiles.Resolver {
	t.Helper()
	cfg, o := cp.config(), cp.options()
	for _, f := range change {
		f(&cfg, &o)
	}
	r, err := profiles.New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}
