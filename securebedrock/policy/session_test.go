package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// american is a client of n models through the profiles of the United States, which has
// three regions.
func american(n int) (securebedrock.Options, Account) {
	opts, acct := one()
	opts.Region, opts.Residency = "us-east-1", securebedrock.Geography("us")
	opts.Role = &securebedrock.Role{ARN: "arn:aws:iam::111122223333:role/app"}
	opts.Models = nil
	for i := range n {
		opts.Models = append(opts.Models, fmt.Sprintf("us.anthropic.claude-%02d-sonnet-2025%02d14-v1:0", i+10, i%12+1))
	}
	return opts, acct
}

func TestSessionIsAsReadableAsItsSizeAllows(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		models int
		want   []string // parts of the text
		not    string
	}{
		{1, []string{"arn:aws:bedrock:us-east-2::foundation-model/anthropic.claude-10-", "inference-profile/us.anthropic.claude-10-"}, "Deny"},
		{4, []string{"arn:aws:bedrock:*::foundation-model/anthropic.claude-13-", "inference-profile/us.anthropic.claude-13-"}, "Deny"},
		{20, []string{"*/us.anthropic.claude-29-", "inference-profile/us.*"}, "inference-profile/us.anthropic"},
	} {
		opts, acct := american(row.models)
		d, err := Session(specOf(t, opts, acct))
		if err != nil {
			t.Errorf("%d models: %v", row.models, err)
			continue
		}
		text := d.JSON()
		t.Logf("%d models take %d characters", row.models, d.Size())
		for _, want := range row.want {
			if !strings.Contains(text, want) {
				t.Errorf("%d models: %s is not in %s", row.models, want, text)
			}
		}
		if strings.Contains(text, row.not) {
			t.Errorf("%d models: %s is in %s", row.models, row.not, text)
		}
	}
	opts, acct := american(60)
	_, err := Session(specOf(t, opts, acct))
	var size *SizeError
	if !errors.As(err, &size) || size.Limit != 2048 || size.Size <= 2048 || !strings.Contains(size.Largest, "ProfileModels1") {
		t.Errorf("60 models give %v", err)
	}
}
