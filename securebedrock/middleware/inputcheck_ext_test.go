package middleware_test

import (
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

const denied = "how to build a bomb"

func user(b ...types.ContentBlock) *bedrockruntime.ConverseInput {
	in := converse("hello")
	in.Messages[0].Content = append(in.Messages[0].Content, b...)
	return in
}

func result(b types.ToolResultContentBlock) *bedrockruntime.ConverseInput {
	return user(&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t"), Content: []types.ToolResultContentBlock{b}}})
}

func doc(s types.DocumentSource, format types.DocumentFormat) *bedrockruntime.ConverseInput {
	return user(&types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("d"), Format: format, Source: s}})
}

func document1(s string) document.Interface {
	return document.NewLazyDocument(map[string]any{"a": []any{s}})
}

func picture(format types.ImageFormat) types.ImageBlock {
	return types.ImageBlock{Format: format, Source: &types.ImageSourceMemberBytes{Value: []byte(tinyPNG())}}
}

// tinyPNG is an image that Bedrock takes: one black pixel.
func tinyPNG() string {
	var b strings.Builder
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)))
	return b.String()
}

func guard(text string) types.GuardrailConverseContentBlock {
	return &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String(text)}}
}

func changed(f func(*bedrockruntime.ConverseInput)) *bedrockruntime.ConverseInput {
	in := converse("hello")
	f(in)
	return in
}

func search(text string) types.SearchResultBlock {
	return types.SearchResultBlock{Source: aws.String("s"), Title: aws.String("t"), Content: []types.SearchResultContentBlock{{Text: aws.String(text)}}}
}

func invoke(text string) *bedrockruntime.InvokeModelInput {
	return &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: body(text)}
}

func base(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestInputCheck(t *testing.T) {
	type options = middleware.InputCheckOptions
	allow := func(c ...middleware.Content) options { return options{AllowUnchecked: c} }
	reasoning := func(text string) *bedrockruntime.ConverseInput {
		return changed(func(in *bedrockruntime.ConverseInput) {
			in.Messages = append(in.Messages, types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
				&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: aws.String(text)}}}}}, says("go on")[0])
		})
	}
	later := changed(func(in *bedrockruntime.ConverseInput) {
		in.Messages = append(says(denied), types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "no"}}}, says("hello")[0])
	})
	tooled := changed(func(in *bedrockruntime.ConverseInput) {
		in.ToolConfig = &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("x"), Description: aws.String(denied),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})}}}}}
	})
	encrypted := user(&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: []byte("x")}})
	filler := strings.Repeat("lorem ipsum ", 4000)
	png := base(tinyPNG())
	for _, row := range []struct {
		name string
		opts options
		in   any
		ok   bool
	}{
		{"a harmless prompt passes", options{}, converse("hello"), true},
		{"a denied one does not", options{}, converse(denied), false},
		{"nor in a stream", options{}, converseStream(denied), false},
		{"nor in a system prompt", options{}, changed(func(in *bedrockruntime.ConverseInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: denied}}
		}), false},
		{"nor in a system prompt's guardContent", options{}, changed(func(in *bedrockruntime.ConverseInput) {
			in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: guard(denied)}}
		}), false},
		{"nor in guardContent", options{}, user(&types.ContentBlockMemberGuardContent{Value: guard(denied)}), false},
		{"nor beside guardContent", options{}, user(&types.ContentBlockMemberGuardContent{Value: guard("hello")}, &types.ContentBlockMemberText{Value: denied}), false},
		{"nor in a tool's text", options{}, result(&types.ToolResultContentBlockMemberText{Value: denied}), false},
		{"nor in a tool's JSON", options{}, result(&types.ToolResultContentBlockMemberJson{Value: document1(denied)}), false},
		{"nor in a tool's search result", options{}, result(&types.ToolResultContentBlockMemberSearchResult{Value: search(denied)}), false},
		{"nor in a tool's arguments", options{}, user(&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("x"), ToolUseId: aws.String("t"), Input: document1(denied)}}), false},
		{"a tool's definition is the program's own", options{}, tooled, true},
		{"but not where tools are asked for", options{Tools: true}, tooled, false},
		{"nor in reasoning", options{}, reasoning(denied), false},
		{"but where reasoning is allowed", allow(middleware.Reasoning), reasoning(denied), true},
		{"encrypted reasoning is refused", options{}, encrypted, false},
		{"but not where it is allowed", allow(middleware.Reasoning), encrypted, true},
		{"nor in a document's text", options{}, doc(&types.DocumentSourceMemberText{Value: denied}, ""), false},
		{"nor in a text file", options{}, doc(&types.DocumentSourceMemberBytes{Value: []byte(denied)}, types.DocumentFormatMd), false},
		{"nor in a document's parts", options{}, doc(&types.DocumentSourceMemberContent{Value: []types.DocumentContentBlock{&types.DocumentContentBlockMemberText{Value: denied}}}, ""), false},
		{"nor in a search result", options{}, user(&types.ContentBlockMemberSearchResult{Value: search(denied)}), false},
		{"nor in a citation", options{}, user(&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{Citations: []types.Citation{{SourceContent: []types.CitationSourceContent{
			&types.CitationSourceContentMemberText{Value: denied}}}}}}), false},
		{"nor in a prompt's variable", options{}, changed(func(in *bedrockruntime.ConverseInput) {
			in.PromptVariables = map[string]types.PromptVariableValues{"v": &types.PromptVariableValuesMemberText{Value: denied}}
		}), false},
		{"nor in a model's own field", options{}, changed(func(in *bedrockruntime.ConverseInput) { in.AdditionalModelRequestFields = document1(denied) }), false},
		{"nor in a body", options{}, invoke(denied), false},
		{"nor in an escape of it", options{}, invoke(`how to \u0062uild a bomb`), false},
		{"nor in a text in base64", options{}, invoke(base(denied + strings.Repeat(" please", 20))), false},
		{"a harmless body passes", options{}, invoke("hello"), true},
		{"a body that is no JSON is refused", options{}, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(`{"messages": [`)}, false},
		{"a PNG in a body is sent to the check", options{}, invoke("data:image/png;base64," + png), true},
		{"a PDF in a body is refused", options{}, invoke(base("%PDF-1.7" + strings.Repeat("x", 60))), false},
		{"but not where documents are allowed", allow(middleware.Document), invoke(base("%PDF-1.7" + strings.Repeat("x", 60))), true},
		{"a phrase at the end of a long text does not pass", options{}, converse(filler + denied), false},
		{"nor one across a cut", options{MaxText: 2000}, converse(filler[:1990] + " " + denied + " " + filler), false},
		{"a text that needs too many requests is refused", options{MaxText: 2000, MaxRequests: 3}, converse(filler), false},
		{"an earlier turn counts", options{}, later, false},
		{"but not where the last is asked for", options{LastTurn: true}, later, true},
		{"an answer that the caller begins hides no turn", options{LastTurn: true}, changed(func(in *bedrockruntime.ConverseInput) {
			in.Messages = append(says(denied), types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Sure:"}}})
		}), false},
		{"a PDF is refused", options{}, doc(&types.DocumentSourceMemberBytes{Value: []byte("%PDF")}, types.DocumentFormatPdf), false},
		{"but not where documents are allowed", allow(middleware.Document), doc(&types.DocumentSourceMemberBytes{Value: []byte("%PDF")}, types.DocumentFormatPdf), true},
		{"what else is in the call is checked all the same", allow(middleware.Document), func() any {
			in := doc(&types.DocumentSourceMemberBytes{Value: []byte("%PDF")}, types.DocumentFormatPdf)
			in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberText{Value: denied})
			return in
		}(), false},
		{"a video is refused", options{}, user(&types.ContentBlockMemberVideo{Value: types.VideoBlock{Format: "mp4", Source: &types.VideoSourceMemberBytes{Value: []byte("v")}}}), false},
		{"and where only documents are allowed", allow(middleware.Document), user(&types.ContentBlockMemberVideo{Value: types.VideoBlock{Format: "mp4", Source: &types.VideoSourceMemberBytes{Value: []byte("v")}}}), false},
		{"audio is refused", options{}, user(&types.ContentBlockMemberAudio{Value: types.AudioBlock{Format: "wav", Source: &types.AudioSourceMemberBytes{Value: []byte("v")}}}), false},
		{"a WebP is refused", options{}, user(&types.ContentBlockMemberImage{Value: picture("webp")}), false},
		{"and a tool's", options{}, result(&types.ToolResultContentBlockMemberImage{Value: picture("webp")}), false},
		{"an image in S3 is refused", options{}, user(&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberS3Location{Value: types.S3Location{Uri: aws.String("s3://b/k")}}}}), false},
		{"a PNG is sent to the check", options{}, user(&types.ContentBlockMemberImage{Value: picture("png")}), true},
		{"a block that is not known is refused", options{}, user(&types.UnknownUnionMember{Tag: "new"}), false},
		{"a guardrail that does not exist refuses", options{ID: "abcdefghijkl", Version: "1"}, converse("hello"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			var client *securebedrock.Client
			row.opts.Client = func() middleware.Checker { return client }
			sent := false
			client = newClient(t, server, must(t)(middleware.InputCheck(row.opts)), inner(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
				if call.Operation == "ApplyGuardrail" {
					return next(ctx, call)
				}
				sent = true
				return &securebedrock.Result{}, errSent // bedrocktest does not take every block
			}))
			var err error
			switch in := row.in.(type) {
			case *bedrockruntime.ConverseInput:
				_, err = client.Converse(t.Context(), in)
			case *bedrockruntime.ConverseStreamInput:
				_, err = client.ConverseStream(t.Context(), in)
			case *bedrockruntime.InvokeModelInput:
				_, err = client.InvokeModel(t.Context(), in)
			}
			if row.ok {
				if !sent || !errors.Is(err, errSent) || arrived(server, "ApplyGuardrail") == 0 {
					t.Errorf("%v; %d checks", err, arrived(server, "ApplyGuardrail"))
				}
				return
			}
			var e *middleware.InputError
			var p *securebedrock.PolicyError
			if sent || !errors.Is(err, middleware.ErrInput) || !errors.As(err, &e) || !errors.As(err, &p) || strings.Contains(err.Error(), "bomb") {
				t.Errorf("sent: %t, %v", sent, err)
			}
		})
	}
}

var errSent = errors.New("sent")

// An image goes to the guardrail as an image, and a body's too.
func TestInputCheckSendsImages(t *testing.T) {
	png := tinyPNG()
	for name, in := range map[string]any{
		"a block": user(&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: []byte(png)}}}),
		"a body":  invoke(base(png)),
	} {
		var images []string
		ask(t, in, middleware.InputCheckOptions{}, checker(func(in *bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
			for _, b := range in.Content {
				if i, ok := b.(*types.GuardrailContentBlockMemberImage); ok {
					images = append(images, string(i.Value.Source.(*types.GuardrailImageSourceMemberBytes).Value))
				}
			}
			return &bedrockruntime.ApplyGuardrailOutput{Action: types.GuardrailActionNone}, nil
		}))
		if len(images) != 1 || images[0] != png {
			t.Errorf("%s: %d images", name, len(images))
		}
	}
}

type checker func(*bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error)

func (f checker) ApplyGuardrail(_ context.Context, in *bedrockruntime.ApplyGuardrailInput, _ ...func(*bedrockruntime.Options)) (*bedrockruntime.ApplyGuardrailOutput, error) {
	return f(in)
}

// ask makes a call that a Checker of the test's decides on.
func ask(t *testing.T, in any, opts middleware.InputCheckOptions, client middleware.Checker) (sent bool, err error) {
	t.Helper()
	opts.Client = func() middleware.Checker { return client }
	c := call(haiku)
	c.Input = in
	c.Guardrail = securebedrock.Guardrail{ID: "gr", Version: "1"}
	_, err = must(t)(middleware.InputCheck(opts))(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
		sent = true
		return nil, nil
	})(t.Context(), c)
	return sent, err
}

// What a guardrail answers, and what becomes of the call.
func TestInputCheckAnswers(t *testing.T) {
	covers := func(chars, images int32) *types.GuardrailCoverage {
		return &types.GuardrailCoverage{TextCharacters: &types.GuardrailTextCharactersCoverage{Guarded: aws.Int32(chars), Total: aws.Int32(5)},
			Images: &types.GuardrailImageCoverage{Guarded: aws.Int32(images), Total: aws.Int32(1)}}
	}
	fault := errors.New("no connection, secret")
	for _, row := range []struct {
		name       string
		out        *bedrockruntime.ApplyGuardrailOutput
		err        error
		allowed    []middleware.Content
		ok         bool
		intervened bool
		unchecked  middleware.Content
	}{
		{"no intervention passes", &bedrockruntime.ApplyGuardrailOutput{Action: "NONE"}, nil, nil, true, false, ""},
		{"an intervention does not", &bedrockruntime.ApplyGuardrailOutput{Action: "GUARDRAIL_INTERVENED"}, nil, nil, false, true, ""},
		{"nor an action that is not known", &bedrockruntime.ApplyGuardrailOutput{Action: "NEW"}, nil, nil, false, true, ""},
		{"nor no answer", nil, nil, nil, false, false, ""},
		{"nor an error", nil, fault, nil, false, false, ""},
		{"full coverage passes", &bedrockruntime.ApplyGuardrailOutput{Action: "NONE", GuardrailCoverage: covers(5, 1)}, nil, nil, true, false, ""},
		{"a guardrail that does not look at text does not", &bedrockruntime.ApplyGuardrailOutput{Action: "NONE", GuardrailCoverage: covers(0, 1)}, nil, nil, false, false, middleware.Text},
		{"nor one that does not look at images", &bedrockruntime.ApplyGuardrailOutput{Action: "NONE", GuardrailCoverage: covers(5, 0)}, nil, nil, false, false, middleware.Image},
		{"but where images are allowed", &bedrockruntime.ApplyGuardrailOutput{Action: "NONE", GuardrailCoverage: covers(5, 0)}, nil, []middleware.Content{middleware.Image}, true, false, ""},
		{"and text where text is", &bedrockruntime.ApplyGuardrailOutput{Action: "NONE", GuardrailCoverage: covers(0, 1)}, nil, []middleware.Content{middleware.Text}, true, false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			sent, err := ask(t, converse("hello"), middleware.InputCheckOptions{AllowUnchecked: row.allowed}, checker(func(in *bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
				if in.Source != types.GuardrailContentSourceInput || aws.ToString(in.GuardrailIdentifier) != "gr" || aws.ToString(in.GuardrailVersion) != "1" {
					t.Errorf("asked %+v", in)
				}
				return row.out, row.err
			}))
			var e *middleware.InputError
			switch {
			case row.ok != sent || row.ok != (err == nil):
				t.Errorf("sent: %t, %v", sent, err)
			case row.ok:
			case !errors.As(err, &e) || e.Intervened != row.intervened || e.Unchecked != row.unchecked || row.err != nil && !errors.Is(err, row.err) || strings.Contains(err.Error(), "secret"):
				t.Errorf("%v, %+v", err, e)
			}
		})
	}
	if sent, err := ask(t, converse("hello"), middleware.InputCheckOptions{}, nil); sent || !errors.Is(err, middleware.ErrInput) {
		t.Errorf("without a client: %v", err)
	}
	if sent, err := ask(t, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{}, middleware.InputCheckOptions{}, nil); sent || !errors.Is(err, middleware.ErrInput) {
		t.Errorf("a bidirectional stream: %v", err)
	}
}

// Every phrase that stands within the overlap is whole in one request, none is larger
// than it may be, and no character is cut.
func TestInputCheckCutsTexts(t *testing.T) {
	for _, most := range []int{1024, 1025, 1500, 25_000} {
		for _, filler := range []string{"lorem ipsum ", "日本語テキスト", "ä"} {
			for at := 900; at < 2200; at += 37 {
				text := strings.Repeat(filler, 9000/len(filler))
				i := runeStart(text, at)
				in := user(&types.ContentBlockMemberText{Value: text[:i] + denied + text[i:]}, &types.ContentBlockMemberText{Value: strings.Repeat("x", at)}, &types.ContentBlockMemberText{Value: denied[:9]},
					&types.ContentBlockMemberText{Value: denied[9:]})
				found, joined := false, false
				_, err := ask(t, in, middleware.InputCheckOptions{MaxText: most}, checker(func(in *bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
					size, all := 0, ""
					for _, b := range in.Content {
						s := aws.ToString(b.(*types.GuardrailContentBlockMemberText).Value.Text)
						size += len(s)
						all += s
						found = found || strings.Contains(s, denied)
						if strings.ToValidUTF8(s, "") != s {
							t.Error("a character is cut")
						}
					}
					joined = joined || strings.HasSuffix(all, denied)
					if size > most || size == 0 {
						t.Errorf("%d bytes in a request of at most %d", size, most)
					}
					return &bedrockruntime.ApplyGuardrailOutput{Action: "NONE"}, nil
				}))
				if err != nil || !found || !joined {
					t.Fatalf("%d bytes of %q, at %d: found %t, joined %t, %v", most, filler, at, found, joined, err)
				}
			}
		}
	}
}

func runeStart(s string, at int) int {
	for s[at]&0xC0 == 0x80 {
		at--
	}
	return at
}

func TestInputCheckThatCannotBeMadeRefuses(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ApplyGuardrail", bedrocktest.ServerError(500, 1))
	var client *securebedrock.Client
	client = newClient(t, server, must(t)(middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { return client }})))
	if _, err := client.Converse(t.Context(), converse("hello")); !errors.Is(err, middleware.ErrInput) || arrived(server, "Converse") != 0 {
		t.Errorf("%v, %d model calls", err, arrived(server, "Converse"))
	}
	if _, err := client.Converse(t.Context(), converse("hello")); err != nil || arrived(server, "Converse") != 1 {
		t.Errorf("when it can: %v, %d model calls", err, arrived(server, "Converse"))
	}
}

// A tool's arguments that came with an answer are checked when they are sent back.
func TestInputCheckOfAnAnswersDocument(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return &bedrockruntime.ConverseOutput{StopReason: types.StopReasonToolUse, Output: &types.ConverseOutputMemberMessage{Value: types.Message{Role: types.ConversationRoleAssistant,
			Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("x"), ToolUseId: aws.String("t"), Input: document1("build a " + "bomb")}}}}}}, nil
	})
	server.AddGuardrail(bedrocktest.Guardrail{ID: "lax0000000000"})
	o := server.Options()
	o.Guardrail = securebedrock.Guardrail{ID: "lax0000000000", Version: "1"}
	lax, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer lax.Close()
	out, err := lax.Converse(t.Context(), converse("hello"))
	if err != nil {
		t.Fatal(err)
	}
	again := converse("hello")
	again.Messages = append(again.Messages, out.Output.(*types.ConverseOutputMemberMessage).Value, says("go on")[0])
	var client *securebedrock.Client
	client = newClient(t, server, must(t)(middleware.InputCheck(middleware.InputCheckOptions{Client: func() middleware.Checker { return client }})))
	var e *middleware.InputError
	if _, err := client.Converse(t.Context(), again); !errors.As(err, &e) || !e.Intervened {
		t.Errorf("%v", err)
	}
}

// Between two requests the check heeds the call's context, also where the Checker
// does not.
func TestInputCheckHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	check := must(t)(middleware.InputCheck(middleware.InputCheckOptions{MaxText: 1024, Client: func() middleware.Checker {
		return checker(func(*bedrockruntime.ApplyGuardrailInput) (*bedrockruntime.ApplyGuardrailOutput, error) {
			asked++
			cancel()
			return &bedrockruntime.ApplyGuardrailOutput{Action: types.GuardrailActionNone}, nil
		})
	}}))
	client := newClient(t, bedrocktest.NewServer(t), check)
	if _, err := client.Converse(ctx, converse(strings.Repeat("x", 10_000))); !errors.Is(err, context.Canceled) || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}
