package quota

import "github.com/prometheus/client_golang/prometheus"

// metrics carry no tenant: their number must not grow with the tenants.
type metrics struct {
	refused  *prometheus.CounterVec
	series   *prometheus.CounterVec
	streams  *prometheus.CounterVec
	failures prometheus.Counter
	nodes    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "seamark_quota_" + name, Help: help}, labels)
	}
	m := metrics{
		refused: counter("refused_requests_total", "Requests refused with 429, by limit, by whose limit it is, and by signal.", "limit", "scope", "signal"),
		series:  counter("refused_series_total", "New metric series refused, by whose limit it is.", "scope"),
		streams: counter("refused_streams_total", "New log streams refused, by whose limit it is.", "scope"),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_quota_refresh_failures_total", Help: "Refreshes that could not reach the other nodes; parts stay as they are.",
		}),
		nodes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "seamark_quota_nodes", Help: "Ingest nodes that share the quotas, as this one sees them.",
		}),
	}
	reg.MustRegister(m.refused, m.series, m.streams, m.failures, m.nodes)
	return m
}
