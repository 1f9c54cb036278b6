package bedrocktest

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// AsyncJob is how an asynchronous invocation goes. The zero AsyncJob completes at
// once.
type AsyncJob struct {
	// Polls is the number of calls of GetAsyncInvoke that find the job InProgress
	// before it ends. A negative number means that the job never ends.
	Polls int
	// Failure, if not empty, makes the job end as Failed with this message.
	Failure string
}

// asyncInvokes holds the invocations that have been started.
type asyncInvokes struct {
	region string

	mu      sync.Mutex
	started []asyncInvoke
	script  []AsyncJob
}

type asyncInvoke struct {
	types.AsyncInvokeSummary
	token string
	body  [sha256.Size]byte
	job   AsyncJob
}

// end ends a job whose polls are used up.
func (a *asyncInvoke) end() {
	now := aws.Time(time.Now().UTC().Truncate(time.Millisecond))
	a.LastModifiedTime, a.EndTime = now, now
	a.Status = types.AsyncInvokeStatusCompleted
	if a.job.Failure != "" {
		a.Status, a.FailureMessage = types.AsyncInvokeStatusFailed, aws.String(a.job.Failure)
	}
}

// add scripts the next jobs.
func (a *asyncInvokes) add(jobs []AsyncJob) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script = append(a.script, jobs...)
}

// poll finds a job, and counts the call.
func (a *asyncInvokes) poll(arn string) (asyncInvoke, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.started {
		job := &a.started[i]
		if *job.InvocationArn != arn {
			continue
		}
		if job.Status == types.AsyncInvokeStatusInProgress {
			if job.job.Polls == 0 {
				job.end()
			} else if job.job.Polls > 0 {
				job.job.Polls--
			}
		}
		return *job, true
	}
	return asyncInvoke{}, false
}

func (a *asyncInvokes) startAsync(w *responder, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.StartAsyncInvokeInput)
	arn, err := a.start(in, sha256.Sum256(r.parts.Body))
	if err != nil {
		return err
	}
	return w.respond(&bedrockruntime.StartAsyncInvokeOutput{InvocationArn: aws.String(arn)})
}

// start returns the same ARN for the same token.
func (a *asyncInvokes) start(in *bedrockruntime.StartAsyncInvokeInput, body [sha256.Size]byte) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := aws.ToString(in.ClientRequestToken)
	for _, old := range a.started {
		if token == "" || old.token != token {
			continue
		}
		if old.body != body {
			return "", &wire.Error{Status: wire.StatusOf("ConflictException"), Code: "ConflictException", Message: "The client request token was used with another request."}
		}
		return *old.InvocationArn, nil
	}
	model := *in.ModelId
	if !strings.HasPrefix(model, "arn:") {
		model = "arn:aws:bedrock:" + a.region + "::foundation-model/" + model
	}
	id := strings.ReplaceAll(ids.New(), "-", "")[:12]
	now := aws.Time(time.Now().UTC().Truncate(time.Millisecond))
	made := asyncInvoke{token: token, body: body, AsyncInvokeSummary: types.AsyncInvokeSummary{
		InvocationArn:      aws.String("arn:aws:bedrock:" + a.region + ":" + ids.Account + ":async-invoke/" + id),
		ModelArn:           aws.String(model),
		OutputDataConfig:   in.OutputDataConfig,
		ClientRequestToken: in.ClientRequestToken,
		Status:             types.AsyncInvokeStatusInProgress,
		SubmitTime:         now,
		LastModifiedTime:   now,
	}}
	if len(a.script) > 0 {
		made.job, a.script = a.script[0], a.script[1:]
	}
	if made.job.Polls == 0 {
		made.end()
	}
	a.started = append(a.started, made)
	return *made.InvocationArn, nil
}

func (a *asyncInvokes) list() []asyncInvoke {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.started)
}

func (a *asyncInvokes) getAsync(w *responder, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.GetAsyncInvokeInput)
	if job, ok := a.poll(aws.ToString(in.InvocationArn)); ok {
		return w.respond(&bedrockruntime.GetAsyncInvokeOutput{
			InvocationArn:      job.InvocationArn,
			ModelArn:           job.ModelArn,
			OutputDataConfig:   job.OutputDataConfig,
			ClientRequestToken: job.ClientRequestToken,
			Status:             job.Status,
			FailureMessage:     job.FailureMessage,
			SubmitTime:         job.SubmitTime,
			LastModifiedTime:   job.LastModifiedTime,
			EndTime:            job.EndTime,
		})
	}
	return wire.Invalid("The provided invocation ARN does not exist.")
}

// listAsync uses the index of the next invocation as the token of the next page.
func (a *asyncInvokes) listAsync(w *responder, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.ListAsyncInvokesInput)
	found := slices.DeleteFunc(a.list(), func(job asyncInvoke) bool {
		return in.StatusEquals != "" && job.Status != in.StatusEquals ||
			in.SubmitTimeAfter != nil && !job.SubmitTime.After(*in.SubmitTimeAfter) ||
			in.SubmitTimeBefore != nil && !job.SubmitTime.Before(*in.SubmitTimeBefore)
	})
	if in.SortOrder != types.SortOrderAscending {
		slices.Reverse(found)
	}
	from, size := 0, len(found)
	if in.NextToken != nil {
		var err error
		if from, err = strconv.Atoi(*in.NextToken); err != nil || from < 0 || from > len(found) {
			return wire.Invalid("The nextToken is invalid.")
		}
	}
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > 1000 {
			return wire.Invalid("maxResults must be between 1 and 1000.")
		}
		size = int(*in.MaxResults)
	}
	to := min(from+size, len(found))
	out := &bedrockruntime.ListAsyncInvokesOutput{AsyncInvokeSummaries: []types.AsyncInvokeSummary{}}
	for _, job := range found[from:to] {
		out.AsyncInvokeSummaries = append(out.AsyncInvokeSummaries, job.AsyncInvokeSummary)
	}
	if to < len(found) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return w.respond(out)
}
