package policy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// TestWhatIAMCannotSee shows each line of that list in the package documentation: calls
// about which the client and its session policy differ.
func TestWhatIAMCannotSee(t *testing.T) {
	const region = "eu-central-1"
	own := "arn:aws:bedrock:" + region + ":" + policycases.AccountID + ":"
	prompt := own + "prompt/PROMPT1234:1"
	text := func(s string) []types.ContentBlock {
		return []types.ContentBlock{&types.ContentBlockMemberText{Value: s}}
	}
	said := func(content ...types.ContentBlock) []types.Message {
		return []types.Message{{Role: types.ConversationRoleUser, Content: content}}
	}
	converse := policycases.Call{Operation: "Converse", Model: policycases.Haiku}
	document := func(uri string) []types.Message {
		return said(append(text("read it"), &types.ContentBlockMemberDocument{Value: types.DocumentBlock{
			Format: types.DocumentFormatPdf, Name: aws.String("report"),
			Source: &types.DocumentSourceMemberS3Location{Value: types.S3Location{Uri: aws.String(uri)}},
		}})...)
	}
	for _, row := range []struct {
		name string
		edit func(*policycases.Config) // of one model in one region
		call policycases.Call
		send sender // nil: the call as it is
		rule error  // the client's; nil: the client lets the call out
		iam  bool
	}{
		{
			name: "a model by its ARN, where Options.Models have its ID",
			call: policycases.Call{Operation: "Converse", Model: "arn:aws:bedrock:" + region + "::foundation-model/" + policycases.Haiku},
			rule: securebedrock.ErrModel, iam: true,
		},
		{
			name: "StartAsyncInvoke, where the bidirectional stream alone is excused",
			edit: func(c *policycases.Config) {
				c.Options.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "a voice line"}
			},
			call: policycases.Call{Operation: "StartAsyncInvoke", Model: policycases.Haiku},
			rule: securebedrock.ErrUnguardedOperation, iam: true,
		},
		{
			name: "a prompt of which the guardrail sees a part",
			call: converse,
			send: func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(policycases.Haiku), Messages: said(append(text("unseen"), &types.ContentBlockMemberGuardContent{
					Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("seen")}},
				})...)})
				return err
			},
			rule: securebedrock.ErrGuardrailCoverage, iam: true,
		},
		{
			name: "a stream that the guardrail scans behind the reader",
			call: policycases.Call{Operation: "ConverseStream", Model: policycases.Haiku},
			send: func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: aws.String(policycases.Haiku), Messages: said(text("hello")...),
					GuardrailConfig: &types.GuardrailStreamConfiguration{StreamProcessingMode: types.GuardrailStreamProcessingModeAsync}})
				return err
			},
			rule: securebedrock.ErrGuardrailOverride, iam: true,
		},
		{
			name: "input tags in a body",
			call: policycases.Call{Operation: "InvokeModel", Model: policycases.Haiku},
			send: func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(policycases.Haiku),
					Body: []byte(`{"prompt":"a <amazon-bedrock-guardrails-guardContent_x>b</amazon-bedrock-guardrails-guardContent_x>","amazon-bedrock-guardrailConfig":{"tagSuffix":"x"}}`)})
				return err
			},
			rule: securebedrock.ErrGuardrailCoverage, iam: true,
		},
		{
			name: "a document of a bucket in another region",
			call: converse,
			send: func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(policycases.Haiku), Messages: document("s3://data-" + policycases.AccountID + "-us-east-1-an/report.pdf")})
				return err
			},
			rule: securebedrock.ErrRegion, iam: true,
		},
		{
			name: "the model behind a prompt, by its own ID",
			edit: func(c *policycases.Config) {
				c.Options.Models = []string{prompt}
				c.Options.Profiles = policycases.Resolver{prompt: {region}}
				c.Account.ProfileModels = map[string][]string{prompt: {policycases.Haiku}}
			},
			call: converse,
			rule: securebedrock.ErrModel, iam: true,
		},
		{
			name: "an unguardable model with another version of the guardrail",
			edit: func(c *policycases.Config) {
				c.Options.Models = []string{policycases.Embedding}
				c.Account.Unguardable = map[string]string{policycases.Embedding: "an embedding model takes no guardrail"}
			},
			call: policycases.Call{Operation: "InvokeModel", Model: policycases.Embedding, Guardrail: policycases.GuardrailID, Version: "2"},
			rule: securebedrock.ErrGuardrailOverride, iam: true,
		},
		{
			name: "the guardrail applied in another version",
			call: policycases.Call{Operation: "ApplyGuardrail", Guardrail: policycases.GuardrailID, Version: "2"},
			rule: securebedrock.ErrGuardrailOverride, iam: true,
		},
		{
			name: "an application profile that Account.ProfileModels do not name",
			edit: func(c *policycases.Config) { c.Options.Models, c.Options.Residency = nil, []string{"*"} },
			call: policycases.Call{Operation: "Converse", Model: policycases.Profile},
		},
		{
			name: "tokens counted under a profile",
			edit: func(c *policycases.Config) {
				c.Options.Models, c.Options.Residency = []string{"eu." + policycases.Haiku}, securebedrock.Geography("eu")
			},
			call: policycases.Call{Operation: "CountTokens", Model: "eu." + policycases.Haiku},
		},
		{
			name: "an invocation asked for, where none may be started",
			call: policycases.Call{Operation: "GetAsyncInvoke", Model: own + "async-invoke/a1b2c3d4e5f6"},
		},
		{
			name: "invocations listed, where none may be started",
			call: policycases.Call{Operation: "ListAsyncInvokes"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := policycases.Configs()[policycases.Spared]
			c.Account.ExceptPrincipals = nil
			if row.edit != nil {
				row.edit(&c)
			}
			w := newWorld(t, region)
			got := w.try(t, c, row.call, row.send)
			if got.out != (row.rule == nil) || row.rule != nil && !errors.Is(got.err, row.rule) {
				t.Errorf("let out: %v, %v; want the rule %v", got.out, got.err, row.rule)
			}
			if iam, why := allowed(t, got.session, c, row.call); iam != row.iam {
				t.Errorf("IAM: %v, want %v: %s", iam, row.iam, why)
			}
		})
	}
}

// TestClientAloneWritesTheBody shows what the client writes into a call of which IAM sees
// the model and the guardrail.
func TestClientAloneWritesTheBody(t *testing.T) {
	const region = "eu-central-1"
	w := newWorld(t, region)
	got := w.try(t, policycases.Configs()[policycases.Spared], policycases.Call{Operation: "Converse", Model: policycases.Haiku}, nil)
	if !got.out {
		t.Fatal(got.err)
	}
	for _, call := range w[region].Calls() {
		if in, ok := call.Input.(*bedrockruntime.ConverseInput); ok && aws.ToInt32(in.InferenceConfig.MaxTokens) != 1024 {
			t.Errorf("maxTokens %d was sent", aws.ToInt32(in.InferenceConfig.MaxTokens))
		}
	}
}

// TestObjectsNeedTheirBucket shows that the client lets an object of any bucket of the
// region be named, and that the session may read those of Account.InputBuckets alone.
func TestObjectsNeedTheirBucket(t *testing.T) {
	c := policycases.Configs()[policycases.Spared]
	read := policy.Request{Principal: policycases.Role, Action: "s3:GetObject", Resource: "arn:aws:s3:::media/report.pdf", Context: map[string][]string{
		"aws:RequestedRegion": {"eu-central-1"}, "aws:ResourceAccount": {policycases.AccountID}, "s3:ResourceAccount": {policycases.AccountID},
		"aws:CalledViaLast": {"bedrock.amazonaws.com"}, "aws:CalledVia": {"bedrock.amazonaws.com"},
	}}
	for _, buckets := range [][]string{nil, {"media"}} {
		c.Account.InputBuckets = buckets
		spec, err := policy.For(c.Options, c.Account)
		if err != nil {
			t.Fatal(err)
		}
		session, err := policy.Session(spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := policy.Decide([]policy.Document{session}, read)
		if err != nil {
			t.Fatal(err)
		}
		if got.Allowed != (buckets != nil) {
			t.Errorf("InputBuckets %v: %+v", buckets, got)
		}
	}
}

// TestOneAuthorizationIsNoCall shows what a short session policy leaves open by itself
// and closes for the call: a profile that its pattern reaches, and the leg of a profile
// that it does not have.
func TestOneAuthorizationIsNoCall(t *testing.T) {
	c := policycases.Configs()[policycases.Europe]
	spec, err := policy.For(c.Options, c.Account)
	if err != nil {
		t.Fatal(err)
	}
	session, err := policy.Session(spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"eu." + policycases.OtherModel, "arn:aws:bedrock:eu-central-1:" + policycases.OtherAccount + ":inference-profile/eu." + policycases.Sonnet} {
		open := 0
		list := policycases.Authorizations(c, policycases.Call{Operation: "Converse", Model: model})
		for _, q := range list {
			d, err := policy.Decide([]policy.Document{session}, q)
			if err != nil {
				t.Fatal(err)
			}
			if d.Allowed {
				open++
			}
		}
		if open == 0 || open == len(list) {
			t.Errorf("%s: %d of %d authorizations are allowed; the test is about a call of which some are", model, open, len(list))
		}
	}
}
