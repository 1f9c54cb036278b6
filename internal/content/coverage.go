package content

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

// Coverage is how a guardrail on the call itself treats a block.
type Coverage uint8

// The coverages.
const (
	// Plain content is scanned where a conversation has no guardContent, and is not
	// scanned beside one. A text counts also where it is empty: the block's holder can
	// fill it. So does a block that the walk does not know.
	Plain Coverage = iota
	// Guarded content stands in guardContent.
	Guarded
	// Unscanned is what a guardrail on the call never scans or is not known to scan.
	Unscanned
)

// BlockCoverage is that of a block of a message.
func BlockCoverage(b types.ContentBlock) Coverage {
	switch b.(type) {
	case *types.ContentBlockMemberGuardContent:
		return Guarded
	case *types.ContentBlockMemberToolUse, *types.ContentBlockMemberToolResult, *types.ContentBlockMemberReasoningContent,
		*types.ContentBlockMemberCachePoint, *types.ContentBlockMemberToolAddition, *types.ContentBlockMemberToolRemoval, nil:
		return Unscanned
	}
	return Plain
}

// SystemCoverage is that of a block of the system prompt.
func SystemCoverage(b types.SystemContentBlock) Coverage {
	switch b.(type) {
	case *types.SystemContentBlockMemberGuardContent:
		return Guarded
	case *types.SystemContentBlockMemberCachePoint, nil:
		return Unscanned
	}
	return Plain
}
