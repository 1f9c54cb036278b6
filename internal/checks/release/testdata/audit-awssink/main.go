package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/awssink"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := bedrocktest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	opts := server.Options()
	logs := new(service)
	sink, err := awssink.CloudWatchLogs(logs, awssink.LogsOptions{Group: "audit", Stream: "host"})
	if err != nil {
		return err
	}
	record, err := audit.Middleware(sink, audit.Options{})
	if err != nil {
		return err
	}
	opts.Middleware = []securebedrock.Middleware{record}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		return err
	}
	answer, err := client.InvokeModelSafely(ctx, "anthropic.claude-3-haiku-20240307-v1:0", []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello!"}},
	}})
	if err != nil {
		return err
	}
	if err := client.Shutdown(ctx); err != nil {
		return err
	}
	if err := sink.Close(); err != nil {
		return err
	}
	if logs.events != 2 {
		return errors.New("an intent and an outcome are missing")
	}
	fmt.Println("answered:", answer.StopReason)
	return nil
}

// service takes the events in the place of CloudWatch Logs.
type service struct{ events int }

func (s *service) PutLogEvents(_ context.Context, in *cloudwatchlogs.PutLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogEventsOutput, error) {
	s.events += len(in.LogEvents)
	return new(cloudwatchlogs.PutLogEventsOutput), nil
}
