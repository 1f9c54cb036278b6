package audit

import (
	"encoding/base64"
	"time"

	"go.uber.org/zap/zapcore"
)

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (m *Model) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.always("id", m.ID)
	e.text("kind", m.Kind)
	e.text("prefix", m.Prefix)
	e.list("destination_regions", m.Regions)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (g *Guardrail) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.text("id", g.ID)
	e.text("version", g.Version)
	e.flag("applied", g.Applied)
	e.flag("intervened", g.Intervened)
	e.text("origin", g.Origin)
	e.text("applied_arn", g.AppliedARN)
	e.text("applied_version", g.AppliedVersion)
	e.list("policies", g.Policies)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (p *Principal) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.text("role_arn", p.RoleARN)
	e.text("session_name", p.SessionName)
	e.text("arn", p.ARN)
	e.text("access_key_id", p.AccessKeyID)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (u *Usage) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.number("input_tokens", u.InputTokens)
	e.number("output_tokens", u.OutputTokens)
	e.number("cache_read_input_tokens", u.CacheReadTokens)
	e.number("cache_write_input_tokens", u.CacheWriteTokens)
	e.number("total_tokens", u.TotalTokens)
	e.number("cache_write_5m_input_tokens", u.CacheWrite5mTokens)
	e.number("cache_write_1h_input_tokens", u.CacheWrite1hTokens)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (f *Error) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.always("class", f.Class)
	e.text("rule", f.Rule)
	e.text("service", f.Service)
	e.text("code", f.Code)
	e.number("http_status", int64(f.Status))
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c *Content) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.text("mode", string(c.Mode))
	e.text("reason", c.Reason)
	e.number("messages", int64(c.Messages))
	e.number("bytes", c.Bytes)
	e.object("kinds", len(c.Kinds) > 0, counts(c.Kinds))
	e.text("digest", c.Digest)
	e.text("key_id", c.KeyID)
	if len(c.Blocks) > 0 {
		_ = enc.AddArray("blocks", blockList(c.Blocks))
	}
	e.number("omitted", int64(c.Omitted))
	e.flag("incomplete", c.Incomplete)
	return nil
}

type counts map[string]int

func (c counts) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, k := range sortedKeys(c) {
		enc.AddInt64(k, int64(c[k]))
	}
	return nil
}

type blockList []Block

func (l blockList) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for i := range l {
		_ = enc.AppendObject(&l[i])
	}
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (b *Block) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.text("role", b.Role)
	e.always("kind", b.Kind)
	e.text("format", b.Format)
	enc.AddInt64("bytes", int64(b.Bytes))
	e.text("digest", b.Digest)
	e.text("text", b.Text)
	e.flag("truncated", b.Truncated)
	e.text("withheld", b.Withheld)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (r *Resumed) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	enc.AddBool("closed", r.Closed)
	e.number("torn_bytes", int64(r.TornBytes))
	e.text("torn_sha256", r.TornSHA256)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (s *Skipped) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.always("kind", string(s.Kind))
	e.always("mac", s.MAC)
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c *Checkpoint) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.always("stream", c.Stream)
	enc.AddInt64("seq", int64(c.Seq))
	e.always("mac", c.MAC)
	e.always("time", c.Time.Format(time.RFC3339Nano))
	e.flag("closing", c.Closing)
	e.always("signer", c.Signer)
	e.always("signature", base64.StdEncoding.EncodeToString(c.Signature))
	return nil
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (l *Link) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.always("stream", l.Stream)
	enc.AddInt64("seq", int64(l.Seq))
	e.text("prev", l.Prev)
	e.always("key_id", l.KeyID)
	e.number("again", int64(l.Again))
	e.flag("repeats", l.Repeats)
	e.number("unwritten", int64(l.Unwritten))
	e.text("last", l.Last)
	return nil
}
