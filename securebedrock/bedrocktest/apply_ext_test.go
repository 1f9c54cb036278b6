package bedrocktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestApplyGuardrail(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		apply := func(source types.GuardrailContentSource, text string) *bedrockruntime.ApplyGuardrailOutput {
			out, err := probe.Client(s).ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{
				GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Source: source,
				Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String(text)}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if out := apply("INPUT", "fine"); out.Action != types.GuardrailActionNone || *out.ActionReason != "No action." || len(out.Outputs) != 0 || len(out.Assessments) != 1 {
			t.Errorf("%+v", out)
		}
		if out := apply("INPUT", "ada@example.com"); out.Action != types.GuardrailActionGuardrailIntervened || *out.Outputs[0].Text != "{EMAIL}" || *out.ActionReason != "Guardrail masked." {
			t.Errorf("%+v", out)
		}
		if out := apply("OUTPUT", badWord); out.Action != types.GuardrailActionGuardrailIntervened || out.Assessments[0].WordPolicy == nil || *out.Usage.WordPolicyUnits != 1 || *out.GuardrailCoverage.TextCharacters.Guarded == 0 {
			t.Errorf("%+v", out)
		}
		in := s.Calls()[1].Input.(*bedrockruntime.ApplyGuardrailInput)
		if *in.Content[0].(*types.GuardrailContentBlockMemberText).Value.Text != "ada@example.com" {
			t.Error("the call was masked")
		}
		_, err := probe.Client(s).ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{
			GuardrailIdentifier: aws.String("unknown"), GuardrailVersion: aws.String("1"), Source: "INPUT", Content: in.Content,
		})
		probe.WantCode(t, err, 404, "ResourceNotFoundException")
	})
}
