package iam_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/checks/npm"
	"github.com/securebedrock/securebedrock-go/internal/checks/policycases"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// evaluator is the process that evaluates. All tests of a run share it.
type evaluator struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// shared is the run's one process, or why there is none. The process ends with its input,
// which is this process's pipe.
var shared = sync.OnceValues(start)

// missing is what the machine lacks.
type missing = npm.MissingError

// simulator returns the run's evaluator. A machine without Node.js skips; CI fails.
func simulator(t testing.TB) *evaluator {
	t.Helper()
	e, err := shared()
	if lack, ok := err.(missing); ok && os.Getenv("CI") == "" {
		t.Skipf("not checked against iam-simulate: %s", lack)
	}
	if err != nil {
		t.Fatalf("iam-simulate cannot be run: %v", err)
	}
	return e
}

func start() (*evaluator, error) {
	dir, err := filepath.Abs("node")
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, missing("install Node.js 20 or newer, which is not on the PATH")
	}
	if err := npm.Install(context.Background(), dir); err != nil {
		return nil, err
	}
	cmd := exec.Command(node, "simulate.mjs")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &evaluator{in: in, out: bufio.NewReaderSize(out, 1<<20)}, nil
}

// answer is what simulate.mjs says.
type answer struct {
	Result  string          `json:"result"`  // Allowed, ExplicitlyDenied, ImplicitlyDenied
	Ignored []string        `json:"ignored"` // context keys that the action does not have
	Errors  json.RawMessage `json:"errors"`
}

type named struct {
	Name   string          `json:"name"`
	Policy json.RawMessage `json:"policy"`
}

type level struct {
	OrgIdentifier string  `json:"orgIdentifier"`
	Policies      []named `json:"policies"`
}

type simulation struct {
	Request struct {
		Principal string `json:"principal"`
		Action    string `json:"action"`
		Resource  struct {
			Resource  string `json:"resource"`
			AccountID string `json:"accountId"`
		} `json:"resource"`
		ContextVariables map[string][]string `json:"contextVariables"`
	} `json:"request"`
	SessionPolicy              json.RawMessage `json:"sessionPolicy,omitempty"`
	IdentityPolicies           []named         `json:"identityPolicies"`
	ServiceControlPolicies     []level         `json:"serviceControlPolicies"`
	ResourceControlPolicies    []level         `json:"resourceControlPolicies"`
	ResourcePolicy             json.RawMessage `json:"resourcePolicy,omitempty"`
	PermissionBoundaryPolicies []named         `json:"permissionBoundaryPolicies,omitempty"`
	VPCEndpointPolicies        []named         `json:"vpcEndpointPolicies,omitempty"`
}

// everything is what a layer that is not under test allows.
const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// evaluate asks for one verdict. The layers are those of policy.Decide.
func (e *evaluator) evaluate(docs []policy.Document, r policycases.Request) (answer, error) {
	s := simulation{IdentityPolicies: []named{}, ServiceControlPolicies: []level{}, ResourceControlPolicies: []level{}}
	account := strings.Split(r.Principal, ":")[4]
	s.Request.Principal, s.Request.Action = r.Principal, r.Action
	s.Request.Resource.Resource, s.Request.Resource.AccountID = r.Resource, account
	// AWS itself sets these two from the principal; policy.Decide does, too.
	s.Request.ContextVariables = map[string][]string{"aws:PrincipalArn": {r.Principal}, "aws:PrincipalAccount": {account}}
	for key, values := range r.Context {
		s.Request.ContextVariables[key] = values
	}
	// A key and a role must leave the decision to the account's policies.
	root := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:%s:iam::%s:root"},"Action":"%s"%s}]}`
	partition := strings.Split(r.Principal, ":")[1]
	switch {
	case strings.HasPrefix(r.Action, "kms:"):
		s.ResourcePolicy = json.RawMessage(fmt.Sprintf(root, partition, account, "kms:*", `,"Resource":"*"`))
	case r.Action == "sts:AssumeRole":
		s.ResourcePolicy = json.RawMessage(fmt.Sprintf(root, partition, account, r.Action, ""))
		s.Request.Resource.AccountID = strings.Split(r.Resource, ":")[4]
	}
	var scps []named
	allowing := false
	for i, d := range docs {
		p := named{fmt.Sprintf("%d %s", i, d.Name), json.RawMessage(d.JSON())}
		switch d.Kind {
		case policy.KindManaged, policy.KindInline:
			s.IdentityPolicies = append(s.IdentityPolicies, p)
		case policy.KindBoundary:
			s.PermissionBoundaryPolicies = append(s.PermissionBoundaryPolicies, p)
		case policy.KindSession:
			if s.SessionPolicy != nil {
				return answer{}, fmt.Errorf("a request has one session policy at most")
			}
			s.SessionPolicy = p.Policy
		case policy.KindSCP:
			scps = append(scps, p)
			allowing = allowing || slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Effect == policy.Allow })
		case policy.KindEndpoint:
			if r.ThroughEndpoint {
				s.VPCEndpointPolicies = append(s.VPCEndpointPolicies, p)
			}
		default:
			return answer{}, fmt.Errorf("%s is of kind %s, which is not evaluated", d.Name, d.Kind)
		}
	}
	if len(s.IdentityPolicies) == 0 {
		s.IdentityPolicies = []named{{"everything", json.RawMessage(everything)}}
	}
	if len(scps) > 0 {
		if !allowing {
			scps = append(scps, named{"FullAWSAccess", json.RawMessage(everything)})
		}
		s.ServiceControlPolicies = []level{{"r-root", scps}}
	}
	return e.ask(s)
}

// ask sends a simulation to the process and reads the answer.
func (e *evaluator) ask(s simulation) (answer, error) {
	line, err := json.Marshal(map[string]any{"simulation": s})
	if err != nil {
		return answer{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.in.Write(append(line, '\n')); err != nil {
		return answer{}, err
	}
	text, err := e.out.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("the process ended: %w", err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return answer{}, err
	}
	if a.Errors != nil {
		return a, fmt.Errorf("iam-simulate does not evaluate it: %s", a.Errors)
	}
	return a, nil
}
