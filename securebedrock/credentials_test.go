package securebedrock

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// The helpers of IAM Roles Anywhere and of ECS listen on loopback: the whole way,
// through New.
func TestContainerOnLoopback(t *testing.T) {
	var asked *http.Request
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"AccessKeyId":"ASIAX","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}`)
	}))
	defer agent.Close()
	for k, v := range map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.URL + "/creds?id=1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a token",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": ""} {
		t.Setenv(k, v)
	}
	c, err := New(t.Context(), Options{Region: "eu-west-1", Guardrail: Guardrail{ID: "g1", Version: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, _, err := c.credentials.retrieve(context.Background())
	if err != nil || got.AccessKeyID != "ASIAX" {
		t.Fatalf("got %s, %v", got.AccessKeyID, err)
	}
	if u, _ := url.Parse(agent.URL); asked.Host != u.Host || asked.URL.RequestURI() != "/creds?id=1" || asked.Header.Get("Authorization") != "a token" {
		t.Errorf("asked %s %s with %q", asked.Host, asked.URL, asked.Header.Get("Authorization"))
	}
}

// An instance's metadata on loopback, where aws_signing_helper serves it, the whole
// way through New; no connection outlives the client.
func TestInstanceMetadataOnLoopback(t *testing.T) {
	var open atomic.Int32
	helper := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			io.WriteString(w, "token")
		case "/latest/meta-data/iam/security-credentials/":
			io.WriteString(w, "app")
		default:
			io.WriteString(w, `{"Code":"Success","AccessKeyId":"ASIAX","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}`)
		}
	}))
	helper.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	helper.Start()
	defer helper.Close()
	for k, v := range map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": helper.URL, "AWS_EC2_METADATA_DISABLED": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": ""} {
		t.Setenv(k, v)
	}
	c, err := New(t.Context(), Options{Region: "eu-west-1", Guardrail: Guardrail{ID: "g1", Version: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := c.credentials.retrieve(t.Context())
	if err != nil || got.AccessKeyID != "ASIAX" || open.Load() == 0 {
		t.Errorf("got %s over %d connections, %v", got.AccessKeyID, open.Load(), err)
	}
	c.Close()
	for range 200 {
		if open.Load() == 0 {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Errorf("%d connections are left", open.Load())
}
