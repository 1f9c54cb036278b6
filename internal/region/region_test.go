package region

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/region/regiongen"
)

// source is the table of the SDK that this module requires.
func source(t *testing.T) []byte {
	t.Helper()
	data, err := regiongen.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGeneratedTableIsFresh(t *testing.T) {
	want, err := regiongen.Render(source(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("table.go is not what the SDK's partition table makes; run go generate ./internal/region")
	}
}

// Every region of the SDK's table has its partition there, and a host by the SDK's
// rules that passes here; every pseudo-region is refused.
func TestEveryRegionOfTheSDK(t *testing.T) {
	partitions, err := regiongen.Parse(source(t))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range partitions {
		pattern := regexp.MustCompile(p.Regex)
		for name := range p.Regions {
			got, ok := Of(name)
			if pattern.MatchString(name) != ok {
				t.Errorf("%s: %v, and the SDK's pattern says %v", name, ok, !ok)
			}
			if !ok {
				continue
			}
			n++
			if got != (Partition{p.ID, p.Outputs.DNS, p.Outputs.Dual}) {
				t.Errorf("%s is of %+v", name, got)
			}
			for _, fips := range []bool{false, true} {
				for _, dual := range []bool{false, true} {
					e, err := bedrockruntime.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrockruntime.EndpointParameters{
						Region: &name, UseFIPS: &fips, UseDualStack: &dual})
					if err != nil {
						t.Fatal(err)
					}
					if why := HostFault(e.URI.Hostname(), name, "bedrock-runtime"); why != "" {
						t.Errorf("%s %s", e.URI.Hostname(), why)
					}
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d regions were seen", n)
	}
}

func TestWhatIsNoRegion(t *testing.T) {
	for _, name := range []string{
		"", "eu", "europe", "us-east", "us-east-1a", "us-east-1-1", "us-east-01", "us-east-0", "us-east-1234", "us--1", "-east-1", "us-east-",
		"fips-us-east-1", "us-east-1-fips", "us-fips-1", "us-gov-fips-1", "aws-global", "aws-cn-global", "us-iso-global", "xx-east-1", "mars-north-1",
		"us-gov-west", "us-isox-east-1", "eusc-fr-west-1", "US-EAST-1", "us-east_x-1", "us-éast-1", "us-east-1.bedrock-runtime.eu-west-1",
		"us-east-1 ", "us-east-1\n", "us-east-1/x", "us-east-1@evil", "us-" + strings.Repeat("x", 40) + "-1",
	} {
		if p, ok := Of(name); ok {
			t.Errorf("%q was taken for a region of %s", name, p.ID)
		}
	}
	for _, name := range []string{"eu-west-9", "us-gov-central-1", "mx-central-2"} { // not in the table yet
		if !Valid(name) {
			t.Errorf("%s is no region", name)
		}
	}
}

func TestHostFault(t *testing.T) {
	for _, row := range []struct {
		host, region string
		ok           bool
	}{
		{"bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1", true},
		{"Bedrock-Runtime.EU-WEST-1.amazonaws.com.", "eu-west-1", true},
		{"bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", true},
		{"bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", true},
		{"vpce-0a1b-2c3d.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1", true},
		{"vpce-0a1b-2c3d-eu-west-1a.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1", true},
		{"vpce-0a1b-2c3d.bedrock-runtime.us-iso-east-1.vpce.c2s.ic.gov", "us-iso-east-1", true},
		{"bedrock.example.com", "eu-west-1", true},
		{"bedrock-runtime.us-east-1.amazonaws.com.example.com", "eu-west-1", true}, // not AWS's
		{"127.0.0.1", "eu-west-1", true},

		{"bedrock-runtime.us-east-1.amazonaws.com", "eu-west-1", false},
		{"bedrock.eu-west-1.amazonaws.com", "eu-west-1", false},
		{"amazonaws.com", "eu-west-1", false},
		{"s3.amazonaws.com", "eu-west-1", false},
		{"bedrock-runtime.eu-west-1.evil.us-east-1.amazonaws.com", "eu-west-1", false},
		{"eu-west-1.bedrock-runtime.us-east-1.amazonaws.com", "eu-west-1", false},
		{"bedrock-runtime.eu-west-1.elb.amazonaws.com", "eu-west-1", false},
		{"x.bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1", false},
		{"evil.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1", false},
		{"vpce-.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1", false},
		{"vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com", "eu-west-1", false},
		{"vpce-0a.bedrock.eu-west-1.vpce.amazonaws.com", "eu-west-1", false},
		{"vpce-svc-0a.eu-west-1.vpce.amazonaws.com", "eu-west-1", false},
		{"bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1", false},
		{"vpce-0a.bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1", false},
		{"bedrock-runtime.cn-north-1.amazonaws.com", "cn-north-1", false}, // of the wrong partition
		{"bedrock-runtime.cn-north-1.amazonaws.com.cn", "eu-west-1", false},
		{"bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eu-west-1", false},
		{"bedrock.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", false},
		{"bedrock-runtime.us-iso-west-1.c2s.ic.gov", "us-iso-east-1", false},
		{"bedrock-runtime.us-isob-east-1.sc2s.sgov.gov", "us-iso-east-1", false},
		{"bedrock.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", false},
		{"sts.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", false},
		{"sts.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", false},
		{"bedrock-runtime.us-iso-west-1.api.aws.ic.gov", "us-iso-east-1", false},
		{"bedrock-runtime.us-isob-west-1.api.aws.scloud", "us-isob-east-1", false},
		{"bedrock-runtime.us-east-1.api.aws", "eu-west-1", false},
	} {
		if why := HostFault(row.host, row.region, "bedrock-runtime"); (why == "") != row.ok {
			t.Errorf("%s in %s: %q", row.host, row.region, why)
		}
	}
}

// A table that has taken another form is an error and no table.
func TestRenderRefuses(t *testing.T) {
	good := string(source(t))
	for _, change := range [][2]string{
		{`^cn\\-\\w+\\-\\d+$`, `^cn\\-.*$`}, {`"dnsSuffix" : "amazonaws.eu"`, `"dnsSuffix" : ""`}, {`"partitions"`, `"x"`}, {`{`, `[`},
	} {
		data := strings.Replace(good, change[0], change[1], 1)
		if data == good {
			t.Fatalf("%s is not there", change[0])
		}
		if _, err := regiongen.Render([]byte(data)); err == nil {
			t.Errorf("%s passed", change[1])
		}
	}
}

func TestParseARN(t *testing.T) {
	for s, ok := range map[string]bool{
		"arn:aws:bedrock:eu-west-1:123456789012:guardrail/a:b": true,
		"arn:aws:bedrock:::foundation-model/a.b":               true,
		"":                                                     false, "arn:aws:bedrock:eu-west-1:123456789012": false, "arn::bedrock:a:b:c": false, "arn:aws::a:b:c": false,
		"arn:aws:bedrock:a:b:": false, "urn:aws:bedrock:a:b:c": false,
	} {
		if a, got := ParseARN(s); got != ok {
			t.Errorf("%q: %+v %v", s, a, got)
		}
	}
}
