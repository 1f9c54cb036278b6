// Command table reads benchmark output with client=sdk and client=ours side by
// side. It writes a table of medians and ratios between two markers of one page, a
// few lines of ratios between the same markers of another, and a chart of ratios.
//
//	table -in latest.txt -page benchmarks.md -readme README.md -svg ratios.svg -note "machine, date"
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

const begin, end = "<!-- bench:begin -->\n", "<!-- bench:end -->\n"

// files are what the command reads and writes.
type files struct{ in, page, readme, svg string }

func main() {
	log.SetFlags(0)
	var f files
	flag.StringVar(&f.in, "in", "", "benchmark output")
	flag.StringVar(&f.page, "page", "", "page whose table is replaced")
	flag.StringVar(&f.readme, "readme", "", "page whose lines are replaced")
	flag.StringVar(&f.svg, "svg", "", "chart to write")
	note := flag.String("note", "", "what the table was measured on")
	flag.Parse()
	if err := run(f, *note); err != nil {
		log.Fatalf("table: %v", err)
	}
}

func run(f files, note string) error {
	raw, err := os.ReadFile(f.in)
	if err != nil {
		return err
	}
	results, err := read(raw, f.in)
	if err != nil {
		return err
	}
	if err := rewrite(f.page, note+"\n\n"+results.table()+results.added()); err != nil {
		return err
	}
	if err := rewrite(f.readme, results.lines()); err != nil {
		return err
	}
	return os.WriteFile(f.svg, []byte(results.chart()), 0o644) // a picture of the documentation
}

// rewrite puts a text between the markers of a file.
func rewrite(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page, err := replace(old, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, page, 0o644) // a page of the documentation
}

// replace puts a text between the markers.
func replace(file []byte, text string) ([]byte, error) {
	head, rest, found := bytes.Cut(file, []byte(begin))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, fmt.Errorf("the lines %q and %q are not there, in this order", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return bytes.Join([][]byte{head, []byte(begin), []byte(text), []byte(end), tail}, nil), nil
}

// key is one figure of one benchmark, without the client.
type key struct{ name, unit string }

// results are the figures of both clients, in the order in which they came.
type results struct {
	order   []key
	samples map[key]map[string][]float64 // by client
}

func read(raw []byte, name string) (*results, error) {
	rs := &results{samples: make(map[key]map[string][]float64)}
	r := benchfmt.NewReader(bytes.NewReader(raw), name)
	for r.Scan() {
		res, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue // a unit's metadata, or no result
		}
		base, client, ok := split(string(res.Name.Full()))
		if !ok {
			continue
		}
		for _, v := range res.Values {
			k := key{base, v.Unit}
			if rs.samples[k] == nil {
				rs.samples[k] = make(map[string][]float64)
				rs.order = append(rs.order, k)
			}
			rs.samples[k][client] = append(rs.samples[k][client], v.Value)
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if len(rs.order) == 0 {
		return nil, fmt.Errorf("%s holds no benchmark with /client=sdk or /client=ours", name)
	}
	return rs, nil
}

// split takes /client=… and the number of processors off a name.
func split(full string) (base, client string, ok bool) {
	base, rest, ok := strings.Cut(full, "/client=")
	client, _, _ = strings.Cut(rest, "-")
	return base, client, ok && (client == "sdk" || client == "ours")
}

// median of a client's figures; ok is false where there are none.
func (rs *results) median(k key, client string) (s benchmath.Summary, sample *benchmath.Sample, ok bool) {
	values := rs.samples[k][client]
	if len(values) == 0 {
		return s, nil, false
	}
	sample = benchmath.NewSample(append([]float64(nil), values...), &benchmath.DefaultThresholds)
	return benchmath.AssumeNothing.Summary(sample, 0.95), sample, true
}

// medianCall is the unit of a benchmark that times each of its calls.
const medianCall = "p50-sec/op"

// shown says which figures of a benchmark belong into the table.
func shown(k key) bool {
	switch k.unit {
	case "sec/op":
		for _, name := range []string{"Unary", "Stream", "FirstCall", "Transport", "DoorStream"} {
			if strings.HasPrefix(k.name, name) {
				return true
			}
		}
		return false
	case medianCall:
		return true
	case "B/op", "allocs/op":
		return strings.Contains(k.name, "net=none")
	case "calls/s", "B/stream", "handshakes/op", "bytes":
		return true
	}
	return false
}

func (rs *results) table() string {
	var b strings.Builder
	b.WriteString("| benchmark | unit | plain SDK | ours | ours ÷ SDK | p |\n| --- | --- | ---: | ---: | ---: | ---: |\n")
	for _, k := range rs.order {
		if !shown(k) {
			continue
		}
		sdk, sdkSample, ok1 := rs.median(k, "sdk")
		ours, oursSample, ok2 := rs.median(k, "ours")
		if !ok1 || !ok2 {
			continue
		}
		ratio, p := "–", "–"
		if sdk.Center != 0 {
			ratio = fmt.Sprintf("%.3f", ours.Center/sdk.Center)
		}
		if len(sdkSample.Values) > 1 && len(oursSample.Values) > 1 {
			p = fmt.Sprintf("%.3f", benchmath.AssumeNothing.Compare(sdkSample, oursSample).P)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", k.name, k.unit, figure(k.unit, sdk.Center), figure(k.unit, ours.Center), ratio, p)
	}
	return b.String()
}

// added tells what the sidecar adds to a call of one caller. The ratio of the two
// figures tells less, since Bedrock's own time is in neither.
func (rs *results) added() string {
	var parts []string
	for _, k := range rs.order {
		size, ok := strings.CutPrefix(k.name, "DoorUnary/net=h2/prompt=")
		sdk, _, ok1 := rs.median(k, "sdk")
		ours, _, ok2 := rs.median(k, "ours")
		if ok && ok1 && ok2 && k.unit == medianCall {
			parts = append(parts, fmt.Sprintf("%s to a call of %s", figure("sec/op", ours.Center-sdk.Center), size))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "\nAt the median, the sidecar adds " + strings.Join(parts, " and ") + ".\n"
}

// figure writes a value for a person.
func figure(unit string, v float64) string {
	switch {
	case strings.HasSuffix(unit, "sec/op") && v < 1e-3:
		return fmt.Sprintf("%.1f µs", v*1e6)
	case strings.HasSuffix(unit, "sec/op"):
		return fmt.Sprintf("%.2f ms", v*1e3)
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
