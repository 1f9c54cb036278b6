package bedrocktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestInvokeGuardrailChecks(t *testing.T) {
	s := bedrocktest.NewServer(t)
	out, err := probe.Client(s).InvokeGuardrailChecks(t.Context(), &bedrockruntime.InvokeGuardrailChecksInput{
		Checks: &types.GuardrailChecksConfig{
			ContentFilter:        &types.GuardrailChecksContentFilterConfig{Categories: []types.GuardrailChecksContentFilterCategoryConfig{{Category: "HATE"}}},
			PromptAttack:         &types.GuardrailChecksPromptAttackConfig{Categories: []types.GuardrailChecksPromptAttackCategoryConfig{{Category: "JAILBREAK"}}},
			SensitiveInformation: &types.GuardrailChecksSensitiveInformationConfig{Entities: []types.GuardrailChecksSensitiveInformationEntityConfig{{Type: "EMAIL"}}},
		},
		Messages: []types.GuardrailChecksMessage{{Role: "user", Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "é ada@example.com"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := out.Results.SensitiveInformation.Results
	if len(found) != 1 || *found[0].BeginOffset != 2 || *found[0].EndOffset != 17 || out.Results.ContentFilter.Results[0].Category != "HATE" ||
		*out.Results.PromptAttack.Results[0].SeverityScore != 0 || *out.Usage.ContentFilter.TextUnits != 1 {
		t.Errorf("%+v", out.Results)
	}
	if in := s.Calls()[0].Input.(*bedrockruntime.InvokeGuardrailChecksInput); len(in.Messages) != 1 || in.Checks.PromptAttack == nil {
		t.Errorf("%+v", in)
	}
}
