package logexplore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexplore"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

var base = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// memory is a store of some lines. It counts as the store does.
type memory struct {
	*logmem.Rows
	streams []store.LogStream
	block   store.LogBlock
}

// add adds a line, at seconds after base, of the stream with these labels.
func (m *memory) add(at float64, line string, labels ...string) {
	var list []seamark.Label
	for i := 0; i < len(labels); i += 2 {
		list = append(list, seamark.Label{Name: labels[i], Value: labels[i+1]})
	}
	seamark.SortLabels(list)
	k := slices.IndexFunc(m.streams, func(s store.LogStream) bool { return slices.Equal(s.Labels, list) })
	if k < 0 {
		k = len(m.streams)
		m.streams = append(m.streams, store.LogStream{FP: uint64(k + 1), Labels: list})
	}
	b := &m.block
	b.Time = append(b.Time, base.Add(time.Duration(at*float64(time.Second))).UnixNano())
	b.FP = append(b.FP, uint64(k+1))
	b.Body = append(b.Body, line)
	b.Level = append(b.Level, seamark.LevelUnknown)
	b.TraceID, b.SpanID, b.AttrEnd = append(b.TraceID, [16]byte{}), append(b.SpanID, [8]byte{}), append(b.AttrEnd, uint32(len(b.Attrs)))
}

func (m *memory) LogCounts(ctx context.Context, id seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	into := map[uint64]uint64{}
	for i, s := range q.Streams {
		into[s.FP] = s.FP
		if q.Into != nil {
			into[s.FP] = q.Into[i]
		}
	}
	type key struct {
		fp     uint64
		bucket int
	}
	counts := map[key]*store.LogCount{}
	stats, err := m.LogRows(ctx, id, store.LogRowsQuery{LogScope: q.LogScope, Columns: store.LogColumns{Body: true}}, func(b *store.LogBlock) error {
		for i := range b.Len() {
			k := key{into[b.FP[i]], q.Grid.Bucket(b.Time[i])}
			if counts[k] == nil {
				counts[k] = &store.LogCount{FP: k.fp, Bucket: k.bucket}
			}
			counts[k].Lines++
			counts[k].Bytes += uint64(len(b.Body[i]))
		}
		return nil
	})
	for _, c := range counts {
		if err := fn(c); err != nil {
			return stats, err
		}
	}
	return stats, err
}

func explorer(t *testing.T, m *memory, change func(*logexplore.Options)) *logexplore.Explorer {
	t.Helper()
	m.Rows = logmem.New()
	m.Set(m.streams, &m.block)
	e, err := engine.New(engine.Options{Storage: m})
	if err != nil {
		t.Fatal(err)
	}
	o := logexplore.Options{Storage: m, Engine: e}
	if change != nil {
		change(&o)
	}
	x, err := logexplore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func span(seconds int) seamark.TimeRange {
	return seamark.TimeRange{Start: base, End: base.Add(time.Duration(seconds) * time.Second)}
}

// shop has lines of ten bytes: two of web, one a second, and one of api at the second's end.
func shop() *memory {
	m := &memory{}
	for i := range 60 {
		m.add(float64(i), "web line 1", "app", "web", "ns", "shop")
		m.add(float64(i)+0.999999999, "web line 2", "app", "web", "ns", "shop", "pod", "p")
		m.add(float64(i), "api line 1", "app", "api", "ns", "shop")
	}
	m.add(60, "too late!!", "app", "web", "ns", "shop")
	return m
}

func TestStats(t *testing.T) {
	x := explorer(t, shop(), nil)
	for selector, want := range map[string]logexplore.Stats{
		"": {Streams: 3, Entries: 180, Bytes: 1800}, `{app="web"}`: {Streams: 2, Entries: 120, Bytes: 1200}, `{app="none"}`: {},
	} {
		if got, err := x.Stats(t.Context(), tenant, selector, span(60)); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", selector, got, err, want)
		}
	}
}

// volumes prints volumes as label sets with seconds after base and bytes.
func volumes(list []logexplore.Volume) []string {
	var texts []string
	for _, v := range list {
		var b strings.Builder
		for _, l := range v.Labels {
			fmt.Fprintf(&b, "%s=%s ", l.Name, l.Value)
		}
		for _, p := range v.Points {
			fmt.Fprintf(&b, "%v:%d ", p.Time.Sub(base).Seconds(), p.Bytes)
		}
		texts = append(texts, strings.TrimSpace(b.String()))
	}
	return texts
}

func TestVolumes(t *testing.T) {
	x := explorer(t, shop(), nil)
	for name, c := range map[string]struct {
		q    logexplore.VolumeQuery
		want []string
	}{
		"by the selector's label": {logexplore.VolumeQuery{Selector: `{app=~".+"}`, Limit: 9}, []string{"app=web 60:1200", "app=api 60:600"}},
		"the largest":             {logexplore.VolumeQuery{Selector: `{app=~".+"}`, Limit: 1}, []string{"app=web 60:1200"}},
		"everything":              {logexplore.VolumeQuery{Limit: 9}, []string{"app=api ns=shop 60:600", "app=web ns=shop 60:600", "app=web ns=shop pod=p 60:600"}},
		"a target that some lack": {logexplore.VolumeQuery{Selector: "{}", Targets: []string{"pod"}, Limit: 9}, []string{"pod=p 60:600"}},
		"by label":                {logexplore.VolumeQuery{ByLabel: true, Limit: 9}, []string{"app= 60:1800", "ns= 60:1800", "pod= 60:600"}},
		"by some labels":          {logexplore.VolumeQuery{ByLabel: true, Targets: []string{"pod"}, Limit: 9}, []string{"pod= 60:600"}},
		"over time":               {logexplore.VolumeQuery{Selector: `{app="web"}`, Step: 20 * time.Second, Limit: 9}, []string{"app=web 20:400 40:400 60:400"}},
		"a step cut off":          {logexplore.VolumeQuery{Selector: `{app="web"}`, Step: 45 * time.Second, Limit: 9}, []string{"app=web 45:900 60:300"}},
		"a long step":             {logexplore.VolumeQuery{Selector: `{app="web"}`, Step: time.Hour, Limit: 9}, []string{"app=web 60:1200"}},
		"nothing":                 {logexplore.VolumeQuery{Selector: `{app="none"}`, Limit: 9}, nil},
	} {
		c.q.Range = span(60)
		got, err := x.Volumes(t.Context(), tenant, c.q)
		if diff := cmp.Diff(c.want, volumes(got)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestDetectedLabels(t *testing.T) {
	m := &memory{}
	m.add(0, "x", "app", "a", "id", "1", "uid", "0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d", "__internal__", "x", "mixed", "1")
	m.add(0, "x", "app", "b", "id", "2", "mixed", "one")
	got, err := explorer(t, m, nil).DetectedLabels(t.Context(), tenant, "", span(60))
	if diff := cmp.Diff([]logexplore.DetectedLabel{{Name: "app", Cardinality: 2}, {Name: "mixed", Cardinality: 2}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestFields(t *testing.T) {
	m := &memory{}
	m.add(1, `{"old":"line"}`, "app", "a")
	for i, line := range []string{
		`{"n":1,"f":1.5,"both":1,"b":true,"d":"1h30m","s":"5 MiB","t":"x","mix":"1","deep":{"er":{"k-ey":"v"}},"app":"own","list":[1],"none":null}`,
		`{"n":-2,"f":2,"both":2.5,"b":false,"d":"-10ms","s":"7kB","t":"1h","mix":"true"}`,
		`n=3 word="two words" empty= err=x`,
		`plain text without fields`,
		`{"broken":`,
	} {
		m.add(float64(10+i), line, "app", "a")
	}
	x := explorer(t, m, nil)
	got, err := x.Fields(t.Context(), tenant, logexplore.FieldsQuery{Range: span(60), Lines: 5})
	if err != nil {
		t.Fatal(err)
	}
	json, logfmt := []string{"json"}, []string{"logfmt"}
	want := []logexplore.Field{
		{Name: "n", Type: "int", Parsers: []string{"json", "logfmt"}, Path: []string{"n"}, Values: []string{"-2", "1", "3"}},
		{Name: "b", Type: "boolean", Parsers: json, Path: []string{"b"}, Values: []string{"false", "true"}},
		{Name: "both", Type: "float", Parsers: json, Path: []string{"both"}, Values: []string{"1", "2.5"}},
		{Name: "d", Type: "duration", Parsers: json, Path: []string{"d"}, Values: []string{"-10ms", "1h30m"}},
		{Name: "f", Type: "float", Parsers: json, Path: []string{"f"}, Values: []string{"1.5", "2"}},
		{Name: "mix", Type: "string", Parsers: json, Path: []string{"mix"}, Values: []string{"1", "true"}},
		{Name: "s", Type: "bytes", Parsers: json, Path: []string{"s"}, Values: []string{"5 MiB", "7kB"}},
		{Name: "t", Type: "string", Parsers: json, Path: []string{"t"}, Values: []string{"1h", "x"}},
		{Name: "app_extracted", Type: "string", Parsers: json, Path: []string{"app"}, Values: []string{"own"}},
		{Name: "deep_er_k_ey", Type: "string", Parsers: json, Path: []string{"deep", "er", "k-ey"}, Values: []string{"v"}},
		{Name: "err", Type: "string", Parsers: logfmt, Values: []string{"x"}},
		{Name: "word", Type: "string", Parsers: logfmt, Values: []string{"two words"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	named, err := x.Fields(t.Context(), tenant, logexplore.FieldsQuery{Query: `{app="a"} | logfmt first="n"`, Range: span(60), Lines: 3})
	if err != nil || !slices.ContainsFunc(named, func(f logexplore.Field) bool { return f.Name == "first" && f.Values[0] == "3" && f.Parsers == nil }) {
		t.Errorf("a field that the query names: got %+v, %v", named, err)
	}
}

// TestPatterns mines few lines whole, and of many lines some of each window; both count all lines.
func TestPatterns(t *testing.T) {
	m := &memory{}
	for i := range 3000 {
		m.add(float64(i)/50, fmt.Sprintf("job %d is done", i), "app", "a")
		if i%10 == 0 {
			m.add(float64(i)/50, fmt.Sprintf("cannot open /tmp/%d", i), "app", "a")
		}
	}
	for name, sample := range map[string]int{"whole": 5000, "sampled": 200} {
		x := explorer(t, m, func(o *logexplore.Options) { o.MaxSampleLines = sample })
		got, err := x.Patterns(t.Context(), tenant, logexplore.PatternsQuery{Query: `{app="a"}`, Range: span(60), Step: 10 * time.Second})
		if err != nil || len(got) != 2 || got[0].Text != "job <_> is done" || got[1].Text != "cannot open <_>" {
			t.Fatalf("%s: got %+v, %v", name, got, err)
		}
		if all := got[0].Lines + got[1].Lines; all < 3290 || all > 3310 || got[1].Lines < 250 || got[1].Lines > 350 {
			t.Errorf("%s: %d and %d lines, want about 3000 and 300", name, got[0].Lines, got[1].Lines)
		}
		if len(got[0].Points) != 6 || !got[0].Points[1].Time.Equal(base.Add(10*time.Second)) || got[0].Points[1].Lines < 490 || got[0].Points[1].Lines > 510 {
			t.Errorf("%s: points %v, want about 500 every 10 s", name, got[0].Points)
		}
	}
}

func TestFaults(t *testing.T) {
	x := explorer(t, shop(), func(o *logexplore.Options) { o.MaxStreams, o.MaxSteps = 2, 10 })
	backwards := seamark.TimeRange{Start: base, End: base}
	ancient := seamark.TimeRange{Start: time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC), End: base}
	for name, c := range map[string]struct {
		ask  func() error
		kind seamark.Kind
		want string
	}{
		"streams":    {func() error { _, err := x.Stats(t.Context(), tenant, "", span(60)); return err }, seamark.Unprocessable, "limit of 2 streams"},
		"no tenant":  {func() error { _, err := x.Stats(t.Context(), "", "", span(60)); return err }, seamark.Internal, "no tenant"},
		"backwards":  {func() error { _, err := x.DetectedLabels(t.Context(), tenant, "", backwards); return err }, seamark.Invalid, "must lie after"},
		"ancient":    {func() error { _, err := x.Stats(t.Context(), tenant, "", ancient); return err }, seamark.Invalid, "years 1900 and 2100"},
		"a pipeline": {func() error { _, err := x.Stats(t.Context(), tenant, `{app="a"} |= "x"`, span(60)); return err }, seamark.Invalid, "pipeline"},
		"steps": {func() error {
			_, err := x.Volumes(t.Context(), tenant, logexplore.VolumeQuery{Range: span(60), Step: time.Second})
			return err
		}, seamark.Invalid, "limit of 10"},
		"a negative step": {func() error {
			_, err := x.Volumes(t.Context(), tenant, logexplore.VolumeQuery{Range: span(60), Step: -1})
			return err
		}, seamark.Invalid, "longer than zero"},
		"metric fields": {func() error {
			_, err := x.Fields(t.Context(), tenant, logexplore.FieldsQuery{Query: `count_over_time({app="api"}[1m])`, Range: span(60)})
			return err
		}, seamark.Invalid, "log query"},
		"metric patterns": {func() error {
			_, err := x.Patterns(t.Context(), tenant, logexplore.PatternsQuery{Query: `count_over_time({app="api"}[1m])`, Range: span(60)})
			return err
		}, seamark.Invalid, "log query"},
		"pattern steps": {func() error {
			_, err := x.Patterns(t.Context(), tenant, logexplore.PatternsQuery{Query: `{app="api"}`, Range: span(60), Step: time.Second})
			return err
		}, seamark.Invalid, "limit of 10"},
	} {
		err := c.ask()
		if seamark.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := logexplore.New(logexplore.Options{}); err == nil {
		t.Error("no storage was taken")
	}
}
