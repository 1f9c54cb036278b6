package wire_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
)

// unionMembers are the members of every union of the SDK but the unknown one.
// TestEveryUnionMember holds the list against the schemas.
func unionMembers() []any {
	return []any{
		&types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{},
		&types.AudioSourceMemberBytes{},
		&types.AudioSourceMemberS3Location{},
		&types.CitationGeneratedContentMemberText{},
		&types.CitationLocationMemberDocumentChar{},
		&types.CitationLocationMemberDocumentChunk{},
		&types.CitationLocationMemberDocumentPage{},
		&types.CitationLocationMemberSearchResultLocation{},
		&types.CitationLocationMemberWeb{},
		&types.CitationSourceContentMemberText{},
		&types.ContentBlockDeltaMemberCitation{},
		&types.ContentBlockDeltaMemberImage{},
		&types.ContentBlockDeltaMemberReasoningContent{},
		&types.ContentBlockDeltaMemberText{},
		&types.ContentBlockDeltaMemberToolResult{},
		&types.ContentBlockDeltaMemberToolUse{},
		&types.ContentBlockMemberAudio{},
		&types.ContentBlockMemberCachePoint{},
		&types.ContentBlockMemberCitationsContent{},
		&types.ContentBlockMemberDocument{},
		&types.ContentBlockMemberGuardContent{},
		&types.ContentBlockMemberImage{},
		&types.ContentBlockMemberReasoningContent{},
		&types.ContentBlockMemberSearchResult{},
		&types.ContentBlockMemberText{},
		&types.ContentBlockMemberToolAddition{},
		&types.ContentBlockMemberToolRemoval{},
		&types.ContentBlockMemberToolResult{},
		&types.ContentBlockMemberToolUse{},
		&types.ContentBlockMemberVideo{},
		&types.ContentBlockStartMemberImage{},
		&types.ContentBlockStartMemberToolResult{},
		&types.ContentBlockStartMemberToolUse{},
		&types.ConverseOutputMemberMessage{},
		&types.ConverseStreamOutputMemberContentBlockDelta{},
		&types.ConverseStreamOutputMemberContentBlockStart{},
		&types.ConverseStreamOutputMemberContentBlockStop{},
		&types.ConverseStreamOutputMemberMessageStart{},
		&types.ConverseStreamOutputMemberMessageStop{},
		&types.ConverseStreamOutputMemberMetadata{},
		&types.CountTokensInputMemberConverse{},
		&types.CountTokensInputMemberInvokeModel{},
		&types.DocumentContentBlockMemberText{},
		&types.DocumentSourceMemberBytes{},
		&types.DocumentSourceMemberContent{},
		&types.DocumentSourceMemberS3Location{},
		&types.DocumentSourceMemberText{},
		&types.GuardrailAutomatedReasoningFindingMemberImpossible{},
		&types.GuardrailAutomatedReasoningFindingMemberInvalid{},
		&types.GuardrailAutomatedReasoningFindingMemberNoTranslations{},
		&types.GuardrailAutomatedReasoningFindingMemberSatisfiable{},
		&types.GuardrailAutomatedReasoningFindingMemberTooComplex{},
		&types.GuardrailAutomatedReasoningFindingMemberTranslationAmbiguous{},
		&types.GuardrailAutomatedReasoningFindingMemberValid{},
		&types.GuardrailChecksContentBlockMemberText{},
		&types.GuardrailContentBlockMemberImage{},
		&types.GuardrailContentBlockMemberText{},
		&types.GuardrailConverseContentBlockMemberImage{},
		&types.GuardrailConverseContentBlockMemberText{},
		&types.GuardrailConverseImageSourceMemberBytes{},
		&types.GuardrailImageSourceMemberBytes{},
		&types.ImageSourceMemberBytes{},
		&types.ImageSourceMemberS3Location{},
		&types.InvokeModelWithBidirectionalStreamInputMemberChunk{},
		&types.InvokeModelWithBidirectionalStreamOutputMemberChunk{},
		&types.OutputFormatStructureMemberJsonSchema{},
		&types.PromptVariableValuesMemberText{},
		&types.ReasoningContentBlockDeltaMemberRedactedContent{},
		&types.ReasoningContentBlockDeltaMemberSignature{},
		&types.ReasoningContentBlockDeltaMemberText{},
		&types.ReasoningContentBlockMemberReasoningText{},
		&types.ReasoningContentBlockMemberRedactedContent{},
		&types.ResponseStreamMemberChunk{},
		&types.SystemContentBlockMemberCachePoint{},
		&types.SystemContentBlockMemberGuardContent{},
		&types.SystemContentBlockMemberText{},
		&types.ToolChoiceMemberAny{},
		&types.ToolChoiceMemberAuto{},
		&types.ToolChoiceMemberTool{},
		&types.ToolInputSchemaMemberJson{},
		&types.ToolMemberCachePoint{},
		&types.ToolMemberSystemTool{},
		&types.ToolMemberToolSpec{},
		&types.ToolResultBlockDeltaMemberJson{},
		&types.ToolResultBlockDeltaMemberText{},
		&types.ToolResultContentBlockMemberDocument{},
		&types.ToolResultContentBlockMemberImage{},
		&types.ToolResultContentBlockMemberJson{},
		&types.ToolResultContentBlockMemberSearchResult{},
		&types.ToolResultContentBlockMemberText{},
		&types.ToolResultContentBlockMemberVideo{},
		&types.VideoSourceMemberBytes{},
		&types.VideoSourceMemberS3Location{},
	}
}

// generator makes random values of the SDK's types.
type generator struct {
	*rand.Rand
	members []reflect.Type
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 14))}
	for _, m := range unionMembers() {
		g.members = append(g.members, reflect.TypeOf(m))
	}
	return g
}

// value returns a random value of the type of like, which is a pointer to a structure.
func (g *generator) value(like any) any {
	v := reflect.New(reflect.TypeOf(like).Elem())
	g.fill(v.Elem(), 0)
	return v.Interface()
}

func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func (g *generator) fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case middleware.Metadata:
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(g.Int64N(4e12)).UTC()))
		return
	}
	if v.Type() == reflect.TypeFor[document.Interface]() {
		if !g.one(3) {
			v.Set(reflect.ValueOf(document.NewLazyDocument(g.object(0))))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !f.Anonymous {
				g.field(v.Field(i), f, depth)
			}
		}
	case reflect.Pointer:
		if !g.absent(depth) {
			v.Set(reflect.New(v.Type().Elem()))
			g.fill(v.Elem(), depth+1)
		}
	case reflect.Interface:
		if !g.absent(depth) {
			v.Set(g.union(v.Type(), depth))
		}
	case reflect.Slice:
		g.slice(v, depth)
	case reflect.Map:
		if g.one(3) {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range g.IntN(4) {
			value := reflect.New(v.Type().Elem()).Elem()
			if value.Kind() == reflect.Interface {
				value.Set(g.union(value.Type(), depth))
			} else {
				g.fill(value, depth+1)
			}
			if value.Kind() == reflect.Slice && value.IsNil() {
				value.Set(reflect.MakeSlice(value.Type(), 0, 0)) // JSON has no other form of a map's nil
			}
			v.SetMapIndex(reflect.ValueOf(g.text()), value)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(g.text())
		} else if !g.one(3) { // an enum
			v.SetString(g.word())
		}
	case reflect.Bool:
		v.SetBool(g.one(2))
	case reflect.Int32, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, math.MaxInt32, math.MinInt32, int64(int32(g.Uint32()))}[g.IntN(6)])
	case reflect.Float32:
		v.SetFloat([]float64{0, 1, 0.1, -2.5, math.MaxFloat32, math.SmallestNonzeroFloat32, math.Inf(1), float64(g.Float32())}[g.IntN(8)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, 0.1, -2.5, 1e300, 5e-324, g.Float64()}[g.IntN(7)])
	default:
		panic(fmt.Sprint("no value of ", v.Type()))
	}
}

// field fills a field of a structure. A union's own value is never absent.
func (g *generator) field(v reflect.Value, f reflect.StructField, depth int) {
	own := f.Name == "Value"
	switch {
	case own && v.Type() == reflect.TypeFor[document.Interface]():
		v.Set(reflect.ValueOf(document.NewLazyDocument(g.object(0))))
	case own && v.Kind() == reflect.Interface:
		v.Set(g.union(v.Type(), depth))
	case own && v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		for range g.IntN(4) {
			g.grow(v, depth)
		}
	default:
		g.fill(v, depth)
	}
}

func (g *generator) absent(depth int) bool {
	if depth > 12 {
		return true
	}
	return g.one(4)
}

func (g *generator) slice(v reflect.Value, depth int) {
	if g.one(4) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	n := g.IntN(4)
	if depth > 8 {
		n = g.IntN(2)
	}
	for range n {
		g.grow(v, depth)
	}
}

func (g *generator) grow(v reflect.Value, depth int) {
	item := reflect.New(v.Type().Elem()).Elem()
	switch {
	case item.Kind() == reflect.Interface:
		item.Set(g.union(item.Type(), depth))
	case item.Kind() == reflect.Uint8:
		item.SetUint(uint64(g.IntN(256)))
	case item.Kind() == reflect.String && item.Type() != reflect.TypeFor[string]():
		item.SetString(g.word())
	default:
		g.fill(item, depth+1)
	}
	v.Set(reflect.Append(v, item))
}

func (g *generator) union(t reflect.Type, depth int) reflect.Value {
	var fitting []reflect.Type
	for _, m := range g.members {
		if m.Implements(t) {
			fitting = append(fitting, m)
		}
	}
	v := reflect.New(fitting[g.IntN(len(fitting))].Elem())
	g.fill(v.Elem(), depth+1)
	return v
}

func (g *generator) word() string {
	const letters = "abcdefghijklmnopqrstuvwxyz_-0123456789"
	var b strings.Builder
	for range 1 + g.IntN(12) {
		b.WriteByte(letters[g.IntN(len(letters))])
	}
	return b.String()
}

func (g *generator) text() string {
	pieces := []string{"", "a", "word ", "é", "\u2028", "😀", "\"", "\\", "/", "\n", "\r\t", "\x00", "\x1f", "\x7f", "<&>", "漢字", "\ufffd", "{}", "null", "0123456789abcdef"}
	var b strings.Builder
	for range g.IntN(8) {
		b.WriteString(pieces[g.IntN(len(pieces))])
	}
	return b.String()
}

// label is a part of a path: an identifier or an ARN.
func (g *generator) label() string {
	pieces := []string{"a", "b.c", ":", "/x", "%", "%2F", " ", "é", "漢", "~", "+", "?", "#", "..z", "&=", "-_"}
	b := "m"
	for range g.IntN(8) {
		b += pieces[g.IntN(len(pieces))]
	}
	return b
}

func (g *generator) object(depth int) map[string]any {
	m := make(map[string]any)
	for range g.IntN(4) {
		m["k"+g.text()] = g.tree(depth + 1) // the SDK writes no document with an empty key
	}
	return m
}

// tree is a document's value.
func (g *generator) tree(depth int) any {
	n := 9
	if depth > 6 {
		n = 6
	}
	switch g.IntN(n) {
	case 0:
		return nil
	case 1:
		return g.one(2)
	case 2:
		return g.text()
	case 3:
		return g.Int64()
	case 4:
		return g.NormFloat64()
	case 5:
		return 0
	case 6:
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.tree(depth+1))
		}
		return list
	}
	return g.object(depth)
}
