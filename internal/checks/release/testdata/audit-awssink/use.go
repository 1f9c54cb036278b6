package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/awssink"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	logs := new(service)
	sink, err := awssink.CloudWatchLogs(logs, awssink.LogsOptions{Group: "audit", Stream: "host"})
	if err != nil {
		return nil, err
	}
	record, err := audit.Middleware(sink, audit.Options{})
	opts.Middleware = []securebedrock.Middleware{record}
	return func() error {
		if err := sink.Close(); err != nil {
			return err
		}
		if logs.events != 2 {
			return errors.New("an intent and an outcome are missing")
		}
		return nil
	}, err
}

// service takes the events in the place of CloudWatch Logs.
type service struct{ events int }

func (s *service) PutLogEvents(_ context.Context, in *cloudwatchlogs.PutLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogEventsOutput, error) {
	s.events += len(in.LogEvents)
	return new(cloudwatchlogs.PutLogEventsOutput), nil
}
