package ledger

import "github.com/prometheus/client_golang/prometheus"

// metrics carry no tenant: their number must not grow with the tenants.
type metrics struct {
	requests *prometheus.CounterVec
	rows     *prometheus.CounterVec
	lost     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ingest_drops_total", Help: "Requests refused whole or in part, by protocol, reason and the status that the sender saw.",
		}, []string{"protocol", "reason", "status"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ingest_dropped_rows_total", Help: "Rows refused, by protocol and reason, where they could be counted.",
		}, []string{"protocol", "reason"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_ingest_drop_lines_lost_total", Help: "Lines of the drop ledger that could not be stored for good.",
		}),
	}
	reg.MustRegister(m.requests, m.rows, m.lost)
	return m
}
