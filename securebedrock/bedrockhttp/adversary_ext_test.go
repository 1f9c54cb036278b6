package bedrockhttp_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// attack is one row of the adversary's table: a request that the Go SDK makes, spoilt
// in one respect. The table's other requests, which are spoilt in none, pass
// (TestWellFormedRequestsPass): a row is refused for what the row says.
type attack struct {
	name      string
	operation string // empty: Converse
	// spoil changes the request before the door's key signs it.
	spoil func(*rawRequest)
	// sign signs the request; nil: with the door's key, for now.
	sign func(*attackDoor, *rawRequest)
	// tamper changes the signed request.
	tamper func(*attackDoor, *rawRequest)
	// wire makes the bytes; nil: rawRequest.bytes.
	wire func(*rawRequest) []byte
	want []string // verdicts, any of them
	// says is a part of the message.
	says string
}

// run makes the attack, and looks at everything that it must not have done.
func (a attack) run(t *testing.T, d *attackDoor, number int) (verdict string) {
	t.Helper()
	canary := fmt.Sprintf("canary%dof%d", number, time.Now().UnixNano())
	operation := a.operation
	if operation == "" {
		operation = "Converse"
	}
	r := d.request(t, operation, "The password is "+canary+".")
	if a.spoil != nil {
		a.spoil(r)
	}
	if a.sign != nil {
		a.sign(d, r)
	} else {
		r.sign(d.key, "us-east-1", "bedrock", time.Now())
	}
	if a.tamper != nil {
		a.tamper(d, r)
	}
	raw := r.bytes()
	if a.wire != nil {
		raw = a.wire(r)
	}
	before, logged := d.modelCalls(), len(d.log.String())
	answer := d.send(t, r.method, raw)
	if got := answer.verdict(); !slices.Contains(a.want, got) {
		t.Errorf("the answer is %q, want %q: %s %s", got, a.want, answer.body, errText(answer.err))
	}
	if a.says != "" && !strings.Contains(answer.message(), a.says) {
		t.Errorf("the message %q does not say %q", answer.message(), a.says)
	}
	d.unmoved(t, canary, before)
	head := &strings.Builder{}
	if answer.header != nil {
		_ = answer.header.Write(head) // a strings.Builder does not fail
	}
	if err := d.shows(head.String()+string(answer.body), canary); err != nil {
		t.Errorf("the answer shows %v: %s", err, answer.body)
	}
	lines := d.log.String()[logged:]
	if err := d.shows(lines, canary); err != nil {
		t.Errorf("the log shows %v: %s", err, lines)
	}
	if strings.Contains(lines, "panic") {
		t.Errorf("the door panicked: %s", lines)
	}
	return answer.verdict()
}

// golden compares the verdicts of a table with those of the last release, which say more
// exactly than a row what the door answers.
func golden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", t.Name()+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		lines := strings.Split(string(want), "\n")
		for line := range strings.SplitSeq(got, "\n") {
			if !slices.Contains(lines, line) {
				t.Errorf("%q is not in %s; go test -run %s -update writes it anew", line, path, t.Name())
			}
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// unmoved fails where a model was called, or the upstream saw the prompt or a key.
func (d *attackDoor) unmoved(t *testing.T, canary string, before int) {
	t.Helper()
	if now := d.modelCalls(); now != before {
		t.Errorf("%d requests arrived upstream", now-before)
	}
	if err := d.upstreamSaw(canary); err != nil {
		t.Error(err)
	}
}

// runAttacks runs a table against one door, which answers a good request before and
// after, and holds nothing in the end.
func runAttacks(t *testing.T, attacks []attack) {
	t.Helper()
	d := newAttackDoor(t)
	pass := func(when string) {
		t.Helper()
		if got := d.send(t, "POST", d.signed(t, "Converse", "hello "+when).bytes()); got.status != 200 {
			t.Fatalf("a good request %s: %s %s", when, got.verdict(), got.body)
		}
	}
	pass("before")
	eventually(t, "the callers' connections are closed", func() bool { return d.conns.Load() == 0 })
	before := runtime.NumGoroutine()
	names := make(map[string]bool)
	var verdicts strings.Builder
	for i, a := range attacks {
		if names[a.name] {
			t.Errorf("two rows have the name %q", a.name)
		}
		names[a.name] = true
		t.Run(a.name, func(t *testing.T) { fmt.Fprintf(&verdicts, "%s: %s\n", a.name, a.run(t, d, i)) })
	}
	if len(names) == strings.Count(verdicts.String(), "\n") { // all rows have run
		golden(t, verdicts.String())
	}
	eventually(t, "the callers' connections are closed", func() bool { return d.conns.Load() == 0 && d.handlers.Load() == 0 })
	eventually(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= before+2 })
	pass("after")
}

// The positive control of every table: each operation's request passes as the SDK makes
// it, signed by the test's own code in the place of the SDK.
func TestWellFormedRequestsPass(t *testing.T) {
	d := newAttackDoor(t)
	for operation := range sdkCalls("") {
		t.Run(operation, func(t *testing.T) {
			canary := fmt.Sprintf("canary%d", time.Now().UnixNano())
			before := d.modelCalls()
			answer := d.send(t, "POST", d.signed(t, operation, "The river is "+canary+".").bytes())
			if r := d.request(t, operation, "The river is "+canary+"."); len(r.body) > 0 {
				r.signUnsized(d.key)
				if got := d.send(t, "POST", chunked(r, 10, ";x=y")); got.verdict() != answer.verdict() {
					t.Errorf("in chunks: %s %s", got.verdict(), got.body)
				}
			}
			arrived := d.modelCalls() - before
			switch operation {
			case "StartAsyncInvoke": // carries no guardrail, and Options excuse it nowhere
				if answer.verdict() != "403 AccessDeniedException" || arrived != 0 {
					t.Errorf("%s %s", answer.verdict(), answer.body)
				}
				return
			case "GetAsyncInvoke": // nobody has started it
				if arrived != 1 {
					t.Errorf("%s %s", answer.verdict(), answer.body)
				}
				return
			}
			if answer.status != 200 || arrived < 1 {
				t.Errorf("%s %s", answer.verdict(), answer.body)
			}
			sent := d.upstream.Calls()[len(d.upstream.Calls())-1]
			if operation != "ListAsyncInvokes" && !strings.Contains(string(sent.Body), canary) {
				t.Errorf("the prompt did not arrive: %s", sent.Body)
			}
			if err := d.upstreamSaw("no canary at all"); err != nil {
				t.Error(err)
			}
		})
	}
}

// at signs for another time.
func at(offset time.Duration) func(*attackDoor, *rawRequest) {
	return func(d *attackDoor, r *rawRequest) {
		r.sign(d.key, "us-east-1", "bedrock", time.Now().Add(offset))
	}
}

// unsigned leaves the request without a signature.
func unsigned(_ *attackDoor, r *rawRequest) {
	r.drop("Authorization")
	r.drop("X-Amz-Date")
}

// with signs with a key that change has made of the door's.
func with(change func(*bedrockhttp.Key)) func(*attackDoor, *rawRequest) {
	return func(d *attackDoor, r *rawRequest) {
		key := d.key
		change(&key)
		r.sign(key, "us-east-1", "bedrock", time.Now())
	}
}
