package seriesindex

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	bytes, indexes              prometheus.Gauge
	loads, refreshes, evictions prometheus.Counter
	failures                    prometheus.Counter
	seconds                     prometheus.Histogram
	fallthroughs                *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "seamark_querier_index_" + name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_querier_index_" + name + "_total", Help: help})
	}
	m := metrics{
		bytes:     gauge("bytes", "Memory of the series indexes of all tenants."),
		indexes:   gauge("indexes", "Indexes in memory: at most one of metric series and one of log streams a tenant."),
		loads:     counter("loads", "Weeks of series that were read whole."),
		refreshes: counter("refreshes", "Looks for new series, whether there were any or not."),
		evictions: counter("evictions", "Indexes that were dropped for want of memory."),
		failures:  counter("failures", "Looks for new series that ended in an error."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_querier_index_refresh_duration_seconds", Help: "Duration of one look for new series.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		fallthroughs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_querier_index_fallthroughs_total", Help: "Look-ups that went to the store, by reason.",
		}, []string{"reason"}),
	}
	reg.MustRegister(m.bytes, m.indexes, m.loads, m.refreshes, m.evictions, m.failures, m.seconds, m.fallthroughs)
	return m
}
