package bus

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	acks       *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	failures   *prometheus.CounterVec
	batch      prometheus.Histogram
	seconds    prometheus.Histogram
	pending    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		acks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_bus_acks_total", Help: "Messages the stream acknowledged as stored, by signal.",
		}, []string{"signal"}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_bus_duplicates_total", Help: "Messages the stream already held, by signal.",
		}, []string{"signal"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_bus_publish_failures_total", Help: "Messages that were not acknowledged, by signal.",
		}, []string{"signal"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_bus_publish_batch_messages", Help: "Messages published with one sync.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128},
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_bus_publish_duration_seconds", Help: "Time from publish to acknowledgement.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "seamark_bus_pending_bytes", Help: "Bytes waiting for an acknowledgement in this process.",
		}),
	}
	reg.MustRegister(m.acks, m.duplicates, m.failures, m.batch, m.seconds, m.pending)
	return m
}
