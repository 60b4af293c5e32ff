package alerting

import "github.com/prometheus/client_golang/prometheus"

// metrics of the role. Upstream's own metrics live in one registry per tenant, because they are made once per manager.
type metrics struct {
	leading     prometheus.Gauge
	tenants     prometheus.Gauge
	poisoned    *prometheus.CounterVec
	stateWrites *prometheus.CounterVec
	deliveries  *prometheus.CounterVec
	applied     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "seamark_alerting_leading", Help: "1 while this process evaluates rules, 0 while it stands by.",
		}),
		tenants: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "seamark_alerting_tenants", Help: "Tenants whose rules or receivers run in this process.",
		}),
		poisoned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_alerting_poisoned_documents_total", Help: "Stored documents that could not be read, by bucket.",
		}, []string{"bucket"}),
		stateWrites: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_alerting_state_writes_total", Help: "Writes of silences, notification log and active alerts, by outcome.",
		}, []string{"outcome"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_alerting_deliveries_total", Help: "Attempts to reach a receiver, by outcome: sent, failed, blocked.",
		}, []string{"outcome"}),
		applied: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_alerting_changes_total", Help: "Changes of rules and receivers taken over, by outcome.",
		}, []string{"outcome"}),
	}
	reg.MustRegister(m.leading, m.tenants, m.poisoned, m.stateWrites, m.deliveries, m.applied)
	return m
}
