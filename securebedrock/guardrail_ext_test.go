package securebedrock_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func guardText(text string, qualifiers ...types.GuardrailConverseContentQualifier) *types.GuardrailConverseContentBlockMemberText {
	return &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String(text), Qualifiers: qualifiers}}
}

// Contextual grounding as AWS's page writes it (guardrails-contextual-grounding-check)
// is refused for what it lacks; with that it passes.
func TestContextualGrounding(t *testing.T) {
	const source, query, guard = types.GuardrailConverseContentQualifierGroundingSource, types.GuardrailConverseContentQualifierQuery, types.GuardrailConverseContentQualifierGuardContent
	content := func(s, q []types.GuardrailConverseContentQualifier) []types.ContentBlock {
		return []types.ContentBlock{
			&types.ContentBlockMemberGuardContent{Value: guardText("London is the capital of the United Kingdom.", s...)},
			&types.ContentBlockMemberGuardContent{Value: guardText("What is the capital of the United Kingdom?", q...)},
		}
	}
	type list = []types.GuardrailConverseContentQualifier
	for _, row := range []struct {
		name    string
		content []types.ContentBlock
		system  []types.SystemContentBlock
		says    string // empty: it passes
	}{
		{"AWS's own form", content(list{source}, list{query}), nil, "add the qualifier guard_content"},
		{"a query alone", content(list{source, guard}, list{query}), nil, "add the qualifier guard_content"},
		{"a source in the system prompt", content(nil, nil), []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: guardText("x", source)}}, "add the qualifier guard_content"},
		{"with guard_content", content(list{source, guard}, list{query, guard}), nil, ""},
		{"without qualifiers", content(nil, nil), nil, ""},
		{"text beside it", append(content(list{source, guard}, list{query, guard}), &types.ContentBlockMemberText{Value: "x"}), nil, "put all of it or none of it in them"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			for _, partial := range []bool{false, true} {
				c := newClient(t, server, func(o *opts) { o.Guardrail.AllowPartial = partial })
				_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), System: row.system,
					Messages: []types.Message{{Role: types.ConversationRoleUser, Content: row.content}}})
				if row.says == "" || partial {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
				if other := "put all of it or none of it"; !strings.Contains(err.Error(), row.says) || !strings.Contains(row.says, other) && strings.Contains(err.Error(), other) {
					t.Errorf("the reason is another: %v", err)
				}
			}
		})
	}
}

// A blocked turn that stays in the history blocks the next call; without it, the
// conversation goes on.
func TestConversationAfterABlock(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	say := func(history []types.Message) types.StopReason {
		t.Helper()
		out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: history})
		if err != nil {
			t.Fatal(err)
		}
		return out.StopReason
	}
	blocked := userSays("how do I build a bomb")
	if got := say(blocked); got != types.StopReasonGuardrailIntervened {
		t.Fatal(got)
	}
	answer := types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Sorry."}}}
	if got := say(append(append(blocked, answer), userSays("hello")...)); got != types.StopReasonGuardrailIntervened {
		t.Errorf("with the blocked turn: %s", got)
	}
	if got := say(userSays("hello")); got != types.StopReasonEndTurn {
		t.Errorf("without it: %s", got)
	}
}

// changing is a document whose encoding is the caller's code, which runs between the
// rules and the wire.
type changing struct {
	document.Interface
	change func()
}

func (d changing) MarshalSmithyDocument() ([]byte, error) { d.change(); return []byte(`{}`), nil }

// What the coverage rule has looked at is what is sent, whatever becomes of the
// caller's blocks meanwhile.
func TestCoverageOfBlocksThatChange(t *testing.T) {
	text := &types.ContentBlockMemberText{}
	system := &types.SystemContentBlockMemberText{}
	guard := guardText("a question", types.GuardrailConverseContentQualifierGuardContent)
	covered := &types.ContentBlockMemberGuardContent{Value: guardText("a question")}
	systemCovered := &types.SystemContentBlockMemberGuardContent{Value: guardText("a rule")}
	for name, row := range map[string]struct {
		content []types.ContentBlock
		system  []types.SystemContentBlock
		change  func()
	}{
		"an empty text is filled":        {[]types.ContentBlock{text}, nil, func() { text.Value = "UNSCANNED" }},
		"an empty system text is filled": {nil, []types.SystemContentBlock{system}, func() { system.Value = "UNSCANNED" }},
		"a qualifier is exchanged": {[]types.ContentBlock{&types.ContentBlockMemberGuardContent{Value: guard}}, nil, func() {
			guard.Value.Qualifiers[0] = types.GuardrailConverseContentQualifierQuery
		}},
		"a block is exchanged": {[]types.ContentBlock{covered}, nil, func() {
			covered.Value = guardText("UNSCANNED", types.GuardrailConverseContentQualifierQuery)
		}},
		"a system block is exchanged": {nil, []types.SystemContentBlock{systemCovered}, func() {
			systemCovered.Value = guardText("UNSCANNED", types.GuardrailConverseContentQualifierQuery)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = nil
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			result := &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String("t1"), Content: []types.ToolResultContentBlock{
				&types.ToolResultContentBlockMemberJson{Value: changing{document.NewLazyDocument(map[string]any{}), row.change}},
			}}}
			content := append([]types.ContentBlock{result, &types.ContentBlockMemberGuardContent{Value: guardText("first")}}, row.content...)
			use := &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("x"), ToolUseId: aws.String("t1"), Input: document.NewLazyDocument(map[string]any{})}}
			messages := append(userSays("hello"), types.Message{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{use}},
				types.Message{Role: types.ConversationRoleUser, Content: content})
			_, err = c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), System: row.system, Messages: messages,
				ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("x"),
					InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})}}}}}})
			if err != nil {
				refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
			}
			for _, call := range calls(server, "Converse") {
				if body := string(call.Body); strings.Contains(body, "UNSCANNED") || strings.Contains(body, `"query"`) {
					t.Errorf("sent %s", body)
				}
			}
		})
	}
}

// Under Unguarded nothing of a guardrail is written, required or refused, and
// every record says why.
func TestUnguarded(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "evaluation set" })
	ctx := t.Context()
	if _, err := c.Converse(ctx, converse("hello")); err != nil {
		t.Fatal(err)
	}
	if in := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput); in.GuardrailConfig != nil {
		t.Errorf("sent %+v", in.GuardrailConfig)
	}
	in := converse("plain")
	in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberGuardContent{
		Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("x")}}})
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1")}
	if _, err := c.Converse(ctx, in); err != nil {
		t.Error(err)
	}
	if _, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1")); err != nil {
		t.Error(err)
	}
	for _, call := range rec.calls {
		if call.Unguarded != "evaluation set" || call.Guardrail != (securebedrock.Guardrail{}) {
			t.Errorf("%s: %+v", call.Operation, call)
		}
	}
}

// What is sent is the guardrail as Options name it, also where the caller named
// the same one in the other way.
func TestPinnedGuardrailIsSentAsPinned(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	arn := "arn:aws:bedrock:us-east-1:123456789012:guardrail/" + bedrocktest.DefaultGuardrailID
	in := converse("hello")
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: &arn}
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	got := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput).GuardrailConfig
	if aws.ToString(got.GuardrailIdentifier) != bedrocktest.DefaultGuardrailID {
		t.Errorf("sent %s", *got.GuardrailIdentifier)
	}
}

func TestCoverage(t *testing.T) {
	guarded := &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("scan me")}}}
	for name, block := range map[string]types.ContentBlock{
		"image":     &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: []byte{1}}}},
		"document":  &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("n"), Source: &types.DocumentSourceMemberBytes{Value: []byte{1}}}},
		"citations": &types.ContentBlockMemberCitationsContent{},
		"search":    &types.ContentBlockMemberSearchResult{Value: types.SearchResultBlock{Source: aws.String("s"), Title: aws.String("t"), Content: []types.SearchResultContentBlock{{Text: aws.String("x")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			in := converse("x")
			in.Messages[0].Content = []types.ContentBlock{guarded, block}
			_, err := c.Converse(t.Context(), in)
			refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
			stream := converseStream("x")
			stream.Messages = in.Messages
			_, err = c.ConverseStream(t.Context(), stream)
			refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
			nothingArrived(t, server)
		})
	}
	t.Run("guardContent in the system prompt alone", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		in := converse("a secret")
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: guarded.Value}}
		_, err := c.Converse(t.Context(), in)
		refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
		nothingArrived(t, server)
	})
}

func TestBodyCoverage(t *testing.T) {
	const cfg = `"amazon-bedrock-guardrailConfig"`
	for _, row := range []struct {
		name, body, contentType string
		rule                    error
	}{
		{"an array", `["guardrailConfig",1]`, "", securebedrock.ErrGuardrailCoverage},
		{"a key that is no string", `{1:"guardrailConfig"}`, "", securebedrock.ErrGuardrailCoverage},
		{"a value that is no JSON", `{"guardrailConfig":tru}`, "", securebedrock.ErrGuardrailCoverage},
		{"an object without its end", `{"guardrailConfig":1`, "", securebedrock.ErrGuardrailCoverage},
		{"more after the object", `{"guardrailConfig":1}{` + cfg + `:{"tagSuffix":"x"}}`, "", securebedrock.ErrGuardrailCoverage},
		{"settings that are no object", `{` + cfg + `:1}`, "", securebedrock.ErrGuardrailCoverage},
		{"settings that are not known", `{` + cfg + `:{"new":1}}`, "", securebedrock.ErrGuardrailOverride},
		{"a tag suffix in another case", `{` + cfg + `:{"TagSuffix":"x"}}`, "", securebedrock.ErrGuardrailCoverage},
		{"a content type that does not parse", `{}`, "application/json;;=", securebedrock.ErrGuardrailCoverage},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			var ct *string
			if row.contentType != "" {
				ct = &row.contentType
			}
			_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(row.body), ContentType: ct})
			refusedBy(t, err, row.rule)
			_, err = c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: []byte(row.body), ContentType: ct})
			refusedBy(t, err, row.rule)
			nothingArrived(t, server)
		})
	}
	for _, row := range []struct {
		name, settings string
		change         func(*opts)
	}{
		{"a tag suffix where it is allowed", `{"tagSuffix":"x"}`, func(o *opts) { o.Guardrail.AllowPartial = true }},
		{"the pinned synchronous mode", `{"streamProcessingMode":"SYNCHRONOUS"}`, func(*opts) {}},
		{"the pinned asynchronous mode", `{"streamProcessingMode":"ASYNCHRONOUS"}`, func(o *opts) { o.Guardrail.Stream = types.GuardrailStreamProcessingModeAsync }},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, row.change)
			body := strings.Replace(string(invokeBody("hello")), "{", "{"+cfg+":"+row.settings+",", 1)
			if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body), ContentType: aws.String("application/json; charset=utf-8")}); err != nil {
				t.Error(err)
			}
		})
	}
}

// The key of the guardrail settings in a body is matched in any case.
func TestBodyKeyCase(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku),
		Body: []byte(`{"amazon-bedrock-guardrailconfig":{"tagSuffix":"x"},"messages":[]}`)})
	refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
}

func inUTF16(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// A body that the guard could not inspect, or that two readers could take in two
// ways, is refused.
func TestBodyThatCannotBeInspected(t *testing.T) {
	const partial = `{"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"},"messages":[]}`
	const plain = `{"messages":[]}`
	for _, row := range []struct {
		name, contentType, body string
		rule                    error
	}{
		{"UTF-16, little end first", "", inUTF16(partial, binary.LittleEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-16, big end first", "", inUTF16(partial, binary.BigEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-16 with its mark", "", "\xff\xfe" + inUTF16(partial, binary.LittleEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-16 that says so", "application/json; charset=utf-16le", inUTF16(partial, binary.LittleEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-8 that says UTF-16", "application/json; charset=utf-16le", plain, securebedrock.ErrGuardrailCoverage},
		{"UTF-8 that says Latin-1", "application/json;charset=iso-8859-1", plain, securebedrock.ErrGuardrailCoverage},
		{"a byte order mark", "", "\ufeff" + partial, securebedrock.ErrGuardrailCoverage},
		{"bytes that are no UTF-8", "", `{"a":"` + "\xff" + `"}`, securebedrock.ErrGuardrailCoverage},
		{"a list", "", "[" + partial + "]", securebedrock.ErrGuardrailCoverage},
		{"a string", "", `"text"`, securebedrock.ErrGuardrailCoverage},
		{"null", "", `null`, securebedrock.ErrGuardrailCoverage},
		{"two objects", "", plain + partial, securebedrock.ErrGuardrailCoverage},
		{"an object in two lines", "", plain + "\n" + partial, securebedrock.ErrGuardrailCoverage},
		{"nothing", "", "", securebedrock.ErrGuardrailCoverage},
		{"half an object", "", `{"messages":[`, securebedrock.ErrGuardrailCoverage},
		{"a comment", "", `{/* */"messages":[]}`, securebedrock.ErrGuardrailCoverage},
		{"a key twice", "", `{"messages":[],"messages":[{}]}`, securebedrock.ErrGuardrailCoverage},
		{"a key twice, escaped", "", `{"messages":[],"mess\u0061ges":[{}]}`, securebedrock.ErrGuardrailCoverage},
		{"the settings twice", "", `{"amazon-bedrock-guardrailConfig":{},"amazon-bedrock-guardrailConfig":{}}`, securebedrock.ErrGuardrailCoverage},
		{"the settings twice in two spellings", "", `{"amazon-bedrock-guardrailConfig":{},"AMAZON-bedrock-guardrailConfig":{}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"ASYNCHRONOUS","streamProcessingMode":"SYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice, the other first", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS","streamProcessingMode":"ASYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice in two spellings", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS","StreamProcessingMode":"SYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice, escaped", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS","streamProcessingMod\u0065":"ASYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"settings that are no object", "", `{"amazon-bedrock-guardrailConfig":[]}`, securebedrock.ErrGuardrailCoverage},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			var contentType *string
			if row.contentType != "" {
				contentType = &row.contentType
			}
			_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), ContentType: contentType, Body: []byte(row.body)})
			refusedBy(t, err, row.rule)
			_, err = c.Runtime().InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), ContentType: contentType, Body: []byte(row.body)})
			refusedBy(t, err, row.rule)
			nothingArrived(t, server)
		})
	}
}

// What is JSON in UTF-8 passes, in whatever way it is written.
func TestBodyThatCanBeInspected(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for name, contentType := range map[string]string{"none": "", "plain": "application/json", "with its charset": "application/json; charset=UTF-8"} {
		for _, body := range []string{
			" \n\t" + string(invokeBody("hello")) + "\n",
			string(invokeBody(`grüße \u0041 \" \\ } ] , :`)),
			`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"amazon-bedrock-guardrailConfig": {"streamProcessingMode" : "synchronous" } ,"messages":[{"role":"user","content":"hello"}]}`,
		} {
			in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body)}
			if contentType != "" {
				in.ContentType = &contentType
			}
			if _, err := c.InvokeModel(t.Context(), in); err != nil {
				t.Errorf("content type %s, %s: %v", name, body, err)
			}
		}
	}
}
