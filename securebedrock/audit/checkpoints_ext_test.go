package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func checkpointLine(t testing.TB) string {
	t.Helper()
	var kept []audit.Checkpoint
	c := chain(t, audit.JSONLines(new(bytes.Buffer)), func(o *audit.ChainOptions) {
		o.OnCheckpoint = func(cp audit.Checkpoint) { kept = append(kept, cp) }
	})
	write(t, c, 0, 1)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func TestReadCheckpoints(t *testing.T) {
	line := checkpointLine(t)
	for name, c := range map[string]struct {
		text string
		want int // -1: refused
	}{
		"none":                                    {"", 0},
		"one":                                     {line + "\n", 1},
		"one without its newline":                 {line, 1},
		"a process died in the last line":         {line + "\n" + line[:40], 1},
		"a process died in the first line":        {line[:3] + "\n" + line + "\n", 1},
		"two processes died":                      {line[:30] + "\n" + line[:50] + "\n" + line + "\n", 1},
		"an empty line":                           {"\n" + line + "\n\n" + line + "\n", 2},
		"another text":                            {line + "\nhello\n", -1},
		"another JSON value":                      {line + "\n{}\n", -1},
		"an unknown member":                       {strings.Replace(line, `{"stream"`, `{"x":1,"stream"`, 1) + "\n", -1},
		"two checkpoints in a line":               {line + line + "\n", -1},
		"a line of five thousand bytes":           {line[:len(line)-1] + `,"x":"` + strings.Repeat("x", 5000) + `"}`, -1},
		"a line of bytes that are not characters": {"\x00\x00\x00\n" + line + "\n", -1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := audit.ReadCheckpoints(strings.NewReader(c.text))
			if c.want < 0 {
				if !errors.Is(err, audit.ErrTampered) {
					t.Errorf("got %d checkpoints, %v", len(got), err)
				}
				return
			}
			if err != nil || len(got) != c.want {
				t.Errorf("got %d checkpoints, %v; want %d", len(got), err, c.want)
			}
		})
	}
}

func FuzzReadCheckpoints(f *testing.F) {
	line := checkpointLine(f)
	f.Add([]byte(line + "\n"))
	f.Add([]byte(line[:20] + "\n" + line))
	f.Add([]byte("\x00\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := audit.ReadCheckpoints(bytes.NewReader(text))
		if err == nil && len(got) > bytes.Count(text, []byte("\n"))+1 {
			t.Error("more checkpoints than lines")
		}
	})
}
