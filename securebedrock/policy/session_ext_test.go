package policy_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// testOptions are those of a client of the server, and the account of its role.
func testOptions(server *bedrocktest.Server) (securebedrock.Options, policy.Account) {
	opts := server.Options()
	opts.Models = []string{"anthropic.claude-3-haiku-20240307-v1:0"}
	return opts, policy.Account{ID: strings.Split(opts.Role.ARN, ":")[4]}
}

func TestSTSReceivesTheSessionPolicy(t *testing.T) {
	server := bedrocktest.NewServer(t)
	opts, acct := testOptions(server)
	limited, err := policy.WithSession(opts, acct)
	if err != nil {
		t.Fatal(err)
	}
	client, err := securebedrock.NewFromConfig(server.Config(), limited)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId:  aws.String(opts.Models[0]),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}}},
	}); err != nil {
		t.Fatal(err)
	}
	spec, err := policy.For(opts, acct)
	if err != nil {
		t.Fatal(err)
	}
	want, err := policy.Session(spec)
	if err != nil {
		t.Fatal(err)
	}
	var received []string
	for _, call := range server.Calls() {
		if in, ok := call.Input.(*sts.AssumeRoleInput); ok {
			received = append(received, aws.ToString(in.Policy))
		}
	}
	if len(received) != 1 || received[0] != want.JSON() {
		t.Errorf("STS received %q, want %q", received, want.JSON())
	}
}

func TestWithSessionLeavesTheOptionsAlone(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	opts, acct := testOptions(server)
	opts.Role.Tags = map[string]string{"team": "claims"}
	before := *opts.Role
	before.Tags = maps.Clone(before.Tags)
	limited, err := policy.WithSession(opts, acct)
	if err != nil {
		t.Fatal(err)
	}
	limited.Models[0], limited.Role.Tags["team"] = "changed", "changed"
	if opts.Role.Policy != "" || opts.Models[0] == "changed" || opts.Role.Tags["team"] != before.Tags["team"] {
		t.Errorf("the original has become %+v", opts)
	}
	if limited.Role.ARN != before.ARN || limited.Role.STS != before.STS || limited.Guardrail != opts.Guardrail {
		t.Errorf("the copy is %+v", limited)
	}
}

func TestWithSessionRefuses(t *testing.T) {
	t.Parallel()
	server := bedrocktest.NewServer(t)
	for _, row := range []struct {
		about string
		set   func(*securebedrock.Options, *policy.Account)
		want  []string
	}{
		{"no role", func(o *securebedrock.Options, _ *policy.Account) { o.Role = nil }, []string{"Role: it is required"}},
		{"another session policy", func(o *securebedrock.Options, _ *policy.Account) { o.Role.Policy = "{}" }, []string{"Role.Policy: it is set already"}},
		{"faults of For, too", func(o *securebedrock.Options, a *policy.Account) { o.Role, a.ID = nil, "" }, []string{"Role: it is required", "Account.ID"}},
	} {
		opts, acct := testOptions(server)
		role := *opts.Role
		opts.Role = &role
		row.set(&opts, &acct)
		_, err := policy.WithSession(opts, acct)
		for _, want := range row.want {
			if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", row.about, err)
			}
		}
	}
	opts, acct := testOptions(server)
	opts.Models = nil
	for i := range 40 {
		opts.Models = append(opts.Models, "anthropic.claude-"+strings.Repeat("x", 30)+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	var size *policy.SizeError
	if got, err := policy.WithSession(opts, acct); !errors.As(err, &size) || got.Role != nil {
		t.Errorf("40 models give %+v, %v", got, err)
	}
}
