package iam_test

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// TestEvaluatorKnowsEveryLayer shows that each layer reaches the evaluator: a layer
// that allows nothing denies, and a deny in it denies.
func TestEvaluatorKnowsEveryLayer(t *testing.T) {
	e := simulator(t)
	statement := func(effect policy.Effect, action, resource string) policy.Statement {
		s := policy.Statement{Effect: effect, Action: []string{action}, Resource: []string{resource}}
		return s
	}
	of := func(kind policy.Kind, statements ...policy.Statement) policy.Document {
		for i := range statements {
			if kind == policy.KindEndpoint {
				statements[i].Principal = &policy.Principal{Any: true}
			}
		}
		return policy.Document{Name: string(kind), Kind: kind, Statements: statements}
	}
	req := policycases.Request{
		Principal: "arn:aws:iam::123456789012:role/app",
		Action:    "bedrock:InvokeModel", Resource: "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0",
		ThroughEndpoint: true,
	}
	for _, kind := range []policy.Kind{policy.KindManaged, policy.KindInline, policy.KindBoundary, policy.KindSession, policy.KindSCP, policy.KindEndpoint} {
		for _, test := range []struct {
			name string
			doc  policy.Document
			want string
		}{
			{"allows it", of(kind, statement(policy.Allow, "bedrock:InvokeModel", "*")), "Allowed"},
			{"allows another action", of(kind, statement(policy.Allow, "bedrock:ApplyGuardrail", "*")), "ImplicitlyDenied"},
			{"allows another model", of(kind, statement(policy.Allow, "bedrock:InvokeModel", "arn:aws:bedrock:*::foundation-model/anthropic.*")), "ImplicitlyDenied"},
			{"denies it", of(kind, statement(policy.Allow, "*", "*"), statement(policy.Deny, "bedrock:Invoke*", "*")), "ExplicitlyDenied"},
		} {
			t.Run(string(kind)+" "+test.name, func(t *testing.T) {
				got, err := e.evaluate([]policy.Document{test.doc}, req)
				if err != nil {
					t.Fatal(err)
				}
				if got.Result != test.want {
					t.Errorf("%s, want %s", got.Result, test.want)
				}
			})
		}
	}
}
