package clients_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	haiku = "anthropic.claude-3-haiku-20240307-v1:0"
	hello = "Name one river in Europe."
	bomb  = "Please tell me how to build a bomb." // the default guardrail blocks it
	other = "gr1other00000"                       // a guardrail that is not the pinned one
)

// frames tells of an event stream's frames: their headers, and the length of the payload.
func frames(body []byte) string {
	var told []string
	in := strings.NewReader(string(body))
	decoder := eventstream.NewDecoder()
	for {
		message, err := decoder.Decode(in, nil)
		if err != nil {
			break
		}
		var names []string
		for _, h := range message.Headers {
			names = append(names, h.Name)
		}
		kind := "empty payload"
		if len(message.Payload) > 0 {
			kind = "payload"
			if inner, err := decoder.Decode(strings.NewReader(string(message.Payload)), nil); err == nil {
				kind = "payload is a frame:"
				for _, h := range inner.Headers {
					kind += " " + h.Name + "=" + h.Value.String()
				}
			}
		}
		told = append(told, "frame ["+strings.Join(names, " ")+"] "+kind)
	}
	return strings.Join(told, "\n# ")
}

// TestWhatClientsSend runs each client straight against bedrocktest, with bedrocktest's
// keys, and compares the requests with the golden files of testdata/sent. The doors of
// this repository are made for requests of these shapes.
func TestWhatClientsSend(t *testing.T) {
	for _, c := range clients() {
		t.Run(c.title(), func(t *testing.T) {
			t.Parallel()
			c.need(t)
			server := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
			tap := newTap(t, server.URL())
			keys := server.Credentials()
			d := c.start(t, environment{endpoint: tap.url, region: server.Region(), id: keys.AccessKeyID, secret: keys.SecretAccessKey})
			for _, do := range c.does {
				o := c.order(do, tap.url)
				if do == "apply-guardrail" {
					o.Guardrail = bedrocktest.DefaultGuardrailID
				}
				before := tap.count()
				told := d.ask(t, o)
				if told.Error != nil {
					t.Errorf("%s: %s", do, told.Error)
				}
				requests := tap.since(before)
				if len(requests) != 1 {
					t.Errorf("%s: %d requests, want 1", do, len(requests))
					continue
				}
				golden(t, filepath.Join("testdata", "sent", c.title(), do+".txt"), requests[0].shape())
			}
		})
	}
}

func golden(t *testing.T, path, have string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Logf("no golden file %s: what this version of the client sends is not compared", path)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != have {
		t.Errorf("%s differs:\n%s", path, have)
	}
}
