package family

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// picture returns a small PNG in base64.
func picture() (string, error) {
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range 8 {
		img.SetGray(i, i, color.Gray{Y: 255})
	}
	var body bytes.Buffer
	if err := png.Encode(&body, img); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(body.Bytes()), nil
}

// pictures returns n images.
func pictures(n int) ([]string, error) {
	var out []string
	for range n {
		p, err := picture()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// amazonImage is the form of Titan Image Generator and Nova Canvas
// (model-parameters-titan-image).
func amazonImage() *Form {
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				TaskType string `json:"taskType"`
				Config   struct {
					Number *int `json:"numberOfImages"`
				} `json:"imageGenerationConfig"`
			}
			if err := readBody(body, &b, "taskType"); err != nil {
				return nil, err
			}
			n := 1
			if b.Config.Number != nil {
				if n = *b.Config.Number; n < 1 || n > 5 {
					return nil, wire.Invalid("Malformed input request: #/imageGenerationConfig/numberOfImages: %d is not between 1 and 5, please reformat your input and try again.", n)
				}
			}
			// Each task names the key of its parameters differently.
			prompt := "[" + b.TaskType + "]"
			for key, raw := range keysOf(body) {
				var params struct {
					Text string `json:"text"`
				}
				if strings.HasSuffix(key, "Params") && json.Unmarshal(raw, &params) == nil && params.Text != "" {
					prompt = params.Text
				}
			}
			addMessage(in, types.ConversationRoleUser, textBlock(prompt))
			return n, nil
		},
		Answer: func(_ *Answer, r Reading) (map[string]any, error) {
			n, _ := r.(int)
			images, err := pictures(n)
			if err != nil {
				return nil, err
			}
			return map[string]any{"images": images, "error": nil}, nil
		},
	}
}

// stabilityImage is the form of Stable Image Core and Ultra, Stable Diffusion 3.5 and
// the image services (model-parameters-stability-diffusion and its neighbours).
func stabilityImage() *Form {
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				Prompt string `json:"prompt"`
				Image  string `json:"image"`
			}
			if err := readBody(body, &b); err != nil {
				return nil, err
			}
			switch {
			case b.Prompt != "":
				addMessage(in, types.ConversationRoleUser, textBlock(b.Prompt))
			case b.Image != "":
				addMessage(in, types.ConversationRoleUser, textBlock("[image]"))
			default:
				return nil, wire.MissingKey("prompt")
			}
			return nil, nil
		},
		Answer: func(*Answer, Reading) (map[string]any, error) {
			images, err := pictures(1)
			if err != nil {
				return nil, err
			}
			return map[string]any{"seeds": []int{0}, "finish_reasons": []any{nil}, "images": images}, nil
		},
	}
}

// stableDiffusionXL is the older form: text prompts with weights
// (model-parameters-diffusion-1-0-text-image).
func stableDiffusionXL() *Form {
	return &Form{
		Wordless: true,
		Read: func(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
			var b struct {
				Prompts []struct {
					Text string `json:"text"`
				} `json:"text_prompts"`
				Samples *int `json:"samples"`
			}
			if err := readBody(body, &b, "text_prompts"); err != nil {
				return nil, err
			}
			var content []types.ContentBlock
			for _, p := range b.Prompts {
				content = append(content, textBlock(p.Text))
			}
			addMessage(in, types.ConversationRoleUser, content...)
			if b.Samples != nil {
				return max(1, *b.Samples), nil
			}
			return 1, nil
		},
		Answer: func(_ *Answer, r Reading) (map[string]any, error) {
			n, _ := r.(int)
			images, err := pictures(n)
			if err != nil {
				return nil, err
			}
			var artifacts []any
			for _, data := range images {
				artifacts = append(artifacts, map[string]any{"seed": 0, "base64": data, "finishReason": "SUCCESS"})
			}
			return map[string]any{"result": "success", "artifacts": artifacts}, nil
		},
	}
}
