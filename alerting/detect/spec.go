package detect

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The kinds of detectors.
const (
	Anomaly    = "anomaly"    // a series leaves what is usual for it at this hour
	Forecast   = "forecast"   // a series is on its way to a threshold
	LogPattern = "logpattern" // templates of log lines appear, vanish or come more often
	Absence    = "absence"    // something that reports fell silent
)

// The query languages of expressions.
const (
	PromQL = "promql"
	LogQL  = "logql"
)

// Spec is what a detector looks for. Fields that its kind does not know must be zero; zero fields that it knows get defaults.
type Spec struct {
	Name        string            `json:"name"` // the alerts' alertname
	Kind        string            `json:"kind"`
	Disabled    bool              `json:"disabled,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`      // added to the alerts
	Annotations map[string]string `json:"annotations,omitempty"` // added to the alerts
	Interval    int64             `json:"interval_seconds"`
	For         int64             `json:"for_seconds"` // that a reason must last

	Expr        string  `json:"expr,omitempty"`            // anomaly, forecast
	Language    string  `json:"language,omitempty"`        // anomaly, forecast
	Unit        string  `json:"unit,omitempty"`            // of the expression, for words
	Direction   string  `json:"direction,omitempty"`       // above, below or, of an anomaly, both
	History     int64   `json:"history_seconds,omitempty"` // that is learned from: anomaly, forecast, absence
	Sensitivity string  `json:"sensitivity,omitempty"`     // low, medium, high: anomaly
	Threshold   float64 `json:"threshold,omitempty"`       // forecast
	Horizon     int64   `json:"horizon_seconds,omitempty"` // forecast
	Confidence  float64 `json:"confidence,omitempty"`      // forecast: 0.5 to 0.999
	Selector    string  `json:"selector,omitempty"`        // streams of log lines: logpattern; what is missed: absence
	Window      int64   `json:"window_seconds,omitempty"`  // that lines are counted in: logpattern
	Compare     int64   `json:"compare_seconds,omitempty"` // before it that they are held against: logpattern
	MinLines    int64   `json:"min_lines,omitempty"`       // logpattern
	Silence     int64   `json:"silence_seconds,omitempty"` // the least silence: absence
	Forget      int64   `json:"forget_seconds,omitempty"`  // after which what is silent is no longer missed: absence

	Changes []string `json:"changes,omitempty"` // new, vanished, spiking: logpattern
	Levels  []string `json:"levels,omitempty"`  // of lines; none is all: logpattern
	Signals []string `json:"signals,omitempty"` // metrics, logs, events: absence
	By      []string `json:"by,omitempty"`      // labels that tell apart what reports: absence
}

const (
	maxName       = 200
	maxExpr       = 8 << 10
	maxPairs      = 32
	maxPairBytes  = 4 << 10
	maxHistory    = 35 * 24 * time.Hour
	minHistory    = 4 * time.Hour
	maxHorizon    = 30 * 24 * time.Hour
	maxFor        = 24 * time.Hour
	maxInterval   = time.Hour
	maxWindow     = 6 * time.Hour
	maxCompare    = 7 * 24 * time.Hour
	maxBy         = 5
	defaultWindow = 10 * time.Minute
)

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func whole(d time.Duration) int64 { return int64(d / time.Second) }

// deviations of the sensitivities: how many standard deviations from what is usual is an anomaly. Beside noise that is not quite
// normal and a hundred series per detector, fewer than 3.5 ring every day.
var sensitivities = []struct {
	name       string
	deviations float64
}{{"low", 6}, {"medium", 4.5}, {"high", 3.5}}

func (s *Spec) deviations() float64 {
	for _, known := range sensitivities {
		if known.name == s.Sensitivity {
			return known.deviations
		}
	}
	return 0
}

// complete fills in the defaults of the kind.
func (s *Spec) complete() {
	set := func(field *int64, d time.Duration) {
		if *field == 0 {
			*field = whole(d)
		}
	}
	text := func(field *string, standard string) {
		if *field == "" {
			*field = standard
		}
	}
	set(&s.Interval, time.Minute)
	switch s.Kind {
	case Anomaly:
		text(&s.Language, PromQL)
		text(&s.Direction, "both")
		text(&s.Sensitivity, "medium")
		set(&s.For, 10*time.Minute)
		set(&s.History, 14*24*time.Hour)
	case Forecast:
		text(&s.Language, PromQL)
		text(&s.Direction, "above")
		set(&s.For, 10*time.Minute)
		set(&s.History, 7*24*time.Hour)
		set(&s.Horizon, 4*time.Hour)
		if s.Confidence == 0 {
			s.Confidence = 0.9
		}
	case LogPattern:
		set(&s.Window, defaultWindow)
		set(&s.Compare, 24*time.Hour)
		if s.MinLines == 0 {
			s.MinLines = 20
		}
		if len(s.Changes) == 0 {
			s.Changes = []string{"new", "spiking"}
		}
	case Absence:
		set(&s.History, 2*24*time.Hour)
		set(&s.Silence, 10*time.Minute)
		set(&s.Forget, 24*time.Hour)
		if len(s.Signals) == 0 {
			s.Signals = []string{"metrics", "logs"}
		}
		if len(s.By) == 0 {
			s.By = []string{seamark.ClusterLabel}
		}
	}
}

func invalid(format string, args ...any) error {
	return seamark.Errorf(seamark.Invalid, "seamark-detector-invalid", format, args...)
}

// check refuses a spec, after complete, that cannot be evaluated. parse checks expressions and selectors.
func (s *Spec) check(l *Limits, parse func(language, text string) error) error {
	if err := s.checkWords(); err != nil {
		return err
	}
	for _, d := range []struct {
		name        string
		value       int64
		least, most time.Duration
		kinds       string
	}{
		{"interval_seconds", s.Interval, l.MinInterval, maxInterval, "anomaly forecast logpattern absence"},
		{"for_seconds", s.For, 0, maxFor, "anomaly forecast logpattern absence"},
		{"history_seconds", s.History, minHistory, maxHistory, "anomaly forecast absence"},
		{"horizon_seconds", s.Horizon, 15 * time.Minute, maxHorizon, "forecast"},
		{"window_seconds", s.Window, time.Minute, maxWindow, "logpattern"},
		{"compare_seconds", s.Compare, time.Hour, maxCompare, "logpattern"},
		{"silence_seconds", s.Silence, time.Minute, maxFor, "absence"},
		{"forget_seconds", s.Forget, time.Hour, maxHistory, "absence"},
	} {
		has := strings.Contains(d.kinds, s.Kind)
		switch {
		case !has && d.value != 0:
			return invalid("A detector of kind %s has no %s.", s.Kind, d.name)
		case has && (d.value < whole(d.least) || d.value > whole(d.most)):
			return invalid("The %s is %d; it must be from %d to %d.", d.name, d.value, whole(d.least), whole(d.most))
		}
	}
	return s.checkKind(parse)
}

func (s *Spec) checkWords() error {
	if s.Name == "" || len(s.Name) > maxName {
		return invalid("The name has %d bytes; a detector has a name of 1 to %d.", len(s.Name), maxName)
	}
	if !slices.Contains([]string{Anomaly, Forecast, LogPattern, Absence}, s.Kind) {
		return invalid("The kind is %.40q; use anomaly, forecast, logpattern or absence.", s.Kind)
	}
	if !slices.Contains(insight.Units(), insight.Unit(s.Unit)) {
		return invalid("The unit is %.40q; use percent, ratio, bytes, seconds, per_second or none.", s.Unit)
	}
	for _, pairs := range []map[string]string{s.Labels, s.Annotations} {
		if len(pairs) > maxPairs {
			return invalid("There are %d labels or annotations; the limit is %d.", len(pairs), maxPairs)
		}
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			if !model.UTF8Validation.IsValidLabelName(name) || name == model.AlertNameLabel || strings.HasPrefix(name, "__") {
				return invalid("The name %.40q is none for a label or annotation of a detector.", name)
			}
			if len(pairs[name]) > maxPairBytes {
				return invalid("The label or annotation %.40q has %d bytes; the limit is %d.", name, len(pairs[name]), maxPairBytes)
			}
		}
	}
	return nil
}

func (s *Spec) checkKind(parse func(language, text string) error) error {
	hasExpr := s.Kind == Anomaly || s.Kind == Forecast
	switch {
	case hasExpr && (s.Expr == "" || len(s.Expr) > maxExpr):
		return invalid("The expression has %d bytes; a detector of kind %s has one of 1 to %d.", len(s.Expr), s.Kind, maxExpr)
	case hasExpr && s.Language != PromQL && s.Language != LogQL:
		return invalid("The language is %.40q; use promql or logql.", s.Language)
	case !hasExpr && (s.Expr != "" || s.Language != "" || s.Unit != "" || s.Direction != ""):
		return invalid("A detector of kind %s has no expr, language, unit or direction.", s.Kind)
	case hasExpr && s.Selector != "":
		return invalid("A detector of kind %s has an expr and no selector.", s.Kind)
	case s.Kind != Anomaly && s.Sensitivity != "", s.Kind != Forecast && (s.Threshold != 0 || s.Confidence != 0):
		return invalid("The sensitivity is an anomaly's, threshold and confidence are a forecast's; this is one of kind %s.", s.Kind)
	case s.Kind != LogPattern && (len(s.Changes)+len(s.Levels) > 0 || s.MinLines != 0), s.Kind != Absence && len(s.Signals)+len(s.By) > 0:
		return invalid("Changes, levels and min_lines are of kind logpattern, signals and by of kind absence; this is one of kind %s.", s.Kind)
	}
	if hasExpr {
		if err := s.checkExpr(); err != nil {
			return err
		}
		return parse(s.Language, s.Expr)
	}
	if err := s.checkLists(); err != nil {
		return err
	}
	if s.Selector != "" {
		return parse("selector", s.Selector)
	}
	return nil
}

func (s *Spec) checkExpr() error {
	directions := []string{"above", "below"}
	if s.Kind == Anomaly {
		directions = append(directions, "both")
		if s.deviations() == 0 {
			return invalid("The sensitivity is %.40q; use low, medium or high.", s.Sensitivity)
		}
	}
	if !slices.Contains(directions, s.Direction) {
		return invalid("The direction is %.40q; use one of %s.", s.Direction, strings.Join(directions, ", "))
	}
	const least, most = 0.5, 0.999
	if s.Kind == Forecast && (s.Confidence < least || s.Confidence > most) {
		return invalid("The confidence is %g; it must be from %g to %g.", s.Confidence, least, most)
	}
	return nil
}

func (s *Spec) checkLists() error {
	for _, list := range []struct {
		name  string
		found []string
		known []string
	}{
		{"changes", s.Changes, []string{"new", "vanished", "spiking"}},
		{"levels", s.Levels, []string{"trace", "debug", "info", "warn", "error", "fatal", "unknown"}},
		{"signals", s.Signals, []string{"metrics", "logs", "events"}},
	} {
		for i, one := range list.found {
			if !slices.Contains(list.known, one) || slices.Contains(list.found[:i], one) {
				return invalid("The %s hold %.40q, which is unknown or there twice; use some of %s.", list.name, one, strings.Join(list.known, ", "))
			}
		}
	}
	if s.MinLines < 0 {
		return invalid("The min_lines is %d; it must not be negative.", s.MinLines)
	}
	if len(s.By) > maxBy {
		return invalid("There are %d labels in by; the limit is %d.", len(s.By), maxBy)
	}
	for _, name := range s.By {
		if !model.LegacyValidation.IsValidLabelName(name) || strings.HasPrefix(name, "__") {
			return invalid("The label %.40q in by is none that things are told apart by.", name)
		}
	}
	return nil
}
