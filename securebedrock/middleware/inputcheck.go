package middleware

import (
	"context"
	"errors"
	"slices"

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
	// the middleware is in, which is made later: calls of ApplyGuardrail itself pass
	// unchecked. Required.
	Client func() Checker
	// ID and Version are the guardrail's. Empty: the one that is pinned on the call.
	// Another one needs a Client of its own, as securebedrock refuses it.
	ID, Version string
	// Parts are the parts of the input that are checked, such as
	// AllParts &^ PartSystem, or PartToolResults alone. Zero: AllParts. Parts that
	// are left out are not looked at, also where they hold what ApplyGuardrail
	// cannot look at.
	Parts Part
	// LastTurn checks the system prompt and what came after the model's last answer
	// of a Converse only; of a body it leaves nothing out. Else the whole conversation is checked with each call, and paid for.
	LastTurn bool
	// Tools checks the tools' names, descriptions and schemas too, which are the
	// program's own text unless they come from somewhere else.
	Tools bool
	// AllowUnchecked names content that may pass without a check. What
	// ApplyGuardrail cannot look at is refused otherwise.
	AllowUnchecked []Content
	// MaxText is the number of bytes in one ApplyGuardrail. Zero: 25,000, which is no
	// more than 25 text units of 1,000 characters, the least of the regions' quotas
	// for one request. A longer text is checked in parts that overlap by 512 bytes,
	// so that a phrase is in one of them whole.
	MaxText int
	// MaxRequests bounds the ApplyGuardrail requests for one call, which are made one
	// after the other; a call that needs more is refused, and no more than that is
	// gathered of its input. Each image is a request.
	// Zero: 40.
	MaxRequests int
}

const (
	defaultMaxText     = 25_000
	defaultMaxRequests = 40
)

// InputCheck asks ApplyGuardrail about a call's input, with source INPUT, before
// the model is called and billed, and refuses the call with an *InputError where
// the guardrail intervenes, be it that it only masks something, and where it cannot
// be asked about all of the input.
//
// Of Converse and ConverseStream it takes the text of all messages, also beside
// guardContent, and of these parts, which a guardrail on the call itself does not
// scan or is not known to: the system prompt, tool results (text and JSON), tool
// arguments, reasoning, search results, citations, documents given as text or as
// TXT, MD, CSV or HTML in UTF-8, prompt variables, and AdditionalModelRequestFields;
// tool definitions with Tools. Of InvokeModel and StartAsyncInvoke it takes every
// string, key and number in the body. Parts leaves some of it out, such as the
// program's own system prompt. Images in PNG and JPEG go to the guardrail as
// images, those in a body too, where they are in base64: the guardrail's content
// filters have to be for images, and of text in one they read 100 words.
//
// It does not see what Bedrock adds: the text of a prompt that the model identifier
// names, and what is in S3. Base64 in a body that is neither text nor a known
// format is checked as the characters that it is written in. Contextual grounding is
// not checked: it needs an answer.
//
// User Guide: guardrails-use-independent-api, guardrails-mmfilter.
func InputCheck(opts InputCheckOptions) (securebedrock.Middleware, error) {
	var f faults
	if opts.Client == nil {
		f.add("InputCheck", "Client", "a function that returns the client to ask is needed")
	}
	if (opts.ID == "") != (opts.Version == "") {
		f.add("InputCheck", "ID, Version", "give both or none")
	}
	for _, c := range opts.AllowUnchecked {
		if !slices.Contains(contents(), c) {
			f.add("InputCheck", "AllowUnchecked", "%q is not valid; use one of %q", c, contents())
		}
	}
	if opts.MaxText < 0 || opts.MaxText > 0 && opts.MaxText < 2*overlap {
		f.add("InputCheck", "MaxText", "%d; at least %d, or none for %d", opts.MaxText, 2*overlap, defaultMaxText)
	}
	if opts.Parts&^AllParts != 0 {
		f.add("InputCheck", "Parts", "%#x has bits that are no part; give a union of the Part constants", uint8(opts.Parts))
	}
	if opts.MaxRequests < 0 {
		f.add("InputCheck", "MaxRequests", "%d; a positive number, or none for %d", opts.MaxRequests, defaultMaxRequests)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	opts.AllowUnchecked = slices.Clone(opts.AllowUnchecked)
	if opts.Parts == 0 {
		opts.Parts = AllParts
	}
	if opts.MaxText == 0 {
		opts.MaxText = defaultMaxText
	}
	if opts.MaxRequests == 0 {
		opts.MaxRequests = defaultMaxRequests
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
	c := &gathering{parts: o.Parts, lastTurn: o.LastTurn, tools: o.Tools, allowed: o.AllowUnchecked,
		mostText: multiply(int64(o.MaxText), int64(o.MaxRequests)), mostImages: o.MaxRequests, ended: ctx.Err}
	c.input(call.Input)
	if c.err != nil {
		return c.err
	}
	if c.unchecked != "" {
		e := failed(call, nil, "ApplyGuardrail cannot look at its %s; leave it out, or name it in AllowUnchecked", c.unchecked)
		e.Unchecked = c.unchecked
		return e
	}
	id, version := o.ID, o.Version
	if id == "" {
		id, version = call.Guardrail.ID, call.Guardrail.Version
	}
	if id == "" {
		return failed(call, nil, "no guardrail is pinned on the call; give InputCheck an ID and Version")
	}
	var client Checker
	if err := caught("InputCheckOptions.Client", func() error { client = o.Client(); return nil }); err != nil || client == nil {
		return failed(call, err, "InputCheck's Client returned none")
	}
	requests := c.requests(o.MaxText, o.MaxRequests)
	if c.tooMuch() || len(requests) > o.MaxRequests {
		return failed(call, nil, "its check would need more than %d requests of %d bytes; raise MaxRequests, or send less in one call", o.MaxRequests, o.MaxText)
	}
	for _, blocks := range requests {
		if err := ctx.Err(); err != nil {
			return err
		}
		var out *bedrockruntime.ApplyGuardrailOutput
		err := caught("the Checker", func() (err error) {
			out, err = client.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
				GuardrailIdentifier: aws.String(id), GuardrailVersion: aws.String(version), Source: types.GuardrailContentSourceInput, Content: blocks,
			})
			return err
		})
		switch {
		case err != nil && errors.Is(err, context.Canceled):
			return err
		case err != nil || out == nil:
			return failed(call, err, "the guardrail could not be asked, and nothing was sent")
		case out.Action != types.GuardrailActionNone:
			e := failed(call, nil, "the guardrail intervened, and the model was not called")
			e.Intervened = true
			return e
		}
		if missed := o.missed(out.GuardrailCoverage); missed != "" {
			e := failed(call, nil, "the guardrail says that it did not look at all of the input's %s", missed)
			e.Unchecked = missed
			return e
		}
	}
	return nil
}

// missed is what the answer says that the guardrail did not look at.
func (o *InputCheckOptions) missed(c *types.GuardrailCoverage) Content {
	less := func(guarded, total *int32, what Content) bool {
		return aws.ToInt32(guarded) < aws.ToInt32(total) && !slices.Contains(o.AllowUnchecked, what)
	}
	switch {
	case c == nil:
	case c.TextCharacters != nil && less(c.TextCharacters.Guarded, c.TextCharacters.Total, Text):
		return Text
	case c.Images != nil && less(c.Images.Guarded, c.Images.Total, Image):
		return Image
	}
	return ""
}

func failed(call *securebedrock.Call, cause error, format string, args ...any) *InputError {
	return &InputError{refusal: refuse(ErrInput, call, cause, format, args...)}
}
