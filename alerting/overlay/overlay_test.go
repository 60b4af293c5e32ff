package overlay_test

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/alerting/overlay"
)

func ask(t *testing.T, data storage.Queryable, expr string, at time.Duration) string {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler), Parser: parser.NewParser(parser.Options{})})
	q, err := engine.NewInstantQuery(context.Background(), data, nil, expr, time.Unix(0, 0).Add(at))
	if err != nil {
		t.Fatal(err)
	}
	result := q.Exec(t.Context())
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	return result.String()
}

// TestOverlay asks for series in memory and stored ones together, with and without a shadow, with an end, and after trimming.
func TestOverlay(t *testing.T) {
	base := promqltest.LoadedStorage(t, "load 1m\n  made{pod=\"a\"} 1x20\n  other{pod=\"a\"} 7x20")
	t.Cleanup(func() { _ = base.Close() })
	made := func(pod string) labels.Labels { return labels.FromStrings("__name__", "made", "pod", pod) }
	open, shadowing := overlay.New(base, math.MaxInt64), overlay.New(base, (10*time.Minute).Milliseconds())
	for _, o := range []*overlay.Overlay{open, shadowing} {
		for minute := 10; minute < 13; minute++ {
			o.Add(made("b"), (time.Duration(minute) * time.Minute).Milliseconds(), float64(minute))
		}
		o.Add(made("b"), (11 * time.Minute).Milliseconds(), 99) // not later than the last: left out
		o.Add(made("b"), (15 * time.Minute).Milliseconds(), math.Float64frombits(value.StaleNaN))
	}
	for _, tt := range []struct {
		name string
		data *overlay.Overlay
		expr string
		at   time.Duration
		want string
	}{
		{"both", open, "sum by (pod) (made)", 12 * time.Minute, "{pod=\"a\"} => 1 @[720000]\n{pod=\"b\"} => 12 @[720000]"},
		{"the past", open, "sum(max_over_time(made{pod=\"b\"}[5m]))", 11 * time.Minute, "{} => 11 @[660000]"},
		{"ended", open, "count(made)", 16 * time.Minute, "{} => 1 @[960000]"},
		{"shadowed", shadowing, "sum by (pod) (made)", 16 * time.Minute, ""},
		{"before the shadow", shadowing, "sum by (pod) (made)", 9 * time.Minute, "{pod=\"a\"} => 1 @[540000]"},
		{"another metric", shadowing, "sum(other)", 16 * time.Minute, "{} => 7 @[960000]"},
	} {
		if got := ask(t, tt.data, tt.expr, tt.at); got != tt.want {
			t.Errorf("%s: %s = %q, want %q", tt.name, tt.expr, got, tt.want)
		}
	}
	open.Trim((12 * time.Minute).Milliseconds())
	if got := ask(t, open, `made{pod="b"}`, 11*time.Minute); got != "" {
		t.Errorf("after trimming: %q", got)
	}
}

// TestConcerns tells expressions that may select what is recorded from others.
func TestConcerns(t *testing.T) {
	o := overlay.New(nil, math.MaxInt64)
	p := parser.NewParser(parser.Options{})
	parse := func(text string) parser.Expr {
		e, err := p.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if o.Concerns(parse("made")) {
		t.Error("an overlay without names answers for made")
	}
	o.Name("made")
	var got []string
	exprs := []string{"made", "sum(rate(x[5m])) / made", `{__name__=~"ma.*"}`, `{job="a"}`, "max_over_time(made[5m:1m])", "x", `{__name__!="made", job="a"}`, "vector(1)"}
	for _, text := range exprs {
		if o.Concerns(parse(text)) {
			got = append(got, text)
		}
	}
	if want := exprs[:5]; !slices.Equal(got, want) {
		t.Errorf("concerned: %q, want %q", got, want)
	}
}
