package policy_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// world is a Bedrock and an STS in each region of random configurations.
type world map[string]*bedrocktest.Server

func newWorld(t *testing.T, regions ...string) world {
	w := make(world)
	for _, region := range regions {
		w[region] = bedrocktest.NewServer(t, bedrocktest.WithRegion(region), bedrocktest.WithPlainHTTP())
	}
	return w
}

// trial is one call of a client that lives under its own session policy.
type trial struct {
	out     bool            // the call has reached Bedrock
	err     error           // the client's refusal, or Bedrock's answer
	session policy.Document // as STS received it
}

// sender makes a call that a policycases.Call does not tell wholly.
type sender func(context.Context, *securebedrock.Client) error

// try makes a client of the configuration with policy.WithSession, lets it assume its
// role, and makes the call: by other, where that is not nil.
func (w world) try(t *testing.T, c policycases.Config, call policycases.Call, other sender) trial {
	t.Helper()
	server := w[c.Options.Region]
	own := server.Options()
	opts := c.Options
	opts.Endpoint, opts.Retry = own.Endpoint, own.Retry
	role := *opts.Role
	role.STS = own.Role.STS
	opts.Role = &role
	opts, err := policy.WithSession(opts, c.Account)
	if err != nil {
		t.Fatal(err)
	}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	before := len(server.Calls())
	if err := client.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	var result trial
	if other == nil {
		result.err = send(t.Context(), client, call)
	} else {
		result.err = other(t.Context(), client)
	}
	received := ""
	for _, got := range server.Calls()[before:] {
		if in, ok := got.Input.(*sts.AssumeRoleInput); ok {
			received = aws.ToString(in.Policy)
		}
		result.out = result.out || got.Operation == call.Operation
	}
	if received != opts.Role.Policy {
		t.Fatalf("STS has received %q and WithSession says %q", received, opts.Role.Policy)
	}
	if result.session, err = policy.Parse([]byte(received), policy.KindSession); err != nil {
		t.Fatal(err)
	}
	return result
}

// send makes the call. What is not in question, such as the prompt, is harmless.
func send(ctx context.Context, client *securebedrock.Client, call policycases.Call) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	model, said := aws.String(call.Model), []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}}}
	var id, version *string
	if call.Guardrail != "" {
		id, version = aws.String(call.Guardrail), aws.String(call.Version)
	}
	var err error
	switch call.Operation {
	case "Converse":
		in := &bedrockruntime.ConverseInput{ModelId: model, Messages: said}
		if id != nil {
			in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: id, GuardrailVersion: version}
		}
		_, err = client.Converse(ctx, in)
	case "ConverseStream":
		in := &bedrockruntime.ConverseStreamInput{ModelId: model, Messages: said}
		if id != nil {
			in.GuardrailConfig = &types.GuardrailStreamConfiguration{GuardrailIdentifier: id, GuardrailVersion: version}
		}
		var out *bedrockruntime.ConverseStreamOutput
		if out, err = client.ConverseStream(ctx, in); err == nil {
			out.GetStream().Close()
		}
	case "InvokeModel":
		_, err = client.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: model, Body: []byte(`{"prompt":"hello"}`), GuardrailIdentifier: id, GuardrailVersion: version})
	case "InvokeModelWithResponseStream":
		var out *bedrockruntime.InvokeModelWithResponseStreamOutput
		out, err = client.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId: model, Body: []byte(`{"prompt":"hello"}`), GuardrailIdentifier: id, GuardrailVersion: version,
		})
		if err == nil {
			out.GetStream().Close()
		}
	case "CountTokens":
		_, err = client.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: model, Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: said}}})
	case "StartAsyncInvoke":
		_, err = client.StartAsyncInvoke(ctx, &bedrockruntime.StartAsyncInvokeInput{
			ModelId: model, ModelInput: document.NewLazyDocument(map[string]any{"prompt": "hello"}),
			OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/out")}},
		})
	case "ApplyGuardrail":
		_, err = client.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
			GuardrailIdentifier: id, GuardrailVersion: version, Source: types.GuardrailContentSourceInput,
			Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}},
		})
	case "InvokeGuardrailChecks":
		_, err = client.InvokeGuardrailChecks(ctx, &bedrockruntime.InvokeGuardrailChecksInput{
			Checks: &types.GuardrailChecksConfig{PromptAttack: &types.GuardrailChecksPromptAttackConfig{
				Categories: []types.GuardrailChecksPromptAttackCategoryConfig{{Category: types.GuardrailChecksPromptAttackCategoryJailbreak}},
			}},
			Messages: []types.GuardrailChecksMessage{{Role: types.GuardrailChecksRoleUser, Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "hello"}}}},
		})
	case "GetAsyncInvoke":
		_, err = client.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: model})
	case "ListAsyncInvokes":
		_, err = client.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
	default:
		err = errors.New("the test does not know the operation " + call.Operation)
	}
	return err
}

// allowed is whether a session policy allows each authorization of a call.
func allowed(t *testing.T, session policy.Document, c policycases.Config, call policycases.Call) (bool, string) {
	t.Helper()
	for _, q := range policycases.Authorizations(c, call) {
		d, err := policy.Decide([]policy.Document{session}, q)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Allowed {
			return false, policycases.Describe(q) + ": " + d.Reason
		}
	}
	return true, "every authorization is allowed"
}

// TestClientAndIAMAgree makes 1,000 random calls, each by a client of its own random
// configuration. The client lets a call out exactly if the session policy that its STS
// has received allows each authorization of it. What IAM cannot see is excepted, and
// listed in the package documentation.
func TestClientAndIAMAgree(t *testing.T) {
	const pairs, seed = 1000, 13
	w := newWorld(t, policycases.Regions()...)
	r := rand.New(rand.NewPCG(seed, seed))
	counted, excepted, tooLarge := map[string]int{}, map[string]int{}, 0
	for n := 0; n < pairs; {
		c, spec := policycases.RandomConfig(r)
		call := policycases.RandomCall(r, c)
		if _, err := policy.Session(spec); errors.As(err, new(*policy.SizeError)) {
			tooLarge++
			continue
		}
		n++
		got := w.try(t, c, call, nil)
		iam, why := allowed(t, got.session, c, call)
		if fault := explained(spec, c, call, got.out); fault != "" {
			t.Errorf("%+v under Region %s, Residency %v, Models %v (%v): %s", call, c.Options.Region, c.Options.Residency, c.Options.Models, got.err, fault)
		}
		switch reason := unseen(c, call, got.out); {
		case got.out && iam:
			counted["let out and allowed"]++
		case !got.out && !iam:
			counted["refused and denied"]++
		case reason != "":
			excepted[reason]++
		default:
			t.Errorf("%+v\nunder Region %s, Residency %v, Models %v, Profiles %v, Unguarded %q, UnguardedOperations %v, Accounts %v\nlet out: %v (%v)\nIAM: %v (%s)\n%s",
				call, c.Options.Region, c.Options.Residency, c.Options.Models, c.Account.ProfileModels, c.Options.Unguarded, c.Options.UnguardedOperations, c.Options.Accounts,
				got.out, got.err, iam, why, got.session.JSON())
		}
	}
	t.Logf("%v; excepted: %v; %d configurations were left out, since their session policy is too large", counted, excepted, tooLarge)
	for verdict, n := range counted {
		if n < pairs/5 {
			t.Errorf("%s: %d of %d is too rare to show much", verdict, n, pairs)
		}
	}
	if n := sum(excepted); n > pairs/10 {
		t.Errorf("%d of %d are excepted: %v", n, pairs, excepted)
	}
}

// explained says how policy.Explain differs from what AWS asks IAM for, and from the
// client. Explain knows no guardrail that a caller names.
func explained(spec *policy.Spec, c policycases.Config, call policycases.Call, out bool) string {
	o := c.Options
	m, _ := securebedrock.ParseModel(call.Model)
	switch {
	case call.Operation == "ApplyGuardrail" && o.Unguarded != "":
		return "" // any guardrail of the account may be meant
	case m.Prefix != "" && regions.RoutedDestinations(m.Prefix, o.Region) == nil:
		return "" // Bedrock has no such profile there
	case !out && o.Profiles != nil && m.Prefix != "":
		return "" // what Options.Profiles will answer is not known to Explain
	}
	question := policy.Call{Operation: call.Operation, Model: call.Model}
	if call.Operation == "GetAsyncInvoke" {
		question.Model = ""
	}
	got, err := policy.Explain(spec, question)
	switch {
	case out && err != nil && unseen(c, call, out) == "":
		return "the client lets the call out, and Explain refuses: " + err.Error()
	case !out && err == nil && call.Guardrail == "":
		return "the client refuses the call, and Explain does not"
	case !out || err != nil || call.Operation == "GetAsyncInvoke":
		return ""
	}
	line := func(action, resource, region string) string { return action + " on " + resource + " in " + region }
	var listed, asked []string
	for _, a := range got {
		// The session and the questions of Options.Profiles come before the call.
		if !strings.HasPrefix(a.Action, "sts:") && !strings.HasPrefix(a.Action, "bedrock:Get") {
			listed = append(listed, line(a.Action, a.Resource, a.Region))
		}
	}
	for _, q := range policycases.Authorizations(c, call) {
		asked = append(asked, line(q.Action, q.Resource, q.Context["aws:RequestedRegion"][0]))
	}
	slices.Sort(listed)
	slices.Sort(asked)
	if !slices.Equal(listed, asked) {
		return "Explain lists\n" + strings.Join(listed, "\n") + "\nand AWS asks for\n" + strings.Join(asked, "\n")
	}
	return ""
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// unseen is why the client and IAM differ about a call, where they must: the list in the
// package documentation, "What IAM cannot see". Each has a test of its own below.
func unseen(c policycases.Config, call policycases.Call, out bool) string {
	o := c.Options
	_, excused := o.UnguardedOperations["StartAsyncInvoke"]
	pinned := o.Guardrail.ID[strings.LastIndexByte(o.Guardrail.ID, '/')+1:]
	switch {
	case out && !excused && o.Unguarded == "" && (call.Operation == "GetAsyncInvoke" || call.Operation == "ListAsyncInvokes"):
		return "invocations are asked for where none can be started"
	case out && strings.Contains(call.Model, ":application-inference-profile/") && c.Account.ProfileModels[call.Model] == nil && len(o.Models) == 0 && slices.Contains(o.Residency, "*"):
		return "a profile that Account.ProfileModels do not name"
	case out: // whatever else IAM does not allow would be a call that fails
		return ""
	case call.Operation == "ApplyGuardrail" && strings.HasSuffix(call.Guardrail, pinned) && call.Version != o.Guardrail.Version:
		return "the version of ApplyGuardrail"
	case call.Operation == "StartAsyncInvoke" && (len(o.UnguardedOperations) > 0 || unguardable(c, call.Model)):
		return "which operation it is that carries no guardrail"
	case call.Guardrail != "" && unguardable(c, call.Model):
		return "which guardrail a model is called with that takes none"
	case call.Model != "" && !listed(o.Models, call.Model) && listed(o.Models, otherSpelling(c, call.Model)):
		return "whether a resource is named by its ID or by its ARN"
	}
	return ""
}

// unguardable is whether nothing but models of Account.Unguardable is behind an
// identifier.
func unguardable(c policycases.Config, id string) bool {
	models := c.Account.ProfileModels[id]
	if models == nil {
		models = []string{id}
	}
	return !slices.ContainsFunc(models, func(id string) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Keys(c.Account.Unguardable)), func(one string) bool {
			return id == one || strings.HasSuffix(id, "/"+one) || strings.HasSuffix(id, "."+one)
		})
	})
}

// listed is whether Options.Models hold an identifier.
func listed(models []string, id string) bool {
	return slices.ContainsFunc(models, func(entry string) bool {
		head, pattern := strings.CutSuffix(entry, "*")
		return entry == id || pattern && strings.HasPrefix(id, head)
	})
}

// otherSpelling is an ID's ARN in the account and the region, and an ARN's ID.
func otherSpelling(c policycases.Config, id string) string {
	o := c.Options
	partition := strings.SplitN(o.Role.ARN, ":", 3)[1]
	own := "arn:" + partition + ":bedrock:" + o.Region + ":"
	for _, kind := range []string{":foundation-model/", c.Account.ID + ":inference-profile/"} {
		if name, ok := strings.CutPrefix(id, own+kind); ok {
			return name
		}
	}
	if m, err := securebedrock.ParseModel(id); err == nil && m.Kind == securebedrock.KindFoundationModel {
		return own + ":foundation-model/" + id
	}
	return own + c.Account.ID + ":inference-profile/" + id
}
