// Package democluster is a believable Kubernetes cluster that pushes its logs, metrics and events to a Seamark server
// through the HTTP front, as agents do. It knows the server only by its wire protocols. cmd and package demo import it.
package democluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options configures a demo cluster.
type Options struct {
	URL     string // of the server's front
	Token   string // ingest token
	Cluster string // name of the cluster
	// IncidentEvery is how often something goes wrong in the cluster; 0 means never. An incident lasts a quarter of it,
	// but a minute at least and half of it at most. The first begins half of it after the history's end.
	IncidentEvery time.Duration
	// Backfill is how much history Prime pushes, so that the first graph is not empty. Prime pushes half a minute at
	// least, so that every signal is there.
	Backfill time.Duration
	// Seed makes two clusters with the same Now alike. 0 takes one from Now: a cluster that starts again then has new
	// pods and nodes, and does not continue the counters of its earlier life from other values.
	Seed   uint64
	Logger *slog.Logger // nil: slog.Default
	// Now tells the time; nil means time.Now. Nothing is pushed that is younger.
	Now func() time.Time
	// After is what the cluster waits with, between its steps and before retries; nil means time.After.
	After func(time.Duration) <-chan time.Time
	// Transport carries the requests; nil means one of its own.
	Transport http.RoundTripper
}

// Cluster is one demo cluster.
type Cluster struct {
	opts      Options
	push      *pusher
	incidents *incidentSwitch
	world     *world // nil before Prime or Run; used by one goroutine at a time
}

const (
	// stepEvery is how often live data is pushed; agents send their batches about every second.
	stepEvery = time.Second
	// chunkLength is how much of the history is generated, and then pushed, at a time. It bounds memory.
	chunkLength = 5 * time.Minute
	// minHistory has one scrape and some lines of every kind of log.
	minHistory = 30 * time.Second
	// maxGap is how long a pause is filled up, as that of a machine that slept; the rest of a longer one stays empty.
	maxGap = 2 * time.Minute
	// parallelPushes is how many requests Prime has under way.
	parallelPushes = 4
)

func (o *Options) validate() error {
	if o.URL == "" || o.Token == "" {
		return errors.New("democluster: URL and Token are required")
	}
	if u, err := url.Parse(o.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("democluster: the URL %q is not of the form http(s)://host:port", o.URL)
	}
	if o.IncidentEvery < 0 || o.Backfill < 0 {
		return errors.New("democluster: IncidentEvery and Backfill must not be negative")
	}
	return nil
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
}

// New checks the options and makes the cluster. Nothing is pushed yet.
func New(o Options) (*Cluster, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	push, err := newPusher(&o)
	if err != nil {
		return nil, err
	}
	return &Cluster{opts: o, push: push, incidents: new(incidentSwitch)}, nil
}

// SetIncident begins or ends an incident with the cluster's next step, within a second. From the first call on, incidents
// no longer come and go by themselves. It is safe for concurrent use.
func (c *Cluster) SetIncident(active bool) { c.incidents.set(active) }

// Prime pushes the history and the first data of every signal, and returns when all of it is acknowledged. What the
// server cannot take now is sent again until ctx ends; what it refuses is an error. Call it once, before Run.
func (c *Cluster) Prime(ctx context.Context) error {
	end := c.opts.Now().Truncate(time.Second)
	c.world = newWorld(&c.opts, c.incidents, end)
	g, sending := errgroup.WithContext(ctx)
	g.SetLimit(parallelPushes)
	for c.world.at.Before(end) && sending.Err() == nil {
		c.world.advance(minTime(end, c.world.at.Add(chunkLength)))
		deliveries, err := c.push.deliveries(c.world.take(), inBulk)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		for _, d := range deliveries {
			g.Go(func() error {
				if err := d.send(sending); err != nil {
					return fmt.Errorf("push %s: %w", d.lane, err)
				}
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// Run pushes what happens from Prime's end (or else from now) until ctx ends, and returns ctx's error. While the server is
// away it keeps the newest data, within bounds, and sends it when the server is back.
func (c *Cluster) Run(ctx context.Context) error {
	if c.world == nil {
		now := c.opts.Now().Truncate(time.Second)
		c.world = newWorld(&c.opts, c.incidents, now)
		c.world.at = now
	}
	g, ctx := errgroup.WithContext(ctx)
	boxes := make(map[lane]*outbox)
	for _, l := range lanes {
		box := newOutbox(l, c.opts.Logger)
		boxes[l] = box
		g.Go(func() error { return box.run(ctx) })
	}
	g.Go(func() error {
		for {
			if err := c.step(boxes); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-c.opts.After(stepEvery):
			}
		}
	})
	return g.Wait()
}

// step lets the world come up to now and hands over what happened.
func (c *Cluster) step(boxes map[lane]*outbox) error {
	now := c.opts.Now().Truncate(time.Second)
	if gap := now.Sub(c.world.at); gap > maxGap {
		c.opts.Logger.Warn("demo cluster was paused; its data has a gap", "gap", gap)
		c.world.at = now.Add(-stepEvery)
	}
	c.world.advance(now)
	deliveries, err := c.push.deliveries(c.world.take(), oneByOne)
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		boxes[d.lane].add(d)
	}
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
