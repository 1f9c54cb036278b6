package middleware

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Checker is *securebedrock.Client, and *bedrockruntime.Client.
type Checker interface {
	ApplyGuardrail(context.Context, *bedrockruntime.ApplyGuardrailInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ApplyGuardrailOutput, error)
}

// InputCheckOptions of an InputCheck.
type InputCheckOptions struct {
	// Client gives the client to ask, when a call asks. It may be the client that
	// the middleware is in: calls of ApplyGuardrail itself pass. Required.
	Client func() Checker
	// ID and Version are the guardrail's. Empty: the one that is pinned on the call.
	ID, Version string
	// LastTurn checks the system prompt and what came after the model's last answer
	// only. Else the whole conversation is checked with each call, and paid for.
	LastTurn bool
	// AllowUnchecked is the reason for which calls pass with content that
	// ApplyGuardrail cannot look at. Empty: they are refused.
	AllowUnchecked string
	// MaxText is the number of bytes in one ApplyGuardrail. Zero: 25,000, which is
	// 25 of the text units that guardrails are measured in. A longer text is checked
	// in parts that overlap by 512 bytes, so that a phrase is in one of them whole.
	MaxText int
}

const (
	defaultMaxText = 25_000
	overlap        = 512
)

// InputCheck asks ApplyGuardrail about a call's input, with source INPUT, before
// the model is called and billed, and refuses the call with ErrInput where the
// guardrail intervenes, be it that it only masks something.
//
// Beyond what the guardrail looks at in a call by itself, this checks the system
// prompt, tool results, documents given as text, search results, tool arguments,
// reasoning and prompt variables, of Converse and ConverseStream; and every string
// in the body of InvokeModel. Images in PNG and JPEG are checked where the
// guardrail's content filters are for images. Audio, video, other images and
// documents, and what is in S3, cannot be.
//
// https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-independent-api.html
func InputCheck(opts InputCheckOptions) (securebedrock.Middleware, error) {
	var f faults
	if opts.Client == nil {
		f.add("InputCheck", "Client", "a function that returns the client to ask is needed")
	}
	if (opts.ID == "") != (opts.Version == "") {
		f.add("InputCheck", "ID, Version", "give both or none")
	}
	if opts.MaxText < 0 || opts.MaxText > 0 && opts.MaxText < 2*overlap {
		f.add("InputCheck", "MaxText", "%d; at least %d, or none for %d", opts.MaxText, 2*overlap, defaultMaxText)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if opts.MaxText == 0 {
		opts.MaxText = defaultMaxText
	}
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			if infers(call.Operation) {
				if err := opts.check(ctx, call); err != nil {
					return nil, err
				}
			}
			return next(ctx, call)
		}
	}, nil
}

func (o *InputCheckOptions) check(ctx context.Context, call *securebedrock.Call) error {
	c := &content{lastTurn: o.LastTurn}
	c.input(call.Input)
	if c.unchecked != "" && o.AllowUnchecked == "" {
		return refuse(ErrInput, call, "ApplyGuardrail cannot look at its %s; leave it out, or say in AllowUnchecked why it may pass", c.unchecked)
	}
	id, version := o.ID, o.Version
	if id == "" {
		id, version = call.Guardrail.ID, call.Guardrail.Version
	}
	if id == "" {
		return refuse(ErrInput, call, "no guardrail is pinned on the call; give InputCheck an ID and Version")
	}
	client := o.Client()
	if client == nil {
		return refuse(ErrInput, call, "InputCheck's Client returned none")
	}
	for _, blocks := range c.requests(o.MaxText) {
		out, err := client.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
			GuardrailIdentifier: aws.String(id), GuardrailVersion: aws.String(version), Source: types.GuardrailContentSourceInput, Content: blocks,
		})
		switch {
		case err != nil && errors.Is(err, context.Canceled):
			return err
		case err != nil:
			return refuse(because(ErrInput, err), call, "the guardrail could not be asked, and nothing was sent")
		case out.Action != types.GuardrailActionNone:
			return refuse(ErrInput, call, "the guardrail intervened, and the model was not called")
		}
	}
	return nil
}

// requests puts the content into as many ApplyGuardrail requests as it needs.
func (c *content) requests(most int) [][]types.GuardrailContentBlock {
	var all [][]types.GuardrailContentBlock
	var one []types.GuardrailContentBlock
	left := most
	flush := func() {
		if len(one) > 0 {
			all, one, left = append(all, one), nil, most
		}
	}
	for _, text := range c.texts {
		for first := true; first || len(text) > overlap; first = false {
			if len(text) > left && left < most {
				flush()
			}
			part := text[:runes(text, min(len(text), left))]
			one = append(one, &types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String(part)}})
			left -= len(part)
			if len(part) == len(text) {
				break
			}
			text = text[runes(text, len(part)-overlap):]
		}
	}
	flush()
	for _, image := range c.images { // one a request: their number is limited
		all = append(all, []types.GuardrailContentBlock{image})
	}
	return all
}

// runes moves a cut back to the beginning of a character.
func runes(s string, at int) int {
	for at > 0 && at < len(s) && s[at]&0xC0 == 0x80 {
		at--
	}
	return at
}
