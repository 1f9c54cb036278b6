package securebedrock

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

// eventStream is what the SDK's stream types have in common.
type eventStream interface {
	Close() error
	Err() error
}

func eventStreamOf(out any) eventStream {
	switch out := out.(type) {
	case *bedrockruntime.ConverseStreamOutput:
		if out != nil && out.GetStream() != nil {
			return out.GetStream()
		}
	case *bedrockruntime.InvokeModelWithResponseStreamOutput:
		if out != nil && out.GetStream() != nil {
			return out.GetStream()
		}
	case *bedrockruntime.InvokeModelWithBidirectionalStreamOutput:
		if out != nil && out.GetStream() != nil {
			return out.GetStream()
		}
	}
	return nil
}

// takeAll takes the events that nobody has read.
func takeAll(es eventStream) {
	switch es := es.(type) {
	case *bedrockruntime.ConverseStreamEventStream:
		for range es.Events() {
		}
	case *bedrockruntime.InvokeModelWithResponseStreamEventStream:
		for range es.Events() {
		}
	case *bedrockruntime.InvokeModelWithBidirectionalStreamEventStream:
		for range es.Events() {
		}
	}
}
