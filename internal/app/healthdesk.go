package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// silentAfter is after how many beats that did not come a process counts as silent.
	silentAfter = 3 * beatInterval
	// forgetSilentAfter is how long a silent process is shown. One that was replaced by another of a new name is no news after that.
	forgetSilentAfter = 15 * time.Minute
	// healthFor is how long an answer counts, so that several who look at once cost one look.
	healthFor = 2 * time.Second
)

// heardNode is a process that another one has heard of.
type heardNode struct {
	nodeBeat
	At     time.Time // of the last sign of life, on this process's clock
	Report *nodeReport
	// Ahead is how far its clock is ahead of ours, which is known up to Uncertain.
	Ahead, Uncertain time.Duration
}

// healthDesk knows which processes there are, and asks them how they do. It implements api.Installation.
type healthDesk struct {
	nc      *nats.Conn
	engines func(ctx context.Context) []doctor.Finding
	queue   func(ctx context.Context) (queueLook, error)
	now     func() time.Time
	log     *slog.Logger

	mu    sync.Mutex // guards nodes
	nodes map[string]heardNode

	asking sync.Mutex // held while asking; guards what follows
	last   *api.Health
}

// openHealthDesk begins to hear of other processes.
func (a *App) openHealthDesk(ctx context.Context) error {
	leases, err := bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	checkpoints, err := a.openCheckpoints(ctx)
	if err != nil {
		return err
	}
	a.health = &healthDesk{
		nc: a.nc, now: a.opts.Now, log: a.log, nodes: map[string]heardNode{},
		engines: func(ctx context.Context) []doctor.Finding {
			return doctor.ExamineEngines(ctx, a.opts.Examination()).Findings
		},
		queue: func(ctx context.Context) (queueLook, error) { return lookAtQueue(ctx, a.js, leases, checkpoints) },
	}
	sub, err := a.nc.Subscribe(beatSubject, a.health.hear)
	if err != nil {
		return err
	}
	a.defers("signs of life of others", func(context.Context) error { return sub.Unsubscribe() })
	return a.nc.Publish(whoSubject, nil)
}

// hear notes a sign of life.
func (d *healthDesk) hear(m *nats.Msg) {
	var b nodeBeat
	if json.Unmarshal(m.Data, &b) != nil || b.Node == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if b.Leaving {
		delete(d.nodes, b.Node)
		return
	}
	d.nodes[b.Node] = heardNode{nodeBeat: b, At: d.now()}
}

// known returns the processes that were heard of, and forgets those that have been silent for long.
func (d *healthDesk) known() map[string]heardNode {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make(map[string]heardNode, len(d.nodes))
	for name, n := range d.nodes {
		if now.Sub(n.At) > forgetSilentAfter {
			delete(d.nodes, name)
			continue
		}
		list[name] = n
	}
	return list
}

// Health implements api.Installation.
func (d *healthDesk) Health(ctx context.Context) (*api.Health, error) {
	d.asking.Lock()
	defer d.asking.Unlock()
	if d.last != nil && d.now().Sub(d.last.Asked) < healthFor {
		return d.last, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*lookWithin)
	defer cancel()
	var look healthLook
	var parts sync.WaitGroup
	var nodesErr error
	parts.Go(func() { look.Nodes, nodesErr = d.gather(ctx) })
	parts.Go(func() { look.Engines = d.engines(ctx) })
	parts.Go(func() { look.Queue, look.QueueErr = d.queue(ctx) })
	parts.Wait()
	if nodesErr != nil {
		return nil, seamark.Wrap(nodesErr, seamark.Unavailable, "seamark-health-nodes", "The processes cannot be asked how they do: NATS does not take the question. Retry in some seconds.")
	}
	look.Asked = d.now().UTC()
	d.last = look.judge()
	return d.last, nil
}

// gather asks all processes and returns those that there are, with the answers that came in time. It waits no longer than for those
// that have beaten lately.
func (d *healthDesk) gather(ctx context.Context) (map[string]heardNode, error) {
	inbox := d.nc.NewRespInbox()
	answers, err := d.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answers.Unsubscribe() }()
	begun := d.now()
	if err := d.nc.PublishRequest(reportSubject, inbox, nil); err != nil {
		return nil, err
	}
	nodes := d.known()
	awaited := map[string]bool{}
	for name, n := range nodes {
		if begun.Sub(n.At) < silentAfter {
			awaited[name] = true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin+500*time.Millisecond)
	defer cancel()
	for len(awaited) > 0 {
		msg, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			break // those that are left do not answer in time
		}
		var r nodeReport
		if json.Unmarshal(msg.Data, &r) != nil || r.Node == "" {
			continue
		}
		nodes[r.Node] = heardReport(&r, begun, d.now())
		delete(awaited, r.Node)
	}
	return nodes, nil
}

// heardReport reckons how far a process's clock is ahead: what it took for its look counts neither way.
func heardReport(r *nodeReport, asked, got time.Time) heardNode {
	n := heardNode{nodeBeat: r.nodeBeat, At: got, Report: r}
	n.Ahead = (r.Received.Sub(asked) + r.Sent.Sub(got)) / 2
	n.Uncertain = got.Sub(asked) - r.Sent.Sub(r.Received)
	return n
}
