package middleware

import (
	"encoding/json"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	bytesPerToken  = 3    // below the four or so of English, to be on the safe side
	tokensPerMedia = 2000 // an image, a document, …: a guess
	unknownOutput  = 1024 // securebedrock's own bound where the caller sets none
)

// EstimateTokens guesses what a call will use: a token for three bytes of text in
// its input, 2000 for each image or document, and all of the output that it may
// have: maxTokens, or where that is not given 1024, which is securebedrock's bound
// where Options.MaxTokens has no other. It knows nothing of long documents and of
// what a bidirectional stream will carry: give an Estimate of your own there.
func EstimateTokens(call *securebedrock.Call) securebedrock.Usage {
	var s size
	out := int64(unknownOutput)
	switch in := call.Input.(type) {
	case *bedrockruntime.ConverseInput:
		s.add(reflect.ValueOf(in.System), reflect.ValueOf(in.Messages), reflect.ValueOf(in.PromptVariables), reflect.ValueOf(in.ToolConfig))
		out = bound(in.InferenceConfig)
	case *bedrockruntime.ConverseStreamInput:
		s.add(reflect.ValueOf(in.System), reflect.ValueOf(in.Messages), reflect.ValueOf(in.PromptVariables), reflect.ValueOf(in.ToolConfig))
		out = bound(in.InferenceConfig)
	case *bedrockruntime.InvokeModelInput:
		out = s.body(in.Body)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		out = s.body(in.Body)
	case *bedrockruntime.StartAsyncInvokeInput:
		s.add(reflect.ValueOf(&in.ModelInput).Elem())
	}
	return securebedrock.Usage{InputTokens: int64((s.text+bytesPerToken-1)/bytesPerToken + s.media*tokensPerMedia), OutputTokens: out}
}

func bound(c *types.InferenceConfiguration) int64 {
	if c != nil && c.MaxTokens != nil {
		return int64(max(aws.ToInt32(c.MaxTokens), 0))
	}
	return unknownOutput
}

// size counts what an input holds.
type size struct{ text, media int }

// body counts an InvokeModel body whole, encoded images too, and looks for the
// bound of its answer under the names that models give it.
func (s *size) body(b []byte) int64 {
	s.text += len(b)
	var bounds struct {
		A float64 `json:"max_tokens"`
		B float64 `json:"maxTokens"`
		C float64 `json:"max_gen_len"`
		D float64 `json:"max_tokens_to_sample"`
		E struct {
			A float64 `json:"maxTokenCount"`
		} `json:"textGenerationConfig"`
		F struct {
			A float64 `json:"max_new_tokens"`
			B float64 `json:"maxTokens"`
		} `json:"inferenceConfig"`
	}
	_ = json.Unmarshal(b, &bounds) // what is no number there counts as not given
	n := max(bounds.A, bounds.B, bounds.C, bounds.D, bounds.E.A, bounds.F.A, bounds.F.B)
	if n <= 0 {
		return unknownOutput
	}
	return int64(min(n, 1<<53))
}

func (s *size) add(values ...reflect.Value) {
	for _, v := range values {
		s.walk(v, 0)
	}
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
			if raw, err := d.MarshalSmithyDocument(); err == nil {
				s.text += len(raw)
			}
			return
		}
		s.walk(v.Elem(), depth+1)
	case reflect.Struct:
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
			s.media++
			return
		}
		for i := range v.Len() {
			s.walk(v.Index(i), depth+1)
		}
	}
}
