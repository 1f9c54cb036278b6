package main

import (
	"fmt"
	"strings"
)

// lines are the figures of the README: four lines, each a sentence with ratios.
func (rs *results) lines() string {
	const missing = "–"
	figure := func(r ratio) string {
		value, ok := rs.ratio(r)
		if !ok {
			return missing
		}
		return fmt.Sprintf("%.2f", value)
	}
	neighbour := func(client string) string {
		return figure(ratio{
			upper: key{"ThrottledNeighbour/throttled=true", "calls/s"}, upperClient: client,
			lower: key{"ThrottledNeighbour/throttled=false", "calls/s"}, lowerClient: client,
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "- **One call** takes %s of the plain SDK's time without a network, and %s over HTTP/2.\n",
		figure(beside("Unary/net=none/prompt=1KB", "sec/op")), figure(beside("Unary/net=h2/prompt=1KB", "sec/op")))
	fmt.Fprintf(&b, "- **A stream of 1,000 events** takes %s of the time and %s of the allocations without a network, and %s of the time over HTTP/2.\n",
		figure(beside("Stream/net=none/events=1000", "sec/op")), figure(beside("Stream/net=none/events=1000", "allocs/op")), figure(beside("Stream/net=h2/events=1000", "sec/op")))
	fmt.Fprintf(&b, "- **256 callers** make %s times the calls per second over HTTP/1.1, and %s times over HTTP/2.\n",
		figure(beside("Callers/net=h1/callers=256", "calls/s")), figure(beside("Callers/net=h2/callers=256", "calls/s")))
	fmt.Fprintf(&b, "- **Beside a throttled model** another model keeps %s of its calls per second; with the plain SDK's adaptive retries it keeps %s.\n",
		neighbour("ours"), neighbour("sdk"))
	return b.String()
}
