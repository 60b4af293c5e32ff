package alerting

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the role. Upstream's own metrics live in one registry per tenant, because they are made once per manager.
type metrics struct {
	leading     prometheus.Gauge
	shards      prometheus.Gauge
	held        atomic.Int64 // what shards shows
	takeover    prometheus.Histogram
	voided      prometheus.Counter
	iteration   prometheus.Histogram
	missed      prometheus.Counter
	holds       prometheus.Counter
	holdsEnded  prometheus.Counter
	tenants     prometheus.Gauge
	poisoned    *prometheus.CounterVec
	stateWrites *prometheus.CounterVec
	deliveries  *prometheus.CounterVec
	applied     *prometheus.CounterVec

	deliveriesLost prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "seamark_alerting_leading", Help: "1 while this process evaluates rules of some tenants, 0 while it stands by.",
		}),
		shards: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "seamark_alerting_shards", Help: "Parts of the tenants that this process holds; the replicas together hold 32.",
		}),
		takeover: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_alerting_takeover_seconds", Help: "Time from taking tenants over until their state was read and they began.", Buckets: prometheus.ExponentialBuckets(0.01, 3, 8),
		}),
		voided: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_alerting_void_state_total", Help: "Entries of state that were written by a process after another had begun with the tenant, and do not count.",
		}),
		iteration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_alerting_iteration_seconds", Help: "Time that evaluations of whole rule groups took.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 13),
		}),
		holds: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_alerting_holds_total", Help: "Evaluations of rule groups that waited for what was acknowledged and not stored yet.",
		}),
		holdsEnded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_alerting_holds_ended_total", Help: "Such evaluations that were made without it, because it took too long.",
		}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_alerting_iterations_missed_total", Help: "Turns of rule groups that passed because the evaluation before took longer than the interval.",
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
		deliveriesLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_alerting_delivery_log_lost_total", Help: "Entries of the delivery log that could not be written; the deliveries themselves went on.",
		}),
	}
	reg.MustRegister(m.leading, m.shards, m.takeover, m.voided, m.iteration, m.missed, m.holds, m.holdsEnded, m.tenants, m.poisoned, m.stateWrites, m.deliveries, m.applied, m.deliveriesLost)
	return m
}

// countHeld shows how many shards are held.
func (m *metrics) countHeld(n int) {
	m.held.Store(int64(n))
	m.shards.Set(float64(n))
	m.leading.Set(float64(min(n, 1)))
}
