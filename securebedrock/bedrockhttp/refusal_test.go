package bedrockhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// told is what an answer tells an SDK of an error.
type told struct {
	status int
	code   string
	again  bool // an SDK may send the request again
}

func denied() told { return told{http.StatusForbidden, "AccessDeniedException", false} }

// useless is an answer of Bedrock that cannot be used, and may have been paid for.
func useless() told { return told{http.StatusFailedDependency, "ModelErrorException", false} }

func unavailable() told {
	return told{http.StatusServiceUnavailable, "ServiceUnavailableException", true}
}

// Each rule of the core, as a *PolicyError, has its answer: with the rule and the remedy,
// and not to be sent again where that would ask for the same, or cost twice.
func TestEveryRuleHasAnAnswer(t *testing.T) {
	rules := map[string]struct {
		rule error
		told
	}{
		"ErrConfig":              {securebedrock.ErrConfig, denied()},
		"ErrClosed":              {securebedrock.ErrClosed, unavailable()},
		"ErrRegion":              {securebedrock.ErrRegion, denied()},
		"ErrAccount":             {securebedrock.ErrAccount, denied()},
		"ErrResidency":           {securebedrock.ErrResidency, denied()},
		"ErrModel":               {securebedrock.ErrModel, denied()},
		"ErrBypassed":            {securebedrock.ErrBypassed, denied()},
		"ErrGuardrailRequired":   {securebedrock.ErrGuardrailRequired, denied()},
		"ErrGuardrailOverride":   {securebedrock.ErrGuardrailOverride, denied()},
		"ErrGuardrailCoverage":   {securebedrock.ErrGuardrailCoverage, denied()},
		"ErrGuardrailUnverified": {securebedrock.ErrGuardrailUnverified, denied()},
		"ErrUnguardedOperation":  {securebedrock.ErrUnguardedOperation, denied()},
		"ErrEndpoint":            {securebedrock.ErrEndpoint, denied()},
		"ErrAuth":                {securebedrock.ErrAuth, denied()},
		"ErrRedirect":            {securebedrock.ErrRedirect, denied()},
		"ErrConnectTimeout":      {securebedrock.ErrConnectTimeout, denied()}, // a *TimeoutError in truth
		"ErrReadTimeout":         {securebedrock.ErrReadTimeout, useless()},
		"ErrCallTimeout":         {securebedrock.ErrCallTimeout, useless()},
		"ErrStreamTruncated":     {securebedrock.ErrStreamTruncated, useless()},
		"ErrAnswerIncomplete":    {securebedrock.ErrAnswerIncomplete, useless()},
		"ErrAnswerSize":          {securebedrock.ErrAnswerSize, useless()},
		"ErrAudit":               {securebedrock.ErrAudit, denied()},
	}
	for _, name := range rulesOfTheCore(t) {
		row, ok := rules[name]
		if !ok {
			t.Errorf("%s has no row: decide what a caller is told of it", name)
			continue
		}
		policy := &securebedrock.PolicyError{Rule: row.rule, Operation: "Converse", Model: "m", Detail: "the remedy"}
		wrapped := fmt.Errorf("operation error Bedrock Runtime: Converse, %w: a prompt", policy)
		for _, err := range []error{policy, wrapped, &smithy.OperationError{Err: wrapped}} {
			a := refusalOf(err)
			check(t, name, a, row.told)
			if message := messageOf(t, a); !strings.Contains(message, row.rule.Error()) || !strings.Contains(message, "the remedy") || strings.Contains(message, "a prompt") {
				t.Errorf("%s: %q", name, message)
			}
		}
	}
}

// rulesOfTheCore are the names of the Err… variables in errors.go.
func rulesOfTheCore(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Err") {
			names = append(names, v.Names[0].Name)
		}
		return true
	})
	if len(names) < 20 {
		t.Fatalf("errors.go has only %v", names)
	}
	return names
}

// middlewareError is an error of an application's own, with a rule's name.
type middlewareError struct{}

func (middlewareError) Error() string    { return "a prompt" }
func (middlewareError) RuleName() string { return "quota" }

// Each kind of error has its answer, whose text quotes nothing that may be secret.
func TestEveryKindOfErrorHasAnAnswer(t *testing.T) {
	api := &smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow"}
	callTimeout := &securebedrock.TimeoutError{Rule: securebedrock.ErrCallTimeout, After: time.Second}
	var missing smithy.InvalidParamsError
	missing.Add(smithy.NewErrParamRequired("ModelId"))
	for _, row := range []struct {
		name string
		err  error
		told
		text string
	}{
		{"no connection", &securebedrock.TimeoutError{Rule: securebedrock.ErrConnectTimeout, After: time.Second, Err: errors.New("a secret")}, unavailable(), "Timeouts.Connect"},
		{"silence", &securebedrock.TimeoutError{Rule: securebedrock.ErrReadTimeout, After: time.Second, Err: errors.New("a secret")}, useless(), "Timeouts.Read"},
		{"silence after a throttle", errors.Join(&securebedrock.TimeoutError{Rule: securebedrock.ErrReadTimeout}, api), useless(), "Timeouts.Read"},
		{"Timeouts.Call", callTimeout, useless(), "Timeouts.Call"},
		{"Timeouts.Call while a throttled call waits", fmt.Errorf("%w: %w", callTimeout, api), told{429, "ThrottlingException", true}, "slow"},
		{"the caller's deadline", fmt.Errorf("a secret: %w", context.DeadlineExceeded), useless(), "deadline"},
		{"the caller's cancellation", fmt.Errorf("a secret: %w", context.Canceled), unavailable(), "canceled"},
		{"a parameter that the SDK misses", missing, told{400, "ValidationException", false}, "ModelId"},
		{"a value that cannot be sent", &smithy.SerializationError{Err: errors.New("a secret")}, told{400, "SerializationException", false}, "value"},
		{"an answer that cannot be read", &smithy.DeserializationError{Err: errors.New("a secret"), Snapshot: []byte("a secret")}, useless(), "answer"},
		{"a lost connection", &smithyhttp.RequestSendError{Err: errors.New("connection reset")}, told{500, "InternalServerException", true}, "connection reset"},
		{"a rule of a Middleware without a *PolicyError", middlewareError{}, denied(), "quota"},
		{"an error of a Middleware", errors.New("a secret"), told{500, "InternalServerException", true}, "record"},
		{"an error of the service", api, told{429, "ThrottlingException", true}, "slow"},
		{"an error of the door", wire.Invalid("the member x is unknown"), told{400, "ValidationException", false}, "the member x"},
	} {
		a := refusalOf(row.err)
		check(t, row.name, a, row.told)
		if message := messageOf(t, a); !strings.Contains(message, row.text) || strings.Contains(message, "a secret") || strings.Contains(message, "a prompt") {
			t.Errorf("%s: %q", row.name, message)
		}
	}
}

// An error of the service is told as it came.
func TestErrorsOfTheService(t *testing.T) {
	upstream := func(status int, err error, header http.Header) error {
		return &awshttp.ResponseError{RequestID: "the-id", ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: header}}, Err: err}}
	}
	text := "what AWS says"
	resource, original := "arn", int32(418)
	for _, row := range []struct {
		name   string
		err    error
		status int
		code   string
		header http.Header
		body   string
	}{
		{"a throttle", upstream(429, &types.ThrottlingException{Message: &text}, http.Header{"Retry-After": {"7"}}), 429, "ThrottlingException", http.Header{"Retry-After": {"7"}, shouldRetryHeader: nil}, `{"message":"what AWS says"}`},
		{"unavailable", upstream(503, &types.ServiceUnavailableException{Message: &text}, http.Header{"Retry-After": {"7"}}), 503, "ServiceUnavailableException", http.Header{"Retry-After": {"7"}}, `{"message":"what AWS says"}`},
		{"a status of its own", upstream(529, &smithy.GenericAPIError{Code: "Overloaded", Message: text}, nil), 529, "Overloaded", nil, `{"message":"what AWS says"}`},
		{"an error of the model", upstream(424, &types.ModelErrorException{Message: &text, ResourceName: &resource, OriginalStatusCode: &original}, nil), 424, "ModelErrorException", nil, `{"message":"what AWS says","originalStatusCode":418,"resourceName":"arn"}`},
		{"a denial by IAM", upstream(403, &types.AccessDeniedException{Message: &text}, nil), 403, "AccessDeniedException", nil, `{"message":"what AWS says"}`},
		{"what the service asks Anthropic's SDKs for", upstream(500, &types.InternalServerException{Message: &text}, http.Header{shouldRetryHeader: {"false"}}), 500, "InternalServerException", http.Header{shouldRetryHeader: {"false"}}, `{"message":"what AWS says"}`},
		{"the page of a gateway", upstream(502, &smithy.DeserializationError{Err: errors.New("a secret"), Snapshot: []byte("a secret")}, http.Header{"Retry-After": {"7"}}), 502, "UnknownError", http.Header{"Retry-After": {"7"}, shouldRetryHeader: nil}, `{"message":"securebedrock: the answer of status 502 is not in Bedrock's form; a proxy or a gateway may have answered in Bedrock's place"}`},
		{"the page of a proxy that denies", upstream(403, &smithy.DeserializationError{Err: errors.New("a secret")}, nil), 403, "UnknownError", http.Header{shouldRetryHeader: {"false"}}, `{"message":"securebedrock: the answer of status 403 is not in Bedrock's form; a proxy or a gateway may have answered in Bedrock's place"}`},
		{"an error with the status of a success", upstream(200, &types.ValidationException{Message: &text}, nil), 400, "ValidationException", nil, `{"message":"what AWS says"}`},
	} {
		a := refusalOf(&smithy.OperationError{Err: row.err})
		if a.status != row.status || !strings.HasPrefix(a.header.Get("X-Amzn-ErrorType"), row.code+":") || string(a.body) != row.body || a.header.Get("X-Amzn-Requestid") != "the-id" {
			t.Errorf("%s: %d %v %s", row.name, a.status, a.header, a.body)
		}
		for name := range row.header {
			if a.header.Get(name) != row.header.Get(name) {
				t.Errorf("%s: %s is %q, want %q", row.name, name, a.header.Get(name), row.header.Get(name))
			}
		}
	}
}

// A stream that ends with an error has one exception, which keeps the service's name.
func TestExceptions(t *testing.T) {
	text := "m"
	for _, row := range []struct {
		err  error
		name string
	}{
		{&types.ThrottlingException{Message: &text}, "throttlingException"},
		{&types.ModelTimeoutException{Message: &text}, "modelTimeoutException"},
		{&types.AccessDeniedException{Message: &text}, "accessDeniedException"},
		{&smithy.GenericAPIError{Code: "NewException", Message: text}, "newException"},
		{&smithy.GenericAPIError{Message: text}, "modelStreamErrorException"},
		{&securebedrock.PolicyError{Rule: securebedrock.ErrStreamTruncated}, "modelStreamErrorException"},
		{&securebedrock.PolicyError{Rule: securebedrock.ErrGuardrailUnverified}, "modelStreamErrorException"},
		{&securebedrock.PolicyError{Rule: securebedrock.ErrClosed}, "serviceUnavailableException"},
		{&securebedrock.TimeoutError{Rule: securebedrock.ErrReadTimeout}, "modelStreamErrorException"},
		{wire.Invalid("x"), "validationException"},
		{errors.New("a secret"), "internalServerException"},
	} {
		if name, payload := exceptionOf(row.err); name != row.name || bytes.Contains(payload, []byte("a secret")) {
			t.Errorf("%v: %s %s, want %s", row.err, name, payload, row.name)
		}
	}
}

func check(t *testing.T, name string, a *answer, want told) {
	t.Helper()
	code, _, _ := strings.Cut(a.header.Get("X-Amzn-ErrorType"), ":")
	if a.status != want.status || code != want.code {
		t.Errorf("%s: %d %s, want %d %s", name, a.status, code, want.status, want.code)
	}
	if have := a.header.Get(shouldRetryHeader); (have == "false") == want.again || have == "true" {
		t.Errorf("%s: %s is %q", name, shouldRetryHeader, have)
	}
	if !want.again && (a.status == 408 || a.status == 409 || a.status == 429 || a.status >= 500) {
		t.Errorf("%s: SDKs send a %d again", name, a.status)
	}
	if a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: %v", name, a.header)
	}
}

func messageOf(t *testing.T, a *answer) string {
	t.Helper()
	var body struct{ Message string }
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Errorf("%s: %v", a.body, err)
	}
	return body.Message
}
