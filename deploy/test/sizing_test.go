package test

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// The figures of docs/performance.md that docs/sizing.md is computed from.
const (
	lineCost, lineCostTenants     = 4.4, 8.5   // CPU seconds per million rows
	sampleCost, sampleCostTenants = 0.83, 0.79 // the same
	lineBytes, filterBytes        = 46.9, 6
	sampleBytes                   = 0.71
	usedCPU, usedDisk             = 0.5, 0.7
)

// TestSizing computes the table of docs/sizing.md again.
func TestSizing(t *testing.T) {
	doc := read(t, "docs/sizing.md")
	for _, load := range [][2]float64{{1000, 20_000}, {10_000, 100_000}, {50_000, 500_000}, {200_000, 2_000_000}} {
		lines, samples := load[0], load[1]
		cores := func(line, sample float64) string {
			return fmt.Sprintf("%.1f", math.Ceil((lines*line+samples*sample)/1e6/usedCPU*10)/10)
		}
		day := (lines*(lineBytes+filterBytes) + samples*sampleBytes) * 86_400 / 1e9
		row := fmt.Sprintf("| %s | %s | %s | %s | %s GB | %.1f TB |", grouped(lines), grouped(samples),
			cores(lineCost, sampleCost), cores(lineCostTenants, sampleCostTenants), grouped(day), day*30/usedDisk/1000)
		if !strings.Contains(doc, row+"\n") {
			t.Errorf("docs/sizing.md lacks the row\n%s", row)
		}
	}
	performance := read(t, "docs/performance.md")
	for _, figure := range []string{
		"| total on a machine whose fixed work takes 0.40, one tenant / 200 | 4.4 / 8.5 | 4.3 / 6.9 | 0.83 / 0.79 |",
		"| bytes per row | 46.9 | 46.9 | 0.71 |", "| bytes per row (targets 47, 47, 1.5) | 46.1 | 46.1 | 0.71 |",
	} {
		if !strings.Contains(performance, figure) {
			t.Errorf("docs/performance.md does not say %q any more; compute docs/sizing.md anew", figure)
		}
	}
}

// grouped writes a whole number with commas.
func grouped(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
