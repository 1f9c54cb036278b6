package securebedrock

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	blocks "github.com/securebedrock/securebedrock-go/internal/content"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/internal/token"
)

// Where an input says, beside its model, what is read or written: guardrails,
// invocations, keys and buckets. What names another region, partition or account
// than the pinned ones is refused. A bucket's plain name tells neither, so that
// where it lies stays the owner's to see to, by IAM (docs/THREATS.md, known limits).

// home refuses a resource outside the pinned partition and region, or of an account
// that is not permitted. An empty account is not compared.
func (rs *ruleset) home(what, partition, region, account string) error {
	switch own := regions.PartitionOf(rs.region); {
	case region != rs.region:
		if !regions.Valid(region) {
			region = refusal.Quoted(region)
		}
		return refuse(ErrRegion, what+" is of "+region+" and Options.Region is "+rs.region)
	case partition != own:
		return refuse(ErrRegion, what+" is of partition "+refusal.Quoted(partition)+" and "+rs.region+" is in "+own)
	case account != "":
		return rs.account(what, account)
	}
	return nil
}

func (rs *ruleset) account(what, account string) error {
	switch {
	case !regions.IsAccount(account):
		return refuse(ErrAccount, what+" is of account "+refusal.Quoted(account)+", which is not twelve digits")
	case len(rs.accounts) > 0 && !slices.Contains(rs.accounts, account):
		return refuse(ErrAccount, what+" is of account "+account+"; name the account in Options.Accounts if calls may use what is there")
	}
	return nil
}

// guardrailARNRule checks a guardrail that the caller names by its ARN. guardrailRule
// compares an ID, and the pinned ARN itself.
func guardrailARNRule(_ context.Context, rs *ruleset, j judgement, in any) error {
	field := guardrailField(in)
	if field == nil || !strings.HasPrefix(aws.ToString(*field), "arn:") || **field == rs.guardrail.ID {
		return nil
	}
	id := **field
	arn, ok := regions.ParseARN(id)
	if !ok || arn.Service != "bedrock" || !strings.HasPrefix(arn.Resource, "guardrail/") {
		return refuse(ErrGuardrailOverride, "the caller's "+refusal.Quoted(id)+" is not the ARN of a guardrail")
	}
	if err := rs.home("the caller's guardrail", arn.Partition, arn.Region, arn.Account); err != nil {
		if rs.unguarded == "" {
			return refuse(ErrGuardrailOverride, err.Error())
		}
		return err
	}
	if rs.unguarded != "" { // it is sent as it is
		setGuardrailField(in, &id)
	}
	return nil
}

// guardrailField returns the field in which an input names a guardrail; nil where it
// names none.
func guardrailField(in any) **string {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		if in.GuardrailConfig != nil {
			return &in.GuardrailConfig.GuardrailIdentifier
		}
	case *bedrockruntime.ConverseStreamInput:
		if in.GuardrailConfig != nil {
			return &in.GuardrailConfig.GuardrailIdentifier
		}
	case *bedrockruntime.InvokeModelInput:
		return &in.GuardrailIdentifier
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return &in.GuardrailIdentifier
	case *bedrockruntime.ApplyGuardrailInput:
		return &in.GuardrailIdentifier
	}
	return nil
}

// setGuardrailField writes to the call's own copy.
func setGuardrailField(in any, id *string) {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		in.GuardrailConfig = shallow(in.GuardrailConfig)
	case *bedrockruntime.ConverseStreamInput:
		in.GuardrailConfig = shallow(in.GuardrailConfig)
	}
	*guardrailField(in) = id
}

// invocationRule restricts GetAsyncInvoke to invocations of the pinned region.
func invocationRule(_ context.Context, rs *ruleset, j judgement, in any) error {
	if j.op.name != "GetAsyncInvoke" {
		return nil
	}
	get, ok := in.(*bedrockruntime.GetAsyncInvokeInput)
	if !ok {
		return j.op.foreign(in)
	}
	text := aws.ToString(get.InvocationArn)
	get.InvocationArn = &text
	arn, ok := regions.ParseARN(text)
	id, isInvocation := strings.CutPrefix(arn.Resource, "async-invoke/")
	if !ok || arn.Service != "bedrock" || arn.Account == "" || !isInvocation || id == "" || strings.ContainsFunc(id, token.NotAlphanumeric) {
		return refuse(ErrRegion, "InvocationArn "+refusal.Quoted(text)+" is not the ARN of an asynchronous invocation")
	}
	return rs.home("InvocationArn", arn.Partition, arn.Region, arn.Account)
}

// locationRule checks every S3 location and every key that an input names, except those
// in a model's own JSON (an InvokeModel body, AdditionalModelRequestFields, ModelInput,
// a tool's JSON). It checks a copy, and the copy is sent.
func locationRule(_ context.Context, rs *ruleset, j judgement, in any) (err error) {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		in.Messages, err = rs.ownLocations(in.Messages)
	case *bedrockruntime.ConverseStreamInput:
		in.Messages, err = rs.ownLocations(in.Messages)
	case *bedrockruntime.CountTokensInput:
		if c, ok := in.Input.(*types.CountTokensInputMemberConverse); ok && c != nil {
			c = shallow(c)
			c.Value.Messages, err = rs.ownLocations(c.Value.Messages)
			in.Input = c
		}
	case *bedrockruntime.StartAsyncInvokeInput:
		if c, ok := in.OutputDataConfig.(*types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig); ok && c != nil {
			c = shallow(c)
			c.Value.S3Uri, c.Value.BucketOwner, c.Value.KmsKeyId = own(c.Value.S3Uri), own(c.Value.BucketOwner), own(c.Value.KmsKeyId)
			in.OutputDataConfig = c
			if err = rs.bucket(c.Value.S3Uri, c.Value.BucketOwner); err == nil {
				err = rs.key(c.Value.KmsKeyId)
			}
		}
	}
	return err
}

// own copies a string, whose pointer the caller still has.
func own(s *string) *string {
	if s == nil {
		return nil
	}
	return aws.String(*s)
}

// ownLocations returns the messages with a copy of each block that names an S3
// location. Where there is no such block, which is usual, it allocates nothing.
func (rs *ruleset) ownLocations(messages []types.Message) ([]types.Message, error) {
	copied := false
	for i := range messages {
		for j := 0; j < len(messages[i].Content); j++ {
			if !namesPlace(messages[i].Content[j]) {
				continue
			}
			if !copied {
				messages, copied = blocks.OwnMessages(messages), true
			}
			b, err := rs.ownBlock(messages[i].Content[j])
			if err != nil {
				return nil, err
			}
			messages[i].Content[j] = b
		}
	}
	return messages, nil
}

// namesPlace reports whether a block, or a block in it, names an S3 location.
func namesPlace(b types.ContentBlock) (yes bool) {
	blocks.Block(b, func(p blocks.Piece) { yes = yes || p.Source == blocks.S3 })
	return yes
}

// ownBlock copies a block down to its S3 location, and checks the copy.
func (rs *ruleset) ownBlock(b types.ContentBlock) (_ types.ContentBlock, err error) {
	switch b := b.(type) {
	case *types.ContentBlockMemberImage:
		c := shallow(b)
		c.Value.Source, err = rs.imageSource(c.Value.Source)
		return c, err
	case *types.ContentBlockMemberVideo:
		c := shallow(b)
		c.Value.Source, err = rs.videoSource(c.Value.Source)
		return c, err
	case *types.ContentBlockMemberAudio:
		c := shallow(b)
		if s, ok := c.Value.Source.(*types.AudioSourceMemberS3Location); ok {
			s = shallow(s)
			err, c.Value.Source = rs.ownPlace(&s.Value), s
		}
		return c, err
	case *types.ContentBlockMemberDocument:
		c := shallow(b)
		c.Value.Source, err = rs.documentSource(c.Value.Source)
		return c, err
	case *types.ContentBlockMemberToolResult:
		c := shallow(b)
		c.Value.Content = slices.Clone(c.Value.Content)
		for i, inner := range c.Value.Content {
			switch inner := inner.(type) {
			case *types.ToolResultContentBlockMemberImage:
				ic := shallow(inner)
				ic.Value.Source, err = rs.imageSource(ic.Value.Source)
				c.Value.Content[i] = ic
			case *types.ToolResultContentBlockMemberVideo:
				ic := shallow(inner)
				ic.Value.Source, err = rs.videoSource(ic.Value.Source)
				c.Value.Content[i] = ic
			case *types.ToolResultContentBlockMemberDocument:
				ic := shallow(inner)
				ic.Value.Source, err = rs.documentSource(ic.Value.Source)
				c.Value.Content[i] = ic
			}
			if err != nil {
				return nil, err
			}
		}
		return c, nil
	}
	return b, nil
}

func (rs *ruleset) imageSource(s types.ImageSource) (types.ImageSource, error) {
	if p, ok := s.(*types.ImageSourceMemberS3Location); ok {
		p = shallow(p)
		return p, rs.ownPlace(&p.Value)
	}
	return s, nil
}

func (rs *ruleset) videoSource(s types.VideoSource) (types.VideoSource, error) {
	if p, ok := s.(*types.VideoSourceMemberS3Location); ok {
		p = shallow(p)
		return p, rs.ownPlace(&p.Value)
	}
	return s, nil
}

func (rs *ruleset) documentSource(s types.DocumentSource) (types.DocumentSource, error) {
	if p, ok := s.(*types.DocumentSourceMemberS3Location); ok {
		p = shallow(p)
		return p, rs.ownPlace(&p.Value)
	}
	return s, nil
}

func (rs *ruleset) ownPlace(l *types.S3Location) error {
	l.Uri, l.BucketOwner = own(l.Uri), own(l.BucketOwner)
	return rs.bucket(l.Uri, l.BucketOwner)
}

// bucket permits s3://BUCKET/KEY with the name of a general purpose bucket. A name that
// contains a region and an account must contain the pinned region and a permitted
// account. Errors do not repeat the key, which can hold anything.
func (rs *ruleset) bucket(uri, owner *string) error {
	rest, ok := strings.CutPrefix(aws.ToString(uri), "s3://")
	name, _, _ := strings.Cut(rest, "/")
	if !ok || !isBucket(name) {
		return refuse(ErrRegion, "a place in S3 is not s3://BUCKET/KEY with the name of a general purpose bucket, so its region cannot be told")
	}
	if account, region, ok := regionalBucket(name); ok {
		if err := rs.home("the bucket "+refusal.Quoted(name), regions.PartitionOf(region), region, account); err != nil {
			return err
		}
	}
	if owner != nil {
		return rs.account("BucketOwner", *owner)
	}
	return nil
}

// isBucket follows the rules for general purpose buckets (S3 User Guide,
// bucketnamingrules). The reserved endings belong to access point aliases, Object
// Lambda, and Multi-Region, directory and table buckets, which are elsewhere.
func isBucket(s string) bool {
	if len(s) < 3 || len(s) > 63 || strings.Contains(s, "..") || net.ParseIP(s) != nil || regions.OfAWS(s) {
		return false
	}
	for _, end := range [...]string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(s, end) {
			return false
		}
	}
	lowest := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }
	return lowest(s[0]) && lowest(s[len(s)-1]) && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	})
}

// regionalBucket parses PREFIX-ACCOUNT-REGION-an, the form of the bucket names in an
// account regional namespace (API_CreateBucket, BucketNamespace).
func regionalBucket(name string) (account, region string, ok bool) {
	rest, ok := strings.CutSuffix(name, "-an")
	if !ok {
		return "", "", false
	}
	words := strings.Split(rest, "-")
	for i := len(words) - 3; i > 1; i-- {
		if region = strings.Join(words[i:], "-"); regions.IsAccount(words[i-1]) && regions.Valid(region) {
			return words[i-1], region, true
		}
	}
	return "", "", false
}

// key permits the ARN of a KMS key or alias of the pinned region. It also permits an ID
// or alias without a region, which names a key of the calling account in the region
// called.
func (rs *ruleset) key(id *string) error {
	text := aws.ToString(id)
	if id == nil || isKeyID(text) {
		return nil
	}
	arn, ok := regions.ParseARN(text)
	if !ok || arn.Service != "kms" || arn.Account == "" || !strings.HasPrefix(arn.Resource, "key/") && !strings.HasPrefix(arn.Resource, "alias/") {
		return refuse(ErrRegion, "KmsKeyId "+refusal.Quoted(text)+" is not the ARN of a KMS key or alias")
	}
	return rs.home("KmsKeyId", arn.Partition, arn.Region, arn.Account)
}

// isKeyID accepts a key's ID (a UUID, or mrk- and 32 digits) and alias/NAME.
func isKeyID(s string) bool {
	name, ok := strings.CutPrefix(s, "alias/")
	if !ok {
		name, ok = s, len(s) == 36
	}
	return ok && name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return token.NotAlphanumeric(r) && r != '-' && r != '_' && r != '/'
	})
}
