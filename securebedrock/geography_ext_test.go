package securebedrock_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A geography that nobody knows is a fault of the Options that lists the known
// ones, alone and among others; a mistaken entry is led to Geography only where
// that leads on.
func TestUnknownGeography(t *testing.T) {
	known := []string{"us", "us-gov", "eu", "apac", "jp", "au", "in", "ca"}
	fault := func(residency []string) string {
		t.Helper()
		o := goodOptions()
		o.Residency = residency
		c, err := securebedrock.NewFromConfig(goodConfig(), o)
		if err == nil {
			c.Close()
			return ""
		}
		if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Residency: ") {
			t.Errorf("%v: %v", residency, err)
		}
		return err.Error()
	}
	for _, name := range []string{"europe", "EU", "global", "", "eu-west-1"} {
		for _, residency := range [][]string{
			securebedrock.Geography(name), append(securebedrock.Geography("us"), securebedrock.Geography(name)...),
			append([]string{"eu-west-1"}, securebedrock.Geography(name)...),
		} {
			says := fault(residency)
			for _, k := range known {
				if !strings.Contains(says, k) {
					t.Errorf("%q: the fault does not list %s: %s", name, k, says)
				}
			}
			if name != "" && !strings.Contains(says, `"`+name+`"`) {
				t.Errorf("the fault does not name %q: %s", name, says)
			}
		}
	}
	for _, entry := range []string{"europe", "emea", "fips-us-east-1", "us-east-1.bedrock-runtime.eu-west-1", "aws-global", "eu-*", "mars-north-1"} {
		if says := fault([]string{entry}); says == "" || strings.Contains(says, "Geography") {
			t.Errorf("%q: %q", entry, says)
		}
	}
	for _, entry := range known {
		if says := fault([]string{entry}); !strings.Contains(says, `Geography("`+entry+`")`) {
			t.Errorf("%q: %q", entry, says)
		}
		if says := fault(securebedrock.Geography(entry)); says != "" {
			t.Error(says)
		}
	}
}

// regions splits a list for a table.
func regions(list string) []string { return strings.Fields(list) }

// The rows are written by hand from AWS's pages, apart from the data file that
// the table is made of.
const (
	usThree  = "us-east-1 us-east-2 us-west-2"
	euSix    = "eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3"
	apTwelve = "ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 " +
		"ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7"
)

func knownRoutes() []struct{ prefix, sources, also, destinations string } {
	return []struct{ prefix, sources, also, destinations string }{
		{"us", usThree, "us-west-1 ca-central-1 ca-west-1", usThree},
		{"us-gov", "us-gov-east-1 us-gov-west-1", "", "us-gov-east-1 us-gov-west-1"},
		{"eu", euSix, "eu-central-2 eu-west-2 il-central-1", euSix},
		{"apac", apTwelve, "me-central-1", apTwelve},
		{"jp", "ap-northeast-1 ap-northeast-3", "", "ap-northeast-1 ap-northeast-3"},
		{"au", "ap-southeast-2 ap-southeast-4", "ap-southeast-6", "ap-southeast-2 ap-southeast-4"},
		{"in", "ap-south-1 ap-south-2", "", "ap-south-1 ap-south-2"},
		{"ca", "ca-central-1 ca-west-1", "", "ca-central-1 ca-west-1"},
	}
}

// Every known source of every prefix has the destinations that AWS lists, and
// each of them that is missing from Residency refuses the call.
func TestProfileDestinations(t *testing.T) {
	for _, row := range knownRoutes() {
		if got := securebedrock.Geography(row.prefix); !slices.Equal(got, regions(row.destinations)) {
			t.Errorf("Geography(%q) is %v", row.prefix, got)
		}
		for _, source := range regions(row.sources + " " + row.also) {
			t.Run(row.prefix+" from "+source, func(t *testing.T) {
				want := regions(row.destinations)
				if !slices.Contains(want, source) {
					want = append(want, source)
				}
				server := bedrocktest.NewServer(t, bedrocktest.WithRegion(source))
				in := converse("a secret")
				id := row.prefix + "." + haiku
				in.ModelId = &id

				for _, left := range want {
					if left == source {
						continue // always counts
					}
					c := newClient(t, server, func(o *opts) {
						o.Role = nil
						o.Residency = slices.DeleteFunc(slices.Clone(want), func(r string) bool { return r == left })
					})
					_, err := c.Converse(t.Context(), in)
					refusedBy(t, err, securebedrock.ErrResidency)
					if !strings.Contains(err.Error(), left) {
						t.Errorf("the refusal does not name %s: %v", left, err)
					}
				}
				nothingArrived(t, server)

				var rec recorder
				c := newClient(t, server, rec.option, func(o *opts) { o.Role, o.Residency = nil, securebedrock.Geography(row.prefix) })
				if _, err := c.Converse(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				got := slices.Sorted(slices.Values(rec.one(t).call.Model.Regions))
				if slices.Sort(want); !slices.Equal(got, want) {
					t.Errorf("the destinations are %v, want %v", got, want)
				}
			})
		}
	}
}

// What the table does not know is refused, whatever Residency lists by name.
func TestProfilesThatTheTableDoesNotKnow(t *testing.T) {
	const account = "arn:aws:bedrock:eu-central-1:123456789012:"
	everywhere := regions(usThree + " " + euSix + " " + apTwelve)
	for _, row := range []struct {
		name, region, model string
		rule                error
	}{
		{"a prefix in a region that is none of its sources", "eu-central-1", "us." + haiku, securebedrock.ErrResidency},
		{"a source of another geography's", "us-east-1", "eu." + haiku, securebedrock.ErrResidency},
		{"a commercial prefix in GovCloud", "us-gov-east-1", "us." + haiku, securebedrock.ErrResidency},
		{"a GovCloud prefix in a commercial region", "us-east-1", "us-gov." + haiku, securebedrock.ErrResidency},
		{"a geography in a region without profiles", "sa-east-1", "us." + haiku, securebedrock.ErrResidency},
		{"a global profile", "eu-central-1", "global." + haiku, securebedrock.ErrResidency},
		{"a global profile's ARN", "eu-central-1", account + "inference-profile/global." + haiku, securebedrock.ErrResidency},
		{"an application profile", "eu-central-1", account + "application-inference-profile/a1b2c3", securebedrock.ErrResidency},
		{"a prompt router", "eu-central-1", account + "default-prompt-router/anthropic.claude:1", securebedrock.ErrResidency},
		{"an unknown prefix", "eu-central-1", "uk." + haiku, securebedrock.ErrModel},
		{"an unknown prefix in an ARN", "eu-central-1", account + "inference-profile/sa." + haiku, securebedrock.ErrModel},
		{"a prefix in upper case", "eu-central-1", "EU." + haiku, securebedrock.ErrModel},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t, bedrocktest.WithRegion(row.region))
			c := newClient(t, server, func(o *opts) { o.Role, o.Residency = nil, everywhere })
			in := converse("a secret")
			in.ModelId = &row.model
			_, err := c.Converse(t.Context(), in)
			refusedBy(t, err, row.rule)
			nothingArrived(t, server)
		})
	}
	t.Run("a star admits a global profile", func(t *testing.T) {
		server := bedrocktest.NewServer(t, bedrocktest.WithRegion("sa-east-1"))
		c := newClient(t, server, func(o *opts) { o.Role, o.Residency = nil, []string{"*"} })
		in := converse("hello")
		id := "global." + haiku
		in.ModelId = &id
		if _, err := c.Converse(t.Context(), in); err != nil {
			t.Error(err)
		}
	})
}

// partitions are those of the SDK's own table
// (internal/endpoints/awsrulesfn/partitions.json), all regions of the small ones.
func partitions() []struct{ partition, regions, suffix, dualStack string } {
	return []struct{ partition, regions, suffix, dualStack string }{
		{"aws", "us-east-1 us-west-1 eu-central-1 ap-southeast-6 ca-west-1 me-south-1 af-south-1 il-central-1 mx-central-1 sa-east-1", "amazonaws.com", "api.aws"},
		{"aws-us-gov", "us-gov-east-1 us-gov-west-1", "amazonaws.com", "api.aws"},
		{"aws-cn", "cn-north-1 cn-northwest-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
		{"aws-iso", "us-iso-east-1 us-iso-west-1", "c2s.ic.gov", "api.aws.ic.gov"},
		{"aws-iso-b", "us-isob-east-1 us-isob-west-1", "sc2s.sgov.gov", "api.aws.scloud"},
		{"aws-iso-e", "eu-isoe-west-1", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
		{"aws-iso-f", "us-isof-east-1 us-isof-south-1", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
		{"aws-eusc", "eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"},
	}
}

func TestHostsOfEveryPartition(t *testing.T) {
	proxy := newConnectProxy(t)
	for _, row := range partitions() {
		for _, region := range regions(row.regions) {
			for _, e := range []struct {
				endpoint securebedrock.Endpoint
				host     string
			}{
				{securebedrock.Endpoint{}, "bedrock-runtime." + region + "." + row.suffix},
				{securebedrock.Endpoint{DualStack: true}, "bedrock-runtime." + region + "." + row.dualStack},
				{securebedrock.Endpoint{FIPS: true}, "bedrock-runtime-fips." + region + "." + row.suffix},
			} {
				cfg := goodConfig()
				cfg.HTTPClient = proxy.client()
				o := goodOptions()
				o.Region, o.Endpoint, o.Retry.MaxAttempts = region, e.endpoint, 1
				c, err := securebedrock.NewFromConfig(cfg, o)
				if err != nil {
					t.Errorf("%s %+v: %v", region, e.endpoint, err)
					continue
				}
				if _, err := c.Converse(t.Context(), converse("a secret")); err == nil {
					t.Error("the call went out")
				}
				c.Close()
				if got := proxy.asked(); !slices.Equal(got, []string{e.host + ":443"}) {
					t.Errorf("%s %+v: asked for %v, want %s", region, e.endpoint, got, e.host)
				}
			}
		}
	}
}

// An ARN passes in its own partition alone, whatever it names: a model, the
// guardrail, the role.
func TestARNsOfEveryPartition(t *testing.T) {
	for _, home := range partitions() {
		region := regions(home.regions)[0]
		server := bedrocktest.NewServer(t, bedrocktest.WithRegion(region))
		for _, arn := range partitions() {
			same := arn.partition == home.partition
			t.Run(home.partition+" meets "+arn.partition, func(t *testing.T) {
				c := newClient(t, server, func(o *opts) { o.Role = nil })
				for _, resource := range []string{":foundation-model/" + haiku, "123456789012:provisioned-model/a1b2c3d4e5f6"} {
					in := converse("hello")
					id := "arn:" + arn.partition + ":bedrock:" + region + ":" + resource
					in.ModelId = &id
					before := len(server.Calls())
					_, err := c.Converse(t.Context(), in)
					if same {
						if err != nil {
							t.Errorf("%s: %v", id, err)
						}
						continue
					}
					refusedBy(t, err, securebedrock.ErrRegion)
					if len(server.Calls()) != before {
						t.Errorf("%s reached the server", id)
					}
				}
				for field, change := range map[string]func(*opts){
					"Guardrail.ID": func(o *opts) {
						o.Guardrail.ID = "arn:" + arn.partition + ":bedrock:" + region + ":123456789012:guardrail/abc123"
					},
					"Role.ARN": func(o *opts) {
						o.Role = &securebedrock.Role{ARN: "arn:" + arn.partition + ":iam::123456789012:role/inference"}
					},
				} {
					o := goodOptions()
					o.Region = region
					change(&o)
					c, err := securebedrock.NewFromConfig(goodConfig(), o)
					switch {
					case same && err != nil:
						t.Errorf("%s: %v", field, err)
					case same:
						c.Close()
					case err == nil || !strings.Contains(err.Error(), field):
						t.Errorf("%s of another partition: got %v", field, err)
					}
				}
			})
		}
	}
}
