package patterns

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ lines, made, evicted, overflow prometheus.Counter }

func newMetrics(reg prometheus.Registerer, m *Miner) metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_ingest_pattern_" + name + "_total", Help: help})
	}
	c := metrics{
		lines:    counter("lines", "Log lines that a pattern was found for."),
		made:     counter("made", "Patterns that were learned."),
		evicted:  counter("evicted", "Patterns that were forgotten for want of room."),
		overflow: counter("overflow_lines", "Log lines that count as <_> because their group has too many patterns."),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "seamark_ingest_pattern_" + name, Help: help}, value)
	}
	reg.MustRegister(c.lines, c.made, c.evicted, c.overflow,
		gauge("kept", "Patterns that are kept in memory.", func() float64 { return float64(m.kept()) }),
		gauge("groups", "Groups of streams whose patterns are kept in memory.", func() float64 { return float64(m.known()) }),
		gauge("memory_bytes", "About what patterns take in memory.", func() float64 { return float64(m.bytes.Load()) }))
	return c
}
