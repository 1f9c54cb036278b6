package securebedrock_test

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// place is what a caller names; the empty parts are left out. name tells the
// documents and the tool results of one conversation apart.
type place struct{ uri, owner, key, name string }

func (p place) s3() types.S3Location {
	l := types.S3Location{Uri: aws.String(p.uri)}
	if p.owner != "" {
		l.BucketOwner = &p.owner
	}
	return l
}

// blocksAt are all blocks of a message that can hold a place in S3, by their path
// in the API.
func blocksAt() map[string]func(place) types.ContentBlock {
	image := func(p place) types.ImageBlock {
		return types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberS3Location{Value: p.s3()}}
	}
	video := func(p place) types.VideoBlock {
		return types.VideoBlock{Format: types.VideoFormatMp4, Source: &types.VideoSourceMemberS3Location{Value: p.s3()}}
	}
	doc := func(p place) types.DocumentBlock {
		return types.DocumentBlock{Name: aws.String("report" + p.name), Format: types.DocumentFormatPdf, Source: &types.DocumentSourceMemberS3Location{Value: p.s3()}}
	}
	result := func(p place, c types.ToolResultContentBlock) types.ContentBlock {
		return &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t" + p.name), Content: []types.ToolResultContentBlock{
			&types.ToolResultContentBlockMemberText{Value: "first"}, c, &types.ToolResultContentBlockMemberText{Value: "last"}}}}
	}
	return map[string]func(place) types.ContentBlock{
		"image":    func(p place) types.ContentBlock { return &types.ContentBlockMemberImage{Value: image(p)} },
		"video":    func(p place) types.ContentBlock { return &types.ContentBlockMemberVideo{Value: video(p)} },
		"document": func(p place) types.ContentBlock { return &types.ContentBlockMemberDocument{Value: doc(p)} },
		"audio": func(p place) types.ContentBlock {
			return &types.ContentBlockMemberAudio{Value: types.AudioBlock{Format: types.AudioFormatMp3, Source: &types.AudioSourceMemberS3Location{Value: p.s3()}}}
		},
		"toolResult.content.image": func(p place) types.ContentBlock {
			return result(p, &types.ToolResultContentBlockMemberImage{Value: image(p)})
		},
		"toolResult.content.video": func(p place) types.ContentBlock {
			return result(p, &types.ToolResultContentBlockMemberVideo{Value: video(p)})
		},
		"toolResult.content.document": func(p place) types.ContentBlock {
			return result(p, &types.ToolResultContentBlockMemberDocument{Value: doc(p)})
		},
	}
}

// callsWith are all calls that can name a place in S3, by its path in the API.
func callsWith() map[string]func(context.Context, *client, place) error {
	m := map[string]func(context.Context, *client, place) error{
		"StartAsyncInvoke.outputDataConfig.s3OutputDataConfig": func(ctx context.Context, c *client, p place) error {
			in := startAsync()
			out := types.AsyncInvokeS3OutputDataConfig{S3Uri: &p.uri}
			if p.owner != "" {
				out.BucketOwner = &p.owner
			}
			if p.key != "" {
				out.KmsKeyId = &p.key
			}
			in.OutputDataConfig = &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: out}
			_, err := c.StartAsyncInvoke(ctx, in)
			return err
		},
	}
	for path, block := range blocksAt() {
		use := func(id string) types.ContentBlock {
			return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("look"), ToolUseId: &id, Input: document.NewLazyDocument(map[string]any{})}}
		}
		messages := func(p place) []types.Message {
			p.name = "1"
			answer := []types.ContentBlock{&types.ContentBlockMemberText{Value: "yes?"}}
			if strings.HasPrefix(path, "toolResult") {
				answer = append(answer, use("t1"), use("t2"))
			}
			return []types.Message{
				{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}},
				{Role: types.ConversationRoleAssistant, Content: answer},
				{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "look"}, block(p), block(place{uri: "s3://bucket/last", name: "2"})}},
			}
		}
		tools := &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("look"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})}}}}}
		m["Converse.messages.content."+path+".source.s3Location"] = func(ctx context.Context, c *client, p place) error {
			_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: messages(p), ToolConfig: tools})
			return err
		}
		m["ConverseStream.messages.content."+path+".source.s3Location"] = func(ctx context.Context, c *client, p place) error {
			out, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: aws.String(haiku), Messages: messages(p), ToolConfig: tools})
			if err == nil {
				out.GetStream().Close()
			}
			return err
		}
		m["CountTokens.input.converse.messages.content."+path+".source.s3Location"] = func(ctx context.Context, c *client, p place) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: messages(p), ToolConfig: tools}}})
			return err
		}
	}
	return m
}

// Every place in the SDK's inputs that names another region or account is
// refused, and what names none or the pinned ones arrives as it was given.
func TestPlaces(t *testing.T) {
	const ours, other = "123456789012", "999999999999"
	rows := []struct {
		name string
		p    place
		rule error // nil: it passes
	}{
		{"a plain bucket", place{uri: "s3://my-bucket.data/a/b c.png"}, nil},
		{"a bucket alone", place{uri: "s3://bucket"}, nil},
		{"the permitted owner", place{uri: "s3://bucket/x", owner: ours}, nil},
		{"a regional bucket of ours", place{uri: "s3://mine-" + ours + "-us-east-1-an/x"}, nil},
		{"a bucket whose name only looks regional", place{uri: "s3://mine-us-west-2-an/x"}, nil},
		{"another owner", place{uri: "s3://bucket/x", owner: other}, securebedrock.ErrAccount},
		{"an owner that is no account", place{uri: "s3://bucket/x", owner: "me"}, securebedrock.ErrAccount},
		{"a regional bucket of another region", place{uri: "s3://mine-" + ours + "-us-west-2-an/x"}, securebedrock.ErrRegion},
		{"a regional bucket of another partition", place{uri: "s3://mine-" + ours + "-us-gov-west-1-an/x"}, securebedrock.ErrRegion},
		{"a regional bucket of another account", place{uri: "s3://mine-" + other + "-us-east-1-an/x"}, securebedrock.ErrAccount},
		{"a bucket's ARN", place{uri: "arn:aws:s3:::bucket/x"}, securebedrock.ErrRegion},
		{"an access point's ARN", place{uri: "s3://arn:aws:s3:us-west-2:" + ours + ":accesspoint/mine/x"}, securebedrock.ErrRegion},
		{"an access point's alias", place{uri: "s3://mine-abcdef-s3alias/x"}, securebedrock.ErrRegion},
		{"an Object Lambda alias", place{uri: "s3://mine-abcdef--ol-s3/x"}, securebedrock.ErrRegion},
		{"a Multi-Region Access Point", place{uri: "s3://mine.mrap/x"}, securebedrock.ErrRegion},
		{"a directory bucket", place{uri: "s3://mine--usw2-az1--x-s3/x"}, securebedrock.ErrRegion},
		{"a host of S3", place{uri: "s3://bucket.s3.us-west-2.amazonaws.com/x"}, securebedrock.ErrRegion},
		{"an address", place{uri: "s3://169.254.169.254/x"}, securebedrock.ErrRegion},
		{"a URL", place{uri: "https://bucket.s3.us-west-2.amazonaws.com/x"}, securebedrock.ErrRegion},
		{"capitals", place{uri: "S3://Bucket/x"}, securebedrock.ErrRegion},
		{"nothing", place{uri: "s3://"}, securebedrock.ErrRegion},
		{"a user at a host", place{uri: "s3://a@evil.example.com/x"}, securebedrock.ErrRegion},
	}
	for path, call := range callsWith() {
		t.Run(path, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *opts) {
				o.Role, o.Accounts = nil, []string{ours}
				o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "video"}
			})
			for _, row := range rows {
				before := len(server.Calls())
				err := call(t.Context(), c, row.p)
				arrived := server.Calls()[before:]
				switch {
				case row.rule == nil && (err != nil || len(arrived) != 1 || !strings.Contains(string(arrived[0].Body), row.p.uri)):
					t.Errorf("%s: %v, %d calls", row.name, err, len(arrived))
				case row.rule != nil:
					refusedBy(t, err, row.rule)
					if len(arrived) != 0 {
						t.Errorf("%s arrived", row.name)
					}
				}
			}
		})
	}
}

func TestKeyOfAnotherRegion(t *testing.T) {
	const account = ":123456789012:"
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	call := callsWith()["StartAsyncInvoke.outputDataConfig.s3OutputDataConfig"]
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) {
		o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "video"}
		o.Role.ARN = "arn:aws:iam::123456789012:role/app"
	})
	// An ID or an alias names a key of the region and the account. Bedrock wants
	// an ARN, and says so itself.
	service := errors.New("the service's")
	for key, rule := range map[string]error{
		"arn:aws:kms:us-east-1" + account + "key/" + id:  nil,
		"arn:aws:kms:us-east-1" + account + "alias/mine": nil,
		id:                                     service,
		"mrk-1234abcd12ab34cd56ef1234567890ab": service,
		"alias/mine":                           service,
		"arn:aws:kms:eu-west-1" + account + "key/" + id:        securebedrock.ErrRegion,
		"arn:aws:kms:eu-west-1" + account + "alias/mine":       securebedrock.ErrRegion,
		"arn:aws:kms:" + account + "key/" + id:                 securebedrock.ErrRegion,
		"arn:aws-us-gov:kms:us-east-1" + account + "key/" + id: securebedrock.ErrRegion,
		"arn:aws:kms:us-east-1:999999999999:key/" + id:         securebedrock.ErrAccount,
		"arn:aws:kms:us-east-1::key/" + id:                     securebedrock.ErrRegion,
		"arn:aws:s3:us-east-1" + account + "key/" + id:         securebedrock.ErrRegion,
		"arn:aws:kms:us-east-1" + account + "grant/" + id:      securebedrock.ErrRegion,
		"us-west-2/" + id: securebedrock.ErrRegion,
		"":                nil, // left out
		"https://kms.eu-west-1.amazonaws.com/" + id: securebedrock.ErrRegion,
	} {
		err := call(t.Context(), c, place{uri: "s3://bucket/x", key: key})
		if invalid := new(types.ValidationException); rule == service && errors.As(err, &invalid) {
			continue
		}
		if !errors.Is(err, rule) || rule == nil && err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// An ARN of an invocation passes in its own partition, region and account, and
// with the resource of an invocation, alone.
func TestInvocationOfAnotherPlace(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Accounts = []string{"123456789012"} })
	const tail = ":123456789012:async-invoke/abcdefghijkl"
	for arn, rule := range map[string]error{
		"arn:aws-us-gov:bedrock:us-east-1" + tail:                            securebedrock.ErrRegion,
		"arn:aws:bedrock:us-west-2" + tail:                                   securebedrock.ErrRegion,
		"arn:aws:s3:us-east-1" + tail:                                        securebedrock.ErrRegion,
		"urn:aws:bedrock:us-east-1" + tail:                                   securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:999999999999:async-invoke/abcdefghijkl":   securebedrock.ErrAccount,
		"arn:aws:bedrock:us-east-1::async-invoke/abcdefghijkl":               securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:me:async-invoke/abcdefghijkl":             securebedrock.ErrAccount,
		"arn:aws:bedrock:us-east-1:123456789012:guardrail/abcdefghijkl":      securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:123456789012:async-invoke/":               securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:123456789012:async-invoke/../guardrail/x": securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc/def":        securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc?x=y":        securebedrock.ErrRegion,
		"arn:aws:bedrock:us-east-1:123456789012:abcdefghijkl":                securebedrock.ErrRegion,
		"abcdefghijkl": securebedrock.ErrRegion,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl": securebedrock.ErrRegion,
	} {
		_, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: &arn})
		refusedBy(t, err, rule)
		if strings.Contains(err.Error(), "eyJ") {
			t.Errorf("the error carries the token: %v", err)
		}
	}
	nothingArrived(t, server)
	started := newClient(t, server, func(o *opts) { o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "video"} })
	out, err := started.StartAsyncInvoke(t.Context(), startAsync())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := started.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: out.InvocationArn}); err != nil {
		t.Errorf("%s: %v", *out.InvocationArn, err)
	}
}

// Every member of an input that could name a place is known: the SDK's own
// schemas are walked, and a new one fails here until a rule or this list has it.
func TestEveryPlaceIsKnown(t *testing.T) {
	known := map[string]string{
		"ApplyGuardrail.guardrailIdentifier":                               "guardrailARNRule",
		"Converse.guardrailConfig.guardrailIdentifier":                     "guardrailARNRule",
		"ConverseStream.guardrailConfig.guardrailIdentifier":               "guardrailARNRule",
		"InvokeModel.guardrailIdentifier":                                  "guardrailARNRule",
		"InvokeModelWithResponseStream.guardrailIdentifier":                "guardrailARNRule",
		"GetAsyncInvoke.invocationArn":                                     "invocationRule",
		"StartAsyncInvoke.outputDataConfig.s3OutputDataConfig.kmsKeyId":    "locationRule",
		"StartAsyncInvoke.outputDataConfig.s3OutputDataConfig.s3Uri":       "locationRule",
		"StartAsyncInvoke.outputDataConfig.s3OutputDataConfig.bucketOwner": "locationRule",
	}
	for _, op := range []string{"Converse", "ConverseStream", "CountTokens", "InvokeModel", "InvokeModelWithResponseStream", "InvokeModelWithBidirectionalStream", "StartAsyncInvoke"} {
		known[op+".modelId"] = "modelRule"
	}
	for path := range callsWith() {
		if strings.HasSuffix(path, ".s3Location") {
			known[path+".uri"], known[path+".bucketOwner"] = "locationRule", "locationRule"
		}
	}
	// Addresses that a model may show and Bedrock does not open.
	shown := regexp.MustCompile(`citationsContent\.|\.searchResult\.source$`)

	word := regexp.MustCompile(`(?i)arn|s3|uri|url|kms|bucket|account|owner|region|endpoint|guardrailIdentifier|modelId|invocationId|role(arn|$)`)
	found := map[string]bool{}
	var walk func(path string, s *smithy.Schema, above []smithy.ShapeID)
	walk = func(path string, s *smithy.Schema, above []smithy.ShapeID) {
		if slices.Contains(above, s.TargetID()) && len(s.Members()) > 0 || s.Type() == smithy.ShapeTypeEnum {
			return // a shape inside of itself, or the values of an enumeration
		}
		above = append(slices.Clone(above), s.TargetID())
		for name, m := range s.Members() {
			at := path + "." + name
			if name == "member" || name == "key" || name == "value" {
				at = path
			}
			if len(m.Members()) == 0 && (word.MatchString(name) || word.MatchString(m.TargetID().Name)) && name != "role" {
				found[at] = true
			}
			walk(at, m, above)
		}
	}
	inputs := map[string]*smithy.Schema{
		"ApplyGuardrail": schemas.ApplyGuardrailRequest, "Converse": schemas.ConverseRequest, "ConverseStream": schemas.ConverseStreamRequest,
		"CountTokens": schemas.CountTokensRequest, "GetAsyncInvoke": schemas.GetAsyncInvokeRequest, "InvokeGuardrailChecks": schemas.InvokeGuardrailChecksRequest,
		"InvokeModel": schemas.InvokeModelRequest, "InvokeModelWithBidirectionalStream": schemas.InvokeModelWithBidirectionalStreamRequest,
		"InvokeModelWithResponseStream": schemas.InvokeModelWithResponseStreamRequest, "ListAsyncInvokes": schemas.ListAsyncInvokesRequest,
		"StartAsyncInvoke": schemas.StartAsyncInvokeRequest,
	}
	for op, s := range inputs {
		walk(op, s, nil)
	}
	for path := range found {
		if known[path] == "" && !shown.MatchString(path) {
			t.Errorf("%s could name a place and is judged by no rule; add it to locations.go and to this test", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(known)) {
		if !found[path] {
			t.Errorf("%s is not in the SDK's inputs", path)
		}
	}
}

func TestInvocationARN(t *testing.T) {
	for _, arn := range []string{"", "abc", "arn:aws:bedrock:us-east-1", "arn:aws:sagemaker:us-east-1:123456789012:async-invoke/abc"} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		_, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: &arn})
		refusedBy(t, err, securebedrock.ErrRegion)
		nothingArrived(t, server)
	}
}
