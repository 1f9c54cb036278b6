package audit

import (
	"bytes"
	"encoding/hex"
	"hash"
)

// damagedLine is a line of a log that is not a record with the right MAC.
type damagedLine struct {
	line  int
	fault string
	text  []byte // nil: too much to keep
}

// damagedLines are consecutive ones.
type damagedLines struct {
	lines []damagedLine
	sum   hash.Hash // over the lines, joined by newlines
	size  int       // of what sum is over
}

// add reports whether the line is kept.
func (d *damagedLines) add(n int, line []byte, fault string) bool {
	if len(d.lines) > 0 {
		d.sum.Write([]byte("\n"))
		d.size++
	}
	d.sum.Write(line)
	d.size += len(line)
	if len(d.lines) >= maxFindings {
		return false
	}
	damaged := damagedLine{line: n, fault: fault}
	if d.size <= 4*maxLine {
		damaged.text = bytes.Clone(line)
	}
	d.lines = append(d.lines, damaged)
	return true
}

// are reports whether a resumed record vouches for exactly these lines.
func (d *damagedLines) are(r Resumed) bool {
	return r.TornBytes == d.size && r.TornSHA256 == hex.EncodeToString(d.sum.Sum(nil))
}

func (d *damagedLines) texts() [][]byte {
	texts := make([][]byte, len(d.lines))
	for i, line := range d.lines {
		texts[i] = line.text
	}
	return texts
}

func (d *damagedLines) forget() {
	d.lines = d.lines[:0]
	d.sum.Reset()
	d.size = 0
}
