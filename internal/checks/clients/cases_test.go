package clients_test

import "github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"

// A result is what a case must come to.
type result string

const (
	answered   result = "answered"
	usesTool   result = "uses the tool"
	blocked    result = "blocked by the guardrail"
	counted    result = "counted tokens"
	listed     result = "listed"
	echoed     result = "echoed"
	refused    result = "refused"    // by a rule: AccessDeniedException
	throttled  result = "throttled"  // by Bedrock
	cutOff     result = "cut off"    // a stream that broke
	badSecret  result = "bad secret" // a signature that does not verify
	unknownKey result = "unknown key"
	unsigned   result = "unsigned"
	badToken   result = "bad token" // a bearer token that is not the sidecar's
	noKey      result = "no key"    // the SDK itself sends nothing
)

// row is one case: what the program does, what is the matter, and what must come of it.
type row struct {
	name string
	do   []string // the row is run for each of these that the client can do
	set  func(o *order)
	// fault is scripted for the operation, upstream.
	fault *bedrocktest.Fault
	want  result
	// door and upstream count how often a request came there.
	door, upstream int
}

var (
	streams  = []string{"stream", "invoke-stream", "raw-stream"}
	allChat  = []string{"unary", "stream"}
	allTools = []string{"tools", "tools-stream"}
	inferred = []string{"unary", "stream", "tools", "tools-stream", "invoke", "invoke-stream"}
)

func rows() []row {
	model := func(id string) func(*order) { return func(o *order) { o.Model = id } }
	guardrail := func(id string) func(*order) { return func(o *order) { o.Guardrail = id } }
	prompt := func(text string) func(*order) { return func(o *order) { o.Prompt = text } }
	fault := func(f bedrocktest.Fault) *bedrocktest.Fault { return &f }

	return []row{
		{"an answer", []string{"unary", "stream", "raw-stream", "invoke", "invoke-stream"}, nil, nil, answered, 1, 1},
		{"a tool", allTools, nil, nil, usesTool, 1, 1},
		{"the caller's own guardrail is the pinned one", []string{"unary", "stream", "invoke", "invoke-stream"}, guardrail(bedrocktest.DefaultGuardrailID), nil, answered, 1, 1},
		{"the guardrail blocks", []string{"unary", "stream", "invoke", "invoke-stream"}, prompt(bomb), nil, blocked, 1, 1},
		{"tokens are counted", []string{"count-tokens"}, nil, nil, counted, 1, 1},
		{"the guardrail is applied", []string{"apply-guardrail"}, func(o *order) { o.Guardrail, o.Prompt = bedrocktest.DefaultGuardrailID, bomb }, nil, blocked, 1, 1},
		{"jobs are listed", []string{"list-async"}, nil, nil, listed, 1, 1},
		{"a stream both ways", []string{"duplex"}, nil, nil, echoed, 1, 1},

		{"a model that is not permitted", inferred, model("anthropic.claude-3-sonnet-20240229-v1:0"), nil, refused, 1, 0},
		{"a profile of another geography", allChat, model("eu." + haiku), nil, refused, 1, 0},
		{"another guardrail", []string{"unary", "stream", "invoke", "invoke-stream", "apply-guardrail"}, guardrail(other), nil, refused, 1, 0},
		{"an operation without a guardrail", []string{"start-async"}, nil, nil, refused, 1, 0},

		// Each SDK is set to send twice.
		{"a throttle", []string{"unary", "stream", "invoke", "invoke-stream"}, nil, nil, throttled, 2, 2},
		{"a stream that ends between two events", streams, nil, fault(bedrocktest.Truncate(3)), cutOff, 1, 1},
		{"a stream that ends inside an event", streams, nil, fault(bedrocktest.TruncateMidFrame(3)), cutOff, 1, 1},
		{"a stream whose connection is lost", streams, nil, fault(bedrocktest.DropStream(3)), cutOff, 1, 1},
	}
}

// operation is the operation upstream to which a fault belongs.
func (c *client) operation(do string) string {
	invokes := c.name == "anthropic-js" || c.name == "anthropic-go" || c.name == "fantasy" || do == "invoke" || do == "invoke-stream"
	streamed := do == "stream" || do == "raw-stream" || do == "invoke-stream"
	switch {
	case invokes && streamed:
		return "InvokeModelWithResponseStream"
	case invokes:
		return "InvokeModel"
	case streamed:
		return "ConverseStream"
	}
	return "Converse"
}
