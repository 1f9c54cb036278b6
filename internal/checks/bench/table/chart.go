package main

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// chart draws calls per second over callers, a line for each client and protocol.
func (rs *results) chart(path string) error {
	p := plot.New()
	p.Title.Text = "Calls per second over callers (TLS, a server that takes 20 ms)"
	p.X.Label.Text, p.Y.Label.Text = "callers", "calls/s"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 1, Label: "1"}, {Value: 32, Label: "32"}, {Value: 256, Label: "256"}}
	p.Y.Tick.Marker = plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, network := range []string{"h1", "h2"} {
		for j, client := range []string{"sdk", "ours"} {
			points := rs.throughput(network, client)
			if len(points) == 0 {
				continue
			}
			line, dots, err := plotter.NewLinePoints(points)
			if err != nil {
				return fmt.Errorf("chart of %s: %w", client, err)
			}
			line.Width = vg.Points(2)
			line.Color = []color.Color{color.RGBA{R: 0xb0, G: 0x40, B: 0x20, A: 0xff}, color.RGBA{R: 0x10, G: 0x60, B: 0xa0, A: 0xff}}[j]
			if i == 1 {
				line.Dashes = []vg.Length{vg.Points(6), vg.Points(3)}
			}
			dots.Color = line.Color
			p.Add(line, dots)
			p.Legend.Add(map[string]string{"sdk": "plain SDK", "ours": "securebedrock"}[client]+", "+map[string]string{"h1": "HTTP/1.1", "h2": "HTTP/2"}[network], line)
		}
	}
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, path)
}

func (rs *results) throughput(network, client string) plotter.XYs {
	var points plotter.XYs
	for _, k := range rs.order {
		rest, ok := strings.CutPrefix(k.name, "Callers/net="+network+"/callers=")
		if !ok || k.unit != "calls/s" {
			continue
		}
		callers, err := strconv.Atoi(rest)
		s, _, has := rs.median(k, client)
		if err == nil && has {
			points = append(points, plotter.XY{X: float64(callers), Y: s.Center})
		}
	}
	return points
}
