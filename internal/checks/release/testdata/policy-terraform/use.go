package main

import (
	"bytes"
	"fmt"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy/terraform"
)

// use puts the module into the options. What it returns is called after the call.
func use(_ *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	text, err := terraform.File([]policy.Document{{
		Name: "session", Kind: policy.KindManaged,
		Statements: []policy.Statement{{Sid: "Invoke", Effect: policy.Allow, Action: []string{"bedrock:InvokeModel"}, Resource: []string{"arn:aws:bedrock:" + opts.Region + "::foundation-model/*"}}},
	}})
	if err == nil && !bytes.Contains(text, []byte(`resource "aws_iam_policy" "session"`)) {
		err = fmt.Errorf("no policy in %s", text)
	}
	return func() error { return nil }, err
}
