package bedrockhttp

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Handler returns a server of Bedrock Runtime's operations, each of whose requests
// becomes a call of c. A Handler of options that Validate refuses answers every request
// with the fault and makes no call.
func Handler(c *securebedrock.Client, opts HandlerOptions) http.Handler {
	err := opts.Validate()
	if c == nil {
		err = errors.Join(errors.New("bedrockhttp: Handler has no client"), err)
	}
	return &handler{client: c, opts: opts.withDefaults(), fault: err}
}

type handler struct {
	client   *securebedrock.Client
	opts     HandlerOptions
	fault    error // of the options
	inFlight atomic.Int64
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := h.answer(r)
	if err != nil {
		a = refusalOf(err)
	}
	h.send(r.Context(), w, a)
}

// answer serves a request. An error is a refusal of the door itself.
func (h *handler) answer(r *http.Request) (*answer, error) {
	if h.fault != nil {
		return nil, &wire.Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailableException", Message: h.fault.Error()}
	}
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
	to, err := targetOf(r)
	if err != nil {
		return nil, err
	}
	body, err := h.body(c, r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if c != nil {
		caller, err := c.verify(r, body)
		if err != nil {
			return nil, err
		}
		ctx = withCaller(ctx, caller)
		if caller.Models != nil {
			ctx = securebedrock.WithModels(ctx, caller.Models...)
		}
	}
	in, err := to.input(r, body)
	if err != nil {
		return nil, err
	}
	return to.serve(ctx, h.client, in), nil
}

// body reads a request's body.
func (h *handler) body(c *claim, r *http.Request) ([]byte, error) {
	read := bodyReader
	if c != nil {
		read = c.body
	}
	body, err := read(r)
	if err != nil {
		return nil, err
	}
	return readBody(body, r.ContentLength, h.opts.MaxBody)
}

// send writes an answer.
func (h *handler) send(ctx context.Context, w http.ResponseWriter, a *answer) {
	maps.Copy(w.Header(), a.header)
	if a.events == nil {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
		return
	}
	defer a.events.Close()
	w.WriteHeader(a.status)
	control := http.NewResponseController(w)
	_ = control.Flush()
	var frame []byte
	for {
		var err error
		frame, err = a.events.next(frame[:0])
		if errors.Is(err, io.EOF) && len(frame) == 0 {
			return
		}
		if len(frame) > 0 {
			if _, err := w.Write(frame); err != nil {
				panic(http.ErrAbortHandler)
			}
			_ = control.Flush()
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}
