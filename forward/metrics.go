package forward

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	running  prometheus.Gauge
	rows     *prometheus.CounterVec
	attempts *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	lost     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "seamark_forwarder_running", Help: "Forwarders that this process runs."}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_forwarder_rows_total", Help: "Rows that forwarders are done with, by target and outcome: delivered, filtered, failed.",
		}, []string{"target", "outcome"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_forwarder_attempts_total", Help: "Batches sent to targets, by target and outcome: acknowledged, refused, failed.",
		}, []string{"target", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "seamark_forwarder_attempt_duration_seconds", Help: "Time that targets took for a batch.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"target"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_forwarder_lost_messages_total", Help: "Messages that left a stream before a forwarder had read them.",
		}),
	}
	reg.MustRegister(m.running, m.rows, m.attempts, m.seconds, m.lost)
	return m
}
