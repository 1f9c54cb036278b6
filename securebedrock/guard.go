package securebedrock

import (
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// guard is what the steps of one Client share. It is immutable but for its lifetime.
type guard struct {
	lifetime
	settings

	chain     Handler
	watched   bool                     // the configuration has steps or interceptors of its own
	transport smithyhttp.ClientHandler // over doer
	free      smithyhttp.ClientHandler // the same, for operations that may be sent twice
	duplexed  smithyhttp.ClientHandler // the same, for streams in both directions
	traced    bool                     // the application's TracerProvider wants the SDK's own context
	events    *eventCodec
	answers   *answerReader
	logger    logging.Logger
}

// warn writes to the logger of the configuration.
func (g *guard) warn(format string, args ...any) {
	g.logger.Logf(logging.Warn, "securebedrock: "+format, args...)
}
