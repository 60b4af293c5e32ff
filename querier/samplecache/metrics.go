package samplecache

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	bytes                      prometheus.Gauge
	hits, misses               prometheus.Counter
	loads, refreshes, rows     prometheus.Counter
	evictions, resets          prometheus.Counter
	failures                   prometheus.Counter
	loadSeconds, refreshSecond prometheus.Histogram
	bypasses                   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_querier_samples_" + name + "_total", Help: help})
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_querier_samples_" + name + "_duration_seconds", Help: help,
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		})
	}
	m := metrics{
		bytes:         prometheus.NewGauge(prometheus.GaugeOpts{Name: "seamark_querier_samples_bytes", Help: "Memory of the samples of all tenants."}),
		hits:          counter("hits", "Windows of series that a query found in memory."),
		misses:        counter("misses", "Windows of series that were read from the store for a query."),
		loads:         counter("loads", "Statements that read windows of series."),
		refreshes:     counter("refreshes", "Looks for new samples, whether there were any or not."),
		rows:          counter("refresh_rows", "Rows that looks for new samples have read, those that were known or are not kept with them."),
		evictions:     counter("evictions", "Windows of series that were dropped for want of memory."),
		resets:        counter("resets", "Days that were dropped because rows had left them."),
		failures:      counter("failures", "Looks for new samples that ended in an error."),
		loadSeconds:   histogram("load", "Duration of one statement that reads windows of series."),
		refreshSecond: histogram("refresh", "Duration of one look for new samples."),
		bypasses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_querier_samples_bypasses_total", Help: "Reads that went to the store, by reason.",
		}, []string{"reason"}),
	}
	reg.MustRegister(m.bytes, m.hits, m.misses, m.loads, m.refreshes, m.rows, m.evictions, m.resets, m.failures, m.loadSeconds, m.refreshSecond, m.bypasses)
	return m
}
