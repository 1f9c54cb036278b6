package middleware

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	bytesPerToken    = 3     // below the four or so of English, to be on the safe side
	tokensPerMedia   = 2000  // an image, or the least of a document, a film, …: a guess
	tokensInS3       = 20000 // a document or film of unknown size: a guess
	documentPerToken = 30    // bytes of a PDF and the like: a guess
	filmPerToken     = 400   // bytes of a film: one frame a second and 1 Mbit/s
	unknownOutput    = 1024  // securebedrock's own bound where the caller sets none
)

// EstimateTokens estimates the tokens of a call.
//
// The input is the sum of: one token for three bytes of text, including documents
// that are text; 2000 tokens for each image, also in S3; one token for 30 bytes of
// a document in another format, and one for 400 bytes of a video, but at least 2000
// for each; 20,000 tokens for a document, video or recording in S3, whose size is
// unknown. An InvokeModel body is counted whole, including encoded data, with
// 20,000 tokens for each location in S3.
//
// The output is the largest that the call allows: the largest bound among maxTokens
// and the fields max_tokens, max_completion_tokens, max_gen_len, maxTokenCount and
// similar names. These fields are read from the body, or from the model's own
// fields of a Converse. The bound counts for each answer that the body asks for.
// Without a bound, the output is 1024 plus the budget for thinking, if there is
// one; 1024 is securebedrock's own bound unless Options.MaxTokens sets another. A
// bound includes the budget for thinking. The output of an embedding model is zero.
//
// EstimateTokens cannot know the thinking without a budget (a reasoning effort),
// the content of a bidirectional stream, or the size of content in S3. Use your own
// BudgetOptions.Estimate for such calls.
func EstimateTokens(call *securebedrock.Call) securebedrock.Usage {
	var s size
	var b bounds
	switch in := call.Input.(type) {
	case *bedrockruntime.ConverseInput:
		s.add(reflect.ValueOf(in.System), reflect.ValueOf(in.Messages), reflect.ValueOf(in.PromptVariables), reflect.ValueOf(in.ToolConfig))
		b.converse(&s, in.InferenceConfig, in.AdditionalModelRequestFields)
	case *bedrockruntime.ConverseStreamInput:
		s.add(reflect.ValueOf(in.System), reflect.ValueOf(in.Messages), reflect.ValueOf(in.PromptVariables), reflect.ValueOf(in.ToolConfig))
		b.converse(&s, in.InferenceConfig, in.AdditionalModelRequestFields)
	case *bedrockruntime.InvokeModelInput:
		s.body(in.Body)
		b.read(in.Body)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		s.body(in.Body)
		b.read(in.Body)
	case *bedrockruntime.StartAsyncInvokeInput:
		if raw := marshaled(in.ModelInput); raw != nil {
			s.body(raw)
			b.read(raw)
		}
	}
	input := int64((s.text+bytesPerToken-1)/bytesPerToken + s.media)
	if strings.Contains(nameOf(call.Model.ID), "embed") {
		return securebedrock.Usage{InputTokens: input}
	}
	return securebedrock.Usage{InputTokens: input, OutputTokens: b.output()}
}

// tierOf is the service tier that a call asks for; empty where it asks for none.
func tierOf(input any) string {
	switch in := input.(type) {
	case *bedrockruntime.ConverseInput:
		if in.ServiceTier != nil {
			return string(in.ServiceTier.Type)
		}
	case *bedrockruntime.ConverseStreamInput:
		if in.ServiceTier != nil {
			return string(in.ServiceTier.Type)
		}
	case *bedrockruntime.InvokeModelInput:
		return string(in.ServiceTier)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return string(in.ServiceTier)
	}
	return ""
}

// known is a service tier for a text: what no tier is called is not repeated.
func known(tier string) string {
	switch types.ServiceTierType(tier) {
	case "":
		return defaultTier
	case types.ServiceTierTypeDefault, types.ServiceTierTypePriority, types.ServiceTierTypeFlex, types.ServiceTierTypeReserved:
		return strconv.Quote(tier)
	}
	return "that it asks for"
}

// cachesForAnHour reports whether a call asks to cache for longer than the default.
func cachesForAnHour(input any) bool {
	conversation := func(system []types.SystemContentBlock, messages []types.Message, tools *types.ToolConfiguration) bool {
		for _, b := range system {
			if c, ok := b.(*types.SystemContentBlockMemberCachePoint); ok && long(c.Value) {
				return true
			}
		}
		for i := range messages {
			for _, b := range messages[i].Content {
				if c, ok := b.(*types.ContentBlockMemberCachePoint); ok && long(c.Value) {
					return true
				}
			}
		}
		if tools != nil {
			for _, b := range tools.Tools {
				if c, ok := b.(*types.ToolMemberCachePoint); ok && long(c.Value) {
					return true
				}
			}
		}
		return false
	}
	switch in := input.(type) {
	case *bedrockruntime.ConverseInput:
		return conversation(in.System, in.Messages, in.ToolConfig)
	case *bedrockruntime.ConverseStreamInput:
		return conversation(in.System, in.Messages, in.ToolConfig)
	case *bedrockruntime.InvokeModelInput:
		return bytes.Contains(in.Body, []byte(`"1h"`))
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return bytes.Contains(in.Body, []byte(`"1h"`))
	}
	return false
}

func long(c types.CachePointBlock) bool { return c.Ttl != "" && c.Ttl != types.CacheTTLFiveMinutes }

// bounds are what an input says of the length of its answer.
type bounds struct {
	limit, thinking, answers atLeast
}

// atLeast keeps the largest number of several, of whatever type the JSON has there.
type atLeast int64

// UnmarshalJSON takes a positive number, and nothing else.
func (n *atLeast) UnmarshalJSON(b []byte) error {
	if f, err := strconv.ParseFloat(string(b), 64); err == nil && f > 0 {
		*n = max(*n, atLeast(min(f, 1<<53)))
	}
	return nil
}

// limits has the names that models give to the bound of an answer.
type limits struct {
	A atLeast `json:"max_tokens"`
	B atLeast `json:"maxTokens"`
	C atLeast `json:"max_completion_tokens"`
	D atLeast `json:"max_gen_len"`
	E atLeast `json:"max_tokens_to_sample"`
	F atLeast `json:"maxTokenCount"`
	G atLeast `json:"max_new_tokens"`
	H atLeast `json:"maxNewTokens"`
	I atLeast `json:"max_output_tokens"`
	J atLeast `json:"maxOutputTokens"`
	K atLeast `json:"maxCompletionTokens"`
}

func (l *limits) largest() atLeast {
	if l == nil {
		return 0
	}
	return max(l.A, l.B, l.C, l.D, l.E, l.F, l.G, l.H, l.I, l.J, l.K)
}

type thinking struct {
	A atLeast `json:"budget_tokens"`
	B atLeast `json:"budgetTokens"`
	C atLeast `json:"max_tokens"`
}

func (t *thinking) largest() atLeast {
	if t == nil {
		return 0
	}
	return max(t.A, t.B, t.C)
}

// read looks into a body, or into the model's own fields, under all the names that
// models give to what bounds an answer. What is no number counts as not given.
func (b *bounds) read(raw []byte) {
	var in struct {
		limits
		Titan      *limits `json:"textGenerationConfig"`
		Nova       *limits `json:"inferenceConfig"`
		Parameters *limits `json:"parameters"` // of a model from the Marketplace
		Generation *limits `json:"generationConfig"`
		Hugging    *limits `json:"generation_config"`

		Thinking       *thinking `json:"thinking"`
		ReasoningSnake *thinking `json:"reasoning_config"`
		Reasoning      *thinking `json:"reasoningConfig"`
		ReasoningPlain *thinking `json:"reasoning"`

		N           atLeast `json:"n"`
		Generations atLeast `json:"num_generations"`
		Results     atLeast `json:"numResults"`
	}
	_ = json.Unmarshal(raw, &in)
	for _, l := range [...]*limits{&in.limits, in.Titan, in.Nova, in.Parameters, in.Generation, in.Hugging} {
		b.limit = max(b.limit, l.largest())
	}
	for _, t := range [...]*thinking{in.Thinking, in.ReasoningSnake, in.Reasoning, in.ReasoningPlain} {
		b.thinking = max(b.thinking, t.largest())
	}
	b.answers = max(b.answers, in.N, in.Generations, in.Results)
}

func (b *bounds) converse(s *size, c *types.InferenceConfiguration, own document.Interface) {
	if raw := marshaled(own); raw != nil {
		s.text += len(raw)
		b.read(raw)
	}
	if c != nil && c.MaxTokens != nil {
		b.limit = max(b.limit, atLeast(aws.ToInt32(c.MaxTokens)))
		if b.limit <= 0 {
			b.limit = -1 // said, and no bound that a model takes
		}
	}
}

func (b *bounds) output() int64 {
	n := int64(b.limit)
	switch {
	case n < 0:
		n = int64(b.thinking)
	case n == 0:
		n = unknownOutput + int64(b.thinking)
	default:
		n = max(n, int64(b.thinking))
	}
	return multiply(n, int64(max(b.answers, 1)))
}

func marshaled(d document.Interface) []byte {
	if d == nil {
		return nil
	}
	raw, err := d.MarshalSmithyDocument()
	if err != nil {
		return nil
	}
	return raw
}

// size counts what an input holds: bytes of text, and tokens of all else.
type size struct{ text, media int }

// body counts an InvokeModel body whole, encoded images too.
func (s *size) body(b []byte) {
	s.text += len(b)
	s.media += tokensInS3 * (bytes.Count(b, []byte(`"s3://`)) + bytes.Count(b, []byte(`"s3:\/\/`)))
}

func (s *size) add(values ...reflect.Value) {
	for _, v := range values {
		s.walk(v, 0)
	}
}

// block counts what has a size of its own kind, and reports whether it did.
func (s *size) block(v any) bool {
	switch b := v.(type) {
	case types.DocumentBlock:
		source, ok := b.Source.(*types.DocumentSourceMemberBytes)
		if !ok {
			return false
		}
		s.text += len(aws.ToString(b.Name)) + len(aws.ToString(b.Context))
		switch b.Format {
		case types.DocumentFormatTxt, types.DocumentFormatMd, types.DocumentFormatCsv, types.DocumentFormatHtml:
			s.text += len(source.Value)
		default:
			s.media += max(tokensPerMedia, len(source.Value)/documentPerToken)
		}
	case *types.VideoSourceMemberBytes:
		s.media += max(tokensPerMedia, len(b.Value)/filmPerToken)
	case *types.ImageSourceMemberS3Location:
		s.media += tokensPerMedia
	case types.S3Location:
		s.media += tokensInS3
	default:
		return false
	}
	return true
}

func (s *size) walk(v reflect.Value, depth int) {
	if depth > 32 || !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		s.text += v.Len()
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return
		}
		if d, ok := v.Interface().(document.Interface); ok {
			s.text += len(marshaled(d))
			return
		}
		if v.Kind() == reflect.Interface && s.block(v.Interface()) {
			return
		}
		s.walk(v.Elem(), depth+1)
	case reflect.Struct:
		if s.kindOf(v) {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.walk(v.Field(i), depth+1)
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			s.walk(k, depth+1)
			s.walk(v.MapIndex(k), depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			s.media += tokensPerMedia
			return
		}
		for i := range v.Len() {
			s.walk(v.Index(i), depth+1)
		}
	}
}

// kindOf is block for the two structs that have a size of their own kind; making an
// interface of each other one would cost an allocation.
func (s *size) kindOf(v reflect.Value) bool {
	switch v.Type() {
	case reflect.TypeFor[types.DocumentBlock](), reflect.TypeFor[types.S3Location]():
		return s.block(v.Interface())
	}
	return false
}
