package securebedrock

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// usageOf returns the counts of a Converse answer.
func usageOf(u *types.TokenUsage) Usage {
	if u == nil {
		return Usage{}
	}
	usage := Usage{
		InputTokens:      int64(aws.ToInt32(u.InputTokens)),
		OutputTokens:     int64(aws.ToInt32(u.OutputTokens)),
		CacheReadTokens:  int64(aws.ToInt32(u.CacheReadInputTokens)),
		CacheWriteTokens: int64(aws.ToInt32(u.CacheWriteInputTokens)),
		TotalTokens:      int64(aws.ToInt32(u.TotalTokens)),
	}
	for i := range u.CacheDetails {
		n := int64(aws.ToInt32(u.CacheDetails[i].InputTokens))
		if u.CacheDetails[i].Ttl == types.CacheTTLFiveMinutes {
			usage.CacheWrite5mTokens += n
		} else {
			usage.CacheWrite1hTokens += n
		}
	}
	usage.CacheWriteTokens = max(usage.CacheWriteTokens, usage.CacheWrite5mTokens+usage.CacheWrite1hTokens)
	return usage
}

// converseUsage records the usage and the service tier of a Converse answer, or of its
// stream's metadata.
func (o *Outcome) converseUsage(u *types.TokenUsage, tier *types.ServiceTier) {
	o.Usage, o.Counted = usageOf(u), u != nil
	if tier != nil {
		o.ServiceTier = knownTier(string(tier.Type))
	}
}

// knownTier drops a value that is no tier's name, since an answer repeats what the
// caller wrote.
func knownTier(tier string) string {
	switch types.ServiceTierType(tier) {
	case types.ServiceTierTypeDefault, types.ServiceTierTypePriority, types.ServiceTierTypeFlex, types.ServiceTierTypeReserved:
		return tier
	}
	return ""
}

// tally gathers the usage that an InvokeModel answer reports. Bedrock counts in headers
// and in the metrics of a stream's last chunk. Most models count in their own body.
// Only a body reports how long tokens were cached.
type tally struct {
	bedrock, model tokenCounts
	tier           string
}

type tokenCounts struct {
	told                                         bool
	input, output, read, write, write5m, write1h int64
	prompt                                       int64 // the input with what was read from the cache, where a model counts so
}

// answerCount is one number of an answer. The JSON may have a value of any type there.
type answerCount struct {
	n    int64
	told bool
}

// maxCount keeps sums of counts far from overflow.
const maxCount = 1 << 53

// UnmarshalJSON accepts a number that is not negative. It ignores every other value.
func (c *answerCount) UnmarshalJSON(b []byte) error {
	if f, err := strconv.ParseFloat(string(b), 64); err == nil && f >= 0 {
		c.n, c.told = int64(min(f, maxCount)), true
	}
	return nil
}

// answerWord is a string of an answer. A value of another type is the empty string.
type answerWord string

// UnmarshalJSON accepts a string. It ignores every other value.
func (w *answerWord) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*w = answerWord(text)
	}
	return nil
}

// see keeps the larger of two counts: a stream counts upwards.
func (c *tokenCounts) see(field *int64, n answerCount) {
	*field, c.told = max(*field, n.n), c.told || n.told
}

// newTally starts the tally of one attempt with what the headers report.
func newTally(h http.Header) *tally {
	t := &tally{tier: knownTier(h.Get("X-Amzn-Bedrock-Service-Tier"))}
	read := func(field *int64, key string) {
		text := h.Get(key)
		if text == "" { // the usual; the error of ParseInt would be allocated
			return
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
			t.bedrock.see(field, answerCount{min(n, maxCount), true})
		}
	}
	read(&t.bedrock.input, "X-Amzn-Bedrock-Input-Token-Count")
	read(&t.bedrock.output, "X-Amzn-Bedrock-Output-Token-Count")
	read(&t.bedrock.read, "X-Amzn-Bedrock-Cache-Read-Input-Token-Count")
	read(&t.bedrock.write, "X-Amzn-Bedrock-Cache-Write-Input-Token-Count")
	return t
}

// into writes what is known so far. Bedrock's own count takes precedence over the
// model's. A zero does not replace a number.
func (t *tally) into(o *Outcome) {
	if t.tier != "" {
		o.ServiceTier = t.tier
	}
	if !t.bedrock.told && !t.model.told {
		return
	}
	b, m := &t.bedrock, &t.model
	pick := func(own, model int64) int64 {
		if own > 0 {
			return own
		}
		return model
	}
	u := Usage{
		InputTokens:        pick(b.input, m.input),
		OutputTokens:       pick(b.output, m.output),
		CacheReadTokens:    pick(b.read, m.read),
		CacheWriteTokens:   max(pick(b.write, m.write), m.write5m+m.write1h),
		CacheWrite5mTokens: m.write5m,
		CacheWrite1hTokens: m.write1h,
	}
	if b.read == 0 && m.read > 0 && b.input == m.prompt {
		u.InputTokens = m.input // or what was read from the cache would count twice
	}
	u.TotalTokens = u.InputTokens + u.OutputTokens + u.CacheReadTokens + u.CacheWriteTokens
	o.Usage, o.Counted = u, true
}

// tellsMore reports whether a chunk of a stream may hold more than text: a count or a
// stop reason that is not null, or a key of Bedrock's own. Most chunks are text.
// Parsing each chunk would cost more than the search.
func tellsMore(chunk []byte) bool {
	return bytes.Contains(chunk, []byte(`"amazon-bedrock-`)) || hasValue(chunk, "oken") || hasValue(chunk, `eason"`)
}

// hasValue reports whether a key that contains the given letters has a value other than
// null.
func hasValue(chunk []byte, letters string) bool {
	return hasKey(chunk, letters, func(value []byte) bool { return !bytes.HasPrefix(value, []byte("null")) })
}

// hasKey reports whether a key that contains the given letters has a value that is
// wanted. The letters may include the key's closing quote. Letters in a text that look
// like a key only cost time.
func hasKey(chunk []byte, letters string, wanted func(value []byte) bool) bool {
	for {
		i := bytes.Index(chunk, []byte(letters))
		if i < 0 {
			return false
		}
		chunk = chunk[i+len(letters)-1:]
		end := bytes.IndexByte(chunk, '"')
		if end < 0 {
			return false
		}
		value, isKey := bytes.CutPrefix(bytes.TrimLeft(chunk[end+1:], jsonSpace), []byte(":"))
		if isKey && wanted(bytes.TrimLeft(value, jsonSpace)) {
			return true
		}
	}
}
