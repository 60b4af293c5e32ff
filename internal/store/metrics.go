package store

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	insertRows    *prometheus.CounterVec
	insertSeconds *prometheus.HistogramVec
	insertErrors  *prometheus.CounterVec
	filterErrors  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		insertRows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_store_insert_rows_total", Help: "Rows whose insert ClickHouse confirmed, by table.",
		}, []string{"table"}),
		insertSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "seamark_store_insert_duration_seconds", Help: "Duration of one insert, by table.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"table"}),
		insertErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_store_insert_errors_total", Help: "Inserts that ended in an error or in doubt, by table.",
		}, []string{"table"}),
		filterErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_store_log_filter_errors_total", Help: "Blocks of log lines that were stored without filters, because making or storing these failed.",
		}),
	}
	reg.MustRegister(m.insertRows, m.insertSeconds, m.insertErrors, m.filterErrors)
	return m
}
