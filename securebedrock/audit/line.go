package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
)

// macSuffix is how every line ends: what stands before it is what the MAC is of.
const (
	macPrefix = `,"mac":"`
	macSuffix = `"}`
	macLength = len(macPrefix) + 2*sha256.Size + len(macSuffix)
)

func sum(h hash.Hash, line []byte) string {
	h.Reset()
	h.Write(line)
	var buf [sha256.Size]byte
	return hex.EncodeToString(h.Sum(buf[:0]))
}

// parsed is a line whose MAC is right.
type parsed struct {
	raw  []byte
	kind Kind
	link Link
	mac  string
}

const (
	linePrefix  = `{"schema":"` + Schema + `","kind":"`
	chainPrefix = `,"chain":{`
)

// parseLine checks a line's MAC and reads its link. fault says what is wrong.
func parseLine(line []byte, keys map[string]hash.Hash) (p parsed, fault string) {
	if !looksWhole(line) {
		return p, "is not a record"
	}
	body := line[:len(line)-macLength]
	at := bytes.LastIndex(body, []byte(chainPrefix))
	if at < 0 || json.Unmarshal(body[at+len(chainPrefix)-1:], &p.link) != nil {
		return p, "is not a record of a chain"
	}
	h := keys[p.link.KeyID]
	if h == nil {
		return p, fmt.Sprintf("names the key %q, which is not among those given", word(p.link.KeyID))
	}
	p.mac = string(line[len(line)-len(macSuffix)-2*sha256.Size : len(line)-len(macSuffix)])
	if !hmac.Equal([]byte(sum(h, body)), []byte(p.mac)) {
		return p, "is not what its MAC was made of"
	}
	p.raw = line
	kind, _, _ := bytes.Cut(line[len(linePrefix):], []byte(`"`))
	p.kind = Kind(kind)
	return p, ""
}

func (p *parsed) checkpoint() (*Checkpoint, error) {
	var r struct {
		Checkpoint *Checkpoint `json:"checkpoint"`
	}
	if err := json.Unmarshal(p.raw, &r); err != nil || r.Checkpoint == nil {
		return nil, fmt.Errorf("audit: no checkpoint in it")
	}
	return r.Checkpoint, nil
}

func (p *parsed) resumed() Resumed {
	var r struct {
		Resumed Resumed `json:"resumed"`
	}
	_ = json.Unmarshal(p.raw, &r) // a resumed record without one vouches for nothing
	return r.Resumed
}

const maxLine = 8 << 20 // bytes of one record

func looksWhole(line []byte) bool {
	return len(line) > macLength && bytes.HasPrefix(line, []byte(linePrefix)) && bytes.HasSuffix(line, []byte(macSuffix)) &&
		bytes.HasPrefix(line[len(line)-macLength:], []byte(macPrefix))
}
