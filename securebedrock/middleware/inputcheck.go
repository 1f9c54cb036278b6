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

// Checker is implemented by *securebedrock.Client and *bedrockruntime.Client.
type Checker interface {
	ApplyGuardrail(context.Context, *bedrockruntime.ApplyGuardrailInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ApplyGuardrailOutput, error)
}

// InputCheckOptions are the options of InputCheck.
type InputCheckOptions struct {
	// Client returns the client for the ApplyGuardrail requests. Client is called
	// when a call is checked, so it may return the client that contains this
	// middleware, which is made later. Calls of ApplyGuardrail itself pass
	// unchecked. Required.
	Client func() Checker
	// ID and Version identify the guardrail. Empty: the guardrail that is pinned on
	// the call. Another guardrail needs another Client: securebedrock refuses a
	// guardrail that is not pinned.
	ID, Version string
	// Parts selects the parts of the input that are checked, such as AllParts &^
	// PartSystem, or PartToolResults alone. Other parts are not read, even if they
	// hold content that ApplyGuardrail cannot check. Zero: AllParts.
	Parts Part
	// LastTurn limits the check of a Converse or ConverseStream to the system
	// prompt and what follows the model's last answer. LastTurn has no effect on an
	// InvokeModel body. Without LastTurn the whole conversation is checked, and
	// paid for, with each call.
	LastTurn bool
	// Tools also checks the names, descriptions and schemas of tools. They are the
	// program's own text unless they come from somewhere else.
	Tools bool
	// AllowUnchecked lists content that may pass without a check. A call with any
	// other content that ApplyGuardrail cannot check is refused.
	AllowUnchecked []Content
	// MaxText is the number of bytes in one ApplyGuardrail request. A longer text
	// is checked in pieces. The pieces overlap by 512 bytes, so that a phrase is
	// whole in one of them. Zero: 25,000, which is at most 25 text units of 1,000
	// characters. This is the smallest regional quota for one request.
	MaxText int
	// MaxRequests is the largest number of ApplyGuardrail requests for one call.
	// The requests run one after the other. Each image is a request. A call that
	// needs more is refused, and InputCheck collects no more of its input than
	// these requests can hold. Zero: 40.
	MaxRequests int
}

const (
	defaultMaxText     = 25_000
	defaultMaxRequests = 40
)

// InputCheck sends a call's input to ApplyGuardrail, with source INPUT, before the
// model is called and billed. InputCheck refuses the call with an *InputError when
// the guardrail intervenes, even if the guardrail only masks something. InputCheck
// also refuses a call if the guardrail cannot check all of the input.
//
// From Converse and ConverseStream, InputCheck takes the text of all messages, also
// beside guardContent. It also takes these parts, which a guardrail on the call
// does not scan or is not known to scan: the system prompt, tool results (text and
// JSON), tool arguments, reasoning, search results, citations, documents given as
// text or as TXT, MD, CSV or HTML in UTF-8, prompt variables, and
// AdditionalModelRequestFields. With Tools, it takes tool definitions too. From
// InvokeModel and StartAsyncInvoke, InputCheck takes every string, key and number
// in the body. Use Parts to leave something out, such as the program's own system
// prompt.
//
// PNG and JPEG images are sent to the guardrail as images, also those in a body in
// base64. The guardrail's content filters must be enabled for images. They read 100
// words of the text in an image.
//
// InputCheck does not see what Bedrock adds: the text of a prompt that the model
// identifier names, and content in S3. Base64 in a body that is neither text nor a
// known format is checked as the characters of the base64. Contextual grounding is
// not checked, because it needs an answer.
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

// missed returns the content that the guardrail did not check, according to the answer.
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
