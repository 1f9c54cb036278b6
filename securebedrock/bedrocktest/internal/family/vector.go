package family

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// vector embeds a text in a vector of length 1. Each word, in any case, counts in one
// of n dimensions. Texts that share words are near each other, so a search over such
// vectors finds the texts that it should.
func vector(text string, n int) []float32 {
	out := make([]float32, n)
	var square float64
	add := func(word string) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(word))
		out[h.Sum64()%uint64(n)]++
	}
	words := conversation.WordsIn(text)
	if len(words) == 0 {
		words = []string{text}
	}
	for _, word := range words {
		add(word)
	}
	for _, v := range out {
		square += float64(v) * float64(v)
	}
	for i := range out {
		out[i] = float32(float64(out[i]) / math.Sqrt(square))
	}
	return out
}

// vectorOfType returns a vector in one of a family's number types.
func vectorOfType(kind string, v []float32) any {
	switch kind {
	case "int8", "uint8":
		out := make([]int, len(v))
		for i := range v {
			out[i] = int(v[i] * 127)
		}
		return out
	case "binary", "ubinary":
		out := make([]int, (len(v)+7)/8)
		for i := range v {
			if v[i] > 0 {
				out[i/8] |= 1 << (7 - i%8)
			}
		}
		if kind == "binary" {
			for i := range out {
				out[i] -= 128
			}
		}
		return out
	}
	return v
}

// embedding is a request for vectors.
type embedding struct {
	texts []string // one for each vector
	size  int
	kinds []string // the number types that the request asks for; nil: the default
	echo  []string // the texts that the answer repeats
	image bool
}

// prompt writes the texts into a Converse, where the guardrail and the count read
// them.
func (e *embedding) prompt(in *bedrockruntime.ConverseInput) {
	var content []types.ContentBlock
	for _, text := range e.texts {
		content = append(content, textBlock(text))
	}
	addMessage(in, types.ConversationRoleUser, content...)
}

func vectorSize(size *int, allowed ...int) (int, error) {
	if size == nil {
		return allowed[0], nil
	}
	if !slices.Contains(allowed, *size) {
		return 0, wire.Invalid("Malformed input request: %d is not a valid number of dimensions, expected one of %v, please reformat your input and try again.", *size, allowed)
	}
	return *size, nil
}

// titanEmbedding is the form of model-parameters-titan-embed-text and -titan-embed-mm.
func titanEmbedding(version string) *Form {
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				InputText  string   `json:"inputText"`
				InputImage string   `json:"inputImage"`
				Dimensions *int     `json:"dimensions"`
				Types      []string `json:"embeddingTypes"`
				Config     struct {
					Length *int `json:"outputEmbeddingLength"`
				} `json:"embeddingConfig"`
			}
			var required []string
			if version != "image" {
				required = []string{"inputText"}
			}
			if err := readBody(body, &b, required...); err != nil {
				return nil, err
			}
			e := &embedding{size: 1536}
			var err error
			switch version {
			case "v2":
				e.size, err = vectorSize(b.Dimensions, 1024, 512, 256)
				e.kinds = b.Types
				if e.kinds == nil {
					e.kinds = []string{"float"}
				}
			case "image":
				e.size, err = vectorSize(b.Config.Length, 1024, 384, 256)
				e.image = true
			}
			if err != nil {
				return nil, err
			}
			switch {
			case b.InputImage == "":
				e.texts = []string{b.InputText}
			case b.InputText == "":
				e.texts = []string{"[image]"}
			default:
				e.texts = []string{b.InputText + " [image]"}
			}
			e.prompt(in)
			return e, nil
		},
		Answer: func(x *Answer, r Reading) (map[string]any, error) {
			e := r.(*embedding)
			v := vector(e.texts[0], e.size)
			out := map[string]any{"embedding": v, "inputTextTokenCount": x.Out.Usage.InputTokens}
			if e.image {
				out["message"] = nil
			}
			if e.kinds != nil {
				byType := map[string]any{}
				for _, kind := range e.kinds {
					byType[kind] = vectorOfType(kind, v)
				}
				out["embeddingsByType"] = byType
				if !slices.Contains(e.kinds, "float") {
					delete(out, "embedding")
				}
			}
			return out, nil
		},
	}
}

// novaEmbedding is the schema nova-multimodal-embed-v1
// (https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html).
func novaEmbedding() *Form {
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				TaskType string `json:"taskType"`
				Params   *struct {
					Dimension *int `json:"embeddingDimension"`
					Text      *struct {
						Value string `json:"value"`
					} `json:"text"`
					Image json.RawMessage `json:"image"`
					Video json.RawMessage `json:"video"`
					Audio json.RawMessage `json:"audio"`
				} `json:"singleEmbeddingParams"`
			}
			if err := readBody(body, &b, "taskType", "singleEmbeddingParams"); err != nil {
				return nil, err
			}
			size, err := vectorSize(b.Params.Dimension, 3072, 1024, 384, 256)
			if err != nil {
				return nil, err
			}
			e := &embedding{size: size}
			switch {
			case b.Params.Text != nil:
				e.texts, e.kinds = []string{b.Params.Text.Value}, []string{"TEXT"}
			case b.Params.Image != nil:
				e.texts, e.kinds = []string{"[image]"}, []string{"IMAGE"}
			case b.Params.Video != nil:
				e.texts, e.kinds = []string{"[video]"}, []string{"VIDEO"}
			case b.Params.Audio != nil:
				e.texts, e.kinds = []string{"[audio]"}, []string{"AUDIO"}
			default:
				return nil, wire.MissingKey("text")
			}
			e.prompt(in)
			return e, nil
		},
		Answer: func(_ *Answer, r Reading) (map[string]any, error) {
			e := r.(*embedding)
			return map[string]any{"embeddings": []any{map[string]any{"embeddingType": e.kinds[0], "embedding": vector(e.texts[0], e.size)}}}, nil
		},
	}
}

// cohereEmbedding is the form of model-parameters-embed-v3 and -v4. An answer has one
// list of vectors, or a list for each type where the request asks for several.
func cohereEmbedding(size int) *Form {
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				Texts  []string `json:"texts"`
				Images []string `json:"images"`
				Inputs []struct {
					Content []struct {
						Type string `json:"type"`
						Text string `json:"text"`
					} `json:"content"`
				} `json:"inputs"`
				Types     []string `json:"embedding_types"`
				Dimension *int     `json:"output_dimension"`
			}
			if err := readBody(body, &b, "input_type"); err != nil {
				return nil, err
			}
			e := &embedding{size: size, kinds: b.Types, echo: b.Texts, texts: slices.Clone(b.Texts)}
			if size == 1536 { // Embed v4
				var err error
				if e.size, err = vectorSize(b.Dimension, 1536, 1024, 512, 256); err != nil {
					return nil, err
				}
			}
			for range b.Images {
				e.texts = append(e.texts, "[image]")
			}
			for _, input := range b.Inputs {
				var parts []string
				for _, part := range input.Content {
					if part.Type == "text" {
						parts = append(parts, part.Text)
					} else {
						parts = append(parts, "[image]")
					}
				}
				e.texts = append(e.texts, strings.Join(parts, " "))
			}
			if len(e.texts) == 0 {
				return nil, wire.MissingKey("texts")
			}
			e.prompt(in)
			return e, nil
		},
		Answer: func(_ *Answer, r Reading) (map[string]any, error) {
			e := r.(*embedding)
			lists := func(kind string) []any {
				var list []any
				for _, text := range e.texts {
					list = append(list, vectorOfType(kind, vector(text, e.size)))
				}
				return list
			}
			out := map[string]any{"id": ids.New(), "response_type": "embeddings_floats"}
			if e.echo != nil {
				out["texts"] = e.echo
			}
			if len(e.kinds) == 0 || len(e.kinds) == 1 && e.kinds[0] == "float" {
				out["embeddings"] = lists("float")
				return out, nil
			}
			byType := map[string]any{}
			for _, kind := range e.kinds {
				byType[kind] = lists(kind)
			}
			out["embeddings"], out["response_type"] = byType, "embeddings_by_type"
			return out, nil
		},
	}
}

// rerank is the form of Cohere's and Amazon's rerank models. The documents are sorted
// by the share of the query's words that each has.
func rerank() *Form {
	type ranked struct {
		Index int     `json:"index"`
		Score float64 `json:"relevance_score"`
	}
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				Query     string            `json:"query"`
				Documents []json.RawMessage `json:"documents"`
				TopN      *int              `json:"top_n"`
			}
			if err := readBody(body, &b, "query", "documents"); err != nil {
				return nil, err
			}
			if len(b.Documents) == 0 {
				return nil, wire.Invalid("Malformed input request: #/documents: expected minimum item count: 1, found: 0, please reformat your input and try again.")
			}
			content := []types.ContentBlock{textBlock(b.Query)}
			var results []ranked
			for i, raw := range b.Documents {
				text := strings.Join(Strings(raw), " ")
				content = append(content, textBlock(text))
				results = append(results, ranked{i, conversation.Share(conversation.WordsIn(b.Query), conversation.WordsIn(text))})
			}
			addMessage(in, types.ConversationRoleUser, content...)
			sort.SliceStable(results, func(i, j int) bool { return results[i].Score > results[j].Score })
			if b.TopN != nil {
				if *b.TopN < 1 {
					return nil, wire.Invalid("Malformed input request: #/top_n: %d is not greater or equal to 1, please reformat your input and try again.", *b.TopN)
				}
				results = results[:min(*b.TopN, len(results))]
			}
			return results, nil
		},
		Answer: func(_ *Answer, r Reading) (map[string]any, error) {
			results, ok := r.([]ranked)
			if !ok {
				return nil, fmt.Errorf("bedrocktest: rerank read %T", r)
			}
			return map[string]any{"results": results}, nil
		},
	}
}
