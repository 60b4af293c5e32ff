package api

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// RuleTestReport is what a group would have done in a range.
type RuleTestReport struct {
	Start         time.Time        `json:"start"`
	End           time.Time        `json:"end"`
	Interval      string           `json:"interval"`
	Evaluations   int              `json:"evaluations"`
	WarmUpSeconds float64          `json:"warm_up_seconds"` // that were evaluated before, for alerts that were pending at the start
	Rules         []RuleTestResult `json:"rules"`
}

// RuleTestResult is what one rule would have done.
type RuleTestResult struct {
	Name          string           `json:"name"`
	Type          string           `json:"type"` // alerting or recording
	Query         string           `json:"query"`
	Stepwise      bool             `json:"stepwise"` // each evaluation was a query of its own
	Fired         int              `json:"fired"`
	OnlyPending   int              `json:"only_pending"`
	FiringSeconds float64          `json:"firing_seconds"`
	Firings       []RuleTestFiring `json:"firings"`
	Active        []RuleTestActive `json:"active"` // at the end of the range
	Failures      int              `json:"failures"`
	Failure       string           `json:"failure,omitempty"`
	SeriesTotal   int              `json:"series_total"`
	Series        []RuleTestSeries `json:"series"`
}

// RuleTestFiring is one time an alert would have fired.
type RuleTestFiring struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	ActiveAt    time.Time         `json:"active_at"`
	Start       time.Time         `json:"start"`
	End         *time.Time        `json:"end"` // null while it fires at the end of the range
	Peak        RuleTestValue     `json:"peak"`
	PeakAt      time.Time         `json:"peak_at"`
}

// RuleTestActive is an alert at the end of the range.
type RuleTestActive struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"` // pending or firing
	ActiveAt    time.Time         `json:"active_at"`
	Value       RuleTestValue     `json:"value"`
}

// RuleTestSeries is a series of the expression, for a graph.
type RuleTestSeries struct {
	Labels map[string]string `json:"labels"`
	Points []RuleTestPoint   `json:"points"`
}

// RuleTestPoint is a value at a time, [seconds, "value"] as in Prometheus' answers.
type RuleTestPoint struct {
	Time  time.Time
	Value float64
}

// MarshalJSON implements json.Marshaler.
func (p RuleTestPoint) MarshalJSON() ([]byte, error) {
	b := append([]byte{'['}, strconv.FormatFloat(float64(p.Time.UnixMilli())/1000, 'f', -1, 64)...)
	b = append(append(b, `,"`...), strconv.FormatFloat(p.Value, 'g', -1, 64)...)
	return append(b, `"]`...), nil
}

// RuleTestValue is a value as text, since JSON has no NaN and no infinity.
type RuleTestValue float64

// MarshalJSON implements json.Marshaler.
func (v RuleTestValue) MarshalJSON() ([]byte, error) {
	return append(strconv.AppendFloat([]byte{'"'}, float64(v), 'g', -1, 64), '"'), nil
}

// ruleTestSpan is the range of a test in a request.
type ruleTestSpan struct {
	Start    *time.Time `json:"start"`
	End      *time.Time `json:"end"`
	Interval string     `json:"interval"`
}

// dryRun answers POST /api/v1/alerting/dry-run: what would be now, had the group run all the time.
func (h ruleGroupHandlers) dryRun(w http.ResponseWriter, r *httpx.Request) error {
	draft, span, err := readDraft(r)
	if err != nil {
		return err
	}
	at := h.now()
	if span.End != nil {
		at = *span.End
	}
	return h.test(w, r, &RuleTest{RuleDraft: draft, Range: seamark.TimeRange{Start: at, End: at}}, span.Interval)
}

// backtest answers POST /api/v1/alerting/backtest. The range is the last week unless the request says another.
func (h ruleGroupHandlers) backtest(w http.ResponseWriter, r *httpx.Request) error {
	draft, span, err := readDraft(r)
	if err != nil {
		return err
	}
	end := h.now()
	if span.End != nil {
		end = *span.End
	}
	start := end.Add(-7 * 24 * time.Hour)
	if span.Start != nil {
		start = *span.Start
	}
	return h.test(w, r, &RuleTest{RuleDraft: draft, Range: seamark.TimeRange{Start: start, End: end}}, span.Interval)
}

func (h ruleGroupHandlers) test(w http.ResponseWriter, r *httpx.Request, test *RuleTest, interval string) error {
	if interval != "" {
		d, err := model.ParseDuration(interval)
		if err != nil || d <= 0 || time.Duration(d) > math.MaxInt64/2 {
			return httpx.InvalidFields([]seamark.FieldFault{{Pointer: "/interval", Detail: "It must be a duration such as 1m."}})
		}
		test.Interval = time.Duration(d)
	}
	report, err := h.groups.TestGroup(r.Context(), r.Tenant(), *test)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, report)
}
