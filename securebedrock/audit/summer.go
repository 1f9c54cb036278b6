package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

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
