package wire_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
)

// The generator has every member of every union that a request or an answer can have.
func TestEveryUnionMember(t *testing.T) {
	have := make(map[string]bool)
	for _, m := range unionMembers() {
		have[reflect.TypeOf(m).Elem().Name()] = true
	}
	seen := make(map[string]bool)
	var walk func(s *smithy.Schema)
	walk = func(s *smithy.Schema) {
		name := s.TargetID().Name
		if seen[name] && name != "" {
			return
		}
		seen[name] = true
		for member, m := range s.Members() {
			if s.Type() == smithy.ShapeTypeUnion && !strings.HasSuffix(m.TargetID().Name, "Exception") {
				if want := name + "Member" + strings.ToUpper(member[:1]) + member[1:]; !have[want] {
					t.Errorf("%s is missing", want)
				}
			}
			walk(m)
		}
	}
	for _, s := range []*smithy.Schema{
		schemas.ConverseRequest, schemas.ConverseResponse, schemas.ConverseStreamRequest, schemas.ConverseStreamResponse, schemas.CountTokensRequest,
		schemas.CountTokensResponse, schemas.ApplyGuardrailRequest, schemas.ApplyGuardrailResponse, schemas.InvokeGuardrailChecksRequest,
		schemas.InvokeGuardrailChecksResponse, schemas.InvokeModelRequest, schemas.InvokeModelResponse, schemas.InvokeModelWithResponseStreamResponse,
		schemas.InvokeModelWithBidirectionalStreamRequest, schemas.InvokeModelWithBidirectionalStreamResponse, schemas.StartAsyncInvokeRequest,
		schemas.StartAsyncInvokeResponse, schemas.GetAsyncInvokeResponse, schemas.ListAsyncInvokesResponse,
	} {
		walk(s)
	}
	if len(seen) < 100 {
		t.Errorf("%d shapes", len(seen))
	}
}
