package bedrocktest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// isEmbedding reports whether a model answers with a vector and no text.
func isEmbedding(model string) bool { return strings.Contains(model, "embed") }

// countHeaders sets the counts that Bedrock returns in an InvokeModel's headers.
func (x *invocation) countHeaders(h http.Header) {
	u := x.out.Usage
	set := func(name string, n *int32) {
		if n != nil {
			h.Set("X-Amzn-Bedrock-"+name+"-Token-Count", strconv.Itoa(int(*n)))
		}
	}
	set("Input", u.InputTokens)
	if !isEmbedding(aws.ToString(x.in.ModelId)) {
		set("Output", u.OutputTokens)
	}
	set("Cache-Read-Input", u.CacheReadInputTokens)
	set("Cache-Write-Input", u.CacheWriteInputTokens)
}

// metrics returns the counts that Bedrock writes into a stream's last chunk.
func (x *invocation) metrics() map[string]any {
	u := x.out.Usage
	m := map[string]any{
		"inputTokenCount":   u.InputTokens,
		"outputTokenCount":  u.OutputTokens,
		"invocationLatency": x.out.Metrics.LatencyMs,
		"firstByteLatency":  x.out.Metrics.LatencyMs,
	}
	if u.CacheReadInputTokens != nil {
		m["cacheReadInputTokenCount"] = u.CacheReadInputTokens
	}
	if u.CacheWriteInputTokens != nil {
		m["cacheWriteInputTokenCount"] = u.CacheWriteInputTokens
	}
	return m
}

// tier returns the service tier of the answer.
func (x *invocation) tier() types.ServiceTierType {
	if x.out.ServiceTier != nil {
		return x.out.ServiceTier.Type
	}
	return ""
}
