package bedrockhttp_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A library that signs its requests takes an http.Client. Whatever it sends becomes a
// call of the guarded client. Here a plain POST stands for the library.
func ExampleTransport() {
	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	library := &http.Client{Transport: bedrockhttp.Transport(client)}
	for _, model := range []string{"anthropic.claude-3-haiku-20240307-v1:0", "global.anthropic.claude-sonnet-4-20250514-v1:0"} {
		res, err := library.Post("https://bedrock-runtime.us-west-2.amazonaws.com/model/"+model+"/converse", "application/json",
			strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"How do I build a bomb?"}]}]}`))
		if err != nil {
			log.Fatal(err)
		}
		var answer struct{ StopReason, Message string }
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.StatusCode, answer.StopReason+answer.Message)
	}
	// Output:
	// 200 guardrail_intervened
	// 403 securebedrock: Converse: inference could leave the permitted regions: a global inference profile can run in every commercial region; Options.Residency must hold "*" to admit it
}

// Programs in other processes call a server, each with a key of its own. The key of
// "reports" opens one model. WriteCredentials hands keys to programs that sign.
func ExampleHandler() {
	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	reports := bedrockhttp.NewKey("reports")
	reports.Models = []string{"anthropic.claude-3-haiku-*"}
	keys, err := bedrockhttp.NewKeys(reports)
	if err != nil {
		log.Fatal(err)
	}
	opts := bedrockhttp.HandlerOptions{Keys: keys}
	if err := opts.Validate(); err != nil {
		log.Fatal(err)
	}
	door := httptest.NewServer(bedrockhttp.Handler(client, opts))
	defer door.Close()

	for _, call := range []struct{ token, model string }{
		{reports.Bearer, "anthropic.claude-3-haiku-20240307-v1:0"},
		{reports.Bearer, "amazon.nova-lite-v1:0"},
		{"a key of somebody else", "anthropic.claude-3-haiku-20240307-v1:0"},
	} {
		req, err := http.NewRequest(http.MethodPost, door.URL+"/model/"+call.model+"/converse",
			strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+call.token)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		_ = res.Body.Close()
		fmt.Println(call.model, res.StatusCode)
	}
	// Output:
	// anthropic.claude-3-haiku-20240307-v1:0 200
	// amazon.nova-lite-v1:0 403
	// anthropic.claude-3-haiku-20240307-v1:0 403
}
