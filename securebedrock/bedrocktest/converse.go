package bedrocktest

import (
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (s *Server) converse(w http.ResponseWriter, r *request) error {
	// The model gets an input of its own: the call keeps what was received.
	in, err := converseBody(r, schemas.ConverseRequest)
	if err != nil {
		return err
	}
	done, err := s.exchange(unary(in))
	if err != nil {
		return err
	}
	return s.respond(w, r, http.StatusOK, done.output())
}

// exchange is one prompt and its answer, with what the guardrail said of both.
type exchange struct {
	out   *bedrockruntime.ConverseOutput // as the client is to see it
	guard *guardrail                     // nil if the request named none
	full  bool                           // the trace is to hold what was not detected, too
	trace bool

	input, answer *evaluation // nil if not evaluated
	modelText     []string    // the model's answer before the guardrail
	modelOut      *bedrockruntime.ConverseOutput
	stop          string // the stop sequence that ended the answer
}

// exchange runs a prompt, which it owns, through the guardrail, the model and
// the guardrail again.
func (s *Server) exchange(in *bedrockruntime.ConverseInput) (*exchange, error) {
	start := time.Now()
	if err := checkModel(aws.ToString(in.ModelId)); err != nil {
		return nil, err
	}
	if err := checkMessages(in.Messages); err != nil {
		return nil, err
	}
	x := &exchange{}
	if c := in.GuardrailConfig; c != nil {
		var err error
		if x.guard, err = s.guardrails.find(s.settings.region, aws.ToString(c.GuardrailIdentifier), aws.ToString(c.GuardrailVersion)); err != nil {
			return nil, err
		}
		x.full = c.Trace == types.GuardrailTraceEnabledFull
		x.trace = x.full || c.Trace == types.GuardrailTraceEnabled
	}
	if x.guard != nil {
		x.input = x.guard.evaluate(promptTexts(in), x.full)
		if x.input.blocked {
			x.out = Text(x.guard.BlockedInput)
			x.out.StopReason = types.StopReasonGuardrailIntervened
			x.out.Usage = usage(0, 0)
			x.out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(milliseconds(start))}
			return x, nil
		}
	}
	out, stop, err := s.ask(in, start)
	if err != nil {
		return nil, err
	}
	x.stop = stop
	x.out, x.modelOut = out, out
	if x.guard != nil {
		x.guardAnswer()
	}
	return x, nil
}

// guardAnswer evaluates the model's answer and puts in its place what the
// guardrail makes of it.
func (x *exchange) guardAnswer() {
	content := cloneTexts(contentOf(x.out))
	texts := messageTexts(content, textAny)
	for _, text := range texts {
		x.modelText = append(x.modelText, *text)
	}
	x.answer = x.guard.evaluate(texts, x.full)
	if !x.answer.blocked && !x.answer.masked {
		return
	}
	guarded := *x.modelOut
	guarded.StopReason = types.StopReasonGuardrailIntervened
	if x.answer.blocked {
		guarded.Output = Text(x.guard.BlockedOutput).Output
	} else {
		guarded.Output = &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: content,
		}}
	}
	x.out = &guarded
}

// output is the answer with its trace.
func (x *exchange) output() *bedrockruntime.ConverseOutput {
	out := *x.out
	if assessment := x.assessment(); assessment != nil {
		out.Trace = &types.ConverseTrace{Guardrail: assessment}
	}
	return &out
}

// assessment is the guardrail's trace, nil if none was asked for.
func (x *exchange) assessment() *types.GuardrailTraceAssessment {
	if x.guard == nil || !x.trace {
		return nil
	}
	t := &types.GuardrailTraceAssessment{
		ActionReason:    aws.String(x.reason()),
		InputAssessment: map[string]types.GuardrailAssessment{x.guard.ID: x.input.assessment},
		ModelOutput:     x.modelText,
	}
	if x.answer != nil {
		t.OutputAssessments = map[string][]types.GuardrailAssessment{x.guard.ID: {x.answer.assessment}}
	}
	return t
}

func (x *exchange) reason() string {
	all := *x.input
	if x.answer != nil {
		all.blocked = all.blocked || x.answer.blocked
		all.masked = all.masked || x.answer.masked
	}
	return all.reason()
}

// intervened reports whether the guardrail changed anything.
func (x *exchange) intervened() bool {
	return x.guard != nil && x.reason() != reasonNone
}

// promptTexts are the texts of a prompt that a guardrail evaluates. In the
// messages: those of guardContent blocks, or all if there is no such block. In
// the system prompt: those of guardContent blocks, and nothing else. Tool
// results, tool definitions and tool arguments: never
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html).
func promptTexts(in *bedrockruntime.ConverseInput) []*string {
	kind := textAny
	for _, m := range in.Messages {
		for _, block := range m.Content {
			if _, ok := block.(*types.ContentBlockMemberGuardContent); ok {
				kind = textGuarded
			}
		}
	}
	texts := systemTexts(in.System, textGuarded)
	for _, m := range in.Messages {
		texts = append(texts, messageTexts(m.Content, kind)...)
	}
	return texts
}

// cloneTexts copies content so far that its texts can be changed.
func cloneTexts(content []types.ContentBlock) []types.ContentBlock {
	out := make([]types.ContentBlock, len(content))
	for i, block := range content {
		if text, ok := block.(*types.ContentBlockMemberText); ok {
			block = &types.ContentBlockMemberText{Value: text.Value}
		}
		out[i] = block
	}
	return out
}

func checkModel(id string) error {
	if strings.TrimSpace(id) == "" {
		return invalid("The provided model identifier is invalid.")
	}
	return nil
}

// checkMessages refuses what Bedrock refuses of any model.
func checkMessages(messages []types.Message) error {
	if len(messages) == 0 {
		return invalid("The messages field is empty. Add a Message object to the messages field and try again.")
	}
	if messages[0].Role != types.ConversationRoleUser {
		return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	}
	for i, m := range messages {
		if m.Role != types.ConversationRoleUser && m.Role != types.ConversationRoleAssistant && m.Role != types.ConversationRoleSystem {
			return invalid("The role field in the Message object at messages.%d is invalid.", i)
		}
		if len(m.Content) == 0 {
			return invalid("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		for j, block := range m.Content {
			if text, ok := block.(*types.ContentBlockMemberText); ok && strings.TrimSpace(text.Value) == "" {
				return invalid("The text field in the ContentBlock object at messages.%d.content.%d is blank. Add text to the text field, and try again.", i, j)
			}
		}
	}
	return nil
}
