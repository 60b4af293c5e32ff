package promcompat_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/seamarkhq/seamark/querier/promql"
)

// series is one series of the data set with its samples in the order of time.
type series struct {
	labels  labels.Labels
	samples []sample
}

// sample is a native histogram when it has one, else a float.
type sample struct {
	at int64 // milliseconds since 1970
	v  float64
	h  *histogram.Histogram
	fh *histogram.FloatHistogram
}

// prometheus is what answers queries in Prometheus: its engine, with the settings of its defaults, over its storage. Its
// web package cannot be had without a dozen more modules, so the way from an engine's result to an answer stands here.
type prometheus struct {
	db     *tsdb.DB
	engine *prom.Engine
}

// newPrometheus stores the series in a block, where Prometheus keeps them in the order of their labels; the order in
// its head is that of their arrival, which no two servers share.
func newPrometheus(t testing.TB, list []series) *prometheus {
	t.Helper()
	o := tsdb.DefaultOptions()
	o.RetentionDuration = math.MaxInt64 / 2
	o.WALSegmentSize = -1 // none
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.DisableCompactions()
	p := &prometheus{db: db, engine: prom.NewEngine(prom.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() }, Parser: promql.NewParser(),
	})}
	t.Cleanup(func() {
		if err := errors.Join(p.engine.Close(), db.Close()); err != nil {
			t.Errorf("stop prometheus: %v", err)
		}
	})
	if err := p.fill(list); err != nil {
		t.Fatalf("fill prometheus: %v", err)
	}
	return p
}

// fill appends all samples in the order of time, as its storage wants them.
func (p *prometheus) fill(list []series) error {
	type event struct {
		series int
		sample *sample
	}
	var events []event
	for i := range list {
		for k := range list[i].samples {
			events = append(events, event{i, &list[i].samples[k]})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.sample.at, b.sample.at) })
	app := p.db.AppenderV2(context.Background())
	for _, e := range events {
		s := e.sample
		if _, err := app.Append(0, list[e.series].labels, 0, s.at, s.v, s.h, s.fh, storage.AppendV2Options{}); err != nil {
			return err
		}
	}
	if err := app.Commit(); err != nil {
		return err
	}
	return p.db.CompactHead(tsdb.NewRangeHead(p.db.Head(), events[0].sample.at, events[len(events)-1].sample.at))
}

// ask evaluates a question as Prometheus' API does and gives its answer.
func (p *prometheus) ask(ctx context.Context, q *question) (*answer, error) {
	query, err := p.prepare(ctx, q)
	if err != nil {
		return &answer{status: http.StatusBadRequest, Envelope: Envelope{Status: "error", ErrorType: "bad_data", Error: err.Error()}}, nil
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return refusal(result.Err)
	}
	text, err := json.Marshal(result.Value)
	if err != nil {
		return nil, err
	}
	a := &answer{status: http.StatusOK, Envelope: Envelope{Status: "success"}}
	a.Data.ResultType, a.Data.Result = string(result.Value.Type()), text
	const most = 10 // of each kind, as Prometheus' API shows
	a.Warnings, a.Infos = result.Warnings.AsStrings(q.query, most, most)
	return a, nil
}

// refusal is the answer to a query that failed while it ran. Prometheus has more kinds, none of which a test should meet.
func refusal(err error) (*answer, error) {
	if _, failed := errors.AsType[prom.ErrStorage](err); failed || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	return &answer{status: http.StatusUnprocessableEntity, Envelope: Envelope{Status: "error", ErrorType: "execution", Error: err.Error()}}, nil
}

func (p *prometheus) prepare(ctx context.Context, q *question) (prom.Query, error) {
	if q.step == 0 {
		return p.engine.NewInstantQuery(ctx, p.db, nil, q.query, q.end)
	}
	return p.engine.NewRangeQuery(ctx, p.db, nil, q.query, q.start, q.end, q.step)
}
