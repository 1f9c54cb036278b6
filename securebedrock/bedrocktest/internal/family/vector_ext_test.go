package family_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// Models whose answer is no message have their own answer, and leave Reply alone.
func TestInvokeModelWithoutWords(t *testing.T) {
	for _, row := range []struct {
		name, model, body string
		want              map[string]string // path → JSON
		lengths           map[string]int    // path of a vector → dimensions
		image             string            // the path of a PNG
	}{
		{"Titan embeddings v1", "amazon.titan-embed-text-v1", `{"inputText":"one two"}`, map[string]string{"inputTextTokenCount": "2", "embeddingsByType": ""}, map[string]int{"embedding": 1536}, ""},
		{"Titan embeddings v2", "amazon.titan-embed-text-v2:0", `{"inputText":"one two"}`, map[string]string{"inputTextTokenCount": "2"}, map[string]int{"embedding": 1024, "embeddingsByType.float": 1024}, ""},
		{"Titan embeddings v2, small and binary", "amazon.titan-embed-text-v2:0", `{"inputText":"one two","dimensions":256,"embeddingTypes":["binary"]}`, map[string]string{"embedding": ""}, map[string]int{"embeddingsByType.binary": 32}, ""},
		{"Titan multimodal", "amazon.titan-embed-image-v1", `{"inputImage":"aGk=","embeddingConfig":{"outputEmbeddingLength":384}}`, map[string]string{"message": "null"}, map[string]int{"embedding": 384}, ""},
		{"Nova embeddings", "amazon.nova-2-multimodal-embeddings-v1:0", `{"schemaVersion":"nova-multimodal-embed-v1","taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","text":{"truncationMode":"END","value":"one"}}}`,
			map[string]string{"embeddings.0.embeddingType": `"TEXT"`}, map[string]int{"embeddings.0.embedding": 3072}, ""},
		{"Cohere embed v3", "cohere.embed-english-v3", `{"texts":["one","two three"],"input_type":"search_document"}`, map[string]string{"response_type": `"embeddings_floats"`, "texts.1": `"two three"`}, map[string]int{"embeddings": 2, "embeddings.1": 1024}, ""},
		{"Cohere embed v4, several types", "us.cohere.embed-v4:0", `{"texts":["one"],"input_type":"search_query","embedding_types":["float","int8"],"output_dimension":512}`, map[string]string{"response_type": `"embeddings_by_type"`}, map[string]int{"embeddings.float.0": 512, "embeddings.int8.0": 512}, ""},
		{"Cohere rerank", "cohere.rerank-v3-5:0", `{"api_version":2,"query":"capital of Japan","documents":["Bern is a town","Tokyo is the capital of Japan"],"top_n":1}`, map[string]string{"results.0.index": "1", "results.0.relevance_score": "1", "results.1": ""}, nil, ""},
		{"Amazon rerank", "amazon.rerank-v1:0", `{"query":"capital of Japan","documents":["Bern is a town","Tokyo is the capital of Japan"]}`, map[string]string{"results.0.index": "1", "results.1.index": "0"}, nil, ""},
		{"Titan image", "amazon.titan-image-generator-v2:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a fox"},"imageGenerationConfig":{"numberOfImages":2}}`, map[string]string{"error": "null"}, map[string]int{"images": 2}, "images.1"},
		{"Nova Canvas", "amazon.nova-canvas-v1:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a fox"}}`, nil, map[string]int{"images": 1}, "images.0"},
		{"Stable Image", "stability.stable-image-ultra-v1:1", `{"prompt":"a fox"}`, map[string]string{"finish_reasons.0": "null", "seeds.0": "0"}, map[string]int{"images": 1}, "images.0"},
		{"Stable Diffusion XL", "stability.stable-diffusion-xl-v1", `{"text_prompts":[{"text":"a fox"}]}`, map[string]string{"result": `"success"`, "artifacts.0.finishReason": `"SUCCESS"`}, nil, "artifacts.0.base64"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				t.Error("Reply was asked")
				return nil, nil
			})
			out, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range row.want {
				if got := probe.At(t, out.Body, path); got != want {
					t.Errorf("%s is %s, want %s", path, got, want)
				}
			}
			for path, want := range row.lengths {
				var list []any
				if err := json.Unmarshal([]byte(probe.At(t, out.Body, path)), &list); err != nil || len(list) != want {
					t.Errorf("%s has %d elements, want %d (%v)", path, len(list), want, err)
				}
			}
			if row.image != "" {
				var text string
				if err := json.Unmarshal([]byte(probe.At(t, out.Body, row.image)), &text); err != nil {
					t.Fatal(err)
				}
				data, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := png.Decode(bytes.NewReader(data)); err != nil {
					t.Errorf("the image does not decode: %v", err)
				}
			}
			if probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count") == "" {
				t.Error("no count of the input")
			}
			_, err = probe.Client(s).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &row.model, Body: []byte(row.body)})
			probe.WantCode(t, err, 400, "ValidationException")
		})
	}
}

// Vectors of texts that share words are nearer than those of others, so that a
// search over them can be tested.
func TestEmbeddingsRank(t *testing.T) {
	s := bedrocktest.NewServer(t)
	embed := func(text string) []float64 {
		body, err := json.Marshal(map[string]string{"inputText": text})
		if err != nil {
			t.Fatal(err)
		}
		out, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("amazon.titan-embed-text-v2:0"), Body: body})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Embedding []float64 }
		if err := json.Unmarshal(out.Body, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Embedding
	}
	near := func(a, b []float64) float64 {
		var sum float64
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	query := embed("the capital of Japan")
	if own := near(query, query); math.Abs(own-1) > 1e-5 {
		t.Errorf("the length of a vector is %v", own)
	}
	if close, far := near(query, embed("Tokyo is the capital of Japan")), near(query, embed("bread and butter")); close <= far {
		t.Errorf("%v and %v", close, far)
	}
}
