package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const output = `goos: linux
BenchmarkUnary/net=none/prompt=1KB/client=sdk-2   100  40000 ns/op  27000 B/op  320 allocs/op
BenchmarkUnary/net=none/prompt=1KB/client=ours-2  100  42000 ns/op  28000 B/op  331 allocs/op
BenchmarkUnary/net=none/prompt=1KB/client=sdk-2   100  50000 ns/op  27000 B/op  320 allocs/op
BenchmarkUnary/net=none/prompt=1KB/client=ours-2  100  46000 ns/op  28000 B/op  331 allocs/op
BenchmarkUnary/net=none/prompt=1KB/client=sdk-2   100  42000 ns/op  27000 B/op  320 allocs/op
BenchmarkUnary/net=none/prompt=1KB/client=ours-2  100  44100 ns/op  28000 B/op  331 allocs/op
BenchmarkCallers/net=h1/callers=1/client=sdk-2    10  1 ns/op  45 calls/s
BenchmarkCallers/net=h1/callers=1/client=ours-2   10  1 ns/op  45 calls/s
BenchmarkCallers/net=h1/callers=256/client=sdk-2  10  1 ns/op  500 calls/s
BenchmarkCallers/net=h1/callers=256/client=ours-2 10  1 ns/op  5000 calls/s
`

func TestTableAndChart(t *testing.T) {
	dir := t.TempDir()
	in, readme, svg := filepath.Join(dir, "in.txt"), filepath.Join(dir, "README.md"), filepath.Join(dir, "chart.svg")
	for path, text := range map[string]string{in: output, readme: "before\n" + begin + "old\n" + end + "after\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(in, readme, svg, "a machine"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n" + begin + "a machine\n", end + "after\n",
		"| Unary/net=none/prompt=1KB | sec/op | 42.0 µs | 44.1 µs | 1.050 |",
		"| Unary/net=none/prompt=1KB | allocs/op | 320 | 331 | 1.034 |",
		"| Callers/net=h1/callers=256 | calls/s | 500 | 5000 | 10.000 |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") || strings.Contains(string(text), "callers=256 | sec/op") {
		t.Errorf("what does not belong there is there:\n%s", text)
	}
	chart, err := os.ReadFile(svg)
	if err != nil || !strings.Contains(string(chart), "<svg") || !strings.Contains(string(chart), "securebedrock, HTTP/1.1") {
		t.Errorf("the chart: %v\n%.200s", err, chart)
	}
}

func TestWhatCannotBeUsedIsSaid(t *testing.T) {
	if _, err := read([]byte("nothing\n"), "x"); err == nil {
		t.Error("an output without benchmarks passes")
	}
	for _, text := range []string{"", begin, end + begin} {
		if _, err := replace([]byte(text), "x"); err == nil {
			t.Errorf("%q passes for a file with markers", text)
		}
	}
}
