package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// callsWithModel are all operations that name a model.
func callsWithModel() map[string]func(context.Context, *client, string) error {
	return map[string]func(context.Context, *client, string) error{
		"Converse": func(ctx context.Context, c *client, id string) error {
			_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &id, Messages: userSays("a secret")})
			return err
		},
		"ConverseStream on Runtime": func(ctx context.Context, c *client, id string) error {
			out, err := c.Runtime().ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: &id, Messages: userSays("a secret")})
			if err == nil {
				out.GetStream().Close()
			}
			return err
		},
		"InvokeModel": func(ctx context.Context, c *client, id string) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: &id, Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c *client, id string) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &id, Body: invokeBody("a secret")})
			if err == nil {
				out.GetStream().Close()
			}
			return err
		},
		"CountTokens": func(ctx context.Context, c *client, id string) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: &id,
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("a secret")}}})
			return err
		},
		"StartAsyncInvoke": func(ctx context.Context, c *client, id string) error {
			in := startAsync()
			in.ModelId = &id
			_, err := c.StartAsyncInvoke(ctx, in)
			return err
		},
		"InvokeModelWithBidirectionalStream": func(ctx context.Context, c *client, id string) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: &id})
			if err == nil {
				out.GetStream().Close()
			}
			return err
		},
	}
}

// A model's ARN is of a permitted account, whatever its kind and the operation:
// one of Accounts, else the Role's.
func TestModelOfAnotherAccount(t *testing.T) {
	kinds := []string{"inference-profile/us." + haiku, "application-inference-profile/a1b2c3", "provisioned-model/a1b2c3d4e5f6", "custom-model-deployment/a1b2c3d4e5f6",
		"imported-model/a1b2c3d4e5f6", "prompt-router/a1b2c3", "default-prompt-router/anthropic.claude:1", "prompt/ABCDEFGHIJ:1"}
	// Bedrock Runtime takes a Marketplace endpoint by the ARN that SageMaker has for it.
	refused := append([]string{"marketplace/model-endpoint/a"}, kinds...)
	const ours, other = "123456789012", "999999999999"
	base := func(o *opts) {
		o.Residency = []string{"*"}
		o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "x", "InvokeModelWithBidirectionalStream": "x"}
	}
	for name, change := range map[string]func(*opts){
		"the Role's account":     func(o *opts) { base(o); o.Role.ARN = "arn:aws:iam::" + ours + ":role/app" },
		"Accounts":               func(o *opts) { base(o); o.Role, o.Accounts = nil, []string{"111111111111", ours} },
		"Accounts over the Role": func(o *opts) { base(o); o.Role.ARN, o.Accounts = "arn:aws:iam::"+other+":role/app", []string{ours} },
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, change)
			for op, call := range callsWithModel() {
				for _, kind := range refused {
					err := call(t.Context(), c, "arn:aws:bedrock:us-east-1:"+other+":"+kind)
					if !errors.Is(err, securebedrock.ErrAccount) {
						t.Errorf("%s %s: %v", op, kind, err)
					}
				}
				if err := call(t.Context(), c, "arn:aws:sagemaker:us-east-1:"+other+":endpoint/mine"); !errors.Is(err, securebedrock.ErrAccount) {
					t.Errorf("%s: %v", op, err)
				}
			}
			nothingArrived(t, server)
			for _, kind := range kinds {
				if err := callsWithModel()["Converse"](t.Context(), c, "arn:aws:bedrock:us-east-1:"+ours+":"+kind); err != nil {
					t.Errorf("%s of ours: %v", kind, err)
				}
			}
		})
	}
	t.Run("neither: any account", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Role = nil })
		if err := callsWithModel()["Converse"](t.Context(), c, "arn:aws:bedrock:us-east-1:"+other+":provisioned-model/a1b2c3d4e5f6"); err != nil {
			t.Error(err)
		}
	})
	t.Run("what is no account", func(t *testing.T) {
		for _, a := range []string{"", "12345678901", "1234567890123", "12345678901x", "*"} {
			o := goodOptions()
			o.Accounts = []string{a}
			if _, err := securebedrock.NewFromConfig(goodConfig(), o); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Accounts: ") {
				t.Errorf("%q: %v", a, err)
			}
		}
	})
}

// The accounts are copied.
func TestAccountsAreCopied(t *testing.T) {
	server := bedrocktest.NewServer(t)
	o := server.Options()
	o.Role, o.Accounts = nil, []string{"123456789012"}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.Accounts[0] = "999999999999"
	err = callsWithModel()["Converse"](t.Context(), c, "arn:aws:bedrock:us-east-1:999999999999:provisioned-model/a1b2c3")
	refusedBy(t, err, securebedrock.ErrAccount)
}

// A guardrail that the caller names by ARN is of the pinned place, also where an
// ID is pinned, and where none is.
func TestGuardrailOfAnotherPlace(t *testing.T) {
	id := bedrocktest.DefaultGuardrailID
	version := aws.String("1")
	calls := map[string]func(context.Context, *client, *string) error{
		"Converse": func(ctx context.Context, c *client, arn *string) error {
			in := converse("a secret")
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: arn, GuardrailVersion: version}
			_, err := c.Converse(ctx, in)
			return err
		},
		"ConverseStream": func(ctx context.Context, c *client, arn *string) error {
			in := converseStream("a secret")
			in.GuardrailConfig = &types.GuardrailStreamConfiguration{GuardrailIdentifier: arn, GuardrailVersion: version}
			out, err := c.ConverseStream(ctx, in)
			if err == nil {
				out.GetStream().Close()
			}
			return err
		},
		"InvokeModel": func(ctx context.Context, c *client, arn *string) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret"), GuardrailIdentifier: arn, GuardrailVersion: version})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c *client, arn *string) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("a secret"), GuardrailIdentifier: arn, GuardrailVersion: version})
			if err == nil {
				out.GetStream().Close()
			}
			return err
		},
		"ApplyGuardrail": func(ctx context.Context, c *client, arn *string) error {
			_, err := c.ApplyGuardrail(ctx, applyGuardrail(*arn, "1"))
			return err
		},
	}
	for _, mode := range []struct {
		name   string
		change func(*opts)
		rules  [2]error // for another region, for another account
	}{
		{"with an ID pinned", func(o *opts) {}, [2]error{securebedrock.ErrGuardrailOverride, securebedrock.ErrGuardrailOverride}},
		{"with none", func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "a test" }, [2]error{securebedrock.ErrRegion, securebedrock.ErrAccount}},
	} {
		for op, call := range calls {
			t.Run(mode.name+" "+op, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				c := newClient(t, server, func(o *opts) { o.Role, o.Accounts = nil, []string{"123456789012"} }, mode.change)
				refusedBy(t, call(t.Context(), c, aws.String("arn:aws:bedrock:eu-west-1:123456789012:guardrail/"+id)), mode.rules[0])
				refusedBy(t, call(t.Context(), c, aws.String("arn:aws-cn:bedrock:us-east-1:123456789012:guardrail/"+id)), mode.rules[0])
				refusedBy(t, call(t.Context(), c, aws.String("arn:aws:bedrock:us-east-1:999999999999:guardrail/"+id)), mode.rules[1])
				refusedBy(t, call(t.Context(), c, aws.String("arn:aws:bedrock:us-east-1:123456789012:prompt/"+id)), securebedrock.ErrGuardrailOverride)
				nothingArrived(t, server)
				if err := call(t.Context(), c, aws.String("arn:aws:bedrock:us-east-1:123456789012:guardrail/"+id)); err != nil {
					t.Errorf("ours: %v", err)
				}
			})
		}
	}
}

// answering is a resolver that answers for one identifier.
type answering map[string][]string

func (a answering) Destinations(_ context.Context, profile, region string) ([]string, error) {
	if list, ok := a[profile]; ok {
		return list, nil
	}
	return nil, fmt.Errorf("nothing is known of it in %s", region)
}

// What the table cannot tell is the resolver's to tell; without one, the refusal
// names a way that works.
func TestWhatOnlyAResolverKnows(t *testing.T) {
	const account = "arn:aws:bedrock:us-east-1:123456789012:"
	for _, id := range []string{"amer.anthropic.claude-v1", "newcomer.model-4.5", account + "inference-profile/amer.anthropic.claude-v1",
		account + "application-inference-profile/a1b2c3", account + "prompt-router/a1b2c3", account + "default-prompt-router/anthropic.claude:1",
		account + "prompt/ABCDEFGHIJ", account + "prompt/ABCDEFGHIJ:1"} {
		t.Run(id, func(t *testing.T) {
			server := bedrocktest.NewServer(t, bedrocktest.WithModels(id))
			rule := securebedrock.ErrResidency
			if strings.Contains(id, "amer.") || strings.Contains(id, "newcomer.") {
				rule = securebedrock.ErrModel
			}
			say := callsWithModel()["Converse"]
			err := say(t.Context(), newClient(t, server), id)
			refusedBy(t, err, rule)
			if !strings.Contains(err.Error(), "set Options.Profiles") || strings.Contains(err.Error(), " a a") {
				t.Errorf("the refusal names no way out: %v", err)
			}
			outside := newClient(t, server, func(o *opts) { o.Profiles = answering{id: {"us-east-1", "us-west-1"}} })
			err = say(t.Context(), outside, id)
			refusedBy(t, err, securebedrock.ErrResidency)
			if !strings.Contains(err.Error(), "us-west-1") {
				t.Errorf("the refusal does not name the destination: %v", err)
			}
			err = say(t.Context(), newClient(t, server, func(o *opts) { o.Profiles = answering{} }), id)
			refusedBy(t, err, securebedrock.ErrResidency)
			if strings.Contains(err.Error(), "set Options.Profiles") {
				t.Errorf("it is set: %v", err)
			}
			nothingArrived(t, server)

			rec := new(recorder)
			inside := newClient(t, server, rec.option, func(o *opts) {
				o.Profiles, o.Residency = answering{id: {"us-east-1", "us-west-1"}}, []string{"us-west-1"}
			})
			if err := say(t.Context(), inside, id); err != nil {
				t.Error(err)
			}
			if got := rec.one(t).call.Model.Regions; len(got) != 2 {
				t.Errorf("the record has the regions %v", got)
			}
			if err := say(t.Context(), newClient(t, server, func(o *opts) { o.Residency = []string{"*"} }), id); err != nil {
				t.Errorf("with the asterisk: %v", err)
			}
		})
	}
	t.Run("the way by ARN works", func(t *testing.T) {
		server := bedrocktest.NewServer(t, bedrocktest.WithModels("newcomer.model-4.5"))
		c := newClient(t, server)
		err := callsWithModel()["Converse"](t.Context(), c, "newcomer.model-4.5")
		_, arn, _ := strings.Cut(err.Error(), `name it "`)
		arn, _, _ = strings.Cut(arn, `"`)
		if err := callsWithModel()["Converse"](t.Context(), c, arn); err != nil {
			t.Errorf("%s: %v", arn, err)
		}
	})
}

type panicking struct{ with any }

func (p *panicking) Destinations(context.Context, string, string) ([]string, error) { panic(p.with) }

// A resolver that panics fails its call; one that is nil is a fault of the
// Options.
func TestResolverThatPanics(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Profiles = &panicking{"a secret of the resolver"} })
	for op, call := range callsWithModel() {
		if strings.HasPrefix(op, "StartAsync") || strings.HasPrefix(op, "InvokeModelWithBi") {
			continue
		}
		err := call(t.Context(), c, "us."+haiku)
		refusedBy(t, err, securebedrock.ErrResidency)
		if strings.Contains(err.Error(), "a secret") {
			t.Errorf("%s: the error carries the value: %v", op, err)
		}
		<-rec.arrived
	}
	nothingArrived(t, server)
	o := goodOptions()
	o.Profiles = (*panicking)(nil)
	if _, err := securebedrock.NewFromConfig(goodConfig(), o); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Profiles: ") {
		t.Errorf("a nil pointer: %v", err)
	}
	o.Profiles = answering(nil) // which knows nothing, and says so
	if c, err := securebedrock.NewFromConfig(goodConfig(), o); err != nil {
		t.Errorf("a nil map: %v", err)
	} else {
		c.Close()
	}
}

// secrets are what lands in an identifier's place by mistake.
func secrets() []string {
	return []string{
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
		"eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
		"arn:aws:bedrock:us-east-1:123456789012:prompt/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
		"arn:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
		"AKIAIOSFODNN7EXAMPLE",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl",
		"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3M",
		"sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
		"ghp_16C7e42F292c6912E7710c838347Ae178B4a",
		"da39a3ee5e6b4b0d3255bfef95601890afd80709",
	}
}

// A secret in an identifier's place is neither repeated in an error nor handed to
// the records.
func TestSecretsAreNotRepeated(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for _, secret := range secrets() {
		rec := new(recorder)
		asked := false
		c := newClient(t, server, rec.option, func(o *opts) { o.Profiles = resolver{err: errAny, asked: func() { asked = true }} })
		for op, call := range callsWithModel() {
			err := call(t.Context(), c, secret)
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s of %s: %v", op, secret, err)
			}
			var p *securebedrock.PolicyError
			if errors.As(err, &p) && p.Model != "" && op != "StartAsyncInvoke" && op != "InvokeModelWithBidirectionalStream" {
				t.Errorf("%s: the error's Model is %q", op, p.Model)
			}
			<-rec.arrived
		}
		for _, r := range rec.records {
			if r.call.Model.ID != "" || r.call.Model.Kind != "" {
				t.Errorf("%s: the record has %+v", secret, r.call.Model)
			}
		}
		if asked {
			t.Errorf("the resolver was asked about %s", secret)
		}
		// The same in the Options.
		o := goodOptions()
		o.Region, o.Residency, o.Accounts, o.Guardrail.ID, o.Guardrail.Version = secret, []string{secret, securebedrock.Geography(secret)[0]}, []string{secret}, secret, secret
		o.Guardrail.Trace, o.Guardrail.Stream = types.GuardrailTrace(secret), types.GuardrailStreamProcessingMode(secret)
		o.Models = []string{" " + secret}
		o.UnguardedOperations = map[string]string{secret: "x"}
		_, err := securebedrock.NewFromConfig(goodConfig(), o)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s is repeated: %v", secret, err)
		}
		// And in a caller's guardrail and invocation.
		in := converse("hello")
		in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: &secret, GuardrailVersion: &secret}
		plain := newClient(t, server)
		if _, err := plain.Converse(t.Context(), in); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s is repeated: %v", secret, err)
		}
	}
	nothingArrived(t, server)
}

func TestParseModel(t *testing.T) {
	const arn = "arn:aws:bedrock:eu-central-1:123456789012:"
	for _, row := range []struct {
		id     string
		kind   securebedrock.ModelKind // empty: refused
		prefix string
	}{
		{"anthropic.claude-3-haiku-20240307-v1:0", securebedrock.KindFoundationModel, ""},
		{"amazon.nova-lite-v1:0:300k", securebedrock.KindFoundationModel, ""},
		{"openai.gpt-oss-120b-1:0", securebedrock.KindFoundationModel, ""},
		{"zai.glm-4.6", securebedrock.KindFoundationModel, ""},
		{"newcomer.model-v1:0", securebedrock.KindFoundationModel, ""},
		{"eu.anthropic.claude-sonnet-4-20250514-v1:0", securebedrock.KindInferenceProfile, "eu"},
		{"us-gov.anthropic.claude-3-haiku-20240307-v1:0", securebedrock.KindInferenceProfile, "us-gov"},
		{"global.zai.glm-4.6", securebedrock.KindInferenceProfile, "global"},
		{"in.anthropic.claude-haiku-4-5-20251001-v1:0", securebedrock.KindInferenceProfile, "in"},
		{"arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0", securebedrock.KindFoundationModel, ""},
		{"arn:aws:bedrock:eu-central-1::foundation-model/newcomer.model-4.5", securebedrock.KindFoundationModel, ""},
		{arn + "inference-profile/eu.amazon.nova-lite-v1:0", securebedrock.KindInferenceProfile, "eu"},
		{arn + "inference-profile/mars.amazon.nova", securebedrock.KindInferenceProfile, "mars"}, // of a geography that is new
		{"mars.anthropic.claude-v1", securebedrock.KindUnknown, ""},
		{"newcomer.model-4.5", securebedrock.KindUnknown, ""},
		{arn + "application-inference-profile/abc123", securebedrock.KindApplicationProfile, ""},
		{arn + "provisioned-model/abc123", securebedrock.KindProvisionedModel, ""},
		{arn + "custom-model-deployment/abc123", securebedrock.KindCustomModelDeployment, ""},
		{arn + "imported-model/abc123", securebedrock.KindImportedModel, ""},
		{arn + "default-prompt-router/anthropic.claude:1", securebedrock.KindPromptRouter, ""},
		{arn + "prompt-router/abc123", securebedrock.KindPromptRouter, ""},
		{arn + "prompt/ABCDEFGHIJ:1", securebedrock.KindPrompt, ""},
		{arn + "marketplace/model-endpoint/all-access", securebedrock.KindMarketplaceEndpoint, ""},
		{"arn:aws:sagemaker:eu-central-1:123456789012:endpoint/my-endpoint", securebedrock.KindMarketplaceEndpoint, ""},

		{"", "", ""},
		{"claude", "", ""},
		{"abcdef123456", "", ""}, // a provisioned model's bare ID does not say where it runs
		{".claude", "", ""},
		{"anthropic.", "", ""},
		{"us.claude", "", ""},
		{"anthropic.Claude-v1", "", ""},
		{"9mars.anthropic.claude-v1", "", ""},
		{"anthropic..claude", "", ""},
		{"anthropic.claude/../x", "", ""},
		{"anthropic.claude?x=1", "", ""},
		{"anthropic.claude#x", "", ""},
		{"anthropic.claude%2F", "", ""},
		{"anthropic. claude", "", ""},
		{"anthropic.claude\n", "", ""},
		{"anthropic.clаude", "", ""}, // a Cyrillic а
		{strings.Repeat("a", 2049), "", ""},
		{"arn:aws:bedrock:eu-central-1", "", ""},
		{"arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc", "", ""},
		{"arn:aws:s3:eu-central-1:123456789012:foundation-model/x.y", "", ""},
		{"arn:aws:bedrock::123456789012:provisioned-model/abc", "", ""},
		{"arn:aws:bedrock:eu-central-1::provisioned-model/abc", "", ""},
		{"arn:aws:bedrock:eu-central-1:12:provisioned-model/abc", "", ""},
		{"arn:aws:bedrock:eu-central-1:123456789012:foundation-model/a.b", "", ""},
		{"arn:aws:bedrock:eu-central-1::foundation-model/us.amazon.nova-lite-v1:0", "", ""},
		{arn + "inference-profile/amazon.nova", "", ""},
		{arn + "inference-profile/MARS.amazon.nova", "", ""},
		{arn + "provisioned-model/", "", ""},
		{arn + "provisioned-model", "", ""},
	} {
		m, err := securebedrock.ParseModel(row.id)
		if row.kind == "" {
			if !errors.Is(err, securebedrock.ErrModel) {
				t.Errorf("%q was taken for %+v, %v", row.id, m, err)
			}
			continue
		}
		if err != nil || m.ID != row.id || m.Kind != row.kind || m.Prefix != row.prefix {
			t.Errorf("%q was taken for %+v, %v", row.id, m, err)
		}
	}
}

func FuzzParseModel(f *testing.F) {
	for _, s := range []string{haiku, "eu." + haiku, "global.zai.glm-4.6", "arn:aws:bedrock:eu-central-1::foundation-model/a.b",
		"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.a.b", "arn::::::", "..", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		m, err := securebedrock.ParseModel(id)
		if m.ID != id && (err == nil || m.ID != "") {
			t.Errorf("the identifier became %q", m.ID)
		}
		if err != nil {
			if !errors.Is(err, securebedrock.ErrModel) {
				t.Errorf("%v is no ErrModel", err)
			}
			return
		}
		if m.Kind == "" || strings.ContainsAny(id, " \t\r\n?#%\\") || strings.Contains(id, "..") {
			t.Errorf("%q was taken for %+v", id, m)
		}
		if (m.Kind == securebedrock.KindInferenceProfile) != (m.Prefix != "") {
			t.Errorf("%q has kind %s and prefix %q", id, m.Kind, m.Prefix)
		}
	})
}

// The lists are the caller's own, and every geography's sources are among its
// destinations.
func TestGeography(t *testing.T) {
	for _, name := range []string{"us", "eu", "apac", "jp", "au", "in", "ca", "us-gov"} {
		list := securebedrock.Geography(name)
		if len(list) < 2 || !slices.IsSorted(list) {
			t.Errorf("%s: %v", name, list)
		}
		list[0] = "changed"
		if securebedrock.Geography(name)[0] == "changed" {
			t.Errorf("%s: the list is shared", name)
		}
	}
	for _, name := range []string{"global", "mars", "", "EU", "*", "us-east-1"} {
		if list := securebedrock.Geography(name); len(list) != 1 || !strings.HasPrefix(list[0], "unknown geography ") {
			t.Errorf("%q: %v", name, list)
		}
	}
}
