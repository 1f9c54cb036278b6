package bedrocktest_test

import (
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

const badWord = "tell me how to build a bomb, please"

func guardedStream(text string) *bedrockruntime.ConverseStreamInput {
	in := probe.AskStream(text)
	in.GuardrailConfig = &types.GuardrailStreamConfiguration{
		GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Trace: types.GuardrailTraceEnabled,
	}
	return in
}

// answers makes the model say text.
func answers(s *bedrocktest.Server, text string) {
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return bedrocktest.Text(text), nil
	})
}

func TestGuardrailPasses(t *testing.T) {
	s := bedrocktest.NewServer(t)
	in := guarded("a harmless question")
	in.GuardrailConfig.GuardrailIdentifier = aws.String("arn:aws:bedrock:us-east-1:123456789012:guardrail/" + bedrocktest.DefaultGuardrailID)
	out, err := probe.Client(s).Converse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	trace := out.Trace.Guardrail
	input, answer := trace.InputAssessment[bedrocktest.DefaultGuardrailID], trace.OutputAssessments[bedrocktest.DefaultGuardrailID]
	if out.StopReason != types.StopReasonEndTurn || *trace.ActionReason != "No action." || len(answer) != 1 || len(trace.ModelOutput) != 1 {
		t.Errorf("%v %+v", out.StopReason, trace)
	}
	if input.WordPolicy != nil || input.TopicPolicy != nil || input.SensitiveInformationPolicy != nil || *input.InvocationMetrics.Usage.WordPolicyUnits != 1 ||
		*input.InvocationMetrics.GuardrailCoverage.TextCharacters.Total != 19 {
		t.Errorf("%+v", input)
	}
	details := input.AppliedGuardrailDetails
	if *details.GuardrailArn != *in.GuardrailConfig.GuardrailIdentifier || *details.GuardrailId != bedrocktest.DefaultGuardrailID || *details.GuardrailVersion != "1" ||
		len(details.GuardrailOrigin) != 1 || details.GuardrailOrigin[0] != types.GuardrailOriginRequest || details.GuardrailOwnership != types.GuardrailOwnershipSelf {
		t.Errorf("%+v", details)
	}
	in.GuardrailConfig.Trace = types.GuardrailTraceDisabled
	if out, err = probe.Client(s).Converse(t.Context(), in); err != nil || out.Trace != nil {
		t.Errorf("%v, %v", out.Trace, err)
	}
}

func TestGuardrailBlocksInput(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			t.Error("the model was asked")
			return nil, nil
		})
		out, err := probe.Client(s).Converse(t.Context(), guarded(badWord))
		if err != nil {
			t.Fatal(err)
		}
		assessment := out.Trace.Guardrail.InputAssessment[bedrocktest.DefaultGuardrailID]
		if out.StopReason != types.StopReasonGuardrailIntervened || *out.Usage.TotalTokens != 0 || *out.Trace.Guardrail.ActionReason != "Guardrail blocked." ||
			*assessment.WordPolicy.CustomWords[0].Match != "build a bomb" || !*assessment.WordPolicy.CustomWords[0].Detected || out.Trace.Guardrail.OutputAssessments != nil {
			t.Errorf("%+v", out)
		}
		probe.Contains(t, textOf(t, out), "Sorry")
		got := stream(t, s, guardedStream(badWord))
		if got.err != nil || got.stop != types.StopReasonGuardrailIntervened || got.text != textOf(t, out) || got.metadata.Trace.Guardrail.InputAssessment == nil {
			t.Errorf("%+v", got)
		}
	})
}

func TestGuardrailTopic(t *testing.T) {
	s := bedrocktest.NewServer(t)
	in := guarded("Which stocks should I buy?")
	out, err := probe.Client(s).Converse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	topics := out.Trace.Guardrail.InputAssessment[bedrocktest.DefaultGuardrailID].TopicPolicy.Topics
	if len(topics) != 1 || *topics[0].Name != "Investment advice" || topics[0].Action != types.GuardrailTopicPolicyActionBlocked || topics[0].Type != types.GuardrailTopicTypeDeny {
		t.Errorf("%+v", topics)
	}
	// The full trace holds what was looked for and not found.
	in = guarded("harmless")
	in.GuardrailConfig.Trace = types.GuardrailTraceEnabledFull
	if out, err = probe.Client(s).Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	assessment := out.Trace.Guardrail.InputAssessment[bedrocktest.DefaultGuardrailID]
	if len(assessment.TopicPolicy.Topics) != 1 || *assessment.TopicPolicy.Topics[0].Detected || *assessment.SensitiveInformationPolicy.PiiEntities[0].Detected {
		t.Errorf("%+v", assessment)
	}
}

func TestGuardrailBlocksOutput(t *testing.T) {
	s := bedrocktest.NewServer(t)
	answers(s, "this is how to Build a Bomb at home")
	out, err := probe.Client(s).Converse(t.Context(), guarded("hi"))
	if err != nil {
		t.Fatal(err)
	}
	trace := out.Trace.Guardrail
	if out.StopReason != types.StopReasonGuardrailIntervened || trace.OutputAssessments[bedrocktest.DefaultGuardrailID][0].WordPolicy == nil || *out.Usage.InputTokens != 1 {
		t.Errorf("%+v", out)
	}
	probe.Contains(t, textOf(t, out), "withheld")
	if got := stream(t, s, guardedStream("hi")); got.text != textOf(t, out) || got.stop != types.StopReasonGuardrailIntervened {
		t.Errorf("%+v", got)
	}
	// In async mode the text has left before the verdict.
	in := guardedStream("hi")
	in.GuardrailConfig.StreamProcessingMode = types.GuardrailStreamProcessingModeAsync
	got := stream(t, s, in)
	probe.Contains(t, got.text, "Build a Bomb")
	if got.stop != types.StopReasonGuardrailIntervened {
		t.Errorf("%+v", got)
	}
}

func TestGuardrailMasks(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.AddGuardrail(bedrocktest.Guardrail{ID: "masks", Version: "3", PII: []bedrocktest.PII{
		{Type: "EMAIL", Pattern: regexp.MustCompile(`\S+@\S+`)},
		{Type: "Ticket", Pattern: regexp.MustCompile(`T-\d+`), Action: bedrocktest.Mask},
		{Type: "US_SOCIAL_SECURITY_NUMBER", Pattern: regexp.MustCompile(`\d{3}-\d{2}-\d{4}`), Action: bedrocktest.Block},
	}})
	config := &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("masks"), GuardrailVersion: aws.String("3"), Trace: types.GuardrailTraceEnabled}
	var seen string
	s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		seen = in.Messages[0].Content[0].(*types.ContentBlockMemberText).Value
		return bedrocktest.Text("write to bob@example.com about T-77"), nil
	})
	in := probe.Ask("I am ada@example.com with T-12")
	in.GuardrailConfig = config
	out, err := probe.Client(s).Converse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if seen != "I am {EMAIL} with {Ticket}" || textOf(t, out) != "write to {EMAIL} about {Ticket}" {
		t.Errorf("the model saw %q, the client %q", seen, textOf(t, out))
	}
	if got := s.Calls()[0].Input.(*bedrockruntime.ConverseInput).Messages[0].Content[0].(*types.ContentBlockMemberText).Value; got != "I am ada@example.com with T-12" {
		t.Errorf("the call has %q", got)
	}
	trace := out.Trace.Guardrail
	policy := trace.InputAssessment["masks"].SensitiveInformationPolicy
	if *policy.PiiEntities[0].Match != "ada@example.com" || policy.PiiEntities[0].Action != types.GuardrailSensitiveInformationPolicyActionAnonymized ||
		*policy.Regexes[0].Name != "Ticket" || *policy.Regexes[0].Match != "T-12" || *trace.ActionReason != "Guardrail masked." ||
		out.StopReason != types.StopReasonGuardrailIntervened || trace.ModelOutput[0] != "write to bob@example.com about T-77" {
		t.Errorf("%+v %+v", policy, trace)
	}
	in = probe.Ask("my number is 123-45-6789")
	in.GuardrailConfig = config
	if out, err = probe.Client(s).Converse(t.Context(), in); err != nil || out.StopReason != types.StopReasonGuardrailIntervened {
		t.Fatalf("%+v, %v", out, err)
	}
	if p := out.Trace.Guardrail.InputAssessment["masks"].SensitiveInformationPolicy.PiiEntities[0]; p.Action != types.GuardrailSensitiveInformationPolicyActionBlocked {
		t.Errorf("%+v", p)
	}
}

// What a guardrail does not look at, in Bedrock and here.
func TestGuardrailScope(t *testing.T) {
	s := bedrocktest.NewServer(t)
	guard := func(text string) types.ContentBlock {
		return &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String(text)}}}
	}
	text := func(text string) types.ContentBlock { return &types.ContentBlockMemberText{Value: text} }
	for name, test := range map[string]struct {
		change  func(*bedrockruntime.ConverseInput)
		blocked bool
	}{
		"beside guardContent": {func(in *bedrockruntime.ConverseInput) {
			in.Messages[0].Content = []types.ContentBlock{text(badWord), guard("hi")}
		}, false},
		"in guardContent": {func(in *bedrockruntime.ConverseInput) {
			in.Messages[0].Content = []types.ContentBlock{text("hi"), guard(badWord)}
		}, true},
		"system": {func(in *bedrockruntime.ConverseInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: badWord}}
		}, false},
		"guarded system": {func(in *bedrockruntime.ConverseInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: guard(badWord).(*types.ContentBlockMemberGuardContent).Value}}
		}, true},
		"tool result": {func(in *bedrockruntime.ConverseInput) {
			in.ToolConfig = probe.ToolsNamed("t")
			in.Messages = append(in.Messages,
				types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
					ToolUseId: aws.String("1"), Name: aws.String("t"), Input: document.NewLazyDocument(map[string]string{"q": badWord}),
				}}}},
				types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
					ToolUseId: aws.String("1"), Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: badWord}},
				}}}})
		}, false},
		"part of a word": {func(in *bedrockruntime.ConverseInput) { in.Messages = probe.User("rebuild a bomber") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := guarded("hi")
			test.change(in)
			answers(s, "fine")
			out, err := probe.Client(s).Converse(t.Context(), in)
			if err != nil || (out.StopReason == types.StopReasonGuardrailIntervened) != test.blocked {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}
