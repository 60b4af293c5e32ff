package ingest

import "github.com/prometheus/client_golang/prometheus"

type writerMetrics struct {
	batches, blocks, retries, restarts, doubts, lost, dead, orphans prometheus.Counter
	rows                                                            *prometheus.CounterVec
	late                                                            *prometheus.GaugeVec
	age                                                             prometheus.Histogram
}

func newWriterMetrics(reg prometheus.Registerer) writerMetrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_writer_" + name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := writerMetrics{
		batches:  counter("batches_total", "Batches whose rows are all stored."),
		blocks:   counter("blocks_total", "Inserts of those batches."),
		retries:  counter("insert_retries_total", "Inserts that ended in doubt and were tried again."),
		restarts: counter("shard_restarts_total", "Times a shard stopped on an error and started again."),
		doubts:   counter("doubts_total", "Blocks found stored in part, which stop their shard. Must stay 0."),
		lost:     counter("stream_losses_total", "Times a stream did not hold what its checkpoint promised. Must stay 0."),
		dead:     counter("dead_letters_total", "Messages that could not be read and were set aside."),
		orphans:  counter("orphan_rows_total", "Rows dropped because their tenant is gone."),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seamark_writer_rows_total", Help: "Rows stored, by signal.",
		}, []string{"signal"}),
		late: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "seamark_writer_late_messages", Help: "Stored messages whose counts of patterns wait to be stored, by shard.",
		}, []string{"shard"}),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_writer_queryable_seconds", Help: "Age of a batch's oldest row when the batch became queryable.",
			Buckets: []float64{.1, .25, .5, .75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300},
		}),
	}
	reg.MustRegister(m.rows, m.late, m.age)
	return m
}
