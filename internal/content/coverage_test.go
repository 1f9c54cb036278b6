package content

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func TestCoverage(t *testing.T) {
	for _, row := range []struct {
		block types.ContentBlock
		want  Coverage
	}{
		{&types.ContentBlockMemberText{}, Plain},
		{&types.ContentBlockMemberImage{}, Plain},
		{&types.ContentBlockMemberDocument{}, Plain},
		{&types.ContentBlockMemberVideo{}, Plain},
		{&types.ContentBlockMemberAudio{}, Plain},
		{&types.ContentBlockMemberCitationsContent{}, Plain},
		{&types.ContentBlockMemberSearchResult{}, Plain},
		{&types.ContentBlockMemberGuardContent{}, Guarded},
		{&types.ContentBlockMemberToolUse{}, Unscanned},
		{&types.ContentBlockMemberToolResult{}, Unscanned},
		{&types.ContentBlockMemberReasoningContent{}, Unscanned},
		{&types.ContentBlockMemberCachePoint{}, Unscanned},
		{&types.ContentBlockMemberToolAddition{}, Unscanned},
		{&types.ContentBlockMemberToolRemoval{}, Unscanned},
		{&types.UnknownUnionMember{}, Plain},
		{nil, Unscanned},
	} {
		if got := BlockCoverage(row.block); got != row.want {
			t.Errorf("%T: %d, want %d", row.block, got, row.want)
		}
	}
	for _, row := range []struct {
		block types.SystemContentBlock
		want  Coverage
	}{
		{&types.SystemContentBlockMemberText{}, Plain},
		{&types.SystemContentBlockMemberGuardContent{}, Guarded},
		{&types.SystemContentBlockMemberCachePoint{}, Unscanned},
		{&types.UnknownUnionMember{}, Plain},
		{nil, Unscanned},
	} {
		if got := SystemCoverage(row.block); got != row.want {
			t.Errorf("%T: %d, want %d", row.block, got, row.want)
		}
	}
}
