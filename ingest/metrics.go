package ingest

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	rows     *prometheus.CounterVec
	rejected *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	replicas prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ingest_rows_total", Help: "Rows that were acknowledged, by signal.",
		}, []string{"signal"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ingest_rejected_rows_total", Help: "Rows refused while their neighbours were kept, by signal and reason.",
		}, []string{"signal", "reason"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ingest_body_bytes_total", Help: "Bytes of request bodies, as sent and inflated.",
		}, []string{"protocol", "form"}),
	}
	m.replicas = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seamark_ingest_replica_rows_total", Help: "Rows of Prometheus replicas that were not stored because their twin's are.",
	})
	reg.MustRegister(m.rows, m.rejected, m.bytes, m.replicas)
	return m
}
