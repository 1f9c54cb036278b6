package audit

import (
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// ErrTooLong is the error of a record that is longer than Verify reads, although
// its texts were left out.
var ErrTooLong = fmt.Errorf("audit: the record is longer than %d bytes without any text; lower ContentPolicy.MaxBytes", maxLine)

// sealRecord is a copy of r with its place in the chain and its MAC. The texts of a
// record that is too long are shortened.
func sealRecord(r *Record, link *Link, mac hash.Hash) (*Record, error) {
	own := *r
	own.sealed, own.MAC, own.Chain = nil, "", link
	line, err := json.Marshal(&own)
	for most := maxText(&own) / 2; err == nil && len(line)-1+macLength > maxLine; most /= 2 {
		if most == 0 {
			return nil, notWritten(ErrTooLong)
		}
		own.Input, own.Output = shortened(own.Input, most), shortened(own.Output, most)
		line, err = json.Marshal(&own)
	}
	if err != nil {
		return nil, notWritten(err)
	}
	line = line[:len(line)-1]
	own.MAC = sum(mac, line)
	line = append(append(append(line, macPrefix...), own.MAC...), macSuffix...)
	own.sealed = line
	return &own, nil
}

// maxText is the length of the longest text of a record.
func maxText(r *Record) int {
	n := 0
	for _, c := range []*Content{r.Input, r.Output} {
		if c != nil {
			for i := range c.Blocks {
				n = max(n, len(c.Blocks[i].Text))
			}
		}
	}
	return n
}

// shortened is c with texts of at most so many bytes.
func shortened(c *Content, most int) *Content {
	if c == nil {
		return nil
	}
	own := *c
	own.Blocks = slices.Clone(c.Blocks)
	for i := range own.Blocks {
		if b := &own.Blocks[i]; len(b.Text) > most {
			b.Text, b.Truncated = strings.ToValidUTF8(b.Text[:most], ""), true
		}
	}
	return &own
}
