package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrockdoc "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Of each medium a part that must not be in a record.
const passage = "The CANARY patient"

func pngBytes() []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("CANARY"), 20)...)
}
func pdfBytes() []byte { return append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("CANARY"), 20)...) }
func rawBytes() []byte { return bytes.Repeat([]byte("\x01CANARY"), 40) }

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// traces are what shows that a medium is in a record: its text, and parts of its
// base64 wherever the encoding's groups begin.
func traces() []string {
	all := []string{"CANARY", "canary"}
	for i := range 3 {
		s := b64([]byte(strings.Repeat("x", i) + "CANARYCANARY"))
		all = append(all, s[4:12])
	}
	return all
}

func wrapped(s string, width int) string {
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + "\n")
		s = s[width:]
	}
	return b.String() + s
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var errAnswered = errors.New("not sent")

// never makes a call in every mode that stores something, sent by f, and fails where
// a trace of a medium is in its records, or no block tells of it.
func never(t *testing.T, want string, f func(ctx context.Context, c *securebedrock.Client) error, answer func(call *securebedrock.Call) any, but ...audit.ContentMode) {
	t.Helper()
	for _, p := range []audit.ContentPolicy{
		{Mode: audit.ContentFull, Reason: "test", DigestKey: key1},
		{Mode: audit.ContentRedacted, Redactor: audit.Patterns(), DigestKey: key1},
		{Mode: audit.ContentDigest, DigestKey: key1},
	} {
		if slices.Contains(but, p.Mode) {
			continue
		}
		sink := new(memory)
		c := newClient(t, bedrocktest.NewServer(t), sink, audit.Options{Content: p}, func(o *securebedrock.Options) {
			o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "bodies of every form"
			o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
				return func(_ context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					if out := answer(call); out != nil {
						return &securebedrock.Result{Output: out}, nil
					}
					return nil, errAnswered
				}
			})
		})
		_ = f(t.Context(), c)
		in, out := sink.pair(t)
		line := mustJSON(in) + mustJSON(out)
		for _, s := range traces() {
			if strings.Contains(line, s) {
				t.Errorf("%s: %q is in %s", p.Mode, s, line)
				break
			}
		}
		if !strings.Contains(line, "harmless") && p.Mode != audit.ContentDigest && strings.Contains(line, `"body"`) && want != "body " {
			t.Errorf("%s: the text beside it is not stored: %s", p.Mode, line)
		}
		var found bool
		for _, r := range []*audit.Content{in.Input, out.Output} {
			if r == nil {
				continue
			}
			for _, b := range r.Blocks {
				found = found || b.Kind+" "+b.Format == want && b.Bytes > 0 && len(b.Digest) == 64 && b.Text == ""
			}
		}
		if !found {
			t.Errorf("%s: no block of %q in %s", p.Mode, want, line)
		}
	}
}

func silent(*securebedrock.Call) any { return nil }

func invokeWith(body string) func(context.Context, *securebedrock.Client) error {
	return func(ctx context.Context, c *securebedrock.Client) error {
		_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body)})
		return err
	}
}

// bodies of every family that hold a medium, with its kind and format.
func bodiesWithMedia() map[string][2]string {
	png, pdf, raw := b64(pngBytes()), b64(pdfBytes()), b64(rawBytes())
	anthropic := func(block string) string {
		return `{"x":"harmless","messages":[{"role":"user","content":[` + block + `]}]}`
	}
	numbers := strings.Trim(strings.ReplaceAll(fmt.Sprint(pngBytes()), " ", ","), "[]")
	url := base64.RawURLEncoding.EncodeToString(rawBytes())
	return map[string][2]string{
		"an Anthropic image":                    {anthropic(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}}`), "image png"},
		"an Anthropic image of an unknown kind": {anthropic(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + b64([]byte("\x01CANARYCANARY")) + `"}}`), "image "},
		"base64 that is broken":                 {anthropic(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + raw[:40] + `*` + raw[40:60] + `"}}`), "image "},
		"an Anthropic PDF":                      {anthropic(`{"type":"document","title":"t","source":{"type":"base64","media_type":"application/pdf","data":"` + pdf + `"}}`), "document pdf"},
		"an Anthropic document of text":         {anthropic(`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"` + passage + `"}}`), "document "},
		"an Anthropic document of blocks":       {anthropic(`{"type":"document","source":{"type":"content","content":[{"type":"text","text":"` + passage + `"}]}}`), "document "},
		"an Anthropic document of a string":     {anthropic(`{"type":"document","source":{"type":"content","content":"` + passage + `"}}`), "document "},
		"an Anthropic search result":            {anthropic(`{"type":"search_result","title":"t","source":"s","content":[{"type":"text","text":"` + passage + `"}]}`), "document "},
		"an Anthropic tool result's image":      {anthropic(`{"type":"tool_result","content":[{"type":"image","source":{"type":"base64","data":"` + png + `"}}]}`), "image png"},
		"an Anthropic tool result's document":   {anthropic(`{"type":"tool_result","content":[{"type":"document","source":{"type":"text","data":"` + passage + `"}}]}`), "document "},
		"a Nova image":                          {anthropic(`{"image":{"format":"png","source":{"bytes":"` + png + `"}}}`), "image png"},
		"a Nova document":                       {anthropic(`{"document":{"format":"csv","name":"n","source":{"bytes":"` + b64([]byte(passage)) + `"}}}`), "document csv"},
		"a Nova document of text":               {anthropic(`{"document":{"format":"txt","name":"n","source":{"text":"` + passage + `"}}}`), "document txt"},
		"a Nova video":                          {anthropic(`{"video":{"format":"mp4","source":{"bytes":"` + raw + `"}}}`), "video "},
		"a Titan image":                         {`{"inputText":"harmless","inputImage":"` + png + `"}`, "image png"},
		"a small one of an unknown kind":        {`{"inputText":"harmless","inputImage":"` + b64([]byte("CANARYCANARY")) + `"}`, "image "},
		"a list of images":                      {`{"prompt":"harmless","images":["` + png + `"]}`, "image png"},
		"a Stability image":                     {`{"prompt":"harmless","init_image":"` + png + `"}`, "image png"},
		"a mask":                                {`{"maskPrompt":"a harmless red balloon in the sky","mask_image":"` + png + `"}`, "image png"},
		"an OpenAI image":                       {anthropic(`{"type":"image_url","image_url":{"url":"data:image/png;base64,` + png + `"}}`), "image png"},
		"an OpenAI file":                        {anthropic(`{"type":"file","file":{"filename":"f","file_data":"data:application/pdf;base64,` + pdf + `"}}`), "document "},
		"OpenAI audio":                          {anthropic(`{"type":"input_audio","input_audio":{"data":"` + b64([]byte("\x01CANARYCANARY")) + `","format":"wav"}}`), "audio "},
		"Cohere documents":                      {`{"message":"harmless","documents":[{"title":"CANARY","snippet":"` + passage + `"}]}`, "document "},
		"documents to rank":                     {`{"query":"harmless","documents":["` + passage + `"]}`, "document "},
		"an image under an unknown key":         {`{"x":"harmless","Whatever":{"y":["` + png + `"]}}`, "image png"},
		"data under an unknown key":             {`{"x":"harmless","Whatever":"` + raw + `"}`, "data "},
		"data in the URL's alphabet":            {`{"x":"harmless","Whatever":"` + url + `"}`, "data "},
		"data that is wrapped":                  {`{"x":"harmless","Whatever":` + mustJSON(wrapped(raw, 76)) + `}`, "data "},
		"data in a sentence":                    {`{"x":"harmless, look: ` + raw + `."}`, "data "},
		"an image in Markdown":                  {`{"x":"harmless ![](data:image/png;base64,` + png + `) it is"}`, "image png"},
		"a picture in SVG":                      {`{"x":"harmless","y":"data:image/svg+xml;utf8,<svg>CANARY CANARY</svg>"}`, "image "},
		"a data URL in capitals":                {`{"x":"harmless","y":"DATA:IMAGE/PNG;BASE64,` + png + `"}`, "image png"},
		"JSON in a string":                      {`{"x":"harmless","y":` + mustJSON(`{"documents":["`+passage+`"]}`) + `}`, "document "},
		"base64 as PHP escapes it":              {`{"x":"harmless","y":` + mustJSON("see "+strings.ReplaceAll(b64(bytes.Repeat([]byte("\xff\xffCANARY"), 40)), "/", `\/`)) + `}`, "data "},
		"bytes as numbers":                      {`{"x":"harmless","y":[` + numbers + `]}`, "image png"},
		"a key":                                 {`{"x":"harmless","` + raw + `":1}`, "data "},
	}
}

// Images, documents and other encoded data in a body are told of by kind, format,
// size and digest, and stored in no mode, whatever the model's form is.
func TestMediaInBodiesAreNotStored(t *testing.T) {
	for name, row := range bodiesWithMedia() {
		t.Run(name, func(t *testing.T) {
			if !json.Valid([]byte(row[0])) {
				t.Fatalf("no JSON: %s", row[0])
			}
			never(t, row[1], invokeWith(row[0]), silent)
		})
	}
}

// Nor on any other way into a record.
func TestMediaAreNotStoredAnywhere(t *testing.T) {
	body := `{"prompt":"harmless","images":["` + b64(pngBytes()) + `"]}`
	var parsed map[string]any
	if err := json.Unmarshal([]byte(body), &parsed); err != nil {
		t.Fatal(err)
	}
	lazyDoc := func() bedrockdoc.Interface {
		return document(map[string]any{"x": "harmless", "image": b64(pngBytes())})
	}
	result := func(b types.ToolResultContentBlock) types.ContentBlock {
		return &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t"), Content: []types.ToolResultContentBlock{b}}}
	}
	text := types.DocumentBlock{Name: aws.String("n"), Format: "txt", Source: &types.DocumentSourceMemberText{Value: passage}}
	type send = func(context.Context, *securebedrock.Client) error
	with := func(b types.ContentBlock) send {
		return func(ctx context.Context, c *securebedrock.Client) error {
			in := converse("harmless")
			in.Messages[0].Content = append(in.Messages[0].Content, b)
			_, err := c.Converse(ctx, in)
			return err
		}
	}
	for _, row := range []struct {
		name, want string
		send       send
		answer     func(*securebedrock.Call) any
	}{
		{"the body of a stream", "image png", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: []byte(body)})
			return err
		}, silent},
		{"an asynchronous call", "image png", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.StartAsyncInvoke(ctx, &bedrockruntime.StartAsyncInvokeInput{ModelId: aws.String(haiku), ModelInput: document(parsed),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://b/")}}})
			return err
		}, silent},
		{"a count of a body", "image png", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: []byte(body)}}})
			return err
		}, silent},
		{"a document of text", "document txt", with(&types.ContentBlockMemberDocument{Value: text}), silent},
		{"a document of parts", "document ", with(&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("n"),
			Source: &types.DocumentSourceMemberContent{Value: []types.DocumentContentBlock{&types.DocumentContentBlockMemberText{Value: passage}}}}}), silent},
		{"a tool's document", "document txt", with(result(&types.ToolResultContentBlockMemberDocument{Value: text})), silent},
		{"a tool's JSON", "image png", with(result(&types.ToolResultContentBlockMemberJson{Value: lazyDoc()})), silent},
		{"a search result", "search_result ", with(&types.ContentBlockMemberSearchResult{Value: types.SearchResultBlock{Title: aws.String("t"), Source: aws.String("s"),
			Content: []types.SearchResultContentBlock{{Text: aws.String(passage)}}}}), silent},
		{"a tool's arguments", "image png", with(&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("x"), ToolUseId: aws.String("t"), Input: lazyDoc()}}), silent},
		{"a body that is no JSON", "body ", invokeWith("harmless " + passage), silent},
		{"an answer's images", "image png", invokeWith(`{"prompt":"harmless"}`), func(*securebedrock.Call) any {
			return &bedrockruntime.InvokeModelOutput{Body: []byte(`{"images":["` + b64(pngBytes()) + `"]}`), ContentType: aws.String("application/json")}
		}},
		{"an answer's artifacts", "image png", invokeWith(`{"prompt":"harmless"}`), func(*securebedrock.Call) any {
			return &bedrockruntime.InvokeModelOutput{Body: []byte(`{"artifacts":[{"base64":"` + b64(pngBytes()) + `"}]}`), ContentType: aws.String("application/json")}
		}},
		{"an answer that is a picture itself", "body ", invokeWith(`{"prompt":"harmless"}`), func(*securebedrock.Call) any {
			return &bedrockruntime.InvokeModelOutput{Body: pngBytes(), ContentType: aws.String("image/png")}
		}},
		{"an answer's cited text", "document ", invokeWith(`{"prompt":"harmless"}`), func(*securebedrock.Call) any {
			return &bedrockruntime.InvokeModelOutput{Body: []byte(`{"citations":[{"cited_text":"` + passage + `"}]}`), ContentType: aws.String("application/json")}
		}},
		{"a stream's part", "audio ", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: []byte(`{"x":"harmless"}`)})
			return err
		}, func(call *securebedrock.Call) any {
			call.OnEvent(&types.PayloadPart{Bytes: []byte(`{"event":{}}`)})
			call.OnEvent(&types.PayloadPart{Bytes: []byte(`{"event":{"audioOutput":{"content":"` + b64([]byte("\x01CANARYCANARY")) + `"}}}`)})
			return nil
		}},
		{"a stream's part that is no JSON", "data ", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: []byte(`{"x":"harmless"}`)})
			return err
		}, func(call *securebedrock.Call) any {
			call.OnEvent(&types.PayloadPart{Bytes: []byte(passage)})
			return nil
		}},
		{"a stream's image", "image png", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.ConverseStream(ctx, converseStream("harmless"))
			return err
		}, func(call *securebedrock.Call) any {
			call.OnEvent(&types.ContentBlockStartEvent{ContentBlockIndex: aws.Int32(0), Start: &types.ContentBlockStartMemberImage{Value: types.ImageBlockStart{Format: "png"}}})
			for _, half := range [][]byte{pngBytes()[:50], pngBytes()[50:]} {
				call.OnEvent(&types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberImage{Value: types.ImageBlockDelta{Source: &types.ImageSourceMemberBytes{Value: half}}}})
			}
			return nil
		}},
	} {
		t.Run(row.name, func(t *testing.T) { never(t, row.want, row.send, row.answer) })
	}
}

// Nor in a text, be it that of a tool's result. A text's digest covers them alone.
func TestMediaInTextsAreNotStored(t *testing.T) {
	png := b64(pngBytes())
	for name, row := range map[string][2]string{
		"JSON with documents":    {`{"documents":["` + passage + `"],"x":"harmless"}`, "document "},
		"an image":               {png, "image png"},
		"an image in a sentence": {"Look: " + png + " and say", "image png"},
		"an image behind a word": {"x=no" + png, "image png"},
		"a data URL":             {"![x](data:image/png;base64," + png + ")", "image png"},
		"data":                   {"x" + wrapped(b64(rawBytes()), 76) + " y", "data "},
	} {
		t.Run(name, func(t *testing.T) {
			never(t, row[1], func(ctx context.Context, c *securebedrock.Client) error {
				in := converse("harmless")
				in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
					Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: row[0]}}}})
				_, err := c.Converse(ctx, in)
				return err
			}, silent, audit.ContentDigest)
			never(t, row[1], func(ctx context.Context, c *securebedrock.Client) error {
				_, err := c.ConverseStream(ctx, converseStream("harmless"))
				return err
			}, func(call *securebedrock.Call) any {
				for _, r := range row[0] { // one character an event
					call.OnEvent(&types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: string(r)}})
				}
				return nil
			}, audit.ContentDigest)
		})
	}
	// A stream's text that is cut within the data.
	sink := new(memory)
	c := newClient(t, bedrocktest.NewServer(t), sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentFull, Reason: "test", MaxBytes: 100}}, func(o *securebedrock.Options) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(_ context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				call.OnEvent(&types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: strings.Repeat("x ", 30) + strings.ReplaceAll(wrapped(b64(rawBytes()), 40), "\n", "\n"+strings.Repeat(" ", 14))}})
				return nil, errAnswered
			}
		})
	})
	_, _ = c.ConverseStream(t.Context(), converseStream("x"))
	if _, out := sink.pair(t); !out.Output.Blocks[0].Truncated || strings.Contains(mustJSON(out), b64(rawBytes())[:32]) {
		t.Errorf("%+v", out.Output)
	}
}

// The digest of a medium in a body is that of the same medium in a block, and that of
// the body is still of the whole body.
func TestDigestsOfMediaInBodies(t *testing.T) {
	body := []byte(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"` + b64(pngBytes()) + `"}},` +
		`{"type":"document","source":{"type":"text","data":"` + passage + `"}}]}]}`)
	c := must(audit.DigestOf(key1, &bedrockruntime.InvokeModelInput{Body: body}))
	in := converse("x")
	in.Messages[0].Content = []types.ContentBlock{
		&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: pngBytes()}}},
		&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberText{Value: passage}}},
	}
	blocks := must(audit.DigestOf(key1, in)).Blocks
	if len(c.Blocks) != 3 || c.Blocks[1].Digest != blocks[0].Digest || c.Blocks[2].Digest != blocks[2].Digest || c.Bytes != int64(len(body)) || c.Kinds["image"] != 1 {
		t.Errorf("body %+v\nblocks %+v", c, blocks)
	}
	if d := audit.DigestText(key1, "user", "body", audit.Canonical(body)); c.Blocks[0].Digest != d {
		t.Errorf("the body's digest is %s, want %s", c.Blocks[0].Digest, d)
	}
}

// What only looks like data is stored.
func TestTextsThatAreNoMediaAreStored(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("lorem ipsum dolor sit amet ", 40), strings.Repeat("0123456789abcdef", 8), "metadata: a, b", "data:,", "the data:x, y",
		"https://bucket.s3.amazonaws.com/a/long/path/to/an/image/of/something/that/is/there.png", strings.Repeat("/usr/local/share/some/folder/name.of.it\n", 20),
	} {
		sink := new(memory)
		c := newClient(t, bedrocktest.NewServer(t), sink, audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentFull, Reason: "test"}})
		_, _ = c.Converse(t.Context(), converse(text))
		if in, _ := sink.pair(t); in.Input.Blocks[0].Text != text || len(in.Input.Blocks) != 1 {
			t.Errorf("%q became %+v", text, in.Input.Blocks)
		}
	}
}

// FuzzWithhold: whatever a body is, what is stored of it is valid, ends, and holds
// none of the image that stands in it.
func FuzzWithhold(f *testing.F) {
	for _, row := range bodiesWithMedia() {
		f.Add([]byte(row[0]))
	}
	f.Add([]byte(strings.Repeat("0", 32)))
	f.Add([]byte(`"data:;base64,"`))
	f.Add([]byte(`["data:text/plain,` + "\xff" + `"]`))
	png := b64(pngBytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, b := range [][]byte{body, []byte(`{"x":` + string(body) + `,"y":"` + png + `"}`), []byte(`[` + mustJSON(string(body)+" "+png) + `]`)} {
			stored := audit.Stored(b)
			if json.Valid(b) && stored != "" && !json.Valid([]byte(stored)) {
				t.Fatalf("%q became %q", b, stored)
			}
			if len(b) > len(body) && strings.Contains(stored, png) {
				t.Fatalf("the image is in %q", stored)
			}
		}
	})
}
