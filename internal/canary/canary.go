package canary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Target is a tenant whose path is tried.
type Target struct {
	Name        string
	IngestToken string // decides the tenant and the cluster
	QueryToken  string // of the same tenant
}

// Options configures a Canary.
type Options struct {
	// URL is the front that takes pushes, QueryURL the one that answers queries; "" is the same.
	URL, QueryURL string
	Targets       []Target
	// Instance tells the rows of several canaries apart.
	Instance string
	// Timeout bounds each leg: until a push is acknowledged, and from there until its row is found.
	Timeout time.Duration
	// Pause is the time between two tries of a leg.
	Pause      time.Duration
	Client     *http.Client
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
	// Mark returns what no other row has, a number below 2^53: it is also a sample's value.
	Mark func() uint64
}

func (o *Options) validate() error {
	switch {
	case o.URL == "" || len(o.Targets) == 0 || o.Instance == "":
		return errors.New("canary: URL, Targets and Instance are required")
	case o.Timeout <= 0 || o.Pause <= 0:
		return errors.New("canary: Timeout and Pause must be positive")
	case o.Client == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil || o.Mark == nil:
		return errors.New("canary: Client, Logger, Registerer, Now and Mark are required")
	}
	for _, t := range o.Targets {
		if t.Name == "" || t.IngestToken == "" || t.QueryToken == "" {
			return fmt.Errorf("canary: the target %q needs a name, an ingest token and a query token", t.Name)
		}
	}
	return nil
}

// Outcome is how the try of a path ended.
type Outcome string

// The outcomes.
const (
	// Good means acknowledged and found.
	Good Outcome = "ok"
	// NotAcknowledged means that the push was refused or got no answer.
	NotAcknowledged Outcome = "push"
	// NotAnswered means that the query was refused or got no answer.
	NotAnswered Outcome = "query"
	// NotFound means that queries were answered and the acknowledged row was in none of the answers.
	NotFound Outcome = "missing"
	// NotAlike means that what was found is not what was pushed, once.
	NotAlike Outcome = "different"
)

// Result is the try of one path.
type Result struct {
	Tenant, Signal string
	Outcome        Outcome
	// Acknowledged is how long the push took, and Queryable from its begin until the row was found.
	Acknowledged, Queryable time.Duration
	Err                     error // nil where Outcome is Good
}

// String tells the result in a line.
func (r *Result) String() string {
	path := r.Tenant + " " + r.Signal + ": "
	if r.Err != nil {
		return path + r.Err.Error()
	}
	return fmt.Sprintf("%sacknowledged after %s, queryable after %s", path, r.Acknowledged.Round(time.Millisecond), r.Queryable.Round(time.Millisecond))
}

// Canary tries the paths of its targets.
type Canary struct {
	opts    Options
	metrics *metrics
}

// New makes a canary.
func New(o Options) (*Canary, error) {
	o.URL, o.QueryURL = strings.TrimRight(o.URL, "/"), strings.TrimRight(o.QueryURL, "/")
	if o.QueryURL == "" {
		o.QueryURL = o.URL
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Canary{opts: o, metrics: newMetrics(o.Registerer)}, nil
}

// Try tries every path of every target once, side by side, and returns the results in the targets' order.
func (c *Canary) Try(ctx context.Context) []Result {
	paths := signals()
	results := make([]Result, len(c.opts.Targets)*len(paths))
	var wait sync.WaitGroup
	for i := range c.opts.Targets {
		for j, s := range paths {
			wait.Go(func() { results[i*len(paths)+j] = c.try(ctx, &c.opts.Targets[i], s) })
		}
	}
	wait.Wait()
	for i := range results {
		if ctx.Err() != nil {
			break // cut short: nothing is known of the server
		}
		c.metrics.note(&results[i], c.opts.Now())
	}
	return results
}

// Run tries at once and then at each interval, until ctx ends. A try that takes longer delays the next.
func (c *Canary) Run(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		for _, r := range c.Try(ctx) {
			if r.Err != nil && ctx.Err() == nil {
				c.opts.Logger.Error("a path fails", "tenant", r.Tenant, "signal", r.Signal, "outcome", r.Outcome, "err", r.Err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// try pushes a row and looks for it.
func (c *Canary) try(ctx context.Context, t *Target, s *signal) Result {
	r := Result{Tenant: t.Name, Signal: s.name, Outcome: Good}
	begin := c.opts.Now()
	row := row{mark: c.opts.Mark(), at: begin.Truncate(time.Millisecond), instance: c.opts.Instance}
	if r.Err = c.push(ctx, t, s, &row); r.Err != nil {
		r.Outcome = NotAcknowledged
		return r
	}
	r.Acknowledged = c.opts.Now().Sub(begin)
	r.Outcome, r.Err = c.find(ctx, t, s, &row)
	r.Queryable = c.opts.Now().Sub(begin)
	if r.Err != nil {
		r.Err = fmt.Errorf("acknowledged after %s, but %w", r.Acknowledged.Round(time.Millisecond), r.Err)
	}
	return r
}

// push sends the same bytes, as agents do, until they are acknowledged or refused for good.
func (c *Canary) push(ctx context.Context, t *Target, s *signal, w *row) error {
	body, err := s.encode(w)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	var last verdict
	for {
		_, err := c.send(ctx, &request{method: http.MethodPost, url: c.opts.URL + s.pushPath, token: t.IngestToken, media: s.media, body: body})
		last.note(ctx, err)
		if err == nil {
			return nil
		}
		if refused, ok := errors.AsType[*statusError](err); ok && refused.final() {
			return fmt.Errorf("the push to %s is refused: %w", c.opts.URL, err)
		}
		if !c.pause(ctx) {
			return fmt.Errorf("the push to %s is not acknowledged within %s: %w", c.opts.URL, c.opts.Timeout, last.err)
		}
	}
}

// find asks until the row is there.
func (c *Canary) find(ctx context.Context, t *Target, s *signal, w *row) (Outcome, error) {
	limit, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	var last verdict
	for {
		found, err := c.look(limit, t, s, w)
		last.note(limit, err)
		if refused, ok := errors.AsType[*statusError](err); ok && refused.final() {
			return NotAnswered, fmt.Errorf("the query to %s is refused: %w", c.opts.QueryURL, err)
		}
		switch {
		case err == nil && len(found) > 0:
			return w.compare(found)
		case c.pause(limit):
		case last.err != nil:
			return NotAnswered, fmt.Errorf("the query to %s is not answered within %s: %w", c.opts.QueryURL, c.opts.Timeout, last.err)
		default:
			return NotFound, fmt.Errorf("no query finds it within %s: the writer does not run or does not keep up (seamark_writer_queryable_seconds), or both tokens are not of one tenant", c.opts.Timeout)
		}
	}
}

// verdict is how the last try ended that was not only cut short: that there was no more time is known.
type verdict struct {
	known bool
	err   error
}

func (v *verdict) note(ctx context.Context, err error) {
	if ctx.Err() == nil || !v.known {
		v.known, v.err = true, err
	}
}

// look asks once.
func (c *Canary) look(ctx context.Context, t *Target, s *signal, w *row) ([]string, error) {
	body, err := c.send(ctx, &request{method: http.MethodGet, url: c.opts.QueryURL + s.query(w), token: t.QueryToken})
	if err != nil {
		return nil, err
	}
	return s.decode(body)
}

// pause waits between two tries; false says that there is no time for another.
func (c *Canary) pause(ctx context.Context) bool {
	timer := time.NewTimer(c.opts.Pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
