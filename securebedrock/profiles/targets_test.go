package profiles_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

const (
	routerARN = account + "default-prompt-router/anthropic.claude:1"
	promptARN = account + "prompt/ABCDEFGHIJ"
)

// knows makes a control plane that answers by path and version, with JSON, beside
// the profiles that were put.
func knows(t *testing.T, answers map[string]string) *controlPlane {
	cp := newControlPlane(t)
	cp.answer(func(w http.ResponseWriter, r *http.Request) {
		path, _ := url.PathUnescape(strings.TrimSuffix(r.URL.EscapedPath(), "/"))
		if v := r.URL.Query().Get("promptVersion"); v != "" {
			path += "?" + v
		}
		if a, ok := answers[path]; ok {
			io.WriteString(w, a)
			return
		}
		cp.mu.Lock()
		p, ok := cp.profiles[strings.TrimPrefix(path, "/inference-profiles/")]
		cp.mu.Unlock()
		if !ok {
			fail(w, http.StatusNotFound, "ResourceNotFoundException")
			return
		}
		json.NewEncoder(w).Encode(p)
	})
	return cp
}

func withAgent(cp *controlPlane) func(*aws.Config, *profiles.Options) {
	return func(_ *aws.Config, o *profiles.Options) { o.AgentEndpoint.URL = cp.URL }
}

func router(arn, fallback string, models ...string) string {
	list := []string{}
	for _, m := range models {
		list = append(list, fmt.Sprintf(`{"modelArn":%q}`, m))
	}
	return fmt.Sprintf(`{"promptRouterArn":%q,"promptRouterName":"r","status":"AVAILABLE","type":"default","models":[%s],"fallbackModel":{"modelArn":%q},"routingCriteria":{"responseQualityDifference":0}}`,
		arn, strings.Join(list, ","), fallback)
}

func prompt(arn, version string, models ...string) string {
	list := []string{}
	for i, m := range models {
		v := fmt.Sprintf(`{"name":"v%d","templateType":"TEXT","templateConfiguration":{"text":{"text":"hello"}}`, i)
		if m == "agent" {
			v += `,"genAiResource":{"agent":{"agentIdentifier":"arn:aws:bedrock:us-east-1:123456789012:agent-alias/A/B"}},"modelId":"` + model + `"`
		} else if m != "" {
			v += fmt.Sprintf(`,"modelId":%q`, m)
		}
		list = append(list, v+"}")
	}
	return fmt.Sprintf(`{"arn":%q,"id":"ABCDEFGHIJ","name":"p","version":%q,"createdAt":"2026-11-01T00:00:00Z","updatedAt":"2026-11-01T00:00:00Z","defaultVariant":"v0","variants":[%s]}`,
		arn, version, strings.Join(list, ","))
}

// Prompts and prompt routers run where each of their models runs, through the
// client too; what Bedrock's answer does not tell is refused.
func TestPromptsAndRouters(t *testing.T) {
	fm := func(region string) string { return "arn:aws:bedrock:" + region + "::foundation-model/" + model }
	for _, row := range []struct {
		name, id  string
		answers   map[string]string
		residency []string
		passes    bool
	}{
		{"a router of models in the region", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), fm(region))}, nil, true},
		{"a router with a model outside", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), fm(region), fm("us-west-2"))}, nil, false},
		{"a router with a fallback outside", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm("us-west-2"), fm(region))}, nil, false},
		{"a router with models that are all admitted", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), fm("us-west-2"))}, []string{"us-west-2"}, true},
		{"a router of a profile that leaves", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), account+"inference-profile/"+systemID)}, nil, false},
		{"a router of a profile that is admitted", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), account+"inference-profile/"+systemID)}, []string{"us-west-2"}, true},
		{"a router of an application profile that leaves", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), ownARN)}, []string{"us-west-2"}, false},
		{"a router of a global model", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), fm(""))}, []string{"us-west-2"}, false},
		{"another router's answer", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN+"x", fm(region), fm(region))}, nil, false},
		{"a router without models", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region))}, nil, false},
		{"a router of another partition's model", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), "arn:aws-cn:bedrock:us-east-1::foundation-model/"+model)}, nil, false},
		{"a router of a router", routerARN, map[string]string{"/prompt-routers/" + routerARN: router(routerARN, fm(region), routerARN)}, nil, false},
		{"a router that nobody knows", routerARN, nil, nil, false},

		{"a prompt's version", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", model)}, nil, true},
		{"a prompt's draft", promptARN, map[string]string{"/prompts/" + promptARN: prompt(promptARN, "DRAFT", model)}, nil, true},
		{"a prompt of a profile that leaves", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", systemID)}, nil, false},
		{"a prompt of a profile that is admitted", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", systemID)}, []string{"us-west-2"}, true},
		{"a prompt of a profile with an unknown prefix", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", "amer."+model)}, nil, true},
		{"a prompt with a variant that leaves", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", model, systemID)}, nil, false},
		{"a prompt of a router", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", routerARN), "/prompt-routers/" + routerARN: router(routerARN, fm(region), fm(region))}, nil, true},
		{"a prompt of a router that leaves", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", routerARN), "/prompt-routers/" + routerARN: router(routerARN, fm("eu-west-1"), fm(region))}, nil, false},
		{"a prompt of a provisioned model", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", account+"provisioned-model/a1b2c3")}, nil, true},
		{"a prompt of a provisioned model elsewhere", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/a1b2c3")}, []string{"us-west-2"}, false},
		{"a prompt of a prompt", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", promptARN)}, nil, false},
		{"a prompt of an agent", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", model, "agent")}, nil, false},
		{"a prompt without a model", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", "")}, nil, false},
		{"a prompt without variants", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3")}, nil, false},
		{"another version's answer", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN+":3", "4", model)}, nil, false},
		{"another prompt's answer", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(account+"prompt/KLMNOPQRST:3", "3", model)}, nil, false},
		{"a draft's answer for a version", promptARN + ":3", map[string]string{"/prompts/" + promptARN + "?3": prompt(promptARN, "DRAFT", model)}, nil, false},

		{"an unknown prefix", "amer." + model, nil, nil, true},
		{"an unknown prefix by ARN", account + "inference-profile/amer." + model, nil, nil, true},
		{"an unknown provider", "newcomer.model-4.5", nil, nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cp, server := knows(t, row.answers), bedrocktest.NewServer(t, bedrocktest.WithModels(row.id))
			cp.put(systemID, systemProfile(systemID, region, "us-west-2"))
			cp.put(account+"inference-profile/"+systemID, systemProfile(systemID, region, "us-west-2"))
			cp.put("amer."+model, systemProfile("amer."+model, region))
			cp.put(account+"inference-profile/amer."+model, systemProfile("amer."+model, region))
			cp.put(ownARN, applicationProfile(region, "eu-west-1"))
			err := say(t.Context(), newClient(t, server, newResolver(t, cp, withAgent(cp)), row.residency...), row.id)
			if !row.passes {
				refused(t, server, err)
				return
			}
			if err != nil || len(server.Calls()) != 1 {
				t.Errorf("%d requests reached Bedrock Runtime, %v", len(server.Calls()), err)
			}
			for _, r := range cp.received() {
				if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+accessKey+"/") {
					t.Errorf("%s was signed with %q", r.URL.Path, r.Header.Get("Authorization"))
				}
			}
		})
	}
}

// A version's answer is kept, a draft's is not.
func TestDraftsAreAskedForEachTime(t *testing.T) {
	for id, want := range map[string]int{promptARN: 3, promptARN + ":3": 1} {
		cp := knows(t, map[string]string{"/prompts/" + promptARN: prompt(promptARN, "DRAFT", model), "/prompts/" + promptARN + "?3": prompt(promptARN+":3", "3", model)})
		r := newResolver(t, cp, withAgent(cp))
		for range 3 {
			if got, err := r.Destinations(t.Context(), id, region); err != nil || len(got) != 1 || got[0] != region {
				t.Fatalf("%s: %v, %v", id, got, err)
			}
		}
		if n := len(cp.received()); n != want {
			t.Errorf("%s was asked for %d times, want %d", id, n, want)
		}
	}
}

// The other service's host comes from the Options alone, too, and none is guessed
// beside a VPC endpoint.
func TestAgentEndpoint(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_BEDROCK_AGENT", liar(t).URL)
	t.Setenv("AWS_ENDPOINT_URL", liar(t).URL)
	for _, row := range []struct {
		name string
		o    profiles.Options
		want string // empty: nobody is asked
	}{
		{"public", profiles.Options{}, "bedrock-agent.us-east-1.amazonaws.com"},
		{"with the control plane's FIPS", profiles.Options{Endpoint: securebedrock.Endpoint{FIPS: true}}, "bedrock-agent-fips.us-east-1.amazonaws.com"},
		{"a VPC endpoint", profiles.Options{AgentEndpoint: securebedrock.Endpoint{URL: "https://vpce-1.bedrock-agent.us-east-1.vpce.amazonaws.com"}}, "vpce-1.bedrock-agent.us-east-1.vpce.amazonaws.com"},
		{"none beside a VPC endpoint", profiles.Options{Endpoint: securebedrock.Endpoint{URL: "https://vpce-1.bedrock.us-east-1.vpce.amazonaws.com"}}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			proxy, client := newRefusingProxy(t)
			cfg := newControlPlane(t).config()
			cfg.HTTPClient = client
			row.o.Region = region
			r, err := profiles.New(cfg, row.o)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			_, err = r.Destinations(t.Context(), promptARN+":1", region)
			if err == nil {
				t.Fatal("an answer came from nowhere")
			}
			proxy.mu.Lock()
			defer proxy.mu.Unlock()
			for _, asked := range proxy.asked {
				if asked != "CONNECT "+row.want+":443" {
					t.Errorf("asked %s", asked)
				}
			}
			if (len(proxy.asked) > 0) != (row.want != "") || row.want == "" && (!errors.Is(err, securebedrock.ErrEndpoint) || !strings.Contains(err.Error(), "AgentEndpoint")) {
				t.Errorf("asked %v, %v", proxy.asked, err)
			}
		})
	}
}

// The hosts of AWS's own are held to their service and region, as the client's is.
func TestHostsOfOtherServices(t *testing.T) {
	for host, ok := range map[string][2]bool{ // as Endpoint, as AgentEndpoint
		"bedrock.us-east-1.amazonaws.com":                   {true, false},
		"bedrock-agent.us-east-1.amazonaws.com":             {false, true},
		"vpce-1.bedrock.us-east-1.vpce.amazonaws.com":       {true, false},
		"vpce-1.bedrock-agent.us-east-1.vpce.amazonaws.com": {false, true},
		"bedrock-runtime.us-east-1.amazonaws.com":           {false, false},
		"bedrock.eu-west-1.amazonaws.com":                   {false, false},
		"bedrock-agent.eu-west-1.api.aws":                   {false, false},
		"bedrock.us-east-1.evil.eu-west-1.amazonaws.com":    {false, false},
		"bedrock.eusc-de-east-1.amazonaws.eu":               {false, false},
		"bedrock.us-east-1.amazonaws。com":                   {false, false},
		"bedrock.example.com":                               {true, true},
	} {
		for i, o := range []profiles.Options{{Endpoint: securebedrock.Endpoint{URL: "https://" + host}}, {AgentEndpoint: securebedrock.Endpoint{URL: "https://" + host}}} {
			o.Region = region
			r, err := profiles.New(newControlPlane(t).config(), o)
			if err == nil {
				r.Close()
			}
			if ok[i] != (err == nil) || err != nil && !errors.Is(err, securebedrock.ErrConfig) {
				t.Errorf("%s, %d: %v", host, i, err)
			}
		}
	}
}
