package main

import (
	"fmt"
	"html"
	"strings"
)

// bar is one row of the chart: the ratio of two medians.
type bar struct {
	label string
	of    ratio
}

// ratio names two figures. Its value is the median of the upper one divided by the
// median of the lower one.
type ratio struct {
	upper, lower key
	upperClient  string
	lowerClient  string
}

// beside is the ratio of our figure to the plain SDK's figure.
func beside(name, unit string) ratio {
	k := key{name, unit}
	return ratio{upper: k, lower: k, upperClient: "ours", lowerClient: "sdk"}
}

// group is a part of the chart in which the same direction is the better one.
type group struct {
	title string
	bars  []bar
}

// groups are the rows of the chart.
func groups() []group {
	return []group{
		{"Calls per second: a longer bar is better", []bar{
			{"32 callers, HTTP/1.1", beside("Callers/net=h1/callers=32", "calls/s")},
			{"256 callers, HTTP/1.1", beside("Callers/net=h1/callers=256", "calls/s")},
			{"256 callers, HTTP/2", beside("Callers/net=h2/callers=256", "calls/s")},
			{"256 callers through the sidecar", beside("DoorCallers/net=h2/callers=256", "calls/s")},
		}},
		{"Time: a shorter bar is better", []bar{
			{"one call, no network", beside("Unary/net=none/prompt=1KB", "sec/op")},
			{"one call, HTTP/2", beside("Unary/net=h2/prompt=1KB", "sec/op")},
			{"first call of a client, HTTP/2", beside("FirstCall/net=h2", "sec/op")},
			{"stream of 1,000 events, no network", beside("Stream/net=none/events=1000", "sec/op")},
			{"stream of 1,000 events, HTTP/2", beside("Stream/net=h2/events=1000", "sec/op")},
			{"one call of a Transport, no network", beside("Transport/net=none/prompt=1KB", "sec/op")},
			{"stream of a Transport, no network", beside("TransportStream/net=none/events=1000", "sec/op")},
			{"stream through the sidecar, HTTP/2", beside("DoorStream/net=h2/events=1000", "sec/op")},
		}},
		{"Memory: a shorter bar is better", []bar{
			{"an open stream", beside("OpenStreams/net=none", "B/stream")},
			{"an open stream of the sidecar", beside("DoorOpenStreams/net=h1", "B/stream")},
			{"a Lambda function's binary", beside("LambdaBinary", "bytes")},
		}},
	}
}

// The measures of the chart, in pixels. A telephone shows the chart at three quarters
// of this width, so that text of 15 pixels stays readable.
const (
	width     = 480
	margin    = 16
	rowHeight = 40
	barHeight = 12
	barsWidth = 360 // the rest of the row is for the figure
)

// style gives the chart a ground of its own, so that its text is readable on a page of
// either colour.
const style = `<style>
text{font:15px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-weight:600}.figure{font-weight:600}.ground{fill:#fff;stroke:#d1d9e0}.bar{fill:#0969da}.track{fill:#eff2f5}.one{stroke:#59636e;stroke-width:2}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.ground{fill:#0d1117;stroke:#3d444d}.bar{fill:#4493f8}.track{fill:#212830}.one{stroke:#b1bac4}}
</style>
`

// chart draws a bar for each ratio, and a line at 1.0, where both clients are equal.
func (rs *results) chart() string {
	var rows strings.Builder
	y, longest := margin+44, 1.0
	type drawn struct {
		label string
		value float64
		y     int
	}
	var bars []drawn
	for _, g := range groups() {
		heading := false
		for _, b := range g.bars {
			value, ok := rs.ratio(b.of)
			if !ok {
				continue
			}
			if !heading {
				heading = true
				y += 14
				fmt.Fprintf(&rows, `<text class="title" x="%d" y="%d">%s</text>`+"\n", margin, y, html.EscapeString(g.title))
				y += 10
			}
			bars = append(bars, drawn{b.label, value, y})
			longest = max(longest, value)
			y += rowHeight
		}
		y += 10
	}
	scale := barsWidth / longest
	one := margin + scale
	for _, b := range bars {
		length := b.value * scale
		top := b.y + 20
		fmt.Fprintf(&rows, `<text x="%d" y="%d">%s</text>`+"\n", margin, b.y+14, html.EscapeString(b.label))
		fmt.Fprintf(&rows, `<rect class="track" x="%d" y="%d" width="%d" height="%d" rx="2"/>`+"\n", margin, top, barsWidth, barHeight)
		fmt.Fprintf(&rows, `<rect class="bar" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", margin, top, length, barHeight)
		fmt.Fprintf(&rows, `<line class="one" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n", one, top-3, one, top+barHeight+3)
		fmt.Fprintf(&rows, `<text class="figure" x="%d" y="%d">× %.2f</text>`+"\n", margin+barsWidth+12, top+12, b.value)
	}
	const title = "securebedrock beside the plain SDK"
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s: ratios of medians">
%s<rect class="ground" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>
<text class="title" x="%d" y="%d">%s</text>
<text x="%d" y="%d">The upright line is the plain SDK: × 1.00.</text>
%s</svg>
`, width, y, width, y, title, style, width-1, y-1, margin, 28, title, margin, 50, rows.String())
}

// ratio is ok where both figures are there and the lower one is not 0.
func (rs *results) ratio(r ratio) (value float64, ok bool) {
	upper, _, ok1 := rs.median(r.upper, r.upperClient)
	lower, _, ok2 := rs.median(r.lower, r.lowerClient)
	if !ok1 || !ok2 || lower.Center == 0 {
		return 0, false
	}
	return upper.Center / lower.Center, true
}
