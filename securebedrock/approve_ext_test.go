package securebedrock_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// twice is a step that calls its next handler again, in each phase of a stack. The
// second pass has another prompt for another model where the phase can say so.
//
// At once, the SDK's own steps race (smithy-go v1.28.8, SerializeStep): what the seal
// does then is in TestSealTransitions.
func twice() map[string]func(*middleware.Stack) error {
	again := func(first, second func()) { first(); second() }
	other := "amazon.nova-lite-v1:0"
	change := func(in any) any {
		switch in := in.(type) {
		case *bedrockruntime.ConverseInput:
			c := *in
			c.ModelId, c.Messages = &other, userSays("another prompt")
			return &c
		case *bedrockruntime.ConverseStreamInput:
			c := *in
			c.ModelId, c.Messages = &other, userSays("another prompt")
			return &c
		}
		return in
	}
	// anew is the request as it was before it was sent once.
	anew := func(in any) any {
		r := in.(*smithyhttp.Request).Clone()
		_ = r.RewindStream()
		return r
	}
	initialize := func(pos middleware.RelativePosition) func(*middleware.Stack) error {
		return func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("twice", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
				var err2 error
				again(func() { out, md, err = next.HandleInitialize(ctx, in) },
					func() {
						_, _, err2 = next.HandleInitialize(ctx, middleware.InitializeInput{Parameters: change(in.Parameters)})
					})
				return out, md, errors.Join(err, err2)
			}), pos)
		}
	}
	return map[string]func(*middleware.Stack) error{
		"Initialize, first": initialize(middleware.Before),
		"Initialize, last":  initialize(middleware.After),
		"Serialize": func(s *middleware.Stack) error {
			return s.Serialize.Insert(middleware.SerializeMiddlewareFunc("twice", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, md middleware.Metadata, err error) {
				var err2 error
				second := middleware.SerializeInput{Parameters: change(in.Parameters), Request: anew(in.Request)}
				again(func() { out, md, err = next.HandleSerialize(ctx, in) }, func() { _, _, err2 = next.HandleSerialize(ctx, second) })
				return out, md, errors.Join(err, err2)
			}), "OperationSerializer", middleware.Before)
		},
		"Serialize, after the serializer": func(s *middleware.Stack) error {
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("twice", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, md middleware.Metadata, err error) {
				var err2 error
				again(func() { out, md, err = next.HandleSerialize(ctx, in) }, func() {
					second := in
					second.Request = anew(in.Request)
					_, _, err2 = next.HandleSerialize(ctx, second)
				})
				return out, md, errors.Join(err, err2)
			}), middleware.After)
		},
		"Build": func(s *middleware.Stack) error {
			return s.Build.Add(middleware.BuildMiddlewareFunc("twice", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (out middleware.BuildOutput, md middleware.Metadata, err error) {
				var err2 error
				again(func() { out, md, err = next.HandleBuild(ctx, in) }, func() {
					second := in
					second.Request = anew(in.Request)
					_, _, err2 = next.HandleBuild(ctx, second)
				})
				return out, md, errors.Join(err, err2)
			}), middleware.After)
		},
		"Finalize, before the retry": func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("twice", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, md middleware.Metadata, err error) {
				var err2 error
				again(func() { out, md, err = next.HandleFinalize(ctx, in) }, func() {
					second := in
					second.Request = anew(in.Request)
					_, _, err2 = next.HandleFinalize(ctx, second)
				})
				return out, md, errors.Join(err, err2)
			}), middleware.Before)
		},
		"Finalize, after the signature": func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("twice", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, md middleware.Metadata, err error) {
				var err2 error
				again(func() { out, md, err = next.HandleFinalize(ctx, in) }, func() {
					second := in
					second.Request = anew(in.Request)
					_, _, err2 = next.HandleFinalize(ctx, second)
				})
				return out, md, errors.Join(err, err2)
			}), middleware.After)
		},
		"Deserialize": func(s *middleware.Stack) error {
			return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("twice", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
				var err2 error
				again(func() { out, md, err = next.HandleDeserialize(ctx, in) }, func() {
					second := in
					second.Request = anew(in.Request)
					_, _, err2 = next.HandleDeserialize(ctx, second)
				})
				return out, md, errors.Join(err, err2)
			}), middleware.Before)
		},
	}
}

// A step that calls its next handler again sends no prompt that no record names: one
// call of the chain is one request.
func TestAStepThatCallsNextTwice(t *testing.T) {
	for phase, step := range twice() {
		for _, operation := range []string{"Converse", "ConverseStream", "InvokeModel"} {
			for _, side := range []string{"Client", "Runtime"} {
				t.Run(phase+", "+operation+", "+side, func(t *testing.T) {
					server := bedrocktest.NewServer(t)
					rec := new(recorder)
					c := newClient(t, server, rec.option)
					var client any = c
					if side == "Runtime" {
						client = c.Runtime()
					}
					err := invoke(t.Context(), client, operation, anInput()[operation], func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, step) })
					rec.mu.Lock()
					recorded := len(rec.calls)
					rec.mu.Unlock()
					if side == "Runtime" && phase == "Initialize, first" {
						recorded-- // outside of the chain it makes two calls, of which each has its record
						if recorded != 1 {
							t.Fatalf("the chain saw %d calls", recorded+1)
						}
						return
					}
					refusedBy(t, err, securebedrock.ErrEndpoint)
					if sent := len(calls(server, operation)); recorded != 1 || sent > 1 {
						t.Errorf("%d requests were sent under %d records", sent, recorded)
					}
				})
			}
		}
	}
}

// rewriters change an input behind the middleware: in place and below the first
// level, by another value, and by an interceptor.
func rewriters() map[string]func(*sdkOptions) {
	inPlace := func(in any) any {
		switch in := in.(type) {
		case *bedrockruntime.ConverseInput:
			in.Messages[0].Content[0].(*types.ContentBlockMemberText).Value = "another prompt"
		case *bedrockruntime.ConverseStreamInput:
			in.Messages[0].Content[0].(*types.ContentBlockMemberText).Value = "another prompt"
		case *bedrockruntime.InvokeModelInput:
			copy(in.Body[strings.Index(string(in.Body), "a secret"):], "a public")
		case *bedrockruntime.InvokeModelWithResponseStreamInput:
			copy(in.Body[strings.Index(string(in.Body), "a secret"):], "a public")
		case *bedrockruntime.StartAsyncInvokeInput:
			in.Tags = append(in.Tags, types.Tag{Key: aws.String("a"), Value: aws.String("b")})
		case *bedrockruntime.ApplyGuardrailInput:
			in.Content = nil
		}
		return in
	}
	api := func(f func(*middleware.Stack) error) func(*sdkOptions) {
		return func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, f) }
	}
	return map[string]func(*sdkOptions){
		"in Initialize": api(func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				in.Parameters = inPlace(in.Parameters)
				return next.HandleInitialize(ctx, in)
			}), middleware.After)
		}),
		"in Serialize": api(func(s *middleware.Stack) error {
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				in.Parameters = inPlace(in.Parameters)
				return next.HandleSerialize(ctx, in)
			}), middleware.Before)
		}),
		"in an interceptor": func(o *sdkOptions) {
			o.Interceptors.AddBeforeSerialization(beforeSerialization(func(in any) { inPlace(in) }))
		},
	}
}

type beforeSerialization func(any)

func (f beforeSerialization) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	f(in.Input)
	return nil
}

type serializeHandler func(context.Context, middleware.SerializeInput) (middleware.SerializeOutput, middleware.Metadata, error)

func (f serializeHandler) HandleSerialize(ctx context.Context, in middleware.SerializeInput) (middleware.SerializeOutput, middleware.Metadata, error) {
	return f(ctx, in)
}

type rewritingProtocol struct{ smithyhttp.ClientProtocol }

func (p rewritingProtocol) SerializeRequest(ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	if err := p.ClientProtocol.SerializeRequest(ctx, op, in, req); err != nil {
		return err
	}
	own, err := req.SetStream(strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"unguarded"}]}]}`))
	if err == nil {
		*req = *own
	}
	return err
}

// What a call was approved for ends with the call: neither a context that was kept
// nor one that is still in use opens the credentials to another client.
func TestTheSealDoesNotTravel(t *testing.T) {
	elsewhere := newTrap(t)
	for _, operation := range []string{"Converse", "ConverseStream", "InvokeModel"} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		stolen := func() *bedrockruntime.Client {
			o := c.Runtime().Options()
			o.APIOptions, o.HTTPClient, o.EndpointResolverV2 = nil, elsewhere.Client(), bedrockruntime.NewDefaultEndpointResolverV2()
			o.BaseEndpoint = &elsewhere.URL
			return bedrockruntime.New(o)
		}()
		var kept []context.Context
		try := func(ctx context.Context) {
			_, err := stolen.Converse(context.WithoutCancel(ctx), converse("unguarded"))
			refusedBy(t, err, securebedrock.ErrBypassed)
			kept = append(kept, ctx)
		}
		watch := func(o *sdkOptions) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return errors.Join(
					s.Initialize.Add(middleware.InitializeMiddlewareFunc("keep", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
						try(ctx)
						return next.HandleInitialize(ctx, in)
					}), middleware.After),
					s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("keep", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
						try(ctx)
						return next.HandleFinalize(ctx, in)
					}), "Signing", middleware.Before),
					s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("keep", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
						out, md, err := next.HandleDeserialize(ctx, in)
						try(ctx)
						return out, md, err
					}), middleware.Before),
				)
			})
		}
		if err := invoke(t.Context(), c, operation, anInput()[operation], watch); err != nil {
			t.Fatal(err)
		}
		if len(kept) != 3 {
			t.Fatalf("%d contexts were kept", len(kept))
		}
		credentials := c.Runtime().Options().Credentials
		for i, ctx := range kept {
			ctx = context.WithoutCancel(ctx)
			if _, err := credentials.Retrieve(ctx); !errors.Is(err, securebedrock.ErrBypassed) {
				t.Errorf("%s: context %d opens the credentials after its call: %v", operation, i, err)
			}
			_, err := stolen.Converse(ctx, converse("unguarded"))
			refusedBy(t, err, securebedrock.ErrBypassed)
		}
	}
}

// slowSchema is a tool's schema whose encoding is the caller's code.
type slowSchema struct {
	document.Interface
	write func()
}

func (d slowSchema) MarshalSmithyDocument() ([]byte, error) {
	d.write()
	return []byte(`{"type":"object"}`), nil
}

// A step returns while the pass behind it is still in the serializer, and the Middleware
// calls next again. The first pass must not have the seal of the second.
func TestAPassLeftInTheSerializer(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var mu sync.Mutex
	written := func() {}
	marshal := func() { mu.Lock(); f := written; mu.Unlock(); f() }
	set := func(f func()) { mu.Lock(); written = f; mu.Unlock() }
	input := func() *bedrockruntime.ConverseInput {
		in := converse("hello")
		in.ToolConfig = &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String("a"), InputSchema: &types.ToolInputSchemaMemberJson{Value: slowSchema{write: marshal}}}}}}
		return in
	}
	left, leave := make(chan error, 1), make(chan struct{})
	early := false
	step := func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("early", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if !early {
				return next.HandleInitialize(ctx, in)
			}
			early = false
			go func() { _, _, err := next.HandleInitialize(ctx, in); left <- err }()
			<-leave
			return middleware.InitializeOutput{}, middleware.Metadata{}, errors.New("early")
		}), middleware.After)
	}
	again := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		res, err := next(ctx, call)
		if err != nil {
			res, err = next(ctx, call)
		}
		return res, err
	})
	c := newClient(t, server, again)
	with := func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, step) }
	count := 0
	set(func() { count++ })
	if _, err := c.Converse(t.Context(), input(), with); err != nil {
		t.Fatal(err)
	}
	pass, writes, enter, of := count, 0, make(chan struct{}), error(nil)
	set(func() {
		switch writes++; writes {
		case pass: // the first pass, in the serializer
			close(leave)
			<-enter
		case 2 * pass: // the second pass, there too
			close(enter)
			of = <-left
		}
	})
	early = true
	if _, err := c.Converse(t.Context(), input(), with); err != nil {
		t.Errorf("the second pass: %v", err)
	}
	if of == nil {
		t.Error("the first pass was not refused")
	}
	arrived := 0
	for _, call := range server.Calls() {
		if call.Operation == "Converse" {
			arrived++
		}
	}
	if arrived != 2 {
		t.Errorf("%d calls arrived", arrived)
	}
}
