package bedrocktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Each job goes through the states that the script gives it.
func TestAsyncJobs(t *testing.T) {
	s := bedrocktest.NewServer(t)
	s.AsyncJobs(bedrocktest.AsyncJob{Polls: 2}, bedrocktest.AsyncJob{Polls: 1, Failure: "no such bucket"})
	s.AsyncJobs(bedrocktest.AsyncJob{Failure: "at once"}, bedrocktest.AsyncJob{Polls: -1})
	c := client(s)
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
