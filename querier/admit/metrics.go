package admit

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// metrics carry no tenant: their number must not grow with the tenants.
type metrics struct {
	waits    *prometheus.HistogramVec
	refused  *prometheus.CounterVec
	finished *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, a *Admission) metrics {
	const prefix = "seamark_querier_admission_"
	m := metrics{
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "wait_seconds", Help: "How long queries waited for their place, by class.",
			Buckets: []float64{0.001, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30},
		}, []string{"class"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "refused_total", Help: "Queries that were not begun, or gave up waiting, by the error's id.",
		}, []string{"reason"}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "queries_total", Help: "Queries that ended, by class and outcome: ok, the id of the limit that stopped it, or error.",
		}, []string{"class", "outcome"}),
	}
	gauge := func(name, help string, value func() int) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, func() float64 {
			a.mu.Lock()
			defer a.mu.Unlock()
			return float64(value())
		})
	}
	reg.MustRegister(m.waits, m.refused, m.finished,
		gauge("waiting", "Queries that wait for a place.", func() int { return a.waiting }),
		gauge("running", "Queries that have a place.", func() int { return a.running }),
		gauge("scans", "Queries with a place that read much.", func() int { return a.scans }))
	return m
}

func (m *metrics) waited(q *Query, d time.Duration) {
	m.waits.WithLabelValues(q.Request.Class.String()).Observe(d.Seconds())
}

func (m *metrics) refuse(err error) {
	id := "other"
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		id = e.ID
	}
	m.refused.WithLabelValues(id).Inc()
}

func (m *metrics) ended(q *Query, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	if e, ok := errors.AsType[*seamark.Error](q.Fault()); ok {
		outcome = e.ID
	}
	m.finished.WithLabelValues(q.Request.Class.String(), outcome).Inc()
}
