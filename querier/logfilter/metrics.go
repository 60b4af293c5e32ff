package logfilter

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	queries *prometheus.CounterVec
	evicted prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, size func() float64) metrics {
	m := metrics{
		queries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_log_filter_queries_total", Help: "Searches of logs by what their filters were asked of: memory, or the store because they are too_many.",
		}, []string{"from"}),
		evicted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_log_filter_evictions_total", Help: "Days of a tenant's filters that memory had no room for any more, or whose tenant is gone.",
		}),
	}
	reg.MustRegister(m.queries, m.evicted, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "seamark_log_filter_bytes", Help: "Memory of the filters of log lines.",
	}, size))
	return m
}
