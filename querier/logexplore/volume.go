package logexplore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// Stats says how much there is in some streams: what Grafana shows before a query is run.
type Stats struct{ Streams, Entries, Bytes uint64 }

// Stats counts the streams with lines in a range, the lines and their bytes.
func (e *Explorer) Stats(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange) (Stats, error) {
	var s Stats
	err := e.sizes(ctx, tenant, selector, r, s.add)
	return s, err
}

func (s *Stats) add(c *store.LogCount) {
	s.Streams++
	s.Entries += c.Lines
	s.Bytes += c.Bytes
}

// sizes hands each stream of a selector that has lines in a range to fn, with their number and bytes. The server keeps the
// lengths of texts beside them and does not read the texts.
func (e *Explorer) sizes(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange, fn func(*store.LogCount)) error {
	streams, _, err := e.streams(ctx, tenant, selector, r)
	if err != nil || len(streams) == 0 {
		return err
	}
	_, err = e.opts.Storage.LogCounts(ctx, tenant, countsQuery(streams, r, r.Duration(), 1), func(c *store.LogCount) error {
		fn(c)
		return nil
	})
	return err
}

// countsQuery asks for lines and bytes of streams in steps from the range's start on; the last step may be cut off.
func countsQuery(streams []store.LogStream, r seamark.TimeRange, step time.Duration, steps int) store.LogCountsQuery {
	start, end := r.Start.UnixNano(), r.End.UnixNano()
	return store.LogCountsQuery{
		LogScope: store.LogScope{Streams: streams, Start: start, End: end},
		Grid:     store.LogGrid{First: start + int64(step) - 1, Step: int64(step), Steps: steps, Window: int64(step)},
		Bytes:    true,
	}
}

// stepOf returns the step that a bucket belongs to. Windows as long as a step begin where a cell of the grid does, so a step
// is one cell, whose lower half is its only bucket; the first cell lies before the first window.
func stepOf(bucket int) int { return bucket/2 - 1 }

// VolumeQuery asks how many bytes the lines of streams have.
type VolumeQuery struct {
	Selector string // without a pipeline; empty for all streams
	Range    seamark.TimeRange
	Step     time.Duration // 0: one value for the whole range
	Limit    int           // at most so many volumes, the largest; at least 1
	// Targets are the labels that bytes are summed by; streams that lack one are left out. Without any those of the selector
	// count, and for an empty selector all.
	Targets []string
	// ByLabel sums bytes by the name of each label instead of by label sets.
	ByLabel bool
}

// Volume is the bytes of one label set, or of one label name, which then has no value.
type Volume struct {
	Labels []seamark.Label
	Points []VolumePoint // times without bytes are absent
}

// VolumePoint is the bytes of a step, which ends at Time (exclusive).
type VolumePoint struct {
	Time  time.Time
	Bytes uint64
}

// Volumes returns the largest volumes first, equal ones by their labels.
func (e *Explorer) Volumes(ctx context.Context, tenant seamark.TenantID, q VolumeQuery) ([]Volume, error) {
	step, steps, err := e.steps(&q)
	if err != nil {
		return nil, err
	}
	var present []store.LogMatcher
	if !q.ByLabel {
		for _, name := range q.Targets {
			present = append(present, store.LogMatcher{Name: name, Op: store.LogEquals, Not: true})
		}
	}
	streams, matchers, err := e.streams(ctx, tenant, q.Selector, q.Range, present...)
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	g := newGrouping(&q, matchers, streams)
	ask := countsQuery(streams, q.Range, step, steps)
	ask.Into = g.into
	_, err = e.opts.Storage.LogCounts(ctx, tenant, ask, func(c *store.LogCount) error {
		for _, v := range g.of[c.FP] {
			v.add(stepOf(c.Bucket), c.Bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g.result(&q, step), nil
}

// steps returns the step of a query and how many there are.
func (e *Explorer) steps(q *VolumeQuery) (time.Duration, int, error) {
	if err := checkRange(q.Range); err != nil {
		return 0, 0, err
	}
	if q.Step == 0 {
		return q.Range.Duration(), 1, nil
	}
	if q.Step < 0 {
		return 0, 0, seamark.Errorf(seamark.Invalid, "seamark-logql-step", "The step %s must be longer than zero.", q.Step)
	}
	steps := int64((q.Range.Duration() + q.Step - 1) / q.Step)
	if steps > int64(e.opts.MaxSteps) {
		return 0, 0, seamark.Errorf(seamark.Invalid, "seamark-logql-steps",
			"The range of %s in steps of %s has %d points, more than the limit of %d. Ask for a larger step or a shorter range.",
			q.Range.Duration().Round(time.Second), q.Step, steps, e.opts.MaxSteps)
	}
	return q.Step, int(steps), nil
}

// sums is the bytes of one volume by step.
type sums struct {
	labels []seamark.Label
	bytes  map[int]uint64
	total  uint64
}

func (s *sums) add(step int, bytes uint64) {
	s.bytes[step] += bytes
	s.total += bytes
}

// grouping says which volumes the bytes of a stream belong to.
type grouping struct {
	all  map[string]*sums
	of   map[uint64][]*sums // by the fingerprint that counts come under
	into []uint64           // parallel to the streams: streams of one volume are counted as one
}

func newGrouping(q *VolumeQuery, matchers []logql.Matcher, streams []store.LogStream) *grouping {
	g := &grouping{all: map[string]*sums{}, of: make(map[uint64][]*sums, len(streams))}
	if q.ByLabel {
		for i := range streams {
			for _, l := range streams[i].Labels {
				if len(q.Targets) == 0 || slices.Contains(q.Targets, l.Name) {
					g.of[streams[i].FP] = append(g.of[streams[i].FP], g.sumsOf([]seamark.Label{{Name: l.Name}}))
				}
			}
		}
		return g
	}
	wanted := q.Targets
	if len(wanted) == 0 {
		for _, m := range matchers {
			wanted = append(wanted, m.Name)
		}
	}
	first := map[*sums]uint64{}
	for i := range streams {
		labels := streams[i].Labels
		if len(wanted) > 0 {
			labels = slices.DeleteFunc(slices.Clone(labels), func(l seamark.Label) bool { return !slices.Contains(wanted, l.Name) })
		}
		s := g.sumsOf(labels)
		if _, ok := first[s]; !ok {
			first[s] = streams[i].FP
			g.of[streams[i].FP] = []*sums{s}
		}
		g.into = append(g.into, first[s])
	}
	return g
}

func (g *grouping) sumsOf(labels []seamark.Label) *sums {
	key := keyOf(labels)
	s := g.all[key]
	if s == nil {
		s = &sums{labels: labels, bytes: map[int]uint64{}}
		g.all[key] = s
	}
	return s
}

// keyOf returns a text that two label sets share exactly if they are equal.
func keyOf(labels []seamark.Label) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(l.Name + "\xff" + l.Value + "\xff")
	}
	return b.String()
}

// result returns the volumes that have bytes, cut to the limit.
func (g *grouping) result(q *VolumeQuery, step time.Duration) []Volume {
	list := make([]*sums, 0, len(g.all))
	for _, s := range g.all {
		if s.total > 0 {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *sums) int {
		if c := cmp.Compare(b.total, a.total); c != 0 {
			return c
		}
		return strings.Compare(keyOf(a.labels), keyOf(b.labels))
	})
	list = list[:min(len(list), max(q.Limit, 1))]
	volumes := make([]Volume, len(list))
	for i, s := range list {
		volumes[i] = Volume{Labels: s.labels}
		for k, bytes := range s.bytes {
			end := q.Range.Start.Add(time.Duration(k+1) * step)
			if end.After(q.Range.End) {
				end = q.Range.End
			}
			volumes[i].Points = append(volumes[i].Points, VolumePoint{Time: end, Bytes: bytes})
		}
		slices.SortFunc(volumes[i].Points, func(a, b VolumePoint) int { return a.Time.Compare(b.Time) })
	}
	return volumes
}
