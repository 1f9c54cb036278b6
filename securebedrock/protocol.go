package securebedrock

import (
	"context"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/seal"
)

// protocol writes requests for the guard, and for nobody else. Events it reads and
// writes as the codec does.
type protocol struct {
	*eventCodec
	outside outside
}

// SerializeRequest writes the input that the rules approved, and no other, and
// notes what it made of the input. A request that was written by anything else is
// never approved.
func (p *protocol) SerializeRequest(ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	ex := exchangeOf(ctx)
	switch {
	case ex == nil:
		return p.outside.refuse(ctx, "the request was written outside of the guard's own stack")
	case any(in) != ex.input, op.Schema != ex.op.schema.Schema:
		return ex.named(refuse(ErrEndpoint, "the serializer was given another input or another operation than the rules approved"))
	case !ex.seal.Write():
		return ex.named(refuse(ErrEndpoint, "the serializer ran twice; a step of the SDK's stack replaced it"))
	}
	if err := seal.Unwritten(req); err != nil {
		return ex.named(err)
	}
	if err := p.Protocol.SerializeRequest(ctx, op, in, req); err != nil {
		return err
	}
	if err := ex.request.Capture(req); err != nil {
		return ex.named(err)
	}
	return nil
}
