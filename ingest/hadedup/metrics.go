package hadedup

import "github.com/prometheus/client_golang/prometheus"

// metrics carry no tenant: their number must not grow with the tenants.
type metrics struct {
	requests  *prometheus.CounterVec
	open      prometheus.Counter
	elections *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ha_requests_total", Help: "Requests of Prometheus replicas, by whether they were taken or were another replica's duplicates.",
		}, []string{"outcome"}),
		open: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_ha_undecided_requests_total", Help: "Requests of replicas that were taken because the elections could not be read in time.",
		}),
		elections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_ha_elections_total", Help: "Replicas elected, by whether it was a cluster's first, took over from a silent one, or came back before another did.",
		}, []string{"reason"}),
	}
	reg.MustRegister(m.requests, m.open, m.elections)
	return m
}

func (m *metrics) count(accept bool) {
	outcome := "duplicate"
	if accept {
		outcome = "taken"
	}
	m.requests.WithLabelValues(outcome).Inc()
}
