package bedrocktest_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestInvokeModelWithBidirectionalStream(t *testing.T) {
	s := bedrocktest.NewServer(t)
	out, err := probe.Client(s).InvokeModelWithBidirectionalStream(t.Context(), &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")})
	if err != nil {
		t.Fatal(err)
	}
	talk := out.GetStream()
	for i := range 5 {
		sent := fmt.Appendf(nil, `{"event":{"n":%d}}`, i)
		if err := talk.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: sent}}); err != nil {
			t.Fatal(err)
		}
		event, ok := <-talk.Events()
		if !ok {
			t.Fatal(talk.Err())
		}
		if got := event.(*types.InvokeModelWithBidirectionalStreamOutputMemberChunk).Value.Bytes; !bytes.Equal(got, sent) {
			t.Errorf("%s came back for %s", got, sent)
		}
	}
	if err := talk.Close(); err != nil {
		t.Error(err)
	}
	call := s.Calls()[0]
	if call.Proto != "HTTP/2.0" || call.Status != 200 || len(call.Body) != 5*len(`{"event":{"n":0}}`) || call.ModelID != "amazon.nova-sonic-v1:0" {
		t.Errorf("%+v", call)
	}
}
