package securebedrock

import (
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// guard is what the steps of one Client share. It is immutable but for its lifetime.
type guard struct {
	lifetime

	region      string
	residency   []string
	anywhere    bool // "*" in Residency
	guardrail   Guardrail
	roleARN     string // of Options.Role
	sessionName string // of its sessions
	unguarded   string
	excused     map[string]string // Options.UnguardedOperations
	models      []string
	accounts    []string // empty: any
	maxTokens   int32
	profiles    ProfileResolver
	timeouts    Timeouts
	rules       []rule
	chain       Handler
	hasMW       bool
	watched     bool // the configuration has steps or interceptors of its own
	endpoint    pinned.Endpoint
	transport   smithyhttp.ClientHandler // over doer
	free        smithyhttp.ClientHandler // the same, for operations that may be sent twice
	duplexed    smithyhttp.ClientHandler // the same, for streams in both directions
	traced      bool                     // the application's TracerProvider wants the SDK's own context
	events      *eventCodec
	answers     *answerReader
	logger      logging.Logger
}
