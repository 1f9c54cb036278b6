package middleware_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// watched is a Store that tells what is spent.
type watched struct {
	middleware.Store
	mu       sync.Mutex
	spent    middleware.Amount
	reserved int
	settled  chan struct{}
	fail     error
}

func watch() *watched {
	return &watched{Store: middleware.NewMemory(), settled: make(chan struct{}, 1000)}
}

func (w *watched) Reserve(ctx context.Context, key string, window time.Duration, limit, amount middleware.Amount) (middleware.Window, bool, error) {
	if w.fail != nil {
		return middleware.Window{}, false, w.fail
	}
	at, ok, err := w.Store.Reserve(ctx, key, window, limit, amount)
	w.mu.Lock()
	defer w.mu.Unlock()
	if ok {
		w.reserved++
		w.spent.Tokens += amount.Tokens
		w.spent.Cost += amount.Cost
	}
	return at, ok, err
}

func (w *watched) Settle(ctx context.Context, key string, window time.Duration, at middleware.Window, amount middleware.Amount) error {
	w.mu.Lock()
	w.spent.Tokens += amount.Tokens
	w.spent.Cost += amount.Cost
	w.mu.Unlock()
	w.settled <- struct{}{}
	return w.Store.Settle(ctx, key, window, at, amount)
}

func (w *watched) now() middleware.Amount {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spent
}

// What a call spends, by how it ends: 1000 tokens are reserved for each.
func TestBudgetSettles(t *testing.T) {
	const estimate = 1000
	unary := func(c *securebedrock.Client, ctx context.Context) error {
		_, err := c.Converse(ctx, converse("one two three"))
		return err
	}
	for _, row := range []struct {
		name  string
		fault []bedrocktest.Fault
		inner securebedrock.Middleware
		call  func(c *securebedrock.Client, ctx context.Context) error
		want  func(n int64) bool
	}{
		{"an answer costs what Bedrock counted", nil, nil, unary, func(n int64) bool { return n > 0 && n < 100 }},
		{"a stream costs it at its end", nil, nil, func(c *securebedrock.Client, ctx context.Context) error {
			out, err := c.ConverseStream(ctx, converseStream("one two three"))
			if err != nil {
				return err
			}
			for range out.GetStream().Events() {
			}
			return out.GetStream().Close()
		}, func(n int64) bool { return n > 0 && n < 100 }},
		{"a stream that was closed before its count came keeps the estimate", []bedrocktest.Fault{bedrocktest.StallStream(2)}, nil, func(c *securebedrock.Client, ctx context.Context) error {
			out, err := c.ConverseStream(ctx, converseStream("one two three"))
			if err != nil {
				return err
			}
			<-out.GetStream().Events()
			return out.GetStream().Close()
		}, func(n int64) bool { return n == estimate }},
		{"a service's error costs nothing", []bedrocktest.Fault{bedrocktest.Error(400, "ValidationException", "no")}, nil, unary, func(n int64) bool { return n == 0 }},
		{"a lost connection keeps the estimate", []bedrocktest.Fault{bedrocktest.Drop()}, nil, unary, func(n int64) bool { return n == estimate }},
		{"a refusal by a rule costs nothing", nil, nil, func(c *securebedrock.Client, ctx context.Context) error {
			in := converse("x")
			in.ModelId = aws.String("eu." + haiku)
			_, err := c.Converse(ctx, in)
			return err
		}, func(n int64) bool { return n == 0 }},
		{"an inner middleware's refusal costs nothing", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, errors.New("no")
		}), unary, func(n int64) bool { return n == 0 }},
		{"an inner middleware's panic keeps the estimate", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			panic("no")
		}), func(c *securebedrock.Client, ctx context.Context) error {
			defer func() { _ = recover() }()
			return unary(c, ctx)
		}, func(n int64) bool { return n == estimate }},
		{"an operation that runs no model costs nothing", nil, nil, func(c *securebedrock.Client, ctx context.Context) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku), Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: says("x")}}})
			return err
		}, func(n int64) bool { return n == 0 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Fail("Converse", row.fault...)
			server.Fail("ConverseStream", row.fault...)
			store := watch()
			mws := []securebedrock.Middleware{must(t)(middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 5000, Store: store,
				Estimate: func(*securebedrock.Call) securebedrock.Usage { return securebedrock.Usage{InputTokens: estimate} }}))}
			if row.inner != nil {
				mws = append(mws, row.inner)
			}
			c := newClient(t, server, mws...)
			_ = row.call(c, t.Context())
			c.Close()
			if n := store.now().Tokens; !row.want(n) {
				t.Errorf("%d tokens are spent", n)
			}
		})
	}
}

func TestBudgetRefusesBeforeTheSend(t *testing.T) {
	server := bedrocktest.NewServer(t)
	// In Unix time's windows of a century this one does not end during the test.
	c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Name: "team-a", Window: 100 * 365 * 24 * time.Hour, Tokens: 2000,
		Estimate: func(*securebedrock.Call) securebedrock.Usage { return securebedrock.Usage{InputTokens: 1990} }})))
	var ok, refused atomic.Int64
	var wg sync.WaitGroup
	for range 20 { // at the same time: the reservation keeps them apart
		wg.Go(func() {
			_, err := c.Converse(t.Context(), converse("hello"))
			switch {
			case err == nil:
				ok.Add(1)
			case errors.Is(err, middleware.ErrBudget):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ok.Load() == 0 || ok.Load()+refused.Load() != 20 || int64(arrived(server, "Converse")) != ok.Load() {
		t.Errorf("%d passed, %d refused, %d arrived", ok.Load(), refused.Load(), arrived(server, "Converse"))
	}
	for {
		_, err := c.Converse(t.Context(), converse("hello"))
		if err == nil {
			continue // until what was settled fills the rest
		}
		var p *securebedrock.PolicyError
		if !errors.As(err, &p) || !strings.Contains(p.Detail, `"team-a"`) || p.Model != haiku {
			t.Errorf("refused with %v", err)
		}
		break
	}
}

func TestBudgetOfCost(t *testing.T) {
	server := bedrocktest.NewServer(t)
	store := watch()
	c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Cost: 1_000_000, Store: store,
		Prices: []middleware.Price{{Model: "anthropic.claude-3-haiku*", Input: 250_000, Output: 1_250_000}}})))
	out, err := c.Converse(t.Context(), converse("one two three"))
	if err != nil {
		t.Fatal(err)
	}
	in, o := int64(aws.ToInt32(out.Usage.InputTokens)), int64(aws.ToInt32(out.Usage.OutputTokens))
	if want := (in*250_000 + o*1_250_000 + 999_999) / 1_000_000; store.now().Cost != want {
		t.Errorf("%d spent, want %d for %d and %d tokens", store.now().Cost, want, in, o)
	}
	other := converse("x")
	other.ModelId = aws.String("amazon.nova-pro-v1:0")
	if _, err := c.Converse(t.Context(), other); !errors.Is(err, middleware.ErrBudget) {
		t.Errorf("a model without a price: %v", err)
	}
}

func TestBudgetsOfTenantsAndWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type tenant struct{}
		mw := must(t)(middleware.Budget(middleware.BudgetOptions{Window: time.Minute, Tokens: 10,
			Key:      func(ctx context.Context, _ *securebedrock.Call) string { return ctx.Value(tenant{}).(string) },
			Estimate: func(*securebedrock.Call) securebedrock.Usage { return securebedrock.Usage{InputTokens: 10} }}))
		h := mw(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("sent") })
		try := func(who string) (err error) {
			defer func() {
				if recover() != nil {
					err = nil
				}
			}()
			_, err = h(context.WithValue(t.Context(), tenant{}, who), &securebedrock.Call{Operation: "Converse"})
			return err
		}
		if err := try("a"); err != nil {
			t.Error(err)
		}
		if err := try("a"); !errors.Is(err, middleware.ErrBudget) {
			t.Errorf("a again: %v", err)
		}
		if err := try("b"); err != nil {
			t.Errorf("b: %v", err)
		}
		w := middleware.WindowAt(time.Now(), time.Minute)
		time.Sleep(time.Until(w.Ends) - time.Nanosecond)
		if err := try("a"); !errors.Is(err, middleware.ErrBudget) {
			t.Errorf("in the window's last moment: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if err := try("a"); err != nil {
			t.Errorf("in the next window: %v", err)
		}
	})
}

func TestBudgetWhoseStoreFails(t *testing.T) {
	server := bedrocktest.NewServer(t)
	store := watch()
	store.fail = errors.New("no connection")
	o := middleware.BudgetOptions{Window: time.Hour, Tokens: 10, Store: store}
	if _, err := newClient(t, server, must(t)(middleware.Budget(o))).Converse(t.Context(), converse("x")); !errors.Is(err, middleware.ErrBudget) || !errors.Is(err, store.fail) {
		t.Errorf("%v", err)
	}
	if n := arrived(server, "Converse"); n != 0 {
		t.Errorf("%d arrived", n)
	}
	told := 0
	o.FailOpen, o.OnError = "availability first", func(error) { told++ }
	if _, err := newClient(t, server, must(t)(middleware.Budget(o))).Converse(t.Context(), converse("x")); err != nil || told != 1 {
		t.Errorf("%v, told %d times", err, told)
	}
}

func TestEstimate(t *testing.T) {
	long := strings.Repeat("abc", 1000)
	for _, row := range []struct {
		name     string
		in       any
		in_, out int64
	}{
		{"text", converse(long), 1000 + 2, 1024},
		{"an image", &bedrockruntime.ConverseInput{Messages: []types.Message{{Content: []types.ContentBlock{&types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberBytes{Value: make([]byte, 1<<20)}}}}}}}, 2000, 1024},
		{"a bound", &bedrockruntime.ConverseStreamInput{InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(77)}}, 0, 77},
		{"a body", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":50}`)}, 6, 50},
		{"another model's body", &bedrockruntime.InvokeModelInput{Body: []byte(`{"textGenerationConfig":{"maxTokenCount":9}}`)}, 15, 9},
	} {
		if u := middleware.EstimateTokens(&securebedrock.Call{Input: row.in}); u.InputTokens != row.in_ || u.OutputTokens != row.out {
			t.Errorf("%s: %+v, want %d and %d", row.name, u, row.in_, row.out)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, f := range map[string]func() (securebedrock.Middleware, error){
		"Budget: Window|Tokens, Cost": func() (securebedrock.Middleware, error) { return middleware.Budget(middleware.BudgetOptions{}) },
		"Budget: Prices": func() (securebedrock.Middleware, error) {
			return middleware.Budget(middleware.BudgetOptions{Window: 1, Cost: 1})
		},
		"Concurrency: Limit|Models": func() (securebedrock.Middleware, error) {
			return middleware.Concurrency(middleware.ConcurrencyOptions{Models: map[string]int64{"x": 0}})
		},
		"Rate: PerSecond|Burst": func() (securebedrock.Middleware, error) { return middleware.Rate(middleware.RateOptions{Burst: -1}) },
		"InputCheck: Client|ID, Version|MaxText": func() (securebedrock.Middleware, error) {
			return middleware.InputCheck(middleware.InputCheckOptions{ID: "x", MaxText: 1})
		},
	} {
		_, err := f()
		if !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		kind, fields, _ := strings.Cut(name, ": ")
		for _, field := range strings.Split(fields, "|") {
			if !strings.Contains(err.Error(), "middleware: "+kind+": "+field+":") {
				t.Errorf("%s %s is not named in %v", kind, field, err)
			}
		}
	}
}
