package bedrockhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Handler returns a server of Bedrock Runtime's operations, each of whose requests
// becomes a call of c. A Handler of options that Validate refuses answers every request
// with the fault and makes no call.
//
// A request's context is that of its call. The call ends when the caller goes away.
//
// The Handler bounds the time of bodies and answers. Its http.Server bounds that of
// headers and of idle connections: set ReadHeaderTimeout and IdleTimeout, and leave
// ReadTimeout and WriteTimeout zero, which would cut long streams. Bidirectional calls
// need HTTP/2: TLS, or http.Protocols with unencrypted HTTP/2.
func Handler(c *securebedrock.Client, opts HandlerOptions) http.Handler {
	err := opts.Validate()
	if c == nil {
		err = errors.Join(errors.New("bedrockhttp: Handler has no client"), err)
	}
	return &handler{client: c, opts: withDefaults(opts), fault: err}
}

type handler struct {
	client   *securebedrock.Client
	opts     HandlerOptions
	fault    error // of the options
	inFlight atomic.Int64
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &visit{conn: newConn(w, r, h.opts.BodyTimeout), r: r}
	a, err := h.answer(x)
	if x.admitted {
		defer h.inFlight.Add(-1)
	}
	if err != nil {
		h.log(x, err)
		a = refusalOf(err)
	}
	x.conn.send(a)
}

// visit is a request on its way through the Handler.
type visit struct {
	conn     *conn
	r        *http.Request
	target   target
	caller   Caller
	admitted bool // counted as in flight
}

// answer serves a request. An error is a refusal of the door itself, before a call.
func (h *handler) answer(x *visit) (*answer, error) {
	if h.fault != nil {
		return nil, retryLater(h.fault.Error())
	}
	r := x.r
	if err := checkOrigin(r, h.opts.Hosts); err != nil {
		return nil, err
	}
	var c *claim
	if h.opts.Keys != nil {
		var err error
		if c, err = h.opts.Keys.claim(r); err != nil {
			return nil, err
		}
	}
	var err error
	if x.target, err = targetOf(r); err != nil {
		return nil, err
	}
	if err := h.admit(x); err != nil {
		return nil, err
	}
	var body []byte // nil of a bidirectional request
	if x.target.isBidirectional() {
		if r.ProtoMajor < 2 {
			return nil, needsHTTP2()
		}
	} else if body, err = h.body(x, c); err != nil {
		return nil, err
	}
	ctx := r.Context()
	if c != nil {
		if x.caller, err = c.verify(r, body); err != nil {
			return nil, err
		}
		ctx = withCaller(ctx, x.caller)
		if x.caller.Models != nil {
			ctx = securebedrock.WithModels(ctx, x.caller.Models...)
		}
	}
	in, err := x.target.input(r, body)
	if err != nil {
		return nil, err
	}
	if x.target.isBidirectional() {
		x.conn.whole() // the client bounds the silence of both sides
		body := &framedBody{r: r.Body}
		var frames frameSource = &unverifiedFrames{body}
		if signed := c.frames(body); signed != nil {
			frames = signed
		}
		return answerOr(bidirectional(ctx, h.client, in, frames, r.Body)), nil
	}
	return x.target.serve(ctx, h.client, in), nil
}

// admit counts a request as in flight.
func (h *handler) admit(x *visit) error {
	x.admitted = true
	if h.inFlight.Add(1) <= int64(h.opts.MaxInFlight) {
		return nil
	}
	return retryLater("securebedrock: too many requests are in flight; send the request again, or raise HandlerOptions.MaxInFlight")
}

// body reads a request's body.
func (h *handler) body(x *visit, c *claim) ([]byte, error) {
	if x.r.ContentLength > h.opts.MaxBody {
		return nil, tooLarge(h.opts.MaxBody)
	}
	timed := *x.r
	timed.Body = x.conn
	read := bodyReader
	if c != nil {
		read = c.body
	}
	body, err := read(&timed)
	if err != nil {
		return nil, err
	}
	b, err := readBody(body, x.r.ContentLength, h.opts.MaxBody)
	if err != nil {
		return nil, bodyError(err)
	}
	// What decodes a body may stop before its end.
	if n, err := io.ReadFull(x.conn, make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, bodyError(err)
	}
	x.conn.whole()
	return b, nil
}

// log writes the line of a refusal of the door. The message of the refusal is left out,
// because it repeats names that the request has.
func (h *handler) log(x *visit, err error) {
	e, _ := errorOf(err)
	h.opts.Log.LogAttrs(context.WithoutCancel(x.r.Context()), logLevel, "request refused", attrsOf(x, e)...)
}
