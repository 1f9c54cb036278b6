package profiles

import (
	"fmt"
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// maxAnswer bounds an answer's body, in bytes. A profile that lists every region
// takes less than a hundredth of the bound.
const maxAnswer = 1 << 20

// gate is the SDK client's HTTP client, and the last to see a request.
type gate struct {
	client   *pinned.Client
	endpoint pinned.Endpoint
	region   string
}

// Do implements the SDK's HTTPClient.
func (g *gate) Do(req *http.Request) (*http.Response, error) {
	if err := g.inspect(req); err != nil {
		return nil, err
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return nil, refusal.New(refusal.Redirect, fmt.Sprintf("the control plane answered %d; its Location is not followed", resp.StatusCode))
	}
	resp.Body = &pinned.Bounded{ReadCloser: resp.Body, Left: maxAnswer, TooLong: pinned.TooLongFunc(answerTooLong)}
	return resp, nil
}

func answerTooLong() error {
	return refusal.New(refusal.AnswerSize, fmt.Sprintf("the control plane's answer is longer than %d bytes", maxAnswer))
}

// inspect compares a signed request with what Options pin. Nothing in the stack
// moves a request today; a new version of the SDK would have to get past inspect.
func (g *gate) inspect(req *http.Request) error {
	if err := g.endpoint.Check(req.URL, req.Host); err != nil {
		return err
	}
	if err := pinned.CheckFraming(req); err != nil {
		return err
	}
	for key, values := range req.Header {
		if err := pinned.CheckHeader(key, values, pinned.HeaderRule); err != nil {
			return err
		}
	}
	want := pinned.NotedSignature(req.Context(), g.region, signingName)
	if err := want.Check(req.Header); err != nil {
		return fmt.Errorf("%w: %w", securebedrock.ErrAuth, err)
	}
	return nil
}
