package policy_test

import (
	"errors"
	"fmt"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// For makes every document from the Options of the client. It needs no network.
func ExampleFor() {
	opts := securebedrock.Options{
		Region:    "eu-central-1",
		Residency: []string{"eu-central-1"},
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
		Models:    []string{"amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0"},
	}
	spec, err := policy.For(opts, policy.Account{
		ID:           "111122223333",
		Organization: "o-a1b2c3d4e5",
		Unguardable:  map[string]string{"amazon.titan-embed-text-v2:0": "an embedding model takes no guardrail"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	docs, err := policy.RequireGuardrail(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range docs {
		fmt.Printf("%s, %d of %d characters\n%s", d.Name, d.Size(), d.Limit(), d.Indented())
	}
	// Output:
	// scp-guardrail, 479 of 10240 characters
	// {
	// 	"Version": "2012-10-17",
	// 	"Statement": [
	// 		{
	// 			"Sid": "DenyInferenceWithoutTheGuardrail",
	// 			"Effect": "Deny",
	// 			"Action": [
	// 				"bedrock:InvokeModel",
	// 				"bedrock:InvokeModelWithResponseStream"
	// 			],
	// 			"NotResource": [
	// 				"arn:aws:bedrock:*::foundation-model/amazon.titan-embed-text-v2:0",
	// 				"arn:aws:bedrock:eu-central-1:111122223333:inference-profile/*.amazon.titan-embed-text-v2:0"
	// 			],
	// 			"Condition": {
	// 				"StringNotEquals": {
	// 					"bedrock:GuardrailIdentifier": "arn:aws:bedrock:eu-central-1:111122223333:guardrail/a1b2c3d4e5f6:3"
	// 				}
	// 			}
	// 		}
	// 	]
	// }
}

// A fault of the Account is reported beside those of the Options, each with its field.
func ExampleFor_faults() {
	_, err := policy.For(securebedrock.Options{
		Region:    "eu-central-1",
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "DRAFT", AllowDraft: true},
		Models:    []string{"global.amazon.nova-2-lite-v1:0"},
	}, policy.Account{ID: "1111"})
	fmt.Println(errors.Is(err, securebedrock.ErrConfig))
	fmt.Println(err)
	// Output:
	// true
	// invalid configuration: Account.ID: "1111" is not an account's twelve digits
	// invalid configuration: Guardrail.Version: a policy cannot pin DRAFT, which changes with every edit; name a published version
	// invalid configuration: Models: "global.amazon.nova-2-lite-v1:0": a global profile runs in every commercial region; put "*" into Residency to admit it, or name a profile of one geography
}

// The client's own credentials then make its own calls and no others.
func ExampleWithSession() {
	opts := securebedrock.Options{
		Region:    "eu-central-1",
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
		Models:    []string{"amazon.nova-pro-v1:0"},
		Role:      &securebedrock.Role{ARN: "arn:aws:iam::111122223333:role/assistant"},
	}
	opts, err := policy.WithSession(opts, policy.Account{ID: "111122223333"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// client, err := securebedrock.New(ctx, opts)
	fmt.Println(len(opts.Role.Policy), "of 2048 characters")
	// Output:
	// 828 of 2048 characters
}

// Decide names the statement that lets a request through or stops it.
func ExampleDecide() {
	spec, err := policy.For(securebedrock.Options{
		Region:    "eu-central-1",
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
		Models:    []string{"amazon.nova-pro-v1:0"},
	}, policy.Account{ID: "111122223333"})
	if err != nil {
		fmt.Println(err)
		return
	}
	docs, err := policy.Invoke(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	const guardrail = "arn:aws:bedrock:eu-central-1:111122223333:guardrail/a1b2c3d4e5f6"
	for _, version := range []string{"3", "2"} {
		decision, err := policy.Decide(docs, policy.Request{
			Principal: "arn:aws:iam::111122223333:role/assistant",
			Action:    "bedrock:InvokeModel",
			Resource:  "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-pro-v1:0",
			Context: map[string][]string{
				"aws:RequestedRegion":         {"eu-central-1"},
				"bedrock:GuardrailIdentifier": {guardrail + ":" + version},
			},
		})
		if err != nil {
			fmt.Println(err) // ErrUnsupported is no verdict
			return
		}
		fmt.Printf("version %s: %t %s\n", version, decision.Allowed, decision.Sid)
	}
	// Output:
	// version 3: true Models
	// version 2: false
}

// Parse reads an existing policy, which Lint, Decide and Diff then judge.
func ExampleParse() {
	d, err := policy.Parse([]byte(`{
		"Version": "2012-10-17",
		"Statement": {
			"Sid": "RequireGuardrail",
			"Effect": "Deny",
			"Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
			"Resource": "*",
			"Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}}
		}
	}`), policy.KindSCP)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range policy.Lint(d) {
		fmt.Println(finding.Sid, finding.Rule)
		fmt.Println(finding.Remedy)
	}
	// Output:
	// RequireGuardrail guardrail-present-only
	// compare the value: StringNotEquals in a Deny, StringEquals in an Allow, with the guardrail's ARN, a colon and the version; a call without a guardrail fails both
}

// Explain lists what AWS checks for one call, in every region that is involved.
func ExampleExplain() {
	spec, err := policy.For(securebedrock.Options{
		Region:    "eu-central-1",
		Residency: securebedrock.Geography("eu"),
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
		Models:    []string{"eu.amazon.nova-pro-v1:0"},
	}, policy.Account{ID: "111122223333"})
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := policy.Explain(spec, policy.Call{Model: "eu.amazon.nova-pro-v1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range list {
		fmt.Println(a.Decision.Allowed, a.Action, "in", a.Region)
	}
	// Output:
	// true bedrock:InvokeModel in eu-central-1
	// true bedrock:InvokeModel in eu-central-1
	// true bedrock:InvokeModel in eu-north-1
	// true bedrock:InvokeModel in eu-south-1
	// true bedrock:InvokeModel in eu-south-2
	// true bedrock:InvokeModel in eu-west-1
	// true bedrock:InvokeModel in eu-west-3
	// true bedrock:ApplyGuardrail in eu-central-1
}

// Diff says what the policy that stands allows beyond the wanted one, and what it lacks.
func ExampleDiff() {
	const models = "arn:aws:bedrock:eu-central-1::foundation-model/"
	existing := policy.Document{Name: "standing", Kind: policy.KindManaged, Statements: []policy.Statement{{
		Sid: "Invoke", Effect: policy.Allow, Action: []string{"bedrock:InvokeModel"},
		Resource: []string{models + "amazon.nova-lite-v1:0", models + "amazon.nova-pro-v1:0"},
	}}}
	wanted := existing.Clone()
	wanted.Name = "wanted"
	wanted.Statements[0].Resource = []string{models + "amazon.nova-pro-v1:0"}
	differences, err := policy.Diff(existing, wanted)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range differences {
		fmt.Println(d)
	}
	// Output:
	// the existing document allows bedrock:InvokeModel on arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0; the wanted one does not (Invoke of standing, existing)
}
