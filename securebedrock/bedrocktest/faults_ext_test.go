package bedrocktest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestFaultsInOrder(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Fail("Converse", bedrocktest.Throttle(2), bedrocktest.Fault{}, bedrocktest.ServerError(500, 1))
		s.Fail("Converse", bedrocktest.ServerError(503, 1), bedrocktest.Error(403, "AccessDeniedException", "not you"))
		for i, want := range []struct {
			status int
			code   string
		}{
			{429, "ThrottlingException"}, {429, "ThrottlingException"}, {200, ""}, {500, "InternalServerException"},
			{503, "ServiceUnavailableException"}, {403, "AccessDeniedException"}, {200, ""},
		} {
			_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
			if want.code == "" && err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			if want.code != "" {
				probe.WantCode(t, err, want.status, want.code)
			}
			if got := s.Calls()[i].Status; got != want.status {
				t.Errorf("call %d has status %d", i, got)
			}
		}
		var throttled *types.ThrottlingException
		s.Fail("Converse", bedrocktest.Throttle(1))
		if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi")); !errors.As(err, &throttled) {
			t.Error(err)
		}
	})
}

// The SDK's own retries meet the script, and other operations do not.
func TestFaultsAreRetried(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Fail("ConverseStream", bedrocktest.Throttle(1), bedrocktest.ServerError(503, 1))
	c := bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	})
	if _, err := c.Converse(t.Context(), probe.Ask("hi")); err != nil {
		t.Fatal(err)
	}
	out, err := c.ConverseStream(t.Context(), probe.AskStream("hi"))
	if err != nil {
		t.Fatal(err)
	}
	if got := collect(out.GetStream()); got.err != nil || got.stop == "" {
		t.Errorf("%+v", got)
	}
	if n := len(s.Calls()); n != 4 {
		t.Errorf("%d calls", n)
	}
}

func TestStallHeaders(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Fail("Converse", bedrocktest.StallHeaders(), bedrocktest.StallHeadersFor(30*time.Millisecond))
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := probe.Client(s).Converse(ctx, probe.Ask("hi"))
			failed <- err
		}()
		eventually(t, "the call", func() bool { return len(s.Calls()) == 1 })
		select {
		case err := <-failed:
			t.Error(err)
		case <-time.After(20 * time.Millisecond):
		}
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		start := time.Now()
		if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi")); err != nil || time.Since(start) < 30*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if calls := s.Calls(); calls[0].Status != 0 || calls[1].Status != 200 {
			t.Errorf("%d, %d", calls[0].Status, calls[1].Status)
		}
	})
}

func TestDrop(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Fail("Converse", bedrocktest.Drop())
		_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		var api smithy.APIError
		if err == nil || errors.As(err, &api) {
			t.Error(err)
		}
		if n := len(s.Calls()); n != 1 {
			t.Errorf("%d calls: the drop was retried", n)
		}
		if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi")); err != nil {
			t.Error(err)
		}
	})
}

func TestRedirect(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Fail("Converse", bedrocktest.Redirect(http.StatusTemporaryRedirect, "https://example.invalid/"))
		_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		if err == nil {
			t.Error("no error")
		}
		if c := s.Calls(); len(c) != 1 || c[0].Status != 307 {
			t.Errorf("%+v", c)
		}
	})
}

func TestStreamFaults(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		var throttled *types.ThrottlingException
		for name, test := range map[string]struct {
			fault  bedrocktest.Fault
			events int
			ended  func(error) bool
		}{
			"truncated":           {bedrocktest.Truncate(3), 3, func(err error) bool { return err == nil }},
			"truncated at once":   {bedrocktest.Truncate(0), 0, func(err error) bool { return err == nil }},
			"truncated mid-frame": {bedrocktest.TruncateMidFrame(2), 2, func(error) bool { return true }},
			"dropped":             {bedrocktest.DropStream(2), 2, func(err error) bool { return true }},
			"exception":           {bedrocktest.Exception(2, "throttlingException", "slow down"), 2, func(err error) bool { return errors.As(err, &throttled) && *throttled.Message == "slow down" }},
			"no fault":            {bedrocktest.Truncate(1000), -1, func(err error) bool { return err == nil }},
		} {
			s.Fail("ConverseStream", test.fault)
			got := stream(t, s, probe.AskStream("tell me something"))
			if test.events >= 0 && got.events != test.events || !test.ended(got.err) || (got.stop == "") != (test.events >= 0) {
				t.Errorf("%s: %+v (%v)", name, got, got.err)
			}
		}
	})
}

// What the SDK's reader makes of a body's end hides how it ended; the body
// itself shows it.
func TestStreamFaultsOnTheWire(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		read := func(fault bedrocktest.Fault) (int, error) {
			t.Helper()
			s.Fail("ConverseStream", fault)
			var size int
			var err error
			_, callErr := probe.Client(s).ConverseStream(t.Context(), probe.AskStream("hi"), func(o *bedrockruntime.Options) {
				send := o.HTTPClient
				o.HTTPClient = probe.RoundTripper(func(r *http.Request) (*http.Response, error) {
					resp, sendErr := send.Do(r)
					if sendErr != nil {
						return nil, sendErr
					}
					var body []byte
					body, err = io.ReadAll(resp.Body)
					size = len(body)
					_ = resp.Body.Close()
					resp.Body = http.NoBody
					return resp, nil
				})
			})
			if callErr != nil {
				t.Fatal(callErr)
			}
			return size, err
		}
		clean, err := read(bedrocktest.Truncate(2))
		if err != nil || clean == 0 {
			t.Errorf("truncated: %d, %v", clean, err)
		}
		if mid, err := read(bedrocktest.TruncateMidFrame(2)); err != nil || mid <= clean {
			t.Errorf("mid-frame: %d, %v", mid, err)
		}
		if dropped, err := read(bedrocktest.DropStream(2)); err == nil || dropped != clean {
			t.Errorf("dropped: %d, %v", dropped, err)
		}
	})
}

func TestStallStream(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Fail("ConverseStream", bedrocktest.StallStream(2))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out, err := probe.Client(s).ConverseStream(ctx, probe.AskStream("hi"))
		if err != nil {
			t.Fatal(err)
		}
		events := out.GetStream().Events()
		<-events
		<-events
		select {
		case e := <-events:
			t.Errorf("event %v", e)
		case <-time.After(50 * time.Millisecond):
		}
		if err := out.GetStream().Close(); err != nil {
			t.Error(err)
		}
	})
}

// Faults of streams strike a unary answer in its middle.
func TestUnaryFaults(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		for _, fault := range []bedrocktest.Fault{bedrocktest.DropStream(1), bedrocktest.Truncate(1), bedrocktest.TruncateMidFrame(1)} {
			s.Fail("Converse", fault)
			if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi")); err == nil {
				t.Errorf("no error of %+v", fault)
			}
		}
		s.Fail("Converse", bedrocktest.Exception(1, "modelTimeoutException", "late"))
		_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		probe.WantCode(t, err, 408, "ModelTimeoutException")
		s.Fail("Converse", bedrocktest.StallStream(1))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := probe.Client(s).Converse(ctx, probe.Ask("hi")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// A request that is refused for its signature uses up no fault.
func TestFaultWaitsForASignedRequest(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Fail("Converse", bedrocktest.Throttle(1))
	_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"), func(o *bedrockruntime.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAOTHER", SecretAccessKey: "x"}, nil
		})
	})
	probe.WantCode(t, err, 403, "UnrecognizedClientException")
	_, err = probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
	probe.WantCode(t, err, 429, "ThrottlingException")
}

func TestBidirectionalFaults(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.Fail("InvokeModelWithBidirectionalStream", bedrocktest.Exception(1, "modelTimeoutException", "late"))
	out, err := probe.Client(s).InvokeModelWithBidirectionalStream(t.Context(), &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")})
	if err != nil {
		t.Fatal(err)
	}
	talk := out.GetStream()
	for range 2 {
		if err := talk.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte("{}")}}); err != nil {
			break
		}
	}
	n := 0
	for range talk.Events() {
		n++
	}
	var late *types.ModelTimeoutException
	if err := talk.Close(); n != 1 || !errors.As(err, &late) {
		t.Errorf("%d events, %v", n, err)
	}
}
