package logmem_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logmem"
)

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// sample has five rows of two streams, not in the order of time, and one of a stream that is not there.
func sample() ([]store.LogStream, *store.LogBlock) {
	streams := []store.LogStream{
		{FP: 1, Labels: []seamark.Label{{Name: "app", Value: "a"}}}, {FP: 2, Labels: []seamark.Label{{Name: "app", Value: "b\nc"}, {Name: "pod", Value: "x"}}},
	}
	b := &store.LogBlock{}
	for i, at := range []int64{30, 10, 20, 20, 40, 15} {
		b.Time = append(b.Time, at)
		b.FP = append(b.FP, uint64(i%2+1))
		b.Body = append(b.Body, fmt.Sprintf("line %d\nof %d", i, at))
		b.Level = append(b.Level, seamark.Level(i))
		b.TraceID, b.SpanID = append(b.TraceID, [16]byte{byte(i)}), append(b.SpanID, [8]byte{byte(i)})
		if i == 3 {
			b.Attrs = append(b.Attrs, seamark.Label{Name: "user", Value: "ann"})
		}
		b.AttrEnd = append(b.AttrEnd, uint32(len(b.Attrs)))
	}
	b.FP[5] = 99
	return streams, b
}

func read(t *testing.T, q store.LogRowsQuery) (times []int64) {
	t.Helper()
	r := logmem.New()
	streams, block := sample()
	r.Set(streams, block)
	if q.Streams == nil {
		q.Streams = streams
	}
	if q.End == 0 {
		q.Start, q.End = r.Span()
	}
	stats, err := r.LogRows(t.Context(), tenant, q, func(b *store.LogBlock) error {
		times = append(times, b.Time...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Filters) == 0 && q.Limit == 0 && int(stats.Rows) != len(times) {
		t.Errorf("%d rows were counted, %d handed over", stats.Rows, len(times))
	}
	return times
}

func TestOrderAndRange(t *testing.T) {
	for name, c := range map[string]struct {
		q    store.LogRowsQuery
		want []int64
	}{
		"all":          {store.LogRowsQuery{Order: store.OldestFirst}, []int64{10, 20, 20, 30, 40}},
		"newest first": {store.LogRowsQuery{Order: store.NewestFirst}, []int64{40, 30, 20, 20, 10}},
		"limit":        {store.LogRowsQuery{Order: store.NewestFirst, Limit: 2}, []int64{40, 30}},
		"range":        {store.LogRowsQuery{LogScope: store.LogScope{Start: 20, End: 40}}, []int64{20, 20, 30}},
		"one stream":   {store.LogRowsQuery{LogScope: store.LogScope{Streams: []store.LogStream{{FP: 2}}}}, []int64{10, 20}},
	} {
		if diff := cmp.Diff(c.want, read(t, c.q)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFilters(t *testing.T) {
	none := []int64{10, 20, 20, 30, 40}
	for name, c := range map[string]struct {
		f    store.LogFilter
		want []int64
	}{
		"contains":           {store.LogFilter{Texts: []string{"line 1", "line 4"}}, []int64{10, 40}},
		"dot matches breaks": {store.LogFilter{Op: store.LogSearch, Texts: []string{"1.of"}}, []int64{10}},
		"equals":             {store.LogFilter{Op: store.LogEquals, Texts: []string{"line 0\nof 30"}}, []int64{30}},
		"whole":              {store.LogFilter{Op: store.LogMatches, Texts: []string{"line"}}, nil},
		"level":              {store.LogFilter{Field: store.LogLevel, Op: store.LogEquals, Texts: []string{"info"}}, []int64{20}},
		"no level":           {store.LogFilter{Field: store.LogLevel, Op: store.LogEquals, Texts: []string{""}}, []int64{30}},
		"trace":              {store.LogFilter{Field: store.LogTraceID, Op: store.LogEquals, Texts: []string{"01000000000000000000000000000000"}}, []int64{10}},
		"no trace":           {store.LogFilter{Field: store.LogTraceID, Op: store.LogEquals, Texts: []string{""}}, []int64{30}},
		"span":               {store.LogFilter{Field: store.LogSpanID, Op: store.LogMatches, Texts: []string{"0[12].*"}}, []int64{10, 20}},
		"no span":            {store.LogFilter{Field: store.LogSpanID, Op: store.LogEquals, Texts: []string{""}}, []int64{30}},
		"attribute":          {store.LogFilter{Field: store.LogAttr, Attr: "user", Op: store.LogEquals, Texts: []string{"ann"}}, []int64{20}},
		"no text":            {store.LogFilter{}, nil},
	} {
		got := read(t, store.LogRowsQuery{LogScope: store.LogScope{Filters: []store.LogFilter{c.f}}})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		c.f.Not = true
		if inverse := read(t, store.LogRowsQuery{LogScope: store.LogScope{Filters: []store.LogFilter{c.f}}}); len(inverse)+len(got) != len(none) {
			t.Errorf("not %s: got %v beside %v", name, inverse, got)
		}
	}
}

func TestColumns(t *testing.T) {
	r := logmem.New()
	streams, block := sample()
	r.Set(streams, block)
	scope := store.LogScope{Streams: streams, Start: 0, End: 100}
	for _, c := range []store.LogColumns{{}, {Body: true}, {Level: true}, {Trace: true}, {Attrs: true}} {
		_, err := r.LogRows(t.Context(), tenant, store.LogRowsQuery{LogScope: scope, Columns: c}, func(b *store.LogBlock) error {
			got := store.LogColumns{Body: len(b.Body) > 0, Level: len(b.Level) > 0, Trace: len(b.TraceID) > 0 && len(b.SpanID) > 0, Attrs: len(b.AttrEnd) > 0}
			if got != c {
				t.Errorf("got columns %+v, want %+v", got, c)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStreamsAndSelector(t *testing.T) {
	streams, block := sample()
	r := logmem.New()
	r.Set(streams, block)
	for name, c := range map[string]struct {
		m    store.LogMatcher
		want []uint64
	}{
		"equals":                    {store.LogMatcher{Name: "app", Op: store.LogEquals, Value: "a"}, []uint64{1}},
		"not":                       {store.LogMatcher{Name: "app", Op: store.LogEquals, Value: "a", Not: true}, []uint64{2}},
		"absent":                    {store.LogMatcher{Name: "pod", Op: store.LogEquals}, []uint64{1}},
		"whole":                     {store.LogMatcher{Name: "app", Op: store.LogMatches, Value: "[ab]"}, []uint64{1}},
		"dot matches no line break": {store.LogMatcher{Name: "app", Op: store.LogMatches, Value: "b.c"}, nil},
		"not matched":               {store.LogMatcher{Name: "app", Op: store.LogMatches, Value: ".", Not: true}, []uint64{2}},
	} {
		found, err := r.LogStreams(t.Context(), tenant, store.LogStreamsQuery{Matchers: []store.LogMatcher{c.m}, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got, selected []uint64
		selector, err := logmem.NewSelector([]store.LogMatcher{c.m})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range found {
			got = append(got, s.FP)
		}
		for _, s := range streams {
			if selector.Matches(s.Labels) {
				selected = append(selected, s.FP)
			}
		}
		if !slices.Equal(got, c.want) || !slices.Equal(selected, c.want) {
			t.Errorf("%s: got %v and %v, want %v", name, got, selected, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	bad := store.LogMatcher{Name: "app", Op: store.LogMatches, Value: "("}
	if _, err := logmem.NewSelector([]store.LogMatcher{bad}); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("a broken expression: got %v", err)
	}
	r := logmem.New()
	streams, block := sample()
	r.Set(streams, block)
	if _, err := r.LogStreams(t.Context(), tenant, store.LogStreamsQuery{Matchers: []store.LogMatcher{bad}, Limit: 1}); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("a broken expression: got %v", err)
	}
	for _, f := range []store.LogFilter{{Field: 99, Texts: []string{"x"}}, {Op: 99, Texts: []string{"x"}}, {Op: store.LogSearch, Texts: []string{"("}}} {
		scope := store.LogScope{Streams: streams, Start: 0, End: 100, Filters: []store.LogFilter{f}}
		if _, err := r.LogRows(t.Context(), tenant, store.LogRowsQuery{LogScope: scope}, func(*store.LogBlock) error { return nil }); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	if _, err := r.LogCounts(t.Context(), tenant, store.LogCountsQuery{}, nil); err == nil {
		t.Error("counts were answered")
	}
}
