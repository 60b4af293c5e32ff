package logexplore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexplore"
)

// counted is mined patterns, and what was asked of them.
type counted struct {
	points []store.PatternPoint
	err    error
	asked  []store.PatternSeriesQuery
}

func (c *counted) LogPatterns(context.Context, seamark.TenantID, store.PatternsQuery) ([]store.LogPattern, error) {
	return []store.LogPattern{{ID: 1, Text: "job <_> is <_>"}, {ID: 2, Text: "job <_> is done"}, {ID: 3, Text: "idle"}, {ID: 4}}, nil
}

func (c *counted) LogPatternSeries(_ context.Context, _ seamark.TenantID, q store.PatternSeriesQuery) ([]store.PatternPoint, error) {
	c.asked = append(c.asked, q)
	return c.points, c.err
}

// TestMinedPatterns wants patterns from where they were mined when all lines were, and else from the lines.
func TestMinedPatterns(t *testing.T) {
	m := &memory{}
	for i := range 300 {
		m.add(float64(i), fmt.Sprintf("job %d is done", i), "app", "a")
	}
	whole := []store.PatternPoint{{ID: 1, Level: "info", Step: 0, Lines: 60}, {ID: 2, Level: "info", Step: 0, Lines: 100}, {ID: 3, Level: "unknown", Step: 4, Lines: 140}}
	mined := []logexplore.Pattern{
		{Text: "job <_> is <_>", Level: "info", Points: []logexplore.PatternPoint{{Time: base, Lines: 160}}, Lines: 160},
		{Text: "idle", Points: []logexplore.PatternPoint{{Time: base.Add(4 * time.Minute), Lines: 140}}, Lines: 140},
	}
	for name, c := range map[string]struct {
		query  string
		step   time.Duration
		points []store.PatternPoint
		err    error
		mined  bool
	}{
		"all lines were mined": {`{app="a"}`, time.Minute, whole, nil, true},
		"some were not":        {`{app="a"}`, time.Minute, whole[:2], nil, false},
		"a look into lines":    {`{app="a"} |= "job"`, time.Minute, whole, nil, false},
		"half a minute":        {`{app="a"}`, 30 * time.Second, whole, nil, false},
		"too many points":      {`{app="a"}`, time.Minute, nil, seamark.Errorf(seamark.Unprocessable, "seamark-patterns-counts", "Too many."), false},
	} {
		t.Run(name, func(t *testing.T) {
			counts := &counted{points: c.points, err: c.err}
			x := explorer(t, m, func(o *logexplore.Options) { o.Mined = counts })
			got, err := x.Patterns(t.Context(), tenant, logexplore.PatternsQuery{Query: c.query, Range: span(300), Step: c.step})
			if err != nil {
				t.Fatal(err)
			}
			if c.mined {
				if diff := cmp.Diff(mined, got); diff != "" {
					t.Errorf("patterns (-want +got):\n%s", diff)
				}
				if q := counts.asked[0]; len(q.Streams) != 1 || q.All || !q.Range.Start.Equal(base) || !q.Range.End.Equal(base.Add(5*time.Minute)) {
					t.Errorf("asked %+v", q)
				}
			} else if len(got) != 1 || got[0].Text != "job <_> is done" || got[0].Lines != 300 {
				t.Errorf("got %+v", got)
			}
		})
	}
	counts := &counted{err: seamark.Errorf(seamark.Timeout, "seamark-query-timeout", "Too late.")}
	x := explorer(t, m, func(o *logexplore.Options) { o.Mined = counts })
	if _, err := x.Patterns(t.Context(), tenant, logexplore.PatternsQuery{Query: `{app="a"}`, Range: span(300), Step: time.Minute}); seamark.KindOf(err) != seamark.Timeout {
		t.Errorf("got %v", err)
	}
}
