package securebedrock_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// anInput is a well-formed input of every operation but the bidirectional one, whose
// calls have a test of their own.
func anInput() map[string]any {
	return map[string]any{
		"Converse":                      converse("a secret"),
		"ConverseStream":                converseStream("a secret"),
		"InvokeModel":                   &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")},
		"InvokeModelWithResponseStream": &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")},
		"StartAsyncInvoke":              startAsync(),
		"ApplyGuardrail":                applyGuardrail(bedrocktest.DefaultGuardrailID, "1"),
		"InvokeGuardrailChecks":         guardrailChecks(),
		"CountTokens":                   &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku), Input: &types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: invokeBody("a secret")}}},
		"GetAsyncInvoke":                &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc")},
		"ListAsyncInvokes":              &bedrockruntime.ListAsyncInvokesInput{},
	}
}

// invoke calls an operation by its name on a Client or its Runtime.
func invoke(ctx context.Context, client any, operation string, input any, optFns ...func(*sdkOptions)) error {
	args := []reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(input)}
	for _, f := range optFns {
		args = append(args, reflect.ValueOf(f))
	}
	out := reflect.ValueOf(client).MethodByName(operation).Call(args)
	err, _ := out[1].Interface().(error)
	return err
}

// replaceInput puts another input in the place of a call's, right before the
// serializer or at the end of Initialize.
func replaceInput(step string, with any) func(*middleware.Stack) error {
	return func(s *middleware.Stack) error {
		if step == "Initialize" {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("replace", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				in.Parameters = with
				return next.HandleInitialize(ctx, in)
			}), middleware.After)
		}
		return s.Serialize.Insert(middleware.SerializeMiddlewareFunc("replace", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			in.Parameters = with
			return next.HandleSerialize(ctx, in)
		}), "OperationSerializer", middleware.Before)
	}
}

// An operation takes its own input type and no other, whatever a step of the stack
// puts there, on every way into the stack.
func TestForeignInputIsRefused(t *testing.T) {
	server := bedrocktest.NewServer(t)
	own := anInput()
	call := func(t *testing.T, operation, foreign string) {
		for _, step := range []string{"Initialize", "Serialize"} {
			replace := replaceInput(step, anInput()[foreign])
			perCall := func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, replace) }
			plain := newClient(t, server, excuseAll)
			cfg := server.Config()
			cfg.APIOptions = append(cfg.APIOptions, replace)
			configured, err := securebedrock.NewFromConfig(cfg, withAll(server.Options()))
			if err != nil {
				t.Fatal(err)
			}
			for way, err := range map[string]error{
				"Client, per call":        invoke(t.Context(), plain, operation, own[operation], perCall),
				"Runtime, per call":       invoke(t.Context(), plain.Runtime(), operation, own[operation], perCall),
				"Client, configuration":   invoke(t.Context(), configured, operation, own[operation]),
				"Runtime, configuration":  invoke(t.Context(), configured.Runtime(), operation, own[operation]),
				"Client, with Middleware": invoke(t.Context(), newClient(t, server, excuseAll, new(recorder).option), operation, own[operation], perCall),
			} {
				if err == nil {
					t.Errorf("%s: a %T went out", way, anInput()[foreign])
					continue
				}
				refusedBy(t, err, securebedrock.ErrEndpoint)
			}
			configured.Close()
		}
	}
	for operation := range own {
		for foreign := range own {
			if operation != foreign {
				t.Run(foreign+" in "+operation, func(t *testing.T) { call(t, operation, foreign) })
			}
		}
	}
	nothingArrived(t, server)
}

func withAll(o opts) opts {
	excuseAll(&o)
	return o
}

// The refusal names the operation and the model that the call was made for.
func TestForeignInputNamesTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	_, err := newClient(t, server, new(recorder).option).Converse(t.Context(), converse("hello"), func(o *sdkOptions) {
		o.APIOptions = append(o.APIOptions, replaceInput("Initialize", anInput()["CountTokens"]))
	})
	refusedBy(t, err, securebedrock.ErrEndpoint)
	var p *securebedrock.PolicyError
	if errors.As(err, &p); p.Operation != "Converse" || p.Model != haiku {
		t.Errorf("got %+v", p)
	}
	nothingArrived(t, server)
}

// What a Middleware puts in an input's place is held to the operation too.
func TestForeignInputFromMiddleware(t *testing.T) {
	for operation, input := range anInput() {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, excuseAll, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			call.Input = &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")}
			if call.Operation == "InvokeModel" {
				call.Input = converse("a secret")
			}
			return next(ctx, call)
		}))
		if err := invoke(t.Context(), c, operation, input); err == nil {
			t.Errorf("%s sent the input of another operation", operation)
		}
		nothingArrived(t, server)
	}
}

// Each operation's own type passes, so that the refusals above are not for
// something else.
func TestOwnInputPasses(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for operation, input := range anInput() {
		if operation == "GetAsyncInvoke" {
			continue // there is no such invocation
		}
		replace := replaceInput("Serialize", anInput()[operation])
		err := invoke(t.Context(), newClient(t, server, excuseAll), operation, input, func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, replace) })
		if err != nil && !strings.Contains(err.Error(), "api error") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

// A step of the stack that answers with something else than the operation's output
// makes an error, which the record has too, and no panic.
func TestForeignAnswerFromAStep(t *testing.T) {
	answers := map[string]any{
		"nothing":              nil,
		"a nil output":         (*bedrockruntime.ConverseOutput)(nil),
		"a nil stream":         (*bedrockruntime.ConverseStreamOutput)(nil),
		"another's output":     &bedrockruntime.ListAsyncInvokesOutput{},
		"no pointer":           bedrockruntime.ConverseOutput{},
		"a nil CountTokens":    (*bedrockruntime.CountTokensOutput)(nil),
		"a nil ApplyGuardrail": (*bedrockruntime.ApplyGuardrailOutput)(nil),
	}
	server := bedrocktest.NewServer(t)
	for name, answer := range answers {
		for _, operation := range []string{"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "ApplyGuardrail", "CountTokens"} {
			for _, side := range []string{"Client", "Runtime"} {
				t.Run(name+" to "+operation+", "+side, func(t *testing.T) {
					rec := new(recorder)
					c := newClient(t, server, rec.option)
					var client any = c
					if side == "Runtime" {
						client = c.Runtime()
					}
					err := invoke(t.Context(), client, operation, anInput()[operation], func(o *sdkOptions) {
						o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
							return s.Initialize.Add(middleware.InitializeMiddlewareFunc("answer", func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
								return middleware.InitializeOutput{Result: answer}, middleware.Metadata{}, nil
							}), middleware.After)
						})
					})
					refusedBy(t, err, securebedrock.ErrConfig)
					if o := rec.one(t).outcome; !errors.Is(o.Err, securebedrock.ErrConfig) || o.Attempts != 0 {
						t.Errorf("the record says %v after %d attempts", o.Err, o.Attempts)
					}
				})
			}
		}
	}
}

// An owner's own input that is nil, or holds nothing, is an error and no panic.
func TestEmptyInputs(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseAll)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Converse, nil":           func() error { _, err := c.Converse(ctx, nil); return err },
		"Converse, no messages":   func() error { in := converse(""); in.Messages = nil; _, err := c.Converse(ctx, in); return err },
		"ConverseStream, nil":     func() error { _, err := c.ConverseStream(ctx, nil); return err },
		"InvokeModel, nil":        func() error { _, err := c.InvokeModel(ctx, nil); return err },
		"ApplyGuardrail, nil":     func() error { _, err := c.ApplyGuardrail(ctx, nil); return err },
		"CountTokens, nil":        func() error { _, err := c.CountTokens(ctx, nil); return err },
		"StartAsyncInvoke, nil":   func() error { _, err := c.StartAsyncInvoke(ctx, nil); return err },
		"GetAsyncInvoke, nil":     func() error { _, err := c.GetAsyncInvoke(ctx, nil); return err },
		"bidirectional, nil":      func() error { _, err := c.InvokeModelWithBidirectionalStream(ctx, nil); return err },
		"InvokeModelSafely, none": func() error { _, err := c.InvokeModelSafely(ctx, "", nil); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Every operation of the SDK's client is a method of ours with the same
// signature, passes the guard, and carries a guardrail or is known to carry none.
func TestEveryOperationIsClassified(t *testing.T) {
	classified := map[string]string{
		"Converse": "guarded", "ConverseStream": "guarded", "InvokeModel": "guarded", "InvokeModelWithResponseStream": "guarded",
		"InvokeModelWithBidirectionalStream": "refused without a reason", "StartAsyncInvoke": "refused without a reason",
		"ApplyGuardrail": "no inference", "InvokeGuardrailChecks": "no inference", "CountTokens": "no inference",
		"GetAsyncInvoke": "no inference", "ListAsyncInvokes": "no inference",
	}
	sdk, ours := reflect.TypeFor[*bedrockruntime.Client](), reflect.TypeFor[*securebedrock.Client]()
	for i := range sdk.NumMethod() {
		m := sdk.Method(i)
		if m.Name == "Options" {
			continue
		}
		if classified[m.Name] == "" {
			t.Errorf("the SDK has gained %s: decide what it carries, add it to operations() and to Client, then here", m.Name)
			continue
		}
		delete(classified, m.Name)
		mine, ok := ours.MethodByName(m.Name)
		if !ok {
			t.Errorf("Client has no %s", m.Name)
			continue
		}
		for _, pair := range [][2]reflect.Type{{m.Type, mine.Type}} {
			if got, want := signature(pair[1]), signature(pair[0]); got != want {
				t.Errorf("%s is %s and the SDK's is %s", m.Name, got, want)
			}
		}
	}
	for name := range classified {
		t.Errorf("%s is classified and the SDK does not have it", name)
	}
}

func signature(f reflect.Type) string {
	var parts []string
	for i := 1; i < f.NumIn(); i++ {
		parts = append(parts, f.In(i).String())
	}
	parts = append(parts, "->")
	for i := range f.NumOut() {
		parts = append(parts, f.Out(i).String())
	}
	return strings.Join(parts, " ")
}

// An operation that the guard does not know is refused, not passed.
func TestUnknownOperationIsRefused(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for _, install := range c.Runtime().Options().APIOptions {
		err := install(middleware.NewStack("InventTheFuture", func() any { return nil }))
		if err != nil {
			refusedBy(t, err, securebedrock.ErrUnguardedOperation)
			return
		}
	}
	t.Error("an unknown operation passed")
}
