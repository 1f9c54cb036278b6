package clients_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// TestClientsThroughTheProxy runs each client through the sidecar to bedrocktest.
func TestClientsThroughTheProxy(t *testing.T) {
	for _, c := range clients() {
		t.Run(c.title(), func(t *testing.T) {
			t.Parallel()
			c.need(t)
			newPassage(t, c).run(t)
		})
	}
}

// passage is a client before a sidecar, with a tap between the two.
type passage struct {
	c    *client
	s    *sidecar
	door *tap
	// recorded counts the requests that must be in the audit log, by caller.
	recorded map[string]int
}

func newPassage(t *testing.T, c *client, sidecars ...string) *passage {
	t.Helper()
	s := startSidecar(t, sidecars...)
	return &passage{c, s, newTap(t, s.url), make(map[string]int)}
}

// environment is that of a caller as the sidecar tells a person to set it.
func (p *passage) environment(t *testing.T, name string) environment {
	t.Helper()
	e := environment{endpoint: p.door.url, region: p.s.server.Region()}
	if p.c.noFile {
		e.id, e.secret = p.s.key(t, name)
	} else {
		e.file, e.profile = filepath.Join(p.s.dir, "credentials"), name
	}
	return e
}

func (p *passage) run(t *testing.T) {
	d := p.c.start(t, p.environment(t, "claims"))
	for _, r := range rows() {
		for _, do := range r.do {
			if slices.Contains(p.c.does, do) {
				t.Run(r.name+"/"+do, func(t *testing.T) { p.ask(t, d, "claims", do, r) })
			}
		}
	}

	if p.c.unsigns {
		t.Run("no signature", func(t *testing.T) {
			p.ask(t, d, "", "unary", row{want: unsigned, door: 1, set: func(o *order) { o.Unsigned = true }})
		})
	}

	d = p.c.start(t, p.environment(t, "reports"))
	t.Run("a model of another caller", func(t *testing.T) {
		p.ask(t, d, "reports", "unary", row{want: refused, door: 1})
	})

	id, secret := p.s.key(t, "claims")
	for _, e := range []struct {
		name, id, secret string
		want             result
		door             int
	}{
		{"a wrong secret", id, strings.Repeat("x", len(secret)), badSecret, 1},
		{"an unknown key", "SBEXAMPLEEXAMPLEEXAM", secret, unknownKey, 1},
		{"no key", "", "", noKey, 0},
	} {
		t.Run(e.name, func(t *testing.T) {
			d := p.c.start(t, environment{endpoint: p.door.url, region: p.s.server.Region(), id: e.id, secret: e.secret})
			p.ask(t, d, "", "unary", row{want: e.want, door: e.door})
		})
	}
	p.finish(t)
}

// ask runs one case of a caller. A caller without a name does not come in.
func (p *passage) ask(t *testing.T, d asker, caller, do string, r row) {
	t.Helper()
	o := p.c.order(do, p.door.url)
	if r.set != nil {
		r.set(&o)
	}
	if p.c.once {
		r.door, r.upstream = min(r.door, 1), min(r.upstream, 1)
	}
	if r.want == throttled {
		p.s.server.Fail(p.c.operation(do), bedrocktest.Throttle(r.upstream))
	}
	if r.fault != nil {
		p.s.server.Fail(p.c.operation(do), *r.fault)
	}
	came, went := p.door.count(), len(p.s.calls())
	told := d.ask(t, o)
	if n := p.door.count() - came; n != r.door {
		t.Errorf("the SDK sent %d requests, want %d", n, r.door)
	}
	if n := len(p.s.calls()) - went; n != r.upstream {
		t.Errorf("%d requests went to Bedrock, want %d", n, r.upstream)
	}
	if caller != "" {
		p.recorded[caller] += r.door
	}
	p.c.check(t, do, r.want, told)
}

// finish ends the sidecar, and checks what is left: the requests upstream and the records.
func (p *passage) finish(t *testing.T) {
	t.Helper()
	guarded(t, p.s)
	have := make(map[string]int)
	for _, r := range p.s.end(t) {
		have[r.Subject]++
	}
	if !maps.Equal(have, p.recorded) {
		t.Errorf("the audit log has calls of %v, want %v", have, p.recorded)
	}
}

// guarded checks what has come upstream: the guardrail is on every request that asks a
// model, and nothing of the callers' keys is on any.
func guarded(t *testing.T, s *sidecar) {
	t.Helper()
	secrets := []string{s.bearer}
	for _, name := range []string{"claims", "reports"} {
		id, secret := s.key(t, name)
		secrets = append(secrets, id, secret)
	}
	calls := s.calls()
	if len(calls) == 0 {
		t.Error("nothing came to Bedrock")
	}
	for _, call := range calls {
		if id := guardrailOf(call); id != bedrocktest.DefaultGuardrailID {
			t.Errorf("%s has the guardrail %q, want %q", call.Operation, id, bedrocktest.DefaultGuardrailID)
		}
		if call.AccessKeyID != s.server.Credentials().AccessKeyID {
			t.Errorf("%s is signed with %q", call.Operation, call.AccessKeyID)
		}
		whole := fmt.Sprint(call.Path, call.Header, string(call.Body))
		for _, secret := range secrets {
			if strings.Contains(whole, secret) {
				t.Errorf("%s holds a caller's key", call.Operation)
			}
		}
	}
}

// guardrailOf is the guardrail of a request. Requests that ask no model have none, and the
// bidirectional stream cannot have one: for those the pinned one is returned.
func guardrailOf(call bedrocktest.Call) string {
	switch in := call.Input.(type) {
	case *bedrockruntime.ConverseInput:
		if in.GuardrailConfig == nil {
			return ""
		}
		return aws.ToString(in.GuardrailConfig.GuardrailIdentifier)
	case *bedrockruntime.ConverseStreamInput:
		if in.GuardrailConfig == nil {
			return ""
		}
		return aws.ToString(in.GuardrailConfig.GuardrailIdentifier)
	case *bedrockruntime.InvokeModelInput:
		return aws.ToString(in.GuardrailIdentifier)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return aws.ToString(in.GuardrailIdentifier)
	case *bedrockruntime.ApplyGuardrailInput:
		return aws.ToString(in.GuardrailIdentifier)
	}
	return bedrocktest.DefaultGuardrailID
}

// check compares what the SDK told with what a case must come to.
func (c *client) check(t *testing.T, do string, want result, have told) {
	t.Helper()
	var input struct {
		City any `json:"city"`
	}
	var ok bool
	switch want {
	case answered:
		ok = strings.Contains(have.Text, "no model was asked") && strings.Contains(have.Text, hello)
	case usesTool:
		ok = have.Tool != nil && have.Tool.Name == "weather" && json.Unmarshal(have.Tool.Input, &input) == nil && input.City != nil
	case blocked:
		ok = have.Text == "Sorry, the model cannot answer this question."
	case counted:
		ok = have.Tokens > 0
	case listed:
		ok = have.Events == 0
	case echoed:
		ok = have.Events == len(strings.Fields(hello)) && strings.Contains(have.Text, "Europe.")
	default:
		c.checkError(t, do, want, have)
		return
	}
	if have.Error != nil || !ok {
		t.Errorf("%s: want %s, have %+v (%s)", do, want, have, have.Error)
	}
	if slices.Contains([]string{"stream", "invoke-stream"}, do) && want == answered && have.Events < 2 {
		t.Errorf("the stream came in %d events", have.Events)
	}
}

// checkError compares the error that the SDK told with the kind of error that it has for a
// result.
func (c *client) checkError(t *testing.T, do string, want result, have told) {
	t.Helper()
	if have.Error == nil {
		t.Fatalf("%s: no error, want %s; the SDK told %+v", do, want, have)
	}
	if want == badToken {
		want = refused
	}
	if is := (kind{have.Error.Class, have.Error.Name, have.Error.Status}); is != c.kinds[want] {
		t.Errorf("%s, %s: the error is %v, want %v: %s", do, want, is, c.kinds[want], have.Error)
	}
	if want == refused && !strings.Contains(have.Error.Message, "securebedrock") {
		t.Errorf("the error does not tell the rule: %s", have.Error)
	}
	if strings.Contains(have.Error.Message, hello) {
		t.Errorf("the error repeats the prompt: %s", have.Error)
	}
	if want == throttled && have.Error.Status != 0 && have.Error.RetryAfter != "1" {
		t.Errorf("Retry-After is %q, want 1", have.Error.RetryAfter)
	}
}
