package securebedrock_test

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

var errSTSDown = errors.New("STS is down")

type failingSTS struct{}

func (failingSTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return nil, errSTSDown
}

// Every field of Role reaches STS, and the session signs the call.
func TestRoleFields(t *testing.T) {
	server := bedrocktest.NewServer(t)
	const policy = `{"Version":"2012-10-17","Statement":[]}`
	c := newClient(t, server, func(o *opts) {
		*o.Role = securebedrock.Role{
			ARN: "arn:aws:iam::123456789012:role/path/app", SessionName: "claims-1", ExternalID: "ext:1/2", SourceIdentity: "alice@example.com",
			Duration: 30 * time.Minute, Tags: map[string]string{"team": "claims", "env": "test"}, TransitiveTagKeys: []string{"team"},
			Policy: policy, STS: o.Role.STS,
		}
	})
	for range 3 {
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Fatal(err)
		}
	}
	assumed := calls(server, "AssumeRole")
	if len(assumed) != 1 {
		t.Fatalf("the role was assumed %d times for 3 calls", len(assumed))
	}
	in := assumed[0].Input.(*sts.AssumeRoleInput)
	tags := map[string]string{}
	for _, tag := range in.Tags {
		tags[*tag.Key] = *tag.Value
	}
	if aws.ToString(in.RoleArn) != "arn:aws:iam::123456789012:role/path/app" || aws.ToString(in.RoleSessionName) != "claims-1" ||
		aws.ToString(in.ExternalId) != "ext:1/2" || aws.ToString(in.SourceIdentity) != "alice@example.com" ||
		aws.ToInt32(in.DurationSeconds) != 1800 || aws.ToString(in.Policy) != policy ||
		!maps.Equal(tags, map[string]string{"team": "claims", "env": "test"}) || len(in.TransitiveTagKeys) != 1 || in.TransitiveTagKeys[0] != "team" {
		t.Errorf("STS was asked %+v", in)
	}
	for _, call := range calls(server, "Converse") {
		if !strings.HasPrefix(call.AccessKeyID, "ASIA") {
			t.Errorf("a call was signed with %s", call.AccessKeyID)
		}
	}
}

func TestDefaultSessionName(t *testing.T) {
	valid := regexp.MustCompile(`^securebedrock-[\w+=,.@-]{1,50}$`)
	for _, row := range []struct{ function, want string }{
		{"", ""},
		{"claims-handler", "securebedrock-claims-handler"},
		{strings.Repeat("long", 30), "securebedrock-" + strings.Repeat("long", 30)[:50]},
		{"odd/na me$", "securebedrock-odd-na-me"},
	} {
		t.Run("Lambda function "+row.function, func(t *testing.T) {
			t.Setenv("AWS_LAMBDA_FUNCTION_NAME", row.function)
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *opts) { o.Role.SessionName = "" })
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Fatal(err)
			}
			name := aws.ToString(calls(server, "AssumeRole")[0].Input.(*sts.AssumeRoleInput).RoleSessionName)
			if !valid.MatchString(name) || row.want != "" && name != row.want {
				t.Errorf("the session is called %q", name)
			}
		})
	}
}

// Many first calls share one request to STS.
func TestOneRequestToSTS(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(calls(server, "AssumeRole")); n != 1 {
		t.Errorf("STS was asked %d times", n)
	}
}

// A role that cannot be assumed is an error that names role, region and reason,
// and no call leaves with the credentials beneath it.
func TestRoleThatCannotBeAssumed(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("AssumeRole", bedrocktest.Error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"))
	c := newClient(t, server)
	_, err := c.Converse(t.Context(), converse("a secret"))
	if err == nil {
		t.Fatal("the call went out")
	}
	for _, want := range []string{"arn:aws:iam::", "us-east-1", "not authorized"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	nothingArrived(t, server)
}

// Without Role.STS the region's own endpoint is asked, whatever the environment
// and the configuration say.
func TestSTSIsRegional(t *testing.T) {
	other := newTrap(t)
	for k, v := range map[string]string{"AWS_ENDPOINT_URL_STS": other.URL, "AWS_ENDPOINT_URL": other.URL, "AWS_STS_REGIONAL_ENDPOINTS": "legacy"} {
		t.Setenv(k, v)
	}
	proxy := newConnectProxy(t)
	cfg := aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(other.URL),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:  proxy.client(),
	}
	for _, row := range []struct{ region, want string }{
		{"eu-central-1", "sts.eu-central-1.amazonaws.com:443"},
		{"us-east-1", "sts.us-east-1.amazonaws.com:443"}, // legacy would ask sts.amazonaws.com
		{"us-gov-west-1", "sts.us-gov-west-1.amazonaws.com:443"},
		{"cn-north-1", "sts.cn-north-1.amazonaws.com.cn:443"},
	} {
		partition := map[string]string{"us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn"}[row.region]
		if partition == "" {
			partition = "aws"
		}
		c, err := securebedrock.NewFromConfig(cfg, opts{Region: row.region, Endpoint: securebedrock.Endpoint{URL: "https://bedrock.internal"}, Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"},
			Retry: securebedrock.Retry{MaxAttempts: 1}, Role: &securebedrock.Role{ARN: "arn:" + partition + ":iam::123456789012:role/app"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if _, err := c.Converse(ctx, converse("a secret")); err == nil {
			t.Fatal("the call went out")
		}
		cancel()
		c.Close()
		if got := proxy.asked(); len(got) == 0 || got[0] != row.want {
			t.Errorf("%s: asked for %v, want %s", row.region, got, row.want)
		}
	}
}
