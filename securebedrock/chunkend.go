package securebedrock

import (
	"bytes"
	"encoding/json"
)

// chunkEnd tells whether the chunks of an InvokeModelWithResponseStream came to an end
// of the model's own. The API has no event for that end. A form of chunks that announces
// an end must reach the end: a stream of the Messages API ends with message_stop, one of
// Nova with messageStop, and a form whose first chunks have a stop reason that is null
// has a later chunk with the reason. Bedrock's own metrics stand in the last chunk and
// end any form. A form that announces nothing ends anywhere.
// (model-parameters-anthropic-claude-messages and its neighbours in the Bedrock User
// Guide.)
type chunkEnd struct {
	messages bool // a message has begun, in the form of Anthropic or Nova
	reason   bool // a chunk has a stop reason that is yet to come
	ended    bool
}

// see looks at the content of a chunk.
func (c *chunkEnd) see(body []byte) {
	if c.ended {
		return
	}
	if bytes.Contains(body, []byte(`"amazon-bedrock-invocationMetrics"`)) {
		c.ended = true
		return
	}
	if bytes.Contains(body, []byte(`essage`)) { // a text that has the word only costs time
		var b struct {
			Type  string          `json:"type"`
			Start json.RawMessage `json:"messageStart"`
			Stop  json.RawMessage `json:"messageStop"`
		}
		_ = json.Unmarshal(body, &b) // a key of another type hides no other key
		c.messages = c.messages || b.Type == "message_start" || b.Start != nil
		c.ended = b.Type == "message_stop" || b.Stop != nil
	}
	if !c.messages && !c.reason {
		c.reason = announcesReason(body)
	}
}

// early reports whether the stream ended before an end that its chunks announced.
func (c *chunkEnd) early(o *Outcome) bool {
	switch {
	case c.ended, o.Guardrail.Intervened:
		return false
	case c.messages:
		return true
	}
	return c.reason && o.StopReason == ""
}

// announcesReason reports whether a chunk has a key for a stop reason, whose value is
// yet to come.
func announcesReason(chunk []byte) bool {
	null := func(value []byte) bool { return bytes.HasPrefix(value, []byte("null")) }
	return hasKey(chunk, `eason"`, null) || hasKey(chunk, `is_finished"`, func(value []byte) bool {
		return bytes.HasPrefix(value, []byte("false"))
	})
}
