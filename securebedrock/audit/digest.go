package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
)

// Key is a secret for HMAC-SHA-256.
type Key struct {
	ID     string // in every record that the key made; an identifier of at most 64 bytes
	Secret []byte // at least 32 bytes, from crypto/rand
}

func (k Key) clone() Key { return Key{ID: k.ID, Secret: slices.Clone(k.Secret)} }

// String and GoString keep the secret out of logs.
func (k Key) String() string { return "audit.Key(" + k.ID + ")" }

// GoString implements fmt.GoStringer.
func (k Key) GoString() string { return k.String() }

func (k Key) fault() string {
	switch {
	case !isKeyID(k.ID):
		return "its ID is not an identifier of 1 to 64 bytes"
	case len(k.Secret) < 32:
		return fmt.Sprintf("its Secret has %d bytes; at least 32 are needed", len(k.Secret))
	}
	return ""
}

// The digest of a block is HMAC-SHA-256 over these, in this order, where no
// string but the last can hold a zero byte:
//
//	"securebedrock.audit/1 block" 0 role 0 kind 0 content
//
// and that of a prompt or answer over "securebedrock.audit/1 blocks" 0 and the
// digests of its blocks. A tool's arguments, a JSON body and other documents are
// taken as JSON with sorted keys and without space, numbers as they are written.
const (
	blockLabel  = Schema + " block\x00"
	blocksLabel = Schema + " blocks\x00"
)

// summer makes the digests of one prompt or answer.
type summer struct {
	one, all hash.Hash
	buf      [sha256.Size]byte
}

func newSummer(k Key) *summer {
	s := &summer{one: hmac.New(sha256.New, k.Secret), all: hmac.New(sha256.New, k.Secret)}
	s.all.Write([]byte(blocksLabel))
	return s
}

func (s *summer) block(role, kind, text string, data []byte) string {
	s.one.Reset()
	begin(s.one, role, kind)
	s.one.Write([]byte(text))
	s.one.Write(data)
	sum := s.one.Sum(s.buf[:0])
	s.all.Write(sum)
	return hex.EncodeToString(sum)
}

// alone is the digest of a block that is part of another one.
func (s *summer) alone(role, kind string, data []byte) string {
	s.one.Reset()
	begin(s.one, role, kind)
	s.one.Write(data)
	return hex.EncodeToString(s.one.Sum(s.buf[:0]))
}

// include adds a digest that was made elsewhere.
func (s *summer) include(digest string) {
	sum, _ := hex.AppendDecode(s.buf[:0], []byte(digest))
	s.all.Write(sum)
}

func (s *summer) total() string { return hex.EncodeToString(s.all.Sum(nil)) }

func begin(h hash.Hash, role, kind string) {
	h.Write([]byte(blockLabel + role + "\x00" + kind + "\x00"))
}

// DigestOf gives the digests that a Middleware with this key records of an
// operation's input or output, such as *bedrockruntime.ConverseInput: to show
// that a given prompt was, or was not, sent. A stream's answer has the digests of
// the Converse answer with the same blocks.
func DigestOf(key Key, inputOrOutput any) (*Content, error) {
	if msg := key.fault(); msg != "" {
		return nil, fmt.Errorf("audit: the key cannot be used: %s", msg)
	}
	p := ContentPolicy{Mode: ContentDigest, DigestKey: key}.withDefaults()
	c := p.newCollector(context.Background())
	defer c.end()
	c.walkInput(inputOrOutput)
	if c.empty() {
		c.walkOutput(inputOrOutput)
	}
	if c.empty() {
		return nil, errors.New("audit: this is not an input or output with content")
	}
	return c.content(), nil
}

// DigestText is the digest of one block of text. Role is system, user or
// assistant; kind is "text" but for the other kinds of Block.
func DigestText(key Key, role, kind, text string) string {
	return newSummer(key).block(role, kind, text, nil)
}
