package securebedrock_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// answeringSTS answers as it is told.
type answeringSTS struct {
	arn  string
	ends *time.Duration // from now; nil: not said
	out  func(*sts.AssumeRoleOutput) *sts.AssumeRoleOutput
}

func (s answeringSTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	out := &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: &s.arn},
		Credentials:     &ststypes.Credentials{AccessKeyId: aws.String("ASIAHUNTER2"), SecretAccessKey: aws.String("hunter2"), SessionToken: aws.String("hunter2")},
	}
	if s.ends != nil {
		out.Credentials.Expiration = aws.Time(time.Now().Add(*s.ends))
	}
	if s.out != nil {
		out = s.out(out)
	}
	return out, nil
}

// A session signs calls only where it is the one that was asked for.
func TestSessionIsTheOneAskedFor(t *testing.T) {
	const right = "arn:aws:sts::123456789012:assumed-role/App/claims"
	in := func(d time.Duration) *time.Duration { return &d }
	for _, row := range []struct {
		name, arn string
		ends      *time.Duration
		out       func(*sts.AssumeRoleOutput) *sts.AssumeRoleOutput
		says      string // empty: the session is taken
	}{
		{"the one", right, in(time.Hour), nil, ""},
		{"with a clock that is a little behind", right, in(90 * time.Minute), nil, ""},
		{"a role's name in another case", "arn:aws:sts::123456789012:assumed-role/app/claims", in(time.Hour), nil, ""},
		{"from an STS that does not name it", right, in(time.Hour), func(o *sts.AssumeRoleOutput) *sts.AssumeRoleOutput { o.AssumedRoleUser = nil; return o }, ""},
		{"of another account", "arn:aws:sts::999999999999:assumed-role/App/claims", in(time.Hour), nil, "999999999999"},
		{"of another role", "arn:aws:sts::123456789012:assumed-role/Admin/claims", in(time.Hour), nil, "Admin"},
		{"of a role whose name only begins alike", "arn:aws:sts::123456789012:assumed-role/App2/claims", in(time.Hour), nil, "App2"},
		{"under another name", "arn:aws:sts::123456789012:assumed-role/App/someone", in(time.Hour), nil, "someone"},
		{"with a longer path", "arn:aws:sts::123456789012:assumed-role/App/claims/x", in(time.Hour), nil, "claims/x"},
		{"of another partition", "arn:aws-cn:sts::123456789012:assumed-role/App/claims", in(time.Hour), nil, "aws-cn"},
		{"of a federated user", "arn:aws:sts::123456789012:federated-user/claims", in(time.Hour), nil, "federated-user"},
		{"of nobody", "", in(time.Hour), nil, `""`},
		{"of a text", "hunter2 hunter2", in(time.Hour), nil, "(no ARN)"},
		{"that is over", right, in(-time.Second), nil, "ended at"},
		{"that ends in twenty years", right, in(20 * 365 * 24 * time.Hour), nil, "ends at"},
		{"that has no end", right, nil, nil, "without an end"},
		{"without credentials", right, in(time.Hour), func(o *sts.AssumeRoleOutput) *sts.AssumeRoleOutput { o.Credentials = nil; return o }, "no session"},
		{"that is nothing at all", right, in(time.Hour), func(*sts.AssumeRoleOutput) *sts.AssumeRoleOutput { return nil }, "nothing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var arrived atomic.Int32
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				unproven(w, r)
			}), func(o *opts) {
				o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/some/path/App", SessionName: "claims", STS: answeringSTS{row.arn, row.ends, row.out}}
			})
			_, err := c.Converse(t.Context(), converse("a secret"))
			if row.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refusedBy(t, err, securebedrock.ErrAuth)
			if !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "role/some/path/App") && row.says != "nothing" || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
				t.Errorf("the error says %v", err)
			}
			if arrived.Load() > 0 {
				t.Error("the call went out")
			}
		})
	}
}

// An STS answer without end is not read to its end, whose client it may be.
func TestEndlessSTS(t *testing.T) {
	var sent atomic.Int64
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><X>`)
		for sent.Load() < 256<<20 {
			n, err := io.WriteString(w, strings.Repeat(" ", 1<<16))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) {
		o.Role.STS = sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &endless.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("A", "s", "")})
	})
	_, err := c.Converse(t.Context(), converse("a secret"))
	if !errors.Is(err, securebedrock.ErrAnswerSize) {
		t.Errorf("got %v", err)
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
	nothingArrived(t, server)
}
