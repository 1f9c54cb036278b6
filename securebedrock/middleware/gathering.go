package middleware

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// gathering is what InputCheck finds in an input.
type gathering struct {
	parts           Part
	lastTurn, tools bool
	allowed         []Content
	mostText        int64        // bytes that MaxRequests can hold
	mostImages      int          // MaxRequests
	ended           func() error // the context's end

	texts     []string
	size      int64 // of texts
	images    []types.GuardrailContentBlock
	unchecked Content // the first that cannot be checked and is not allowed
	err       error   // of ended
}

func (g *gathering) text(s ...string) {
	for _, s := range s {
		if s == "" || g.stopped() {
			continue
		}
		g.texts = append(g.texts, s)
		g.size += int64(len(s))
	}
}

// tooMuch reports whether the input needs more than MaxRequests.
func (g *gathering) tooMuch() bool { return g.size > g.mostText || len(g.images) > g.mostImages }

// stopped reports whether there is no use in looking further.
func (g *gathering) stopped() bool {
	if g.err == nil {
		g.err = g.ended()
	}
	return g.err != nil || g.tooMuch()
}

func (g *gathering) cannot(what Content) {
	if g.unchecked == "" && !slices.Contains(g.allowed, what) {
		g.unchecked = what
	}
}

func (g *gathering) imageBytes(format string, data []byte) {
	if format != "png" && format != "jpeg" { // GuardrailImageFormat has these two
		g.cannot(Image)
		return
	}
	if g.stopped() {
		return
	}
	g.images = append(g.images, &types.GuardrailContentBlockMemberImage{Value: types.GuardrailImageBlock{
		Format: types.GuardrailImageFormat(format), Source: &types.GuardrailImageSourceMemberBytes{Value: data}}})
}
