package ingest

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/bus"
)

// queueGauge tells how many messages of each held shard wait to be stored, as the stream stands when it is asked.
type queueGauge struct {
	stream Stream
	desc   *prometheus.Desc

	mu     sync.Mutex
	stored map[bus.Shard]uint64 // the last stored message of each shard that is held
}

// queueTimeout bounds what a scrape waits for the queue.
const queueTimeout = 2 * time.Second

func newQueueGauge(stream Stream, reg prometheus.Registerer) *queueGauge {
	g := &queueGauge{stream: stream, stored: map[bus.Shard]uint64{}, desc: prometheus.NewDesc(
		"seamark_writer_queue_messages", "Acknowledged messages that wait to be stored, by shard that this process writes.", []string{"shard"}, nil)}
	reg.MustRegister(g)
	return g
}

func (g *queueGauge) set(shard bus.Shard, sequence uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stored[shard] = sequence
}

func (g *queueGauge) drop(shard bus.Shard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.stored, shard)
}

// Describe implements prometheus.Collector.
func (g *queueGauge) Describe(descs chan<- *prometheus.Desc) { descs <- g.desc }

// Collect implements prometheus.Collector. A stream that does not answer has no figure.
func (g *queueGauge) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), queueTimeout)
	defer cancel()
	g.mu.Lock()
	stored := maps.Clone(g.stored)
	g.mu.Unlock()
	for shard, sequence := range stored {
		state, err := g.stream.State(ctx, shard)
		if err != nil {
			continue
		}
		// What was stored meanwhile is not in the copy: a figure that is too large by it, never too small.
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(max(state.Last, sequence)-sequence), shard.String())
	}
}
