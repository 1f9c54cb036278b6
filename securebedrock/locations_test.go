package securebedrock

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// What was checked is a copy: the caller still has the pointers, and the
// serializer reads after the rule.
func TestPlaceIsCopied(t *testing.T) {
	const checked, changed = "s3://bucket/x", "s3://mine--usw2-az1--x-s3/x"
	rs := &ruleset{region: "us-east-1"}
	uri := checked
	result := &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{
		&types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{
			Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: &uri}}}}}}}
	in := &bedrockruntime.ConverseInput{Messages: []types.Message{{Content: []types.ContentBlock{result}}}}
	if err := locationRule(context.Background(), rs, judgement{}, in); err != nil {
		t.Fatal(err)
	}
	uri = changed
	result.Value.Content[0].(*types.ToolResultContentBlockMemberImage).Value.Source = nil
	got := in.Messages[0].Content[0].(*types.ContentBlockMemberToolResult).Value.Content[0].(*types.ToolResultContentBlockMemberImage).Value.Source
	if l, ok := got.(*types.ImageSourceMemberS3Location); !ok || *l.Value.Uri != checked {
		t.Errorf("would send %+v", got)
	}

	out := &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String(checked), KmsKeyId: aws.String("alias/mine")}}
	start := &bedrockruntime.StartAsyncInvokeInput{OutputDataConfig: out}
	if err := locationRule(context.Background(), rs, judgement{}, start); err != nil {
		t.Fatal(err)
	}
	*out.Value.S3Uri, *out.Value.KmsKeyId = changed, "arn:aws:kms:eu-west-1:123456789012:alias/mine"
	if l := start.OutputDataConfig.(*types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig).Value; *l.S3Uri != checked || *l.KmsKeyId != "alias/mine" {
		t.Errorf("would send %s %s", *l.S3Uri, *l.KmsKeyId)
	}
}

// A prompt without a place in S3 costs no allocation here.
func TestPlacesCostNothing(t *testing.T) {
	rs := &ruleset{region: "us-east-1"}
	in := &bedrockruntime.ConverseInput{Messages: []types.Message{{Content: []types.ContentBlock{
		&types.ContentBlockMemberText{Value: "hello"}, &types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberBytes{Value: []byte("x")}}},
		&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "x"}}}}}}}}
	if n := testing.AllocsPerRun(100, func() { _ = locationRule(context.Background(), rs, judgement{}, in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRegionalBucket(t *testing.T) {
	for name, want := range map[string][2]string{
		"mine-123456789012-us-east-1-an":           {"123456789012", "us-east-1"},
		"a-b-123456789012-us-gov-west-1-an":        {"123456789012", "us-gov-west-1"},
		"a-999999999999-123456789012-us-east-1-an": {"123456789012", "us-east-1"},
		"mine-123456789012-us-east-1":              {},
		"mine-123456789012-nowhere-an":             {},
		"mine-us-east-1-an":                        {},
		"an":                                       {},
		"-an":                                      {},
		"123456789012-us-east-1-an":                {}, // without the beginning that it must have
	} {
		account, region, ok := regionalBucket(name)
		if account != want[0] && ok || ok != (want[0] != "") || ok && region != want[1] {
			t.Errorf("%s: %q %q %v", name, account, region, ok)
		}
	}
}

func FuzzBucket(f *testing.F) {
	for _, s := range []string{"s3://bucket/x", "s3://mine-123456789012-us-east-1-an/x", "s3://a--x-s3/", "s3://1.2.3.4", "arn:aws:s3:::b", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		rs := &ruleset{region: "us-east-1", accounts: []string{"123456789012"}}
		if err := rs.bucket(&uri, nil); err != nil {
			return
		}
		if len(uri) < len("s3://abc") || uri[:5] != "s3://" {
			t.Errorf("%q passed", uri)
		}
	})
}
