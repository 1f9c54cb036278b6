package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
)

// invocation is one InvokeModel and its answer.
type invocation struct {
	*exchange
	in     *bedrockruntime.InvokeModelInput
	family *family.Form // nil for a model that only ReplyInvoke answers for
	state  family.Reading
	raw    []byte // the body that ReplyInvoke returned; nil: the family writes the body
	async  bool
}

// answer returns what the family's form writes.
func (x *invocation) answer() *family.Answer {
	return &family.Answer{Model: aws.ToString(x.in.ModelId), Out: x.out, Stop: x.stop, PromptBlocked: x.promptBlocked()}
}
