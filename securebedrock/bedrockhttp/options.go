package bedrockhttp

import (
	"log/slog"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/hostname"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// HandlerOptions say who may use a Handler, and bound what a caller may cost. Handler
// copies them.
type HandlerOptions struct {
	// Keys are the keys of the callers. A request without one of them is refused
	// before its body is read.
	Keys *Keys
	// Open is the reason why requests need no key, for whoever reads the program. Either
	// Keys or Open is required.
	Open string
	// Hosts are the names that a request's Host header may have beside the names of the
	// loopback interface. A port is ignored.
	Hosts []string
	// MaxBody bounds a request's body, in bytes. Zero is 32 MiB.
	MaxBody int64
	// BodyTimeout bounds the time in which no byte of a request's body arrives, and the
	// time in which the caller takes no byte of the answer. A whole body may take ten
	// times as long. Zero is 30 seconds.
	BodyTimeout time.Duration
	// MaxInFlight bounds the requests that are served at one time, open streams
	// included. Zero is 1024. More requests get status 503 with Retry-After.
	MaxInFlight int
	// Log receives one line for each request that the Handler refuses before a call is
	// made of it. A line never contains a prompt, a credential or a header's value. Nil
	// is no log.
	Log *slog.Logger
}

// Defaults of HandlerOptions.
const (
	defaultMaxBody     = 32 << 20
	defaultBodyTimeout = 30 * time.Second
	defaultMaxInFlight = 1024
)

// Validate returns all faults of the options, each of which wraps
// securebedrock.ErrConfig.
func (o *HandlerOptions) Validate() error {
	f := refusal.Faults{Scope: "HandlerOptions."}
	switch {
	case o.Keys == nil && o.Open == "":
		f.Add("Keys", "nobody may enter; set Keys, or set Open to the reason why requests need no key")
	case o.Keys != nil && o.Open != "":
		f.Add("Open", "requests need no key, and Keys are set; set one of the two")
	}
	for _, host := range o.Hosts {
		if what := hostname.Fault(host); what != "" {
			f.Add("Hosts", "%s: %s", refusal.Quoted(host), what)
		}
	}
	if o.MaxBody < 0 {
		f.Add("MaxBody", "%d is negative; zero is %d", o.MaxBody, int64(defaultMaxBody))
	}
	if o.BodyTimeout < 0 {
		f.Add("BodyTimeout", "%v is negative; zero is %v", o.BodyTimeout, defaultBodyTimeout)
	}
	if o.MaxInFlight < 0 {
		f.Add("MaxInFlight", "%d is negative; zero is %d", o.MaxInFlight, defaultMaxInFlight)
	}
	return f.Err()
}

// withDefaults fills in the defaults of zero fields, and copies what the caller may
// change.
func withDefaults(o HandlerOptions) HandlerOptions {
	o.Hosts = append([]string(nil), o.Hosts...)
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.BodyTimeout == 0 {
		o.BodyTimeout = defaultBodyTimeout
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = defaultMaxInFlight
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
