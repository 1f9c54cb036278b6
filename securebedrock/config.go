package securebedrock

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// Config returns an aws.Config for a library that makes its own client of Bedrock
// Runtime with bedrockruntime.NewFromConfig. Such a client is guarded like the client of
// Runtime, and Close and Shutdown end its calls, too:
//
//	model, err := library.New(library.WithAWSConfig(client.Config()))
//
// The guard is among the configuration's ServiceOptions. What the library changes in
// the configuration afterwards does not move a call: region, endpoint, HTTP client,
// credentials, retries, API options. The same holds for options that the library gives
// to NewFromConfig or to a call, except that the gate refuses a call whose credentials,
// signature, endpoint resolver or API options they replace. A library that replaces
// ServiceOptions has taken the guard out: the configuration then has neither credentials
// nor a network. A library that takes a region and nothing else, or signs requests by
// itself, cannot be guarded by Config. Use package bedrockhttp for it.
//
// The configuration serves Bedrock Runtime alone. A client of another service that is
// made with it (STS, S3, Bedrock's control plane) refuses each call with ErrConfig and
// sends nothing. NewFromConfig and Wrap refuse what was made of it, since it is guarded
// already.
//
// Each call of Config returns slices of its own.
func (c *Client) Config() aws.Config {
	own := c.inner.Options() // a copy
	return aws.Config{
		Region:                     c.g.region,
		Credentials:                c.credentials,
		HTTPClient:                 pinned.Refusing{Refuse: c.outside.roundTheGate},
		Retryer:                    func() aws.Retryer { return aws.NopRetryer{} }, // of clients that do not heed ServiceOptions
		APIOptions:                 own.APIOptions,
		Interceptors:               own.Interceptors,
		Logger:                     own.Logger,
		ClientLogMode:              own.ClientLogMode,
		AppID:                      own.AppID,
		DisableClockSkewCorrection: own.DisableClockSkewCorrection,
		ServiceOptions: []func(string, any){func(_ string, options any) {
			o, ok := options.(*bedrockruntime.Options)
			if !ok {
				refuseService(options)
				return
			}
			o.IdempotencyTokenProvider, o.MeterProvider = own.IdempotencyTokenProvider, own.MeterProvider
			c.open(o)
			o.AuthSchemes = slices.Clone(o.AuthSchemes) // the library's options can write into them
		}},
	}
}

// open guards a client whose caller's options come after the guard's.
func (c *Client) open(o *bedrockruntime.Options) {
	o.APIOptions = append(slices.Clip(o.APIOptions), c.installer.installOpen)
	o.TracerProvider = c.installer.outermost
	c.pin(o)
}
