package sigv4

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/eventstream"
)

// signedStream signs payloads as the SDK does, each in an outer frame.
func signedStream(t *testing.T, c *Claim, payloads ...string) []byte {
	t.Helper()
	signer := v4.NewStreamSigner(aws.Credentials{SecretAccessKey: c.secret.secret}, c.Service, c.Region, c.signature)
	date := eventstream.TimestampValue(time.Now().UTC())
	var out bytes.Buffer
	for _, payload := range payloads {
		msg := eventstream.Message{Payload: []byte(payload)}
		msg.Headers.Set(eventstream.DateHeader, date)
		var headers bytes.Buffer
		if err := eventstream.EncodeHeaders(&headers, msg.Headers); err != nil {
			t.Fatal(err)
		}
		signature, err := signer.GetSignature(t.Context(), headers.Bytes(), msg.Payload, time.Time(date))
		if err != nil {
			t.Fatal(err)
		}
		msg.Headers.Set(eventstream.ChunkSignatureHeader, eventstream.BytesValue(signature))
		if err := eventstream.NewEncoder().Encode(&out, msg); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// A frame is read only with the signature of its key, and at its place in the chain.
func TestFrameSignatures(t *testing.T) {
	c := &Claim{secret: NewSecret("a"), Region: "us-east-1", Service: ServiceBedrock, signature: []byte("seed")}
	frames := NewFrames(bytes.NewReader(signedStream(t, c, "one", "two", "")), c)
	for _, want := range []string{"one", "two"} {
		if frame, err := frames.Next(t.Context()); err != nil || string(frame) != want {
			t.Fatalf("%q, %v, want %q", frame, err, want)
		}
	}
	for range 2 {
		if _, err := frames.Next(t.Context()); err != io.EOF {
			t.Errorf("%v, want io.EOF", err)
		}
	}
	cut := NewFrames(bytes.NewReader(signedStream(t, c, "one")), c)
	if _, err := cut.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := cut.Next(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a stream without its signed end: %v", err)
	}
	for name, signer := range map[string]*Claim{
		"another key":    {secret: NewSecret("b"), Region: c.Region, Service: c.Service, signature: c.signature},
		"another region": {secret: c.secret, Region: "eu-west-1", Service: c.Service, signature: c.signature},
		"another seed":   {secret: c.secret, Region: c.Region, Service: c.Service, signature: []byte("other")},
	} {
		frame, err := NewFrames(bytes.NewReader(signedStream(t, signer, "one")), c).Next(t.Context())
		if err == nil || !strings.Contains(err.Error(), "signature of a frame does not match") {
			t.Errorf("%s: %q, %v", name, frame, err)
		}
	}
	var unsigned bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&unsigned, eventstream.Message{Payload: []byte("one")}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFrames(&unsigned, c).Next(t.Context()); err == nil || !strings.Contains(err.Error(), "not signed") {
		t.Errorf("an unsigned frame: %v", err)
	}
}
