package bedrocktest

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// asyncInvokes are the invocations started. They complete at once, and write
// nothing to S3.
type asyncInvokes struct {
	mu      sync.Mutex
	started []asyncInvoke
}

type asyncInvoke struct {
	types.AsyncInvokeSummary
	token string
	body  [sha256.Size]byte
}

func (s *Server) startAsync(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.StartAsyncInvokeInput)
	if err := checkModel(aws.ToString(in.ModelId)); err != nil {
		return err
	}
	if in.ModelInput == nil || in.OutputDataConfig == nil {
		return invalid("Both modelInput and outputDataConfig are required.")
	}
	arn, err := s.async.start(s.settings.region, in, sha256.Sum256(r.body))
	if err != nil {
		return err
	}
	return s.respond(w, r, http.StatusOK, &bedrockruntime.StartAsyncInvokeOutput{InvocationArn: aws.String(arn)})
}

// start is idempotent by the request's token.
func (a *asyncInvokes) start(region string, in *bedrockruntime.StartAsyncInvokeInput, body [sha256.Size]byte) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := aws.ToString(in.ClientRequestToken)
	for _, old := range a.started {
		if token == "" || old.token != token {
			continue
		}
		if old.body != body {
			return "", &apiError{status: statusOf("ConflictException"), code: "ConflictException", message: "The client request token was used with another request."}
		}
		return *old.InvocationArn, nil
	}
	model := *in.ModelId
	if !strings.HasPrefix(model, "arn:") {
		model = "arn:aws:bedrock:" + region + "::foundation-model/" + model
	}
	id := strings.ReplaceAll(newID(), "-", "")[:12]
	now := aws.Time(time.Now().UTC().Truncate(time.Millisecond))
	made := asyncInvoke{token: token, body: body, AsyncInvokeSummary: types.AsyncInvokeSummary{
		InvocationArn:      aws.String("arn:aws:bedrock:" + region + ":" + accountID + ":async-invoke/" + id),
		ModelArn:           aws.String(model),
		OutputDataConfig:   in.OutputDataConfig,
		ClientRequestToken: in.ClientRequestToken,
		Status:             types.AsyncInvokeStatusCompleted,
		SubmitTime:         now,
		LastModifiedTime:   now,
		EndTime:            now,
	}}
	a.started = append(a.started, made)
	return *made.InvocationArn, nil
}

func (a *asyncInvokes) list() []asyncInvoke {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.started)
}

func (s *Server) getAsync(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.GetAsyncInvokeInput)
	for _, a := range s.async.list() {
		if *a.InvocationArn == aws.ToString(in.InvocationArn) {
			return s.respond(w, r, http.StatusOK, &bedrockruntime.GetAsyncInvokeOutput{
				InvocationArn:      a.InvocationArn,
				ModelArn:           a.ModelArn,
				OutputDataConfig:   a.OutputDataConfig,
				ClientRequestToken: a.ClientRequestToken,
				Status:             a.Status,
				SubmitTime:         a.SubmitTime,
				LastModifiedTime:   a.LastModifiedTime,
				EndTime:            a.EndTime,
			})
		}
	}
	return invalid("The provided invocation ARN does not exist.")
}

// listAsync pages with the index of the next invocation as its token.
func (s *Server) listAsync(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.ListAsyncInvokesInput)
	found := slices.DeleteFunc(s.async.list(), func(a asyncInvoke) bool {
		return in.StatusEquals != "" && a.Status != in.StatusEquals ||
			in.SubmitTimeAfter != nil && !a.SubmitTime.After(*in.SubmitTimeAfter) ||
			in.SubmitTimeBefore != nil && !a.SubmitTime.Before(*in.SubmitTimeBefore)
	})
	if in.SortOrder != types.SortOrderAscending {
		slices.Reverse(found)
	}
	from, size := 0, len(found)
	if in.NextToken != nil {
		var err error
		if from, err = strconv.Atoi(*in.NextToken); err != nil || from < 0 || from > len(found) {
			return invalid("The nextToken is invalid.")
		}
	}
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > 1000 {
			return invalid("maxResults must be between 1 and 1000.")
		}
		size = int(*in.MaxResults)
	}
	to := min(from+size, len(found))
	out := &bedrockruntime.ListAsyncInvokesOutput{AsyncInvokeSummaries: []types.AsyncInvokeSummary{}}
	for _, a := range found[from:to] {
		out.AsyncInvokeSummaries = append(out.AsyncInvokeSummaries, a.AsyncInvokeSummary)
	}
	if to < len(found) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return s.respond(w, r, http.StatusOK, out)
}
