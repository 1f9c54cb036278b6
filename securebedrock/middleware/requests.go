package middleware

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// overlap is the number of bytes that two requests for one text have in common.
const overlap = 512

// requests puts the content into as many ApplyGuardrail requests as it needs. Each
// begins with the end of the one before it: what a model reads as one phrase can be
// cut by the end of a request, or written into two blocks. It stops with more
// requests than limit.
func (g *gathering) requests(most, limit int) [][]types.GuardrailContentBlock {
	var all [][]types.GuardrailContentBlock
	var one []types.GuardrailContentBlock
	left, last := most, ""
	put := func(text string) {
		one = append(one, &types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String(text)}})
		left -= len(text)
		last = text
	}
	next := func() {
		all, one, left = append(all, one), nil, most
	}
	for _, text := range g.texts {
		for len(all) <= limit {
			if left < overlap && left < len(text) { // too little to go on with
				tail := last[boundary(last, max(0, len(last)-overlap)):]
				next()
				put(tail)
			}
			part := text[:boundary(text, min(len(text), left))]
			put(part)
			if len(part) == len(text) {
				break
			}
			next()
			text = text[boundary(text, max(0, len(part)-overlap)):]
		}
	}
	if len(one) > 0 {
		next()
	}
	for _, image := range g.images { // one a request: a request takes 20, and 4 MB each
		all = append(all, []types.GuardrailContentBlock{image})
	}
	return all
}

// boundary moves a cut back to the beginning of a character: by three bytes at
// most, the rest of the longest one. A cut in bytes that are no characters stays,
// so that a piece is never empty.
func boundary(s string, at int) int {
	for i := at; i > 0 && i > at-utf8.UTFMax; i-- {
		if i == len(s) || utf8.RuneStart(s[i]) {
			return i
		}
	}
	return at
}
