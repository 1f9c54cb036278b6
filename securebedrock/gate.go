package securebedrock

import (
	"context"
	"fmt"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// gateStep is the last to see a request, and sends it.
type gateStep struct {
	g  *guard
	op *operation
}

const gateID = "securebedrock:gate"

func (*gateStep) ID() string { return gateID }

// HandleDeserialize does not call the next handler, which would be the HTTP
// client of the SDK's options, but sends through the pinned transport.
func (s *gateStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	ex := exchangeOf(ctx)
	if ex == nil || !ex.seal.Approved() || ex.op != s.op {
		return out, metadata, bypassed(s.op.name, "the call did not pass the rules; a middleware took them out of the stack")
	}
	if !ex.seal.Send() {
		return out, metadata, ex.named(refuse(ErrEndpoint,
			"the attempt has been sent already, or the retry step was taken out of the stack; a step called its next handler again, and Options.Retry says how often a call is sent"))
	}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, ex.named(refuse(ErrEndpoint, fmt.Sprintf("the request is a %T", in.Request)))
	}
	if req, err = s.inspect(ex, req); err != nil {
		return out, metadata, ex.named(err)
	}
	ex.delivery.Sends++
	if s.op.duplex {
		if cause := context.Cause(ctx); cause != nil {
			return out, metadata, cause // nobody may be waiting any more
		}
		d, pipe := duplexOf(ctx), pipeOf(req)
		if d == nil || pipe.r == nil || pipe.r != d.pipe.Load() {
			return out, metadata, ex.named(refuse(ErrEndpoint, "the body is not what the caller writes to; a middleware or an interceptor rewrote the request"))
		}
		ex.result.live = newDuplexWire(pipe)
		d.live.Store(ex.result.live)
		ctx = context.WithValue(ctx, duplexWireKey{}, ex.result.live)
	}
	raw, metadata, err := s.transport().Handle(s.sending(ctx, ex), req)
	out.RawResponse = raw
	resp, ok := raw.(*smithyhttp.Response)
	if !ok || err != nil {
		return out, metadata, ex.named(err) // the caller of a bidirectional call gets it from here
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return out, metadata, ex.named(refuse(ErrRedirect, fmt.Sprintf("the server answered %d; its Location is not followed", resp.StatusCode)))
	}
	if s.op.tallied {
		ex.result.tally = newTally(resp.Header)
	}
	if s.op.stream && resp.StatusCode >= 200 && resp.StatusCode < 300 {
		resp.Body = ex.result.observe(resp.Body, ex.model.ID, ex.onEvent)
	} else {
		resp.Body = &pinned.Bounded{ReadCloser: resp.Body, Left: maxAnswer, TooLong: ex}
		ex.result.raw = resp.Body
	}
	return out, metadata, nil
}

// transport is the one for the operation's cost.
func (s *gateStep) transport() smithyhttp.ClientHandler {
	switch {
	case s.op.duplex:
		return s.g.duplexed
	case s.op.free:
		return s.g.free
	}
	return s.g.transport
}

// sending is the context of a request. The request's context of a stream outlives the
// call, and the SDK's context would keep the whole stack, the input and the request
// with it. Where nothing of the application's stands in the stack, the SDK's context
// has nothing that the exchange's own has not.
func (s *gateStep) sending(ctx context.Context, ex *exchange) context.Context {
	if !s.op.stream || s.op.duplex || s.g.traced || ex.watched {
		return ctx
	}
	return selfOf(ctx)
}

// maxAnswer bounds what the SDK reads into memory for an answer that is no
// stream. Bedrock's own bound is 25,000,000 bytes (API_runtime_InvokeModel,
// body). An event of a stream is bounded by eventframe.MaxFrame.
const maxAnswer = 32 << 20

// AnswerTooLong implements pinned.TooLong.
func (ex *exchange) AnswerTooLong() error {
	return ex.named(refuse(ErrAnswerSize, fmt.Sprintf("it has more than %d bytes", maxAnswer)))
}

// inspect compares a signed request with what the rules approved and what the
// Options pin, and returns the request with the approved body. The body of a
// bidirectional stream is yet to be written.
func (s *gateStep) inspect(ex *exchange, req *smithyhttp.Request) (*smithyhttp.Request, error) {
	if !s.op.duplex {
		var err error
		if req, err = ex.request.WithBody(req); err != nil {
			return nil, err
		}
	}
	if err := ex.request.Check(req, &s.g.endpoint); err != nil {
		return nil, err
	}
	signature := pinned.Signature{AccessKey: ex.delivery.accessKey, Token: ex.delivery.token, Region: s.g.region, Service: signingName}
	return req, signature.Check(req.Header)
}
