package securebedrock_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"hash/crc32"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// everyOperation calls each operation with a prompt and drains what streams.
func everyOperation() map[string]func(context.Context, *client) error {
	return map[string]func(context.Context, *client) error{
		"Converse": func(ctx context.Context, c *client) error {
			_, err := c.Converse(ctx, converse("a secret"))
			return err
		},
		"ConverseStream": func(ctx context.Context, c *client) error {
			out, err := c.ConverseStream(ctx, converseStream("a secret"))
			if err != nil {
				return err
			}
			_, err = drain(out.GetStream())
			return err
		},
		"InvokeModel": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c *client) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")})
			if err != nil {
				return err
			}
			for range out.GetStream().Events() {
			}
			return out.GetStream().Err()
		},
		"InvokeModelWithBidirectionalStream": func(ctx context.Context, c *client) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic())
			if err != nil {
				return err
			}
			for range out.GetStream().Events() {
			}
			err = out.GetStream().Err()
			out.GetStream().Close()
			return err
		},
		"StartAsyncInvoke": func(ctx context.Context, c *client) error {
			_, err := c.StartAsyncInvoke(ctx, startAsync())
			return err
		},
		"ApplyGuardrail": func(ctx context.Context, c *client) error {
			_, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1"))
			return err
		},
		"InvokeGuardrailChecks": func(ctx context.Context, c *client) error {
			_, err := c.InvokeGuardrailChecks(ctx, guardrailChecks())
			return err
		},
		"CountTokens": func(ctx context.Context, c *client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("a secret")}}})
			return err
		},
		"GetAsyncInvoke": func(ctx context.Context, c *client) error {
			_, err := c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc")})
			return err
		},
		"ListAsyncInvokes": func(ctx context.Context, c *client) error { _, err := c.ListAsyncInvokes(ctx, nil); return err },
	}
}

func excuseAll(o *opts) {
	o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "test", "StartAsyncInvoke": "test"}
}

// No redirect of any kind is followed, from any operation, to anywhere.
func TestRedirectsOfEveryOperation(t *testing.T) {
	other := newTrap(t)
	for operation, call := range everyOperation() {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, excuseAll)
			sent := 0
			for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
				for _, location := range []string{other.URL, "http://localhost:1/", "/elsewhere", ""} {
					server.Fail(operation, bedrocktest.Redirect(status, location))
					if err := call(t.Context(), c); !errors.Is(err, securebedrock.ErrRedirect) {
						t.Errorf("%d to %q: got %v", status, location, err)
					}
					if sent++; len(calls(server, operation)) != sent {
						t.Errorf("%d to %q: sent %d times", status, location, len(calls(server, operation))-sent+1)
					}
				}
			}
		})
	}
}

// A server that cannot prove who it is, or that speaks an old TLS, gets nothing.
func TestHostileTLS(t *testing.T) {
	for _, row := range []struct {
		name   string
		server func(*tls.Config, *x509.CertPool)
		check  func(error) bool
	}{
		{"TLS 1.1", func(c *tls.Config, _ *x509.CertPool) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
			func(err error) bool { return strings.Contains(err.Error(), "protocol version") }},
		{"a certificate of another host", func(c *tls.Config, roots *x509.CertPool) {
			c.Certificates = []tls.Certificate{certificate(t, roots, "other.example.com", time.Now().Add(time.Hour))}
		}, func(err error) bool { var e x509.HostnameError; return errors.As(err, &e) }},
		{"an expired certificate", func(c *tls.Config, roots *x509.CertPool) {
			c.Certificates = []tls.Certificate{certificate(t, roots, "127.0.0.1", time.Now().Add(-time.Hour))}
		}, func(err error) bool {
			var e x509.CertificateInvalidError
			return errors.As(err, &e) && e.Reason == x509.Expired
		}},
		{"a certificate of nobody", func(c *tls.Config, _ *x509.CertPool) {
			c.Certificates = []tls.Certificate{certificate(t, x509.NewCertPool(), "127.0.0.1", time.Now().Add(time.Hour))}
		}, func(err error) bool { var e x509.UnknownAuthorityError; return errors.As(err, &e) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			roots := x509.NewCertPool()
			arrived := 0
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived++ }))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.TLS = &tls.Config{}
			row.server(srv.TLS, roots)
			srv.StartTLS()
			defer srv.Close()
			if srv.TLS.MaxVersion != 0 {
				roots.AddCert(srv.Certificate())
			}
			c, err := securebedrock.NewFromConfig(aws.Config{
				Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
				HTTPClient:  &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}}},
			}, opts{Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: srv.URL}, Retry: securebedrock.Retry{MaxAttempts: 1},
				Guardrail: securebedrock.Guardrail{ID: "abc", Version: "1"}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Converse(t.Context(), converse("a secret")); err == nil || !row.check(err) || arrived != 0 {
				t.Errorf("%d requests arrived, got %v", arrived, err)
			}
		})
	}
}

// certificate signs itself for host and, unless it is of nobody, is in roots.
func certificate(t *testing.T, roots *x509.CertPool, host string, until time.Time) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Answers that no Bedrock gives: the error is typed or the SDK's own, the record
// is complete, nothing panics, and memory stays bounded.
func TestHostileAnswers(t *testing.T) {
	frames := func(write func(w io.Writer, p *restjson1.Protocol)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			write(w, restjson1.New(schemas.AmazonBedrockFrontendService))
		}
	}
	start := func(w io.Writer, p *restjson1.Protocol) {
		p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStart, &types.MessageStartEvent{Role: types.ConversationRoleAssistant}, w)
	}
	stop := func(w io.Writer, p *restjson1.Protocol) {
		p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn}, w)
	}
	prelude := func(w io.Writer, total, headers uint32) {
		b := binary.BigEndian.AppendUint32(nil, total)
		b = binary.BigEndian.AppendUint32(b, headers)
		w.Write(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
	}
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		stream  bool
		want    error // errAny: some error; nil: none
	}{
		{"an endless body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"stopReason":"`)
			endless(w, r)
		}, false, securebedrock.ErrAnswerSize},
		{"an endless error", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			endless(w, r)
		}, false, securebedrock.ErrAnswerSize},
		{"an endless error in a stream's place", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			endless(w, r)
		}, true, securebedrock.ErrAnswerSize},
		{"HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>please log in</html>")
		}, false, errAny},
		{"HTML in a stream's place", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>please log in</html>")
		}, true, errAny},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, false, securebedrock.ErrAnswerIncomplete}, // the SDK takes it for an empty object
		{"nothing in a stream's place", func(http.ResponseWriter, *http.Request) {}, true, securebedrock.ErrStreamTruncated},
		{"a body that unpacks itself", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"stopReason":"`)
			for range 128 { // MiB
				z.Write(make([]byte, 1<<20))
				if r.Context().Err() != nil {
					return
				}
			}
			z.Close()
		}, false, errAny},
		{"a frame with a bad sum", frames(func(w io.Writer, p *restjson1.Protocol) {
			var b bytes.Buffer
			start(&b, p)
			b.Bytes()[b.Len()-1] ^= 1
			w.Write(b.Bytes())
			stop(w, p)
		}), true, errAny},
		{"a prelude with a bad sum", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			w.Write([]byte{0, 0, 0, 100, 0, 0, 0, 10, 1, 2, 3, 4})
			w.Write(make([]byte, 88))
		}), true, errAny},
		{"a frame of 2 GiB", func(w http.ResponseWriter, r *http.Request) { prelude(w, 1<<31, 10); endless(w, r) }, true, securebedrock.ErrStreamTruncated},
		{"a frame of 4 bytes", frames(func(w io.Writer, p *restjson1.Protocol) { prelude(w, 4, 0) }), true, securebedrock.ErrStreamTruncated},
		{"headers longer than their frame", func(w http.ResponseWriter, r *http.Request) { prelude(w, 64, 1<<30); endless(w, r) }, true, securebedrock.ErrStreamTruncated},
		{"the end inside a prelude", frames(func(w io.Writer, p *restjson1.Protocol) { start(w, p); w.Write([]byte{0, 0}) }), true, securebedrock.ErrStreamTruncated},
		{"the end between events before messageStop", frames(start), true, securebedrock.ErrStreamTruncated},
		{"an unknown event", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			var m eventstream.Message
			m.Headers.Set(":message-type", eventstream.StringValue("event"))
			m.Headers.Set(":event-type", eventstream.StringValue("newThing"))
			m.Payload = []byte(`{"x":1}`)
			eventstream.NewEncoder().Encode(w, m)
			stop(w, p)
		}), true, nil},
		{"an exception nobody knows", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			var m eventstream.Message
			m.Headers.Set(":message-type", eventstream.StringValue("exception"))
			m.Headers.Set(":exception-type", eventstream.StringValue("newException"))
			m.Payload = []byte(`{"message":"new"}`)
			eventstream.NewEncoder().Encode(w, m)
		}), true, errAny},
		{"a messageStop that is no JSON", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			var m eventstream.Message
			m.Headers.Set(":message-type", eventstream.StringValue("event"))
			m.Headers.Set(":event-type", eventstream.StringValue("messageStop"))
			m.Payload = []byte(`{{{`)
			eventstream.NewEncoder().Encode(w, m)
		}), true, errAny},
		{"a stream in single bytes", func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			p := restjson1.New(schemas.AmazonBedrockFrontendService)
			start(&b, p)
			stop(&b, p)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			for _, c := range b.Bytes() {
				w.Write([]byte{c})
				w.(http.Flusher).Flush()
			}
		}, true, nil},
		{"a messageStop of 2 MiB", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReason(strings.Repeat("x", 2<<20))}, w)
		}), true, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			rec := new(recorder)
			c := handled(t, row.handler, rec.option, func(o *opts) { o.Retry.MaxAttempts = 1; o.Timeouts.Read = 20 * time.Second })
			var err error
			peak := peakMemory(t, func() {
				if row.stream {
					err = everyOperation()["ConverseStream"](t.Context(), c)
				} else {
					err = everyOperation()["Converse"](t.Context(), c)
				}
			})
			switch {
			case row.want == nil && err != nil, row.want == errAny && err == nil, row.want != nil && row.want != errAny && !errors.Is(err, row.want):
				t.Errorf("got %v, want %v", err, row.want)
			}
			if r := rec.one(t); (r.outcome.Err == nil) != (err == nil) {
				t.Errorf("the caller got %v and the record %v", err, r.outcome.Err)
			}
			if peak > 256<<20 {
				t.Errorf("memory grew by %d MiB", peak>>20)
			}
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	block := bytes.Repeat([]byte("x"), 1<<20)
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// peakMemory samples the heap while f runs.
func peakMemory(t *testing.T, f func()) uint64 {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		var peak uint64
		for {
			runtime.ReadMemStats(&now)
			if now.HeapInuse > before.HeapInuse {
				peak = max(peak, now.HeapInuse-before.HeapInuse)
			}
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	return <-done
}

func guardrailChecks() *bedrockruntime.InvokeGuardrailChecksInput {
	return &bedrockruntime.InvokeGuardrailChecksInput{
		Checks: &types.GuardrailChecksConfig{
			PromptAttack: &types.GuardrailChecksPromptAttackConfig{Categories: []types.GuardrailChecksPromptAttackCategoryConfig{{Category: "JAILBREAK"}}},
		},
		Messages: []types.GuardrailChecksMessage{{Role: "user", Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "a secret"}}}},
	}
}

// handledCertificate is a certificate, in PEM, of an authority that signs nobody.
func handledCertificate(t *testing.T) []byte {
	c := certificate(t, x509.NewCertPool(), "foreign.example.com", time.Now().Add(time.Hour))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}
