package policy

import (
	"github.com/securebedrock/securebedrock-go/securebedrock"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// Spec is what the documents are made of: the Options of a client and the Account under
// it, checked by For. A Spec is immutable and safe for concurrent use.
type Spec struct {
	opts securebedrock.Options // a copy
	acct Account               // a copy

	region    string
	partition string
	account   string
	regions   []string // Region and Residency, sorted; "*" is not in it
	anywhere  bool     // "*" in Residency

	guardrail string // the guardrail's ARN; empty where Options are unguarded
	version   string // the guardrail's
	models    []allowed
}

// allowed is one entry of Options.Models as IAM's resources.
type allowed struct {
	entry   string // as Options have it
	profile string // the ARN of the inference profile in the account, a pattern perhaps; empty for a model itself

	models       []string // foundation model IDs, patterns perhaps
	destinations []string // regions of the models; "*" in a global profile
}

// For makes the Spec of a client's Options in an account. It needs no network. It reports
// every fault at once, each wrapped in securebedrock.ErrConfig and naming its field.
func For(opts securebedrock.Options, acct Account) (*Spec, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return &Spec{opts: opts, acct: acct, region: opts.Region, partition: regions.PartitionOf(opts.Region), account: acct.ID}, nil
}
