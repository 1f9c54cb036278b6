// Lambda is a function that asks a model, guarded and recorded.
//
// The client is made while Lambda initialises the function: its role is assumed and its
// connection is open before the first call. Records go to stdout, where CloudWatch Logs
// takes each line of JSON as it is. The handler flushes them before it returns, because
// Lambda then freezes the process.
//
// template.json is a SAM template of the function. Its role and policies are what package
// policy makes of the function's own options:
//
//	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -tags lambda.norpc -o examples/lambda/build/bootstrap ./examples/lambda
//	sam deploy --guided --capabilities CAPABILITY_NAMED_IAM -t examples/lambda/template.json
//
// Environment: GUARDRAIL_ID, GUARDRAIL_VERSION (default 1), MODEL_ID, ROLE_ARN
// (optional). The region is AWS_REGION, which Lambda sets. Where ROLE_ARN is set, the
// session of the role is limited to the calls of this client.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err == nil {
		err = start(ctx, cfg)
	}
	fmt.Fprintln(os.Stderr, "lambda:", err)
	os.Exit(1)
}

// start returns only where the function cannot be made.
func start(ctx context.Context, cfg aws.Config) error {
	opts := fromEnvironment()
	if opts.Role != nil {
		role, err := arn.Parse(opts.Role.ARN)
		if err != nil {
			return err
		}
		if opts, err = policy.WithSession(opts, policy.Account{ID: role.AccountID}); err != nil {
			return err
		}
	}
	f, err := newFunction(ctx, cfg, opts, os.Getenv("MODEL_ID"), os.Stdout)
	if err != nil {
		return err
	}
	lambda.StartWithOptions(f.handle, lambda.WithEnableSIGTERM(f.close))
	return nil
}

func fromEnvironment() securebedrock.Options {
	opts := securebedrock.Options{
		Region:    os.Getenv("AWS_REGION"),
		Models:    []string{os.Getenv("MODEL_ID")},
		Guardrail: securebedrock.Guardrail{ID: os.Getenv("GUARDRAIL_ID"), Version: "1"},
	}
	if v := os.Getenv("GUARDRAIL_VERSION"); v != "" {
		opts.Guardrail.Version = v
	}
	if role := os.Getenv("ROLE_ARN"); role != "" {
		opts.Role = &securebedrock.Role{ARN: role}
	}
	return opts
}

// function is what stays from one invocation to the next.
type function struct {
	client *securebedrock.Client
	sink   *audit.AsyncSink
	model  string
}

func newFunction(ctx context.Context, cfg aws.Config, opts securebedrock.Options, model string, records io.Writer) (*function, error) {
	sink, err := audit.Async(audit.JSONLines(records), audit.AsyncOptions{})
	if err != nil {
		return nil, err
	}
	record, err := audit.Middleware(sink, audit.Options{Application: os.Getenv("AWS_LAMBDA_FUNCTION_NAME")})
	if err != nil {
		return nil, err
	}
	opts.Middleware = append(opts.Middleware, record)
	client, err := securebedrock.NewFromConfig(cfg, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := client.Warm(ctx); err != nil { // the first call tries again
		fmt.Fprintln(os.Stderr, "lambda:", err)
	}
	return &function{client: client, sink: sink, model: model}, nil
}

// Question is the event, Answer the response.
type (
	Question struct {
		Text string `json:"text"`
	}
	Answer struct {
		Text       string `json:"text,omitempty"`
		StopReason string `json:"stop_reason,omitempty"`
	}
)

func (f *function) handle(ctx context.Context, q Question) (_ *Answer, err error) {
	defer func() { // the records are out before the freeze, whatever happened
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = errors.Join(err, f.sink.Flush(flush))
	}()
	out, err := f.client.InvokeModelSafely(ctx, f.model, []types.Message{{
		Role:    types.ConversationRoleUser,
		Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: q.Text}},
	}})
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
		for _, b := range m.Value.Content {
			if t, ok := b.(*types.ContentBlockMemberText); ok {
				text.WriteString(t.Value)
			}
		}
	}
	return &Answer{Text: text.String(), StopReason: string(out.StopReason)}, nil
}

// close runs when Lambda ends the environment, with half a second left. The calls in
// flight end first, and then their records are written.
func (f *function) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := errors.Join(f.client.Shutdown(ctx), f.sink.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "lambda:", err)
	}
}
