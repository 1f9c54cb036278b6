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

// countHeaders are what Bedrock counts beside an InvokeModel's answer.
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

// metrics are what Bedrock counts in a stream's last chunk.
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

// tier is the service tier that serves the answer.
func (x *invocation) tier() types.ServiceTierType {
	if x.out.ServiceTier != nil {
		return x.out.ServiceTier.Type
	}
	return ""
}
