package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/content"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// answer gathers what is recorded of an answer: content, where the policy wants
// it, and tool names, where the options do. A nil one gathers nothing.
type answer struct {
	policy *ContentPolicy
	names  []string // the tools that the call declared; nil: not wanted

	mu     sync.Mutex
	output any // the output of a call that is no stream
	blocks []*growing
	tools  []string
}

const undeclared = "(undeclared)"

// answer sets the call up to be listened to.
func (p *ContentPolicy) answer(call *securebedrock.Call, tools bool) *answer {
	if p.Mode == ContentNone && !tools {
		return nil
	}
	a := &answer{policy: p}
	if tools {
		a.names = toolNames(call.Input)
	}
	if call.Operation == "ConverseStream" || p.Mode != ContentNone && isStream(call.Operation) {
		then := call.OnEvent
		call.OnEvent = func(event any) {
			if then != nil {
				then(event)
			}
			a.event(event)
		}
	}
	return a
}

func isStream(op string) bool {
	return op == "InvokeModelWithResponseStream" || op == "InvokeModelWithBidirectionalStream"
}

// toolNames are the names of the tools that a call declares, in a list that is not nil.
func toolNames(input any) []string {
	names := []string{}
	if conversation, _ := content.ConversationOf(input); conversation.Tools != nil {
		for _, t := range conversation.Tools.Tools {
			if t, ok := t.(*types.ToolMemberToolSpec); ok {
				names = append(names, aws.ToString(t.Value.Name))
			}
		}
	}
	return names
}

// tool takes note of a tool that the model calls. A name that the call did not
// declare is the model's own text.
func (a *answer) tool(name *string) {
	if a.names == nil || len(a.tools) >= maxBlocks {
		return
	}
	n := aws.ToString(name)
	if !slices.Contains(a.names, n) || word(n) != n {
		n = undeclared
	}
	a.tools = append(a.tools, n)
}

func (a *answer) unary(out any) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.output = out
	if out, ok := out.(*bedrockruntime.ConverseOutput); ok {
		if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
			for _, b := range m.Value.Content {
				if t, ok := b.(*types.ContentBlockMemberToolUse); ok {
					a.tool(t.Value.Name)
				}
			}
		}
	}
}

// done gives what was gathered, within a record's time to be written.
func (a *answer) done(ctx context.Context, bound time.Duration) (*Content, []string) {
	if a == nil {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.policy.Mode == ContentNone {
		return nil, a.tools
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	ctx, end := a.policy.withRedactionTime(ctx)
	defer end()
	c := a.policy.newCollector()
	c.walk(func() {
		c.walkOutput(ctx, a.output)
		if len(a.blocks) > 0 {
			c.out.Messages = 1
		}
		for _, g := range a.blocks {
			g.finish(ctx, c)
		}
	})
	if c.empty() {
		return nil, a.tools
	}
	return c.content(), a.tools
}

// event takes one event of a stream.
func (a *answer) event(event any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch ev := event.(type) {
	case *types.ContentBlockStartEvent:
		switch s := ev.Start.(type) {
		case *types.ContentBlockStartMemberToolUse:
			a.tool(s.Value.Name)
			a.at(ev.ContentBlockIndex, "tool_use")
		case *types.ContentBlockStartMemberImage:
			if a.policy.Mode != ContentNone {
				a.at(ev.ContentBlockIndex, "image").format = format(s.Value.Format, s.Value.Format.Values())
			}
		case *types.ContentBlockStartMemberToolResult, nil:
		default:
			a.at(ev.ContentBlockIndex, "unknown")
		}
	case *types.ContentBlockDeltaEvent:
		a.delta(ev)
	case *types.PayloadPart:
		a.part(ev.Bytes)
	case *types.BidirectionalOutputPayloadPart:
		a.part(ev.Bytes)
	}
}

func (a *answer) delta(ev *types.ContentBlockDeltaEvent) {
	if a.policy.Mode == ContentNone {
		return
	}
	switch d := ev.Delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		a.at(ev.ContentBlockIndex, "text").write([]byte(d.Value))
	case *types.ContentBlockDeltaMemberToolUse:
		a.at(ev.ContentBlockIndex, "tool_use").write([]byte(aws.ToString(d.Value.Input)))
	case *types.ContentBlockDeltaMemberReasoningContent:
		switch r := d.Value.(type) {
		case *types.ReasoningContentBlockDeltaMemberText:
			a.at(ev.ContentBlockIndex, "reasoning").write([]byte(r.Value))
		case *types.ReasoningContentBlockDeltaMemberRedactedContent:
			a.at(ev.ContentBlockIndex, "reasoning_encrypted").write(r.Value)
		case *types.ReasoningContentBlockDeltaMemberSignature:
		default:
			a.at(ev.ContentBlockIndex, "unknown")
		}
	case *types.ContentBlockDeltaMemberImage:
		switch src := d.Value.Source.(type) {
		case *types.ImageSourceMemberBytes:
			a.at(ev.ContentBlockIndex, "image").write(src.Value)
		default:
			a.at(ev.ContentBlockIndex, "unknown")
		}
	case *types.ContentBlockDeltaMemberCitation:
	default:
		a.at(ev.ContentBlockIndex, "unknown")
	}
}

// growing is a block of a stream's answer. Its digest grows with it; of its text
// no more than may be stored is kept.
type growing struct {
	index  int32
	kind   string
	format string
	sum    hash.Hash // nil where no digest is wanted, or the text has to be whole for it
	text   []byte
	most   int
	size   int // of what came
	kept   int // of what would be stored of it, were there no bound
	media  []medium
	cutOff bool
}

// at finds or begins a block.
func (a *answer) at(index *int32, kind string) *growing {
	i := aws.ToInt32(index)
	for _, g := range a.blocks {
		if g.index == i && g.kind == kind {
			return g
		}
	}
	if len(a.blocks) >= 4*maxBlocks { // a server that invents indexes
		last := a.blocks[len(a.blocks)-1]
		last.cutOff = true
		return last
	}
	g := &growing{index: i, kind: kind}
	switch {
	case kind == "image":
	case kind == "tool_use":
		g.most = maxDocument
	case a.policy.Mode == ContentRedacted || a.policy.Mode == ContentFull:
		g.most = a.policy.MaxBytes + redactMargin
	}
	if kind != "tool_use" && a.policy.Mode != ContentNone && a.policy.DigestKey.ID != "" {
		g.sum = hmac.New(sha256.New, a.policy.DigestKey.Secret)
		begin(g.sum, assistant, kind)
	}
	a.blocks = append(a.blocks, g)
	return g
}

func (g *growing) write(p []byte) {
	g.count(p)
	g.keep(p)
}

func (g *growing) count(p []byte) {
	if g.sum != nil {
		g.sum.Write(p)
	}
	g.size += len(p)
}

func (g *growing) keep(p []byte) {
	g.kept += len(p)
	g.text = append(g.text, p[:min(len(p), max(0, g.most-len(g.text)))]...)
}

// part takes a document of a body that comes in several.
func (a *answer) part(p []byte) {
	g := a.at(nil, "body")
	g.count(p)
	g.count([]byte("\n"))
	var w withholder
	if v, ok := parseJSON(p); !ok {
		p = []byte(w.take(medium{kind: kindData, data: p}))
	} else if v = w.json(v); len(w.found) > 0 {
		p = []byte(writeJSON(v))
	}
	g.keep(p)
	g.keep([]byte("\n"))
	for _, m := range w.found {
		if len(g.media) >= maxBlocks {
			g.cutOff = true
			return
		}
		if g.sum != nil {
			m.digest = newSummer(a.policy.DigestKey).alone(assistant, m.kind, m.data)
		}
		m.data = nil // an answer can be long
		g.media = append(g.media, m)
	}
}

func (g *growing) finish(ctx context.Context, c *collector) {
	if g.cutOff {
		c.out.Incomplete = true
	}
	b := block{role: assistant, kind: g.kind, text: string(g.text), size: g.size, cut: len(g.text) < g.kept, format: g.format, media: g.media}
	switch g.kind {
	case "unknown":
		c.out.Incomplete = true
		return
	case "reasoning_encrypted", "image":
		b.text, b.cut, b.data = "", false, notNil(nil)
	case "tool_use":
		if len(g.text) < g.size { // too long to be brought into its canonical form
			c.out.Incomplete = true
			return
		}
		b.text, b.document = string(g.text), true
		if v, ok := parseJSON(g.text); ok {
			b.text, b.value = writeJSON(v), v
		}
	}
	if g.sum != nil {
		b.digest = hex.EncodeToString(g.sum.Sum(nil))
	}
	c.add(ctx, b)
}
