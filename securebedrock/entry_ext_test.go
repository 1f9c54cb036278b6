package securebedrock_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The record names the model that was called, with its regions, or the one that
// was refused, with none.
func TestRecordNamesTheModel(t *testing.T) {
	for _, row := range []struct {
		name    string
		change  func(*opts)
		model   string
		want    string
		regions []string
	}{
		{"a model of the region", func(*opts) {}, haiku, haiku, []string{"us-east-1"}},
		{"one that a resolver resolved", func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1", "us-east-1"}} }, "us." + haiku, "us." + haiku, []string{"us-east-1", "us-east-1"}},
		{"one that an inner middleware chose", around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			call.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String("amazon.nova-pro-v1:0")
			return next(ctx, call)
		}), haiku, "amazon.nova-pro-v1:0", []string{"us-east-1"}},
		{"an ARN of another region", func(*opts) {}, "arn:aws:bedrock:us-west-2::foundation-model/" + haiku, "arn:aws:bedrock:us-west-2::foundation-model/" + haiku, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option, row.change)
			in := converse("hello")
			in.ModelId = &row.model
			_, _ = c.Converse(t.Context(), in)
			if m := rec.one(t).call.Model; m.ID != row.want || !slices.Equal(m.Regions, row.regions) {
				t.Errorf("the record has %+v", m)
			}
		})
	}
}

// A middleware cannot excuse an operation by writing a reason into the Call, nor
// a model by writing other regions.
func TestMiddlewareCannotWriteFacts(t *testing.T) {
	forge := around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.Unguarded = "because I say so"
		call.Model.Regions = []string{"us-east-1"}
		call.Guardrail = securebedrock.Guardrail{}
		return next(ctx, call)
	})
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, forge)
	_, err := c.StartAsyncInvoke(t.Context(), startAsync())
	refusedBy(t, err, securebedrock.ErrUnguardedOperation)
	in := converse("a secret")
	in.ModelId = aws.String("us." + haiku)
	_, err = c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrResidency)
	nothingArrived(t, server)
}

// middleware keeps Call.Model in step
func TestModelForged(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		id := "global." + haiku
		call.Input.(*bedrockruntime.ConverseInput).ModelId = &id
		call.Model.ID = id // keep the record in step
		return next(ctx, call)
	}))
	_, err := c.Converse(t.Context(), converse("a secret"))
	refusedBy(t, err, securebedrock.ErrResidency)
	nothingArrived(t, server)
}

// middleware sets Unguarded
func TestUnguardedForged(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.Unguarded = "n/a"
		return next(ctx, call)
	}))
	_, err := c.StartAsyncInvoke(t.Context(), startAsync())
	refusedBy(t, err, securebedrock.ErrUnguardedOperation)
	nothingArrived(t, server)
}

func TestRecordNamesTheModelSent(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	cfg := server.Config()
	cfg.Interceptors.AddBeforeSerialization(toNova{})
	o := server.Options()
	rec.option(&o)
	c, err := securebedrock.NewFromConfig(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := converse("hello")
	_, err = c.Converse(t.Context(), in)
	if err != nil {
		return
	}
	sent := calls(server, "Converse")[0].ModelID
	if r := rec.one(t); r.call.Model.ID != sent {
		t.Errorf("sent %s, recorded %s", sent, r.call.Model.ID)
	}
}

func TestRecordHasResolvedRegions(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1"}} })
	in := converse("hello")
	in.ModelId = aws.String("us." + haiku)
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if r := rec.one(t); len(r.call.Model.Regions) == 0 {
		t.Errorf("the record has no regions: %+v", r.call.Model)
	}
}

// toNova rewrites the model before the input is serialized.
type toNova struct{}

func (toNova) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	in.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String("amazon.nova-lite-v1:0")
	return nil
}
