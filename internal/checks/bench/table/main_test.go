package main

import (
	"encoding/xml"
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
BenchmarkDoorUnary/net=h2/prompt=1KB/client=sdk-2   10  500000 ns/op  0.000400 p50-sec/op
BenchmarkDoorUnary/net=h2/prompt=1KB/client=ours-2  10  900000 ns/op  0.000750 p50-sec/op
BenchmarkDoorCallers/net=h2/callers=256/client=sdk-2   10  1 ns/op  6000 calls/s
BenchmarkDoorCallers/net=h2/callers=256/client=ours-2  10  1 ns/op  5100 calls/s
BenchmarkThrottledNeighbour/throttled=false/client=sdk-2  1  1 ns/op  2000 calls/s
BenchmarkThrottledNeighbour/throttled=false/client=ours-2 1  1 ns/op  2000 calls/s
BenchmarkThrottledNeighbour/throttled=true/client=sdk-2   1  1 ns/op  0 calls/s
BenchmarkThrottledNeighbour/throttled=true/client=ours-2  1  1 ns/op  1960 calls/s
`

func TestTableAndChart(t *testing.T) {
	dir := t.TempDir()
	f := files{
		in: filepath.Join(dir, "in.txt"), page: filepath.Join(dir, "benchmarks.md"),
		readme: filepath.Join(dir, "README.md"), svg: filepath.Join(dir, "chart.svg"),
	}
	const old = "before\n" + begin + "old\n" + end + "after\n"
	for path, text := range map[string]string{f.in: output, f.page: old, f.readme: old} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(f, "a machine"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n" + begin + "a machine\n", end + "after\n",
		"| Unary/net=none/prompt=1KB | sec/op | 42.0 µs | 44.1 µs | 1.050 |",
		"| Unary/net=none/prompt=1KB | allocs/op | 320 | 331 | 1.034 |",
		"| Callers/net=h1/callers=256 | calls/s | 500 | 5000 | 10.000 |",
		"| DoorUnary/net=h2/prompt=1KB | p50-sec/op | 400.0 µs | 750.0 µs | 1.875 |",
		"| DoorCallers/net=h2/callers=256 | calls/s | 6000 | 5100 | 0.850 |",
		"At the median, the sidecar adds 350.0 µs to a call of 1KB.",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") || strings.Contains(string(text), "callers=256 | sec/op") {
		t.Errorf("what does not belong there is there:\n%s", text)
	}
	readme, err := os.ReadFile(f.readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n" + begin + "- **One call** takes 1.05 of", end + "after\n",
		"**256 callers** make 10.00 times", "keeps 0.98 of its calls per second; with the plain SDK's adaptive retries it keeps 0.00.",
	} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("%q is missing in:\n%s", want, readme)
		}
	}
	chart, err := os.ReadFile(f.svg)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(chart, new(struct{})); err != nil {
		t.Errorf("the chart is not XML: %v", err)
	}
	for _, want := range []string{"<svg", ">256 callers, HTTP/1.1<", ">× 10.00<", ">one call, no network<", ">× 1.05<"} {
		if !strings.Contains(string(chart), want) {
			t.Errorf("%q is missing in the chart:\n%s", want, chart)
		}
	}
	if strings.Contains(string(chart), "open stream") {
		t.Errorf("the chart has a bar that was not measured:\n%s", chart)
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
