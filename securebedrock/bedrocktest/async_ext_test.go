package bedrocktest_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// Each job goes through the states that the script gives it.
func TestAsyncJobs(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.AsyncJobs(bedrocktest.AsyncJob{Polls: 2}, bedrocktest.AsyncJob{Polls: 1, Failure: "no such bucket"})
	s.AsyncJobs(bedrocktest.AsyncJob{Failure: "at once"}, bedrocktest.AsyncJob{Polls: -1})
	c := probe.Client(s)
	start := func() *string {
		t.Helper()
		out, err := c.StartAsyncInvoke(t.Context(), &bedrockruntime.StartAsyncInvokeInput{
			ModelId: aws.String("amazon.nova-reel-v1:0"), ModelInput: document.NewLazyDocument(map[string]any{"text": "a fox"}),
			OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/videos")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.InvocationArn
	}
	listed := func(status types.AsyncInvokeStatus) int {
		t.Helper()
		out, err := c.ListAsyncInvokes(t.Context(), &bedrockruntime.ListAsyncInvokesInput{StatusEquals: status})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.AsyncInvokeSummaries)
	}
	const running, completed, failed = types.AsyncInvokeStatusInProgress, types.AsyncInvokeStatusCompleted, types.AsyncInvokeStatusFailed
	jobs := []*string{start(), start(), start(), start(), start()}
	if listed(running) != 3 || listed(failed) != 1 || listed(completed) != 1 {
		t.Errorf("%d are running, %d failed, %d complete", listed(running), listed(failed), listed(completed))
	}
	for i, want := range [][]types.AsyncInvokeStatus{
		{running, running, completed, completed}, {running, failed, failed}, {failed}, {running, running, running, running}, {completed},
	} {
		for poll, status := range want {
			got, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: jobs[i]})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != status || (got.EndTime == nil) != (status == running) || (got.FailureMessage == nil) != (status != failed) {
				t.Errorf("job %d, poll %d: %s, ended %v, %v", i, poll, got.Status, got.EndTime, aws.ToString(got.FailureMessage))
			}
		}
	}
	if listed(running) != 1 || listed(failed) != 2 || listed(completed) != 2 {
		t.Errorf("%d are running, %d failed, %d complete", listed(running), listed(failed), listed(completed))
	}
}

func TestAsyncInvoke(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		c := probe.Client(s)
		start := func(token, text string) (*bedrockruntime.StartAsyncInvokeOutput, error) {
			return c.StartAsyncInvoke(t.Context(), &bedrockruntime.StartAsyncInvokeInput{
				ModelId: aws.String("amazon.nova-reel-v1:0"), ClientRequestToken: aws.String(token),
				ModelInput:       document.NewLazyDocument(map[string]any{"text": text}),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/videos")}},
				Tags:             []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
			})
		}
		first, err := start("token-1", "a fox")
		if err != nil {
			t.Fatal(err)
		}
		again, err := start("token-1", "a fox")
		if err != nil || *again.InvocationArn != *first.InvocationArn {
			t.Errorf("%v, %v", again, err)
		}
		_, err = start("token-1", "a hare")
		probe.WantCode(t, err, 400, "ConflictException")
		second, err := start("token-2", "a hare")
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: first.InvocationArn})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != types.AsyncInvokeStatusCompleted || got.SubmitTime == nil || *got.ClientRequestToken != "token-1" ||
			*got.OutputDataConfig.(*types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig).Value.S3Uri != "s3://bucket/videos" {
			t.Errorf("%+v", got)
		}
		var listed []string
		pages := bedrockruntime.NewListAsyncInvokesPaginator(c, &bedrockruntime.ListAsyncInvokesInput{MaxResults: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, summary := range page.AsyncInvokeSummaries {
				listed = append(listed, *summary.InvocationArn)
			}
		}
		if len(listed) != 2 || listed[0] != *second.InvocationArn {
			t.Errorf("%v", listed)
		}
		in := s.Calls()[0].Input.(*bedrockruntime.StartAsyncInvokeInput)
		var modelInput struct {
			Text string `json:"text"`
		}
		raw, err := in.ModelInput.MarshalSmithyDocument()
		if err != nil || json.Unmarshal(raw, &modelInput) != nil || modelInput.Text != "a fox" || len(in.Tags) != 1 {
			t.Errorf("%s %+v %v", raw, in, err)
		}
		_, err = c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/none")})
		probe.WantCode(t, err, 400, "ValidationException")
	})
}
