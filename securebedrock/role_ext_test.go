package securebedrock_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

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

// answeringSTS answers as it is told.
type answeringSTS struct {
	arn  string
	ends *time.Duration // from now; nil: not said
	out  func(*sts.AssumeRoleOutput) *sts.AssumeRoleOutput
}

func (s answeringSTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	out := &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: &s.arn},
		Credentials:     &ststypes.Credentials{AccessKeyId: aws.String("ASIAHUNTER2"), SecretAccessKey: aws.String("hunter2"), SessionToken: aws.String("hunter2")},
	}
	if s.ends != nil {
		out.Credentials.Expiration = aws.Time(time.Now().Add(*s.ends))
	}
	if s.out != nil {
		out = s.out(out)
	}
	return out, nil
}

// A session signs calls only where it is the one that was asked for.
func TestSessionIsTheOneAskedFor(t *testing.T) {
	const right = "arn:aws:sts::123456789012:assumed-role/App/claims"
	in := func(d time.Duration) *time.Duration { return &d }
	for _, row := range []struct {
		name, arn string
		ends      *time.Duration
		out       func(*sts.AssumeRoleOutput) *sts.AssumeRoleOutput
		says      string // empty: the session is taken
	}{
		{"the one", right, in(time.Hour), nil, ""},
		{"with a clock that is a little behind", right, in(90 * time.Minute), nil, ""},
		{"a role's name in another case", "arn:aws:sts::123456789012:assumed-role/app/claims", in(time.Hour), nil, ""},
		{"from an STS that does not name it", right, in(time.Hour), func(o *sts.AssumeRoleOutput) *sts.AssumeRoleOutput { o.AssumedRoleUser = nil; return o }, ""},
		{"of another account", "arn:aws:sts::999999999999:assumed-role/App/claims", in(time.Hour), nil, "999999999999"},
		{"of another role", "arn:aws:sts::123456789012:assumed-role/Admin/claims", in(time.Hour), nil, "Admin"},
		{"of a role whose name only begins alike", "arn:aws:sts::123456789012:assumed-role/App2/claims", in(time.Hour), nil, "App2"},
		{"under another name", "arn:aws:sts::123456789012:assumed-role/App/someone", in(time.Hour), nil, "someone"},
		{"with a longer path", "arn:aws:sts::123456789012:assumed-role/App/claims/x", in(time.Hour), nil, "claims/x"},
		{"of another partition", "arn:aws-cn:sts::123456789012:assumed-role/App/claims", in(time.Hour), nil, "aws-cn"},
		{"of a federated user", "arn:aws:sts::123456789012:federated-user/claims", in(time.Hour), nil, "federated-user"},
		{"of nobody", "", in(time.Hour), nil, `""`},
		{"of a text", "hunter2 hunter2", in(time.Hour), nil, "(no ARN)"},
		{"that is over", right, in(-time.Second), nil, "ended at"},
		{"that ends in twenty years", right, in(20 * 365 * 24 * time.Hour), nil, "ends at"},
		{"that has no end", right, nil, nil, "without an end"},
		{"without credentials", right, in(time.Hour), func(o *sts.AssumeRoleOutput) *sts.AssumeRoleOutput { o.Credentials = nil; return o }, "no session"},
		{"that is nothing at all", right, in(time.Hour), func(*sts.AssumeRoleOutput) *sts.AssumeRoleOutput { return nil }, "nothing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var arrived atomic.Int32
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				unproven(w, r)
			}), func(o *opts) {
				o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/some/path/App", SessionName: "claims", STS: answeringSTS{row.arn, row.ends, row.out}}
			})
			_, err := c.Converse(t.Context(), converse("a secret"))
			if row.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refusedBy(t, err, securebedrock.ErrAuth)
			if !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "role/some/path/App") && row.says != "nothing" || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
				t.Errorf("the error says %v", err)
			}
			if arrived.Load() > 0 {
				t.Error("the call went out")
			}
		})
	}
}

// An STS answer without end is not read to its end, whose client it may be.
func TestEndlessSTS(t *testing.T) {
	var sent atomic.Int64
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><X>`)
		for sent.Load() < 256<<20 {
			n, err := io.WriteString(w, strings.Repeat(" ", 1<<16))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) {
		o.Role.STS = sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &endless.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("A", "s", "")})
	})
	_, err := c.Converse(t.Context(), converse("a secret"))
	if !errors.Is(err, securebedrock.ErrAnswerSize) {
		t.Errorf("got %v", err)
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
	nothingArrived(t, server)
}

// A session is renewed before its end, and an hour is asked for.
func TestSTSVariants(t *testing.T) {
	for _, row := range []struct {
		e    securebedrock.Endpoint
		want string
	}{
		{securebedrock.Endpoint{FIPS: true}, "sts-fips.us-east-1.amazonaws.com:443"},
		{securebedrock.Endpoint{DualStack: true}, "sts.us-east-1.api.aws:443"},
	} {
		proxy := newConnectProxy(t)
		c, err := securebedrock.NewFromConfig(aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: proxy.client()},
			opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}, Endpoint: row.e, Role: &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, _ = c.Converse(ctx, converse("a secret"))
		cancel()
		c.Close()
		if got := proxy.asked(); len(got) == 0 || got[0] != row.want {
			t.Errorf("asked for %v, want %s", got, row.want)
		}
	}
}

// renewal
type shortSTS struct {
	mu   sync.Mutex
	n    int
	left time.Duration
}

func (s *shortSTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if s.n > 1 {
		return nil, errSTSDown
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIAX"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"),
		Expiration: aws.Time(time.Now().Add(s.left))}}, nil
}

func TestRenewalFailsWhileValid(t *testing.T) {
	c := handled(t, http.HandlerFunc(unproven), func(o *opts) {
		o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: &shortSTS{left: 4 * time.Minute}}
	})
	for i := range 2 {
		if _, err := c.Converse(t.Context(), converse("x")); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
}
