package canary

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are per tenant and signal: whoever runs a canary names its few tenants.
type metrics struct {
	tries       *prometheus.CounterVec
	ack, query  *prometheus.HistogramVec
	up, succeed *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	path := []string{"tenant", "signal"}
	buckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60}
	m := &metrics{
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_canary_tries_total", Help: "Rows written and looked for, by outcome: ok, push (not acknowledged), query (not answered), missing (acknowledged and not found), different.",
		}, append(path, "outcome")),
		ack: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "seamark_canary_ack_seconds", Help: "Time until a push was acknowledged, retries included.", Buckets: buckets,
		}, path),
		query: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "seamark_canary_queryable_seconds", Help: "Time from the beginning of a push until a query found its row.", Buckets: buckets,
		}, path),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "seamark_canary_up", Help: "Whether the last try of a path was good.",
		}, path),
		succeed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "seamark_canary_last_success_timestamp_seconds", Help: "When a path was last found good.",
		}, path),
	}
	r.MustRegister(m.tries, m.ack, m.query, m.up, m.succeed)
	return m
}

func (m *metrics) note(r *Result, now time.Time) {
	m.tries.WithLabelValues(r.Tenant, r.Signal, string(r.Outcome)).Inc()
	if r.Outcome != NotAcknowledged {
		m.ack.WithLabelValues(r.Tenant, r.Signal).Observe(r.Acknowledged.Seconds())
	}
	if r.Outcome != Good {
		m.up.WithLabelValues(r.Tenant, r.Signal).Set(0)
		return
	}
	m.query.WithLabelValues(r.Tenant, r.Signal).Observe(r.Queryable.Seconds())
	m.up.WithLabelValues(r.Tenant, r.Signal).Set(1)
	m.succeed.WithLabelValues(r.Tenant, r.Signal).Set(float64(now.UnixMilli()) / 1000)
}
