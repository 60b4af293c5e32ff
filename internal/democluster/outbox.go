package democluster

import (
	"context"
	"log/slog"
	"sync"
)

// lane is one way into the server. Each has a queue of its own, so that one that stands still does not stop the others.
type lane string

// The lanes.
const (
	laneLoki        lane = "logs by Loki push"
	laneOTLPLogs    lane = "logs by OTLP"
	laneRemoteWrite lane = "metrics by remote write"
	laneOTLPMetrics lane = "metrics by OTLP"
	laneEvents      lane = "events"
	laneAudit       lane = "audit records by webhook"
)

var lanes = [...]lane{laneLoki, laneOTLPLogs, laneRemoteWrite, laneOTLPMetrics, laneEvents, laneAudit}

// delivery is one request that is ready to be sent.
type delivery struct {
	lane lane
	rows int
	send func(context.Context) error
}

// maxQueuedRows is what a lane keeps while the server is away: about a quarter of an hour of logs and six minutes of
// metrics. Without it a demo that outlives its server would fill the memory.
const maxQueuedRows = 50_000

// outbox is the queue of one lane. It is safe for concurrent use.
type outbox struct {
	lane   lane
	logger *slog.Logger
	wake   chan struct{} // holds a token while there may be something to send

	mu    sync.Mutex // guards queue and rows
	queue []delivery
	rows  int
}

func newOutbox(l lane, logger *slog.Logger) *outbox {
	return &outbox{lane: l, logger: logger, wake: make(chan struct{}, 1)}
}

// add appends d and drops the oldest deliveries when there are too many rows.
func (o *outbox) add(d delivery) {
	o.mu.Lock()
	o.queue, o.rows = append(o.queue, d), o.rows+d.rows
	dropped := 0
	for o.rows > maxQueuedRows && len(o.queue) > 1 {
		dropped += o.queue[0].rows
		o.rows -= o.queue[0].rows
		o.queue[0] = delivery{}
		o.queue = o.queue[1:]
	}
	o.mu.Unlock()
	if dropped > 0 {
		o.logger.Warn("demo cluster dropped its oldest data: the server does not take it", "lane", string(o.lane), "rows", dropped)
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) next() (delivery, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return delivery{}, false
	}
	d := o.queue[0]
	o.queue[0] = delivery{}
	o.queue, o.rows = o.queue[1:], o.rows-d.rows
	return d, true
}

// run sends in order until ctx ends. A refused delivery is told and left behind.
func (o *outbox) run(ctx context.Context) error {
	for {
		d, ok := o.next()
		if !ok {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-o.wake:
			}
			continue
		}
		if err := d.send(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			o.logger.Warn("demo cluster's data was refused", "lane", string(o.lane), "rows", d.rows, "err", err)
		}
	}
}
