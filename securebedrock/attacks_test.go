package securebedrock_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The configuration's ClientLogMode is taken over: each mode writes what it is for,
// and only a mode with bodies writes a prompt. The calls succeed with every mode.
func TestLogModes(t *testing.T) {
	const prompt = "a prompt to look for"
	for name, row := range map[string]struct {
		mode   aws.ClientLogMode
		writes []string
		body   bool
	}{
		"none":         {0, nil, false},
		"request":      {aws.LogRequest, []string{"DEBUG Request\n", "POST /model/"}, false},
		"requestBody":  {aws.LogRequestWithBody, []string{"DEBUG Request\n", "POST /model/"}, true},
		"response":     {aws.LogResponse, []string{"DEBUG Response\n", "200 OK"}, false},
		"responseBody": {aws.LogResponseWithBody, []string{"DEBUG Response\n", "200 OK", `"stopReason"`}, true}, // the answer repeats the prompt
		"retries":      {aws.LogRetries, []string{"retrying request"}, false},
		"signing":      {aws.LogSigning, []string{"DEBUG Request Signature:"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			var log bytes.Buffer
			cfg.ClientLogMode = row.mode
			cfg.Logger = logging.NewStandardLogger(&log)
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if name == "retries" {
				server.Fail("Converse", bedrocktest.ServerError(503, 1))
			}
			if _, err := c.Converse(t.Context(), converse(prompt)); err != nil {
				t.Error(err)
			}
			out, err := c.ConverseStream(t.Context(), converseStream(prompt))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := drain(out.GetStream()); err != nil || text == "" {
				t.Error(text, err)
			}
			for _, want := range row.writes {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log has no %q:\n%s", want, &log)
				}
			}
			if len(row.writes) == 0 && log.Len() > 0 {
				t.Errorf("the log is not empty:\n%s", &log)
			}
			if got := strings.Contains(log.String(), prompt); got != row.body {
				t.Errorf("the prompt stands in the log: %t, want %t:\n%s", got, row.body, &log)
			}
		})
	}
}

// record of a rewritten model
type toNova struct{}

func (toNova) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	in.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String("amazon.nova-lite-v1:0")
	return nil
}

// case of the body key
func TestBodyKeyCase(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku),
		Body: []byte(`{"amazon-bedrock-guardrailconfig":{"tagSuffix":"x"},"messages":[]}`)})
	refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
}
