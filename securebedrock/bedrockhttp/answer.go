package bedrockhttp

import (
	"net/http"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// answer is what a request gets.
type answer struct {
	status int
	header http.Header
	body   []byte
	events *eventBody // in the place of body, where the answer is a stream

	bidirectional bool // the request's body goes on during the answer
}

const requestIDHeader = "X-Amzn-Requestid"

// answerOf is the answer that carries an output. metadata is the output's own.
func answerOf(out smithy.Serializable, metadata *middleware.Metadata) (*answer, error) {
	header, body, err := wire.Encode(out)
	if err != nil {
		return nil, unusable(err)
	}
	a := &answer{status: http.StatusOK, header: header, body: body}
	a.addUpstream(metadata)
	return a, nil
}

// addUpstream adds the headers of Bedrock's own answer that no output has: the request
// ID, and those of InvokeModel that count tokens.
func (a *answer) addUpstream(metadata *middleware.Metadata) {
	if raw, ok := awsmiddleware.GetRawResponse(*metadata).(*smithyhttp.Response); ok && raw != nil && raw.Response != nil {
		for name, values := range raw.Header {
			if strings.HasPrefix(name, "X-Amzn-Bedrock-") && a.header[name] == nil {
				a.header[name] = append([]string(nil), values...)
			}
		}
	}
	if id, ok := awsmiddleware.GetRequestIDMetadata(*metadata); ok && id != "" {
		a.header.Set(requestIDHeader, id)
	}
}

// unusable is the answer in the place of one that cannot be passed on whole. The model
// has run. err names types of the SDK, and no value.
func unusable(err error) *wire.Error {
	return &wire.Error{Status: http.StatusFailedDependency, Code: modelError,
		Message: "securebedrock: the answer cannot be passed on: " + err.Error() + "; a newer release of aws-sdk-go-v2 may know it"}
}
