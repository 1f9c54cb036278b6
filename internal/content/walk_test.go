package content

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Every member of the SDK's unions of content stands in the walk by its name.
func TestWalkNamesEveryMember(t *testing.T) {
	unions := []string{
		"ContentBlock", "SystemContentBlock", "ToolResultContentBlock", "ReasoningContentBlock", "CitationGeneratedContent", "CitationSourceContent",
		"GuardrailConverseContentBlock", "GuardrailConverseImageSource", "ImageSource", "VideoSource", "AudioSource", "DocumentSource",
		"DocumentContentBlock", "Tool", "ToolInputSchema", "PromptVariableValues",
	}
	walk, err := os.ReadFile("walk.go")
	if err != nil {
		t.Fatal(err)
	}
	members := membersOfUnions(t)
	for _, union := range unions {
		if len(members[union]) == 0 {
			t.Errorf("the SDK has no union %s any more", union)
		}
		for _, member := range members[union] {
			if !strings.Contains(string(walk), "*types."+member) {
				t.Errorf("the walk does not name %s of the union %s", member, union)
			}
		}
	}
}

// membersOfUnions reads the methods isUNION of the SDK's package of types.
func membersOfUnions(t *testing.T) map[string][]string {
	t.Helper()
	p, err := build.Import(reflect.TypeFor[types.Message]().PkgPath(), ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, "types.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string][]string{}
	for _, d := range f.Decls {
		method, ok := d.(*ast.FuncDecl)
		if !ok || method.Recv == nil {
			continue
		}
		union, ok := strings.CutPrefix(method.Name.Name, "is")
		star, pointer := method.Recv.List[0].Type.(*ast.StarExpr)
		if !ok || !pointer {
			continue
		}
		if name := star.X.(*ast.Ident).Name; name != "UnknownUnionMember" {
			members[union] = append(members[union], name)
		}
	}
	return members
}

func visited(walk func(visit func(Piece))) []Piece {
	var pieces []Piece
	walk(func(p Piece) { pieces = append(pieces, p) })
	return pieces
}

func TestBlock(t *testing.T) {
	data := []byte{1, 2, 3}
	uri := aws.String("s3://bucket/key")
	s3 := types.S3Location{Uri: uri}
	for _, row := range []struct {
		name  string
		block types.ContentBlock
		want  []Piece
	}{
		{"text", &types.ContentBlockMemberText{Value: "t"}, []Piece{{Kind: Text, Text: "t"}}},
		{"an empty text", &types.ContentBlockMemberText{}, []Piece{{Kind: Text}}},
		{"guardContent", &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("g")}}},
			[]Piece{{Kind: GuardContent, Text: "g"}}},
		{"an image in guardContent", &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberImage{
			Value: types.GuardrailConverseImageBlock{Format: "gif", Source: &types.GuardrailConverseImageSourceMemberBytes{Value: data}}}},
			[]Piece{{Kind: Image, Source: Bytes, Format: "gif", Data: data}}},
		{"a tool's result", &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{
			&types.ToolResultContentBlockMemberText{Value: "r"}, &types.ToolResultContentBlockMemberJson{},
			&types.ToolResultContentBlockMemberSearchResult{Value: types.SearchResultBlock{Title: aws.String("t"), Source: aws.String("s"), Content: []types.SearchResultContentBlock{{Text: aws.String("p")}}}},
			&types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Format: "gif", Source: &types.ImageSourceMemberBytes{Value: data}}},
			&types.UnknownUnionMember{},
		}}}, []Piece{
			{Kind: ToolResult, InResult: true, Text: "r"}, {Kind: ToolResultJSON, InResult: true},
			{Kind: SearchResult, InResult: true, Text: "t", Second: "s"}, {Kind: SearchPassage, InResult: true, Text: "p"},
			{Kind: Image, InResult: true, Source: Bytes, Format: "gif", Listed: true, Data: data},
			{Of: ToolResult, InResult: true},
		}},
		{"reasoning", &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: aws.String("r")}}},
			[]Piece{{Kind: Reasoning, Text: "r"}}},
		{"encrypted reasoning", &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: data}},
			[]Piece{{Kind: ReasoningEncrypted, Data: data}}},
		{"citations", &types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{
			Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "c"}, &types.UnknownUnionMember{}},
			Citations: []types.Citation{{Title: aws.String("t"), Source: aws.String("s"),
				SourceContent: []types.CitationSourceContent{&types.CitationSourceContentMemberText{Value: "p"}, &types.UnknownUnionMember{}}}},
		}}, []Piece{{Kind: Cited, Text: "c"}, {Of: Cited}, {Kind: Citation, Text: "t", Second: "s"}, {Kind: Citation, Text: "p"}, {Of: Citation}}},
		{"a document as text", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("n"), Context: aws.String("c"), Format: "txt", Source: &types.DocumentSourceMemberText{Value: "x"}}},
			[]Piece{{Kind: DocumentName, Text: "n"}, {Kind: DocumentContext, Text: "c"}, {Kind: DocumentText, Format: "txt", Listed: true, Text: "x"}}},
		{"a document in parts", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberContent{
			Value: []types.DocumentContentBlock{&types.DocumentContentBlockMemberText{Value: "x"}, &types.UnknownUnionMember{}}}}},
			[]Piece{{Kind: DocumentName}, {Kind: DocumentText, Text: "x"}, {Of: DocumentText}}},
		{"a document in S3", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "pdf", Source: &types.DocumentSourceMemberS3Location{Value: s3}}},
			[]Piece{{Kind: DocumentName}, {Kind: Document, Source: S3, Format: "pdf", Listed: true, URI: uri}}},
		{"a document of no source", &types.ContentBlockMemberDocument{}, []Piece{{Kind: DocumentName}, {Kind: Document}}},
		{"a video", &types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberS3Location{Value: s3}}},
			[]Piece{{Kind: Video, Source: S3, URI: uri}}},
		{"audio", &types.ContentBlockMemberAudio{Value: types.AudioBlock{Format: "words of a prompt", Source: &types.UnknownUnionMember{}}},
			[]Piece{{Kind: Audio, Format: "words of a prompt"}}},
		{"a cache point", &types.ContentBlockMemberCachePoint{}, nil},
		{"a block that is not known", &types.UnknownUnionMember{Tag: "new"}, []Piece{{}}},
		{"no block", nil, []Piece{{}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := visited(func(visit func(Piece)) { Block(row.block, visit) })
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestTools(t *testing.T) {
	got := visited(func(visit func(Piece)) {
		Tools(nil, visit)
		Tools(&types.ToolConfiguration{Tools: []types.Tool{
			&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String("n"), Description: aws.String("d"), InputSchema: &types.ToolInputSchemaMemberJson{}}},
			&types.ToolMemberToolSpec{Value: types.ToolSpecification{InputSchema: &types.UnknownUnionMember{}}},
			&types.ToolMemberSystemTool{}, &types.UnknownUnionMember{},
		}}, visit)
	})
	want := []Piece{{Kind: ToolDefinition, Text: "n", Second: "d"}, {Kind: ToolSchema}, {Kind: ToolDefinition}, {Of: ToolSchema}, {Of: ToolDefinition}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestSystemAndVariables(t *testing.T) {
	got := visited(func(visit func(Piece)) {
		System(&types.SystemContentBlockMemberText{Value: "s"}, visit)
		System(&types.SystemContentBlockMemberCachePoint{}, visit)
		System(&types.UnknownUnionMember{}, visit)
		Variables(nil, visit)
		Variables(map[string]types.PromptVariableValues{"b": &types.PromptVariableValuesMemberText{Value: "2"}, "a": &types.PromptVariableValuesMemberText{Value: "1"}, "c": nil}, visit)
	})
	want := []Piece{{Kind: Text, Text: "s"}, {}, {Kind: Variable, Text: "1"}, {Kind: Variable, Text: "2"}, {Of: Variable}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	messages := []types.Message{{Content: []types.ContentBlock{
		&types.ContentBlockMemberText{Value: "t"}, &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: "png", Source: &types.ImageSourceMemberBytes{Value: []byte{1}}}},
		&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "r"}}}},
	}}}
	pieces := 0
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range messages[0].Content {
			Block(b, func(Piece) { pieces++ })
		}
		Tools(nil, func(Piece) { pieces++ })
		Variables(nil, func(Piece) { pieces++ })
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if pieces != 3*101 {
		t.Errorf("%d pieces", pieces)
	}
}
