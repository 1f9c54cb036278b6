package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
)

// invocation is an InvokeModel on its way.
type invocation struct {
	*exchange
	in     *bedrockruntime.InvokeModelInput
	family *family.Form // nil for a model of which only ReplyInvoke knows
	state  family.Reading
	raw    []byte // of ReplyInvoke; nil: the family's answer
	async  bool
}

// answer is what the family's form is to write.
func (x *invocation) answer() *family.Answer {
	return &family.Answer{Model: aws.ToString(x.in.ModelId), Out: x.out, Stop: x.stop, PromptBlocked: x.promptBlocked()}
}
