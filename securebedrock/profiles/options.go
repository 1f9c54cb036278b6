package profiles

import (
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Options says where and how long. It is plain data, copied by New.
type Options struct {
	// Region is the region whose control plane is asked: the client's own
	// Options.Region, since the destinations depend on it. Required.
	Region string

	// Endpoint names the control plane's VPC endpoint (of the service
	// com.amazonaws.REGION.bedrock, which is another than the client's
	// bedrock-runtime) or its FIPS or dual-stack host. Zero means the region's
	// public host, bedrock.REGION.amazonaws.com. A URL is https, or http on a
	// loopback address. It is never read from the environment.
	Endpoint securebedrock.Endpoint

	// AgentEndpoint names the VPC endpoint of bedrock-agent
	// (com.amazonaws.REGION.bedrock-agent), which alone tells of managed prompts,
	// or its FIPS or dual-stack host. Zero means the public host,
	// bedrock-agent.REGION.amazonaws.com, with Endpoint's FIPS and DualStack;
	// where Endpoint has a URL it means none, and prompts are refused.
	AgentEndpoint securebedrock.Endpoint

	// Timeout bounds the question to the control plane, its retries included.
	// Zero means 10 s. A caller waits no longer than its own context. A dial, a TLS
	// handshake and a silence may each take a quarter of Timeout: at the most 5 s, 5 s
	// and 60 s.
	Timeout time.Duration

	// SystemTTL is how long the answer about a system profile ("eu.…") is used.
	// Zero means 24 h: AWS states that geographic profiles do not change.
	SystemTTL time.Duration

	// ApplicationTTL is how long the answer about an application inference
	// profile, a prompt router or a published version of a prompt is used. Zero
	// means 5 min. The answer about a prompt's draft is not kept.
	ApplicationTTL time.Duration

	// MaxEntries is how many answers are kept; beyond it, the one that would
	// expire first is dropped. Zero means 1024.
	MaxEntries int
}

// Defaults of Options.
const (
	defaultTimeout        = 10 * time.Second
	defaultSystemTTL      = 24 * time.Hour
	defaultApplicationTTL = 5 * time.Minute
	defaultMaxEntries     = 1024
)

// failureTTL is how long a failure is remembered, so that a control plane in
// trouble is asked at most once a second for a profile.
const failureTTL = time.Second

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.SystemTTL == 0 {
		o.SystemTTL = defaultSystemTTL
	}
	if o.ApplicationTTL == 0 {
		o.ApplicationTTL = defaultApplicationTTL
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = defaultMaxEntries
	}
	return o
}

// check reports every fault, under the name of its field.
func (o Options) check(faults *refusal.Faults) {
	switch {
	case o.Region == "":
		faults.Add("Region", "it is required")
	case !regions.Valid(o.Region):
		faults.Add("Region", "%q is not the name of a region", o.Region)
	}
	for _, d := range []struct {
		field string
		d     time.Duration
	}{{"Timeout", o.Timeout}, {"SystemTTL", o.SystemTTL}, {"ApplicationTTL", o.ApplicationTTL}} {
		if d.d < 0 {
			faults.Add(d.field, "%v is negative; zero means the default", d.d)
		}
	}
	if o.MaxEntries < 0 {
		faults.Add("MaxEntries", "%d is negative; zero means the default", o.MaxEntries)
	}
}
