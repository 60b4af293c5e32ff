// Package suspects ranks what changed around the start of an alert: deploys and changes of configuration, Kubernetes events and node
// problems, log patterns that are new or come more often, and metrics of what the alert is about, stands beside or calls. Each
// suspect has a score and its evidence in words and figures. It asks for all of it through Source, at most a few questions at a
// time and under one deadline, and says what it could not learn. Package app hands it to the HTTP API.
package suspects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Source is what suspects are found in: the data of one tenant that the reader may see. The caller owns what is returned.
// Implementations are safe for concurrent use.
type Source interface {
	// Events returns Kubernetes events that happened last inside the range, newest first.
	Events(ctx context.Context, scope seamark.Scope, q EventQuery) ([]seamark.Event, error)
	// Writes returns requests to API servers that changed an object of one of the resources, newest first.
	Writes(ctx context.Context, scope seamark.Scope, q WriteQuery) ([]Write, error)
	// Patterns returns the log patterns that are new or spiking, the surest first.
	Patterns(ctx context.Context, scope seamark.Scope, q PatternQuery) ([]Pattern, error)
	// Series evaluates a probe over a range.
	Series(ctx context.Context, scope seamark.Scope, q SeriesQuery) ([]Series, error)
}

// EventQuery asks for events of a cluster, or with "" of all.
type EventQuery struct {
	Cluster string
	Range   seamark.TimeRange
	Limit   int
}

// WriteQuery asks for writes in a cluster, or with "" in all.
type WriteQuery struct {
	Cluster   string
	Resources []string
	Range     seamark.TimeRange
	Limit     int
}

// Write is one successful request that changed an object.
type Write struct {
	Time                                            time.Time
	Cluster, Namespace, Resource, Subresource, Name string
	Verb, User, UserAgent                           string
}

// PatternQuery asks for changed patterns of a cluster's lines, of one namespace where it is not "".
type PatternQuery struct {
	Cluster, Namespace string
	Range, Before      seamark.TimeRange
	Limit              int
}

// Pattern is a template of log lines that changed.
type Pattern struct {
	ID            uint64
	Text          string
	Groups        []string // of the streams that it came from, as <namespace>/<workload> where they have both
	Levels        []string
	Lines, Before uint64
	Score         float64 // standard deviations
	New           bool    // else it spikes
	First         time.Time
	Reason        string
}

// SeriesQuery asks for the values of a probe.
type SeriesQuery struct {
	Probe
	Start, End time.Time // both included
	Step       time.Duration
	Limit      int
}

// Series is one series, NaN where it has no value.
type Series struct {
	Labels map[string]string
	Start  time.Time
	Step   time.Duration
	Values []float64
}

// Limits bounds one request.
type Limits struct {
	// Timeout bounds all questions together: what is not answered by then is missing in the answer, which says so.
	Timeout time.Duration
	// Parallel bounds the questions that wait for an answer at the same time.
	Parallel int
	// MaxWindow bounds the time before the start that is looked at.
	MaxWindow time.Duration
	// MaxRows bounds what one question returns: events, writes, patterns or series.
	MaxRows int
}

// DefaultLimits returns the limits that hold unless something else is set.
func DefaultLimits() Limits {
	return Limits{Timeout: 15 * time.Second, Parallel: 4, MaxWindow: 6 * time.Hour, MaxRows: 500}
}

// Options configures a Finder.
type Options struct {
	Source Source
	Limits
}

func (o *Options) validate() error {
	switch {
	case o.Source == nil:
		return errors.New("suspects: Source is required")
	case o.Timeout <= 0 || o.Parallel < 1 || o.MaxWindow < time.Minute || o.MaxRows < 1:
		return errors.New("suspects: all limits must be positive")
	}
	return nil
}

// Finder finds suspects. It is safe for concurrent use.
type Finder struct{ opts Options }

// New returns a finder.
func New(o Options) (*Finder, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Finder{o}, nil
}

// Query is the alert that suspects are wanted for.
type Query struct {
	Labels map[string]string
	Start  time.Time
	Window time.Duration // before the start; 0 is two hours
	Limit  int           // of suspects; 0 is 10
}

// Kind is what a suspect is.
type Kind string

// The kinds.
const (
	Deploy      Kind = "deploy"       // a workload was changed or rolled out
	Config      Kind = "config"       // configuration, a quota or routing was changed
	Event       Kind = "event"        // something happened to an object
	NodeProblem Kind = "node_problem" // something happened to a node
	LogPattern  Kind = "log_pattern"  // lines that are new or come more often
	MetricShift Kind = "metric_shift" // a metric left its course
)

// Suspect is one thing that changed.
type Suspect struct {
	Kind      Kind
	Score     float64 // 0 to 1
	Time      time.Time
	Cluster   string
	Namespace string
	Object    string // kind and name, such as Deployment checkout, or what the kind of suspect is about
	Summary   string // a sentence
	Relation  Relation
	Evidence  []Evidence // the weightiest first
}

// Evidence is one observation about a suspect.
type Evidence struct {
	Source string // audit, events, logs or metrics
	Time   time.Time
	Text   string  // a sentence or a line
	Weight float64 // 0 to 1: the score that it gives by itself
}

// Answer is the ranking.
type Answer struct {
	Range      seamark.TimeRange // that was looked at
	Suspects   []Suspect
	Considered int      // observations
	Missing    []string // what could not be asked for, in words
}

const (
	defaultWindow = 2 * time.Hour
	defaultLimit  = 10
	maxLimit      = 100
	// after is how much of the time after the start is looked at: an alert often begins before its cause is told.
	after = 10 * time.Minute
	// routine is the time before the window in which what happens all the time is recognised.
	routine = 24 * time.Hour
	// maxLabels and maxLabelBytes bound the labels of a query, which become parts of questions.
	maxLabels, maxLabelBytes = 64, 1024
)

func (f *Finder) complete(q *Query) error {
	if q.Window == 0 {
		q.Window = defaultWindow
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	switch {
	case q.Start.IsZero():
		return seamark.Errorf(seamark.Invalid, "seamark-suspects-invalid", "The start is missing: suspects are what changed around it.")
	case q.Window < time.Minute || q.Window > f.opts.MaxWindow:
		return seamark.Errorf(seamark.Invalid, "seamark-suspects-invalid", "The window is %s; it must be from %s to %s.", q.Window, time.Minute, f.opts.MaxWindow)
	case q.Limit < 1 || q.Limit > maxLimit:
		return seamark.Errorf(seamark.Invalid, "seamark-suspects-invalid", "The limit is %d; it must be from 1 to %d.", q.Limit, maxLimit)
	case len(q.Labels) > maxLabels:
		return seamark.Errorf(seamark.Invalid, "seamark-suspects-invalid", "The alert has %d labels; the limit is %d.", len(q.Labels), maxLabels)
	}
	for name, value := range q.Labels {
		if len(name)+len(value) > maxLabelBytes {
			return seamark.Errorf(seamark.Invalid, "seamark-suspects-invalid", "The label %.40q has %d bytes; the limit is %d.", name, len(name)+len(value), maxLabelBytes)
		}
	}
	return nil
}

// Find ranks what changed around the start of an alert. It fails for a query out of bounds, and when no question at all was answered;
// otherwise the answer says what is missing.
func (f *Finder) Find(ctx context.Context, scope seamark.Scope, q Query) (*Answer, error) {
	if err := scope.Tenant.Validate(); err != nil {
		return nil, err
	}
	if err := f.complete(&q); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.opts.Timeout)
	defer cancel()
	h := &hunt{finder: f, scope: scope, q: &q, alert: readAlert(q.Labels), slots: make(chan struct{}, f.opts.Parallel)}
	h.around = seamark.TimeRange{Start: q.Start.Add(-q.Window), End: q.Start.Add(after)}
	h.findNodes(ctx)
	h.ask(ctx, "changes in the audit log", h.writes)
	h.ask(ctx, "Kubernetes events", h.events)
	h.ask(ctx, "log patterns", h.patterns)
	for _, p := range h.probes() {
		h.ask(ctx, "metric "+p.Name, func(ctx context.Context) ([]observation, error) { return h.shifts(ctx, p) })
	}
	h.running.Wait()
	if h.answered == 0 && len(h.faults) > 0 {
		return nil, h.faults[0]
	}
	slices.Sort(h.missing)
	return &Answer{Range: h.around, Suspects: h.rank(), Considered: len(h.found), Missing: slices.Compact(h.missing)}, nil
}

// hunt is one search.
type hunt struct {
	finder  *Finder
	scope   seamark.Scope
	q       *Query
	alert   alert
	around  seamark.TimeRange
	slots   chan struct{} // a place for each question that may wait
	running sync.WaitGroup

	mu       sync.Mutex // guards the fields below
	found    []observation
	missing  []string
	faults   []error
	answered int
}

// ask puts one question when there is a place for it.
func (h *hunt) ask(ctx context.Context, what string, fn func(context.Context) ([]observation, error)) {
	h.running.Go(func() {
		var err error
		var found []observation
		select {
		case h.slots <- struct{}{}:
			found, err = fn(ctx)
			<-h.slots
		case <-ctx.Done():
			err = ctx.Err()
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil {
			h.missing = append(h.missing, fmt.Sprintf("%s: %s", what, reason(err)))
			h.faults = append(h.faults, err)
			return
		}
		h.answered++
		h.found = append(h.found, found...)
	})
}

// reason says why a question has no answer, in words for the customer.
func reason(err error) string {
	if known, ok := errors.AsType[*seamark.Error](err); ok {
		return known.Message
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the time was over before it was answered."
	}
	return "it could not be answered."
}

// rank puts observations about one object together and returns the first suspects.
func (h *hunt) rank() []Suspect {
	byKey := map[string]*Suspect{}
	var keys []string
	slices.SortFunc(h.found, func(a, b observation) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), a.Time.Compare(b.Time), cmp.Compare(a.Text, b.Text))
	})
	for i := range h.found {
		o := &h.found[i]
		s := byKey[o.key]
		if s == nil {
			s = &Suspect{Kind: o.kind, Time: o.Time, Cluster: o.cluster, Namespace: o.namespace, Object: o.object, Summary: o.Text, Relation: o.relation}
			byKey[o.key], keys = s, append(keys, o.key)
		}
		s.add(o)
	}
	list := make([]Suspect, 0, len(keys))
	for _, key := range keys {
		list = append(list, *byKey[key])
	}
	slices.SortStableFunc(list, func(a, b Suspect) int { return cmp.Compare(b.Score, a.Score) })
	return list[:min(len(list), h.q.Limit)]
}

const (
	maxEvidence = 5
	// support is the share of a further observation's weight that counts, of another source or another kind of fact.
	support = 0.4
)

// add takes an observation into account; the weightiest comes first. More of the same source says little more.
func (s *Suspect) add(o *observation) {
	weight := o.Weight
	for i := range s.Evidence {
		if s.Evidence[i].Source == o.Source {
			weight /= 4
			break
		}
	}
	if len(s.Evidence) == 0 {
		s.Score = weight
	} else {
		s.Score += (1 - s.Score) * weight * support
	}
	if len(s.Evidence) < maxEvidence {
		s.Evidence = append(s.Evidence, o.Evidence)
	}
}
