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

// century is a window that does not end during a test.
const century = 100 * 365 * 24 * time.Hour

// watched is a Store that tells what is spent.
type watched struct {
	middleware.Store
	mu                     sync.Mutex
	spent                  middleware.Amount
	settled                int
	failReserve, failSttle error
}

func watch() *watched { return &watched{Store: middleware.NewMemory()} }

func (w *watched) Reserve(ctx context.Context, key string, window time.Duration, limit, amount middleware.Amount) (middleware.Reservation, bool, error) {
	if w.failReserve != nil {
		return middleware.Reservation{}, false, w.failReserve
	}
	r, ok, err := w.Store.Reserve(ctx, key, window, limit, amount)
	w.mu.Lock()
	defer w.mu.Unlock()
	if ok {
		w.spent.Tokens += amount.Tokens
		w.spent.Cost += amount.Cost
	}
	return r, ok, err
}

func (w *watched) Settle(ctx context.Context, r middleware.Reservation, spent middleware.Amount) error {
	if w.failSttle != nil {
		return w.failSttle
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spent.Tokens += spent.Tokens - r.Amount.Tokens
	w.spent.Cost += spent.Cost - r.Amount.Cost
	w.settled++
	return w.Store.Settle(ctx, r, spent)
}

func (w *watched) now() (middleware.Amount, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spent, w.settled
}

func ignore(error) {}

func tokens(n int64) func(*securebedrock.Call) securebedrock.Usage {
	return func(*securebedrock.Call) securebedrock.Usage { return securebedrock.Usage{InputTokens: n} }
}

// What a call spends, by how it ends: 1000 tokens are reserved for each, 700 of them
// for the answer.
func TestBudgetSettles(t *testing.T) {
	const estimate, answer = 1000, 700
	exactly := func(want int64) func(int64) bool { return func(n int64) bool { return n == want } }
	counted := func(n int64) bool { return n > 0 && n < 300 }
	unary := func(c *securebedrock.Client, ctx context.Context) error {
		_, err := c.Converse(ctx, converse("one two three"))
		return err
	}
	open := func(leave func(cancel func(), out *bedrockruntime.ConverseStreamOutput)) func(c *securebedrock.Client, ctx context.Context) error {
		return func(c *securebedrock.Client, ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			out, err := c.ConverseStream(ctx, converseStream("one two three"))
			if err == nil {
				leave(cancel, out)
			}
			return err
		}
	}
	for _, row := range []struct {
		name  string
		fault []bedrocktest.Fault
		inner securebedrock.Middleware
		call  func(c *securebedrock.Client, ctx context.Context) error
		want  func(n int64) bool
	}{
		{"an answer costs what Bedrock counted", nil, nil, unary, counted},
		{"a stream costs it at its end", nil, nil, open(func(_ func(), out *bedrockruntime.ConverseStreamOutput) {
			for range out.GetStream().Events() {
			}
			out.GetStream().Close()
		}), counted},
		{"a stream that was closed before its count came keeps the estimate", []bedrocktest.Fault{bedrocktest.StallStream(2)}, nil, open(func(_ func(), out *bedrockruntime.ConverseStreamOutput) {
			<-out.GetStream().Events()
			out.GetStream().Close()
		}), exactly(estimate)},
		{"one that was cancelled keeps it too", []bedrocktest.Fault{bedrocktest.StallStream(2)}, nil, open(func(cancel func(), out *bedrockruntime.ConverseStreamOutput) {
			<-out.GetStream().Events()
			cancel()
		}), exactly(estimate)},
		{"one that nobody reads keeps it when the client closes", []bedrocktest.Fault{bedrocktest.StallStream(2)}, nil, func(c *securebedrock.Client, ctx context.Context) error {
			_, err := c.ConverseStream(ctx, converseStream("one two three"))
			return err
		}, exactly(estimate)},
		{"one that broke off keeps it", []bedrocktest.Fault{bedrocktest.DropStream(3)}, nil, open(func(_ func(), out *bedrockruntime.ConverseStreamOutput) {
			for range out.GetStream().Events() {
			}
			out.GetStream().Close()
		}), exactly(estimate)},
		{"an InvokeModel stream that was closed early costs its input's count and its answer's estimate", []bedrocktest.Fault{bedrocktest.StallStream(3)}, nil, func(c *securebedrock.Client, ctx context.Context) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: body("one two three")})
			if err == nil {
				<-out.GetStream().Events()
				<-out.GetStream().Events()
				out.GetStream().Close()
			}
			return err
		}, func(n int64) bool { return n > answer && n < estimate }},
		{"a service's error costs nothing", []bedrocktest.Fault{bedrocktest.Error(400, "ValidationException", "no")}, nil, unary, exactly(0)},
		{"a lost connection keeps the estimate", []bedrocktest.Fault{bedrocktest.Drop()}, nil, unary, exactly(estimate)},
		{"a refusal by a rule costs nothing", nil, nil, func(c *securebedrock.Client, ctx context.Context) error {
			in := converse("x")
			in.ModelId = aws.String("eu." + haiku)
			_, err := c.Converse(ctx, in)
			return err
		}, exactly(0)},
		{"an inner middleware's refusal costs nothing", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, errors.New("no")
		}), unary, exactly(0)},
		{"an inner middleware's own answer costs nothing", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: bedrocktest.Text("cached")}, nil
		}), unary, exactly(0)},
		{"an answer that an inner middleware does not let pass costs what it cost", nil, inner(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			res, _ := next(ctx, call)
			return res, errors.New("no")
		}), unary, counted},
		{"an inner middleware's panic keeps the estimate", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			panic("no")
		}), func(c *securebedrock.Client, ctx context.Context) error {
			defer func() { _ = recover() }()
			return unary(c, ctx)
		}, exactly(estimate)},
		{"an operation that runs no model costs nothing", nil, nil, func(c *securebedrock.Client, ctx context.Context) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku), Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: says("x")}}})
			return err
		}, exactly(0)},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			for _, op := range []string{"Converse", "ConverseStream", "InvokeModelWithResponseStream"} {
				server.Fail(op, row.fault...)
			}
			store := watch()
			mws := []securebedrock.Middleware{must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore,
				Estimate: func(*securebedrock.Call) securebedrock.Usage {
					return securebedrock.Usage{InputTokens: estimate - answer, OutputTokens: answer}
				}}))}
			if row.inner != nil {
				mws = append(mws, row.inner)
			}
			c := newClient(t, server, mws...)
			_ = row.call(c, t.Context())
			c.Close()
			eventually(t, "the call is settled, and what it cost is counted", func() bool {
				n, settled := store.now()
				return settled <= 1 && row.want(n.Tokens)
			})
			noGoroutines(t)
		})
	}
}

func TestBudgetRefusesBeforeTheSend(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Name: "team-a", Window: century, Tokens: 2000, Estimate: tokens(1990),
		Key: func(context.Context, *securebedrock.Call) string { return "ada@example.com" }})))
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
		if !errors.As(err, &p) || p.Rule != middleware.ErrBudget || !strings.Contains(p.Detail, `"team-a"`) || p.Model != haiku {
			t.Errorf("refused with %v", err)
		}
		var b *middleware.BudgetError
		if !errors.As(err, &b) || b.Name != "team-a" || b.Key != "ada@example.com" || b.Limit.Tokens != 2000 || !b.Frees.Equal(middleware.WindowEnd(time.Now(), century)) {
			t.Errorf("refused with %+v", b)
		}
		if strings.Contains(err.Error(), "ada") {
			t.Errorf("the key is in the error: %v", err)
		}
		break
	}
}

// Of many calls at the same time no more are in flight than the budget has room for.
func TestReservationsNeverPassTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, sent atomic.Int64
		h := must(t)(middleware.Budget(middleware.BudgetOptions{Window: time.Hour, Tokens: 100, Estimate: tokens(30)}))(
			func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
				sent.Add(1)
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				time.Sleep(time.Second)
				return nil, errors.New("nothing was sent")
			})
		for range 3 { // what is given back can be spent again
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() { _, _ = h(t.Context(), call("a")) })
			}
			wg.Wait()
		}
		if most.Load() != 3 || sent.Load() != 9 {
			t.Errorf("%d calls of 30 tokens at once, and %d in three rounds, in a budget of 100", most.Load(), sent.Load())
		}
	})
}

// A caller who asks for more tokens than a number holds gives nothing back.
func TestEstimatesDoNotRunOver(t *testing.T) {
	for _, max := range []string{"9223372036854775807", "1e300", "9223372036854770000"} {
		h := must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 1 << 62, Cost: 1000, Prices: []middleware.Price{{Model: "*", Output: 15_000_000}}}))(
			func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return nil, nil })
		c := call(haiku)
		c.Input = &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":` + max + `}`)}
		var b *middleware.BudgetError
		if _, err := h(t.Context(), c); !errors.As(err, &b) || !b.Frees.IsZero() {
			t.Errorf("%s tokens: %v", max, err)
		}
	}
}

func TestBudgetOfCost(t *testing.T) {
	server := bedrocktest.NewServer(t)
	store := watch()
	const pro = "amazon.nova-pro-v1:0"
	reroute := false
	c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Cost: 1_000_000, Store: store, OnError: ignore,
		Prices: []middleware.Price{{Model: "anthropic.claude-3-haiku*", Input: 250_000, Output: 1_250_000}, {Model: pro, Input: 7_000_000, Output: 9_000_000}}})),
		inner(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			if reroute {
				call.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String(pro)
			}
			return next(ctx, call)
		}))
	var before int64
	for _, row := range []struct {
		name    string
		reroute bool
		in, out int64
	}{{"a model", false, 250_000, 1_250_000}, {"the model that an inner middleware chose", true, 7_000_000, 9_000_000}} {
		reroute = row.reroute
		out, err := c.Converse(t.Context(), converse("one two three"))
		if err != nil {
			t.Fatal(err)
		}
		i, o := int64(aws.ToInt32(out.Usage.InputTokens)), int64(aws.ToInt32(out.Usage.OutputTokens))
		spent, _ := store.now()
		if want := (i*row.in + o*row.out + 999_999) / 1_000_000; spent.Cost-before != want {
			t.Errorf("%s: %d spent, want %d for %d and %d tokens", row.name, spent.Cost-before, want, i, o)
		}
		before = spent.Cost
	}
	other := converse("x")
	other.ModelId = aws.String("amazon.nova-lite-v1:0")
	if _, err := c.Converse(t.Context(), other); !errors.Is(err, middleware.ErrBudget) {
		t.Errorf("a model without a price: %v", err)
	}
}

func TestBudgetsOfTenantsAndWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type tenant struct{}
		mw := must(t)(middleware.Budget(middleware.BudgetOptions{Window: time.Minute, Tokens: 10, Estimate: tokens(10),
			Key: func(ctx context.Context, _ *securebedrock.Call) string { return ctx.Value(tenant{}).(string) }}))
		h := mw(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("sent") })
		try := func(who string) (err error) {
			defer func() {
				if recover() != nil {
					err = nil
				}
			}()
			_, err = h(context.WithValue(t.Context(), tenant{}, who), call(haiku))
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
		ends := middleware.WindowEnd(time.Now(), time.Minute)
		if ends.UTC().Second() != 0 || ends.UTC().Nanosecond() != 0 {
			t.Errorf("a minute ends at %v", ends)
		}
		time.Sleep(time.Until(ends) - time.Nanosecond)
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
	store.failReserve = errors.New("no connection, secret")
	var told []error
	o := middleware.BudgetOptions{Window: century, Tokens: 100_000, Store: store, OnError: func(err error) { told = append(told, err) }}
	ask := func() error {
		_, err := newClient(t, server, must(t)(middleware.Budget(o))).Converse(t.Context(), converse("x"))
		return err
	}
	if err := ask(); !errors.Is(err, middleware.ErrBudget) || !errors.Is(err, store.failReserve) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if n := arrived(server, "Converse"); n != 0 {
		t.Errorf("%d arrived", n)
	}
	o.FailOpen = "availability first"
	if err := ask(); err != nil || len(told) != 1 || !errors.Is(told[0], store.failReserve) {
		t.Errorf("%v, told %v", err, told)
	}
	store.failReserve, store.failSttle, told = nil, errors.New("lost"), nil
	if err := ask(); err != nil || len(told) != 1 || !errors.Is(told[0], store.failSttle) {
		t.Errorf("a call that could not be settled: %v, told %v", err, told)
	}
}

// A call that failed before the model produced anything costs nothing.
func TestBudgetOfCallsThatProducedNothing(t *testing.T) {
	const estimate = 1000
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		want  int64
	}{
		{"throttled in the first frame", bedrocktest.Exception(0, "throttlingException", "no"), 0},
		{"refused in the first frame", bedrocktest.Exception(0, "validationException", "no"), 0},
		{"failed in the first frame", bedrocktest.Exception(0, "modelStreamErrorException", "no"), 0},
		{"throttled before the stream", bedrocktest.Throttle(1), 0},
		{"redirected", bedrocktest.Redirect(307, "http://127.0.0.1:1"), 0},
		{"throttled in the midst of an answer", bedrocktest.Exception(3, "throttlingException", "no"), -1},
	} {
		for _, route := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
			t.Run(row.name+", "+route, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				server.Fail(route, row.fault)
				store := watch()
				c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore, Estimate: tokens(estimate)})))
				if err := send(t, c, route, "", ""); err == nil {
					t.Fatal("no error")
				}
				eventually(t, "the call is settled", func() bool { _, n := store.now(); return n == 1 })
				if n, _ := store.now(); n.Tokens != row.want && (row.want >= 0 || n.Tokens == 0) {
					t.Errorf("it cost %d tokens", n.Tokens)
				}
			})
		}
	}
	t.Run("no server is there", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		store := watch()
		o := server.Options()
		o.Role = nil // whose credentials could not be had either
		o.Retry.MaxAttempts = 1
		o.Middleware = []securebedrock.Middleware{must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore, Estimate: tokens(estimate)}))}
		c, err := securebedrock.NewFromConfig(server.Config(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		server.Close()
		if _, err := c.Converse(t.Context(), converse("x")); err == nil {
			t.Fatal("no error")
		}
		if n, settled := store.now(); n.Tokens != 0 || settled != 1 {
			t.Errorf("it cost %d tokens, settled %d times", n.Tokens, settled)
		}
	})
	t.Run("a prompt that the guardrail blocked", func(t *testing.T) {
		for _, route := range []string{"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"} {
			server := bedrocktest.NewServer(t)
			server.AddGuardrail(bedrocktest.Guardrail{ID: bedrocktest.DefaultGuardrailID, DeniedWords: []string{"x"}})
			store := watch()
			c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore, Estimate: tokens(estimate)})))
			if err := send(t, c, route, "", ""); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the call is settled", func() bool { _, n := store.now(); return n == 1 })
			if n, _ := store.now(); n.Tokens != 0 {
				t.Errorf("%s cost %d tokens", route, n.Tokens)
			}
		}
	})
}
