package bedrocktest_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestInvokeModelWithResponseStream(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		chunks := probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId: aws.String(probe.Model), Body: probe.InvokeBody(t, "count to three"), ContentType: aws.String("application/json"), Accept: aws.String("application/json"),
		})
		var kinds []string
		var text string
		for _, chunk := range chunks {
			var c struct {
				Type  string
				Delta struct{ Text string }
			}
			if err := json.Unmarshal([]byte(chunk), &c); err != nil {
				t.Fatal(err)
			}
			text += c.Delta.Text
			if len(kinds) == 0 || kinds[len(kinds)-1] != c.Type {
				kinds = append(kinds, c.Type)
			}
		}
		if got := fmt.Sprint(kinds); got != "[message_start content_block_start content_block_delta content_block_stop message_delta message_stop]" {
			t.Error(got)
		}
		probe.Contains(t, text, "count to three")
		probe.Contains(t, chunks[len(chunks)-1], `"inputTokenCount":3`)
		if in := s.Calls()[0].Input.(*bedrockruntime.InvokeModelWithResponseStreamInput); *in.Accept != "application/json" {
			t.Errorf("%+v", in)
		}
	})
}
