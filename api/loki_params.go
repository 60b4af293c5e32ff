package api

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The defaults of Loki's HTTP API for parameters that are not sent.
const (
	lokiQuerySpan = time.Hour
	lokiListSpan  = 6 * time.Hour
	// lokiPoints is how many steps a range is cut into when the query names no step.
	lokiPoints = 250
)

// maxLokiFormBytes bounds a form. Queries are far smaller; without it a form takes what memory it likes.
const maxLokiFormBytes = 1 << 20

// lokiParams reads the parameters of Loki's HTTP API, from the URL and from a form. Each error names the parameter.
type lokiParams struct {
	values url.Values
	now    time.Time
}

func newLokiParams(r *httpx.Request, now time.Time) (*lokiParams, error) {
	if r.Body != nil {
		r.Body = http.MaxBytesReader(nil, r.Body, maxLokiFormBytes)
	}
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, seamark.Errorf(seamark.TooLarge, "seamark-body-large", "The form is larger than the limit of %d bytes.", maxLokiFormBytes)
		}
		return nil, seamark.Wrap(err, seamark.Invalid, "seamark-form-malformed", "The parameters are not a well-formed query string or form.")
	}
	return &lokiParams{values: r.Form, now: now}, nil
}

func (p *lokiParams) required(name string) (string, error) {
	if v := p.values.Get(name); v != "" {
		return v, nil
	}
	return "", seamark.Errorf(seamark.Invalid, "seamark-parameter-missing", "The parameter %s is missing.", name)
}

// invalid makes the error for a parameter that does not parse.
func (p *lokiParams) invalid(name, want string) error {
	value := p.values.Get(name)
	if len(value) > 64 {
		value = value[:64] + "..."
	}
	return seamark.Errorf(seamark.Invalid, "seamark-parameter-invalid", "The parameter %s=%q is not %s.", name, value, want)
}

const lokiTimeForms = "a time: nanoseconds or seconds since 1970, or RFC 3339"

// time reads a point in time. Numbers without a fraction count nanoseconds, unless they have ten digits or fewer: those
// count seconds, as do numbers with a fraction.
func (p *lokiParams) time(name string, missing time.Time) (time.Time, error) {
	text := p.values.Get(name)
	if text == "" {
		return missing, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if len(strings.TrimPrefix(text, "-")) <= 10 {
			return time.Unix(n, 0), nil
		}
		return time.Unix(0, n), nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(seconds) || math.Abs(seconds) >= maxSeconds {
			return time.Time{}, p.invalid(name, lokiTimeForms)
		}
		whole, fraction := math.Modf(seconds)
		return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1e3), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || math.Abs(float64(t.Unix())) >= maxSeconds {
		return time.Time{}, p.invalid(name, lokiTimeForms)
	}
	return t, nil
}

// maxSeconds bounds times and durations to what nanoseconds in 64 bits tell; the engine wants less.
const maxSeconds = 9e9

// timeRange reads start, end and since. A range whose start is not sent begins since, or else span, before its end.
func (p *lokiParams) timeRange(span time.Duration) (seamark.TimeRange, error) {
	var r seamark.TimeRange
	var err error
	if p.values.Get("since") != "" {
		if span, err = p.duration("since"); err != nil {
			return r, err
		}
	}
	if r.End, err = p.time("end", p.now); err != nil {
		return r, err
	}
	from := r.End
	if from.After(p.now) {
		from = p.now
	}
	if r.Start, err = p.time("start", from.Add(-span)); err != nil {
		return r, err
	}
	if r.End.Before(r.Start) {
		return r, r.Validate()
	}
	return r, nil
}

// duration reads a duration such as 5m, or a number of seconds.
func (p *lokiParams) duration(name string) (time.Duration, error) {
	const forms = "a duration longer than zero: 30s, 5m or a number of seconds"
	text := p.values.Get(name)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0 && seconds < maxSeconds) {
			return 0, p.invalid(name, forms)
		}
		return max(time.Duration(seconds*float64(time.Second)), 1), nil
	}
	if d, err := model.ParseDuration(text); err == nil && d > 0 {
		return time.Duration(d), nil
	}
	// Go's form, with fractions and more units, which Grafana sends at times.
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, p.invalid(name, forms)
}

// step reads the distance of evaluations; by default the range is cut into some hundred, of a second at least.
func (p *lokiParams) step(r seamark.TimeRange) (time.Duration, error) {
	if p.values.Get("step") != "" {
		return p.duration("step")
	}
	return max((r.Duration() / lokiPoints).Truncate(time.Second), time.Second), nil
}

func (p *lokiParams) limit() (int, error) {
	text := p.values.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, p.invalid("limit", "a whole number of lines, 0 for the default")
	}
	return n, nil
}

func (p *lokiParams) forward() (bool, error) {
	switch strings.ToLower(p.values.Get("direction")) {
	case "", "backward":
		return false, nil
	case "forward":
		return true, nil
	}
	return false, p.invalid("direction", "forward or backward")
}

// count reads a number of things; a missing one, and one below 1, is standard.
func (p *lokiParams) count(name string, standard, most int) (int, error) {
	text := p.values.Get(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, p.invalid(name, "a whole number")
	}
	if n < 1 {
		return standard, nil
	}
	return min(n, most), nil
}

// list reads names separated by commas, which may also come one by one.
func (p *lokiParams) list(name string) []string {
	var list []string
	for _, value := range p.values[name] {
		for one := range strings.SplitSeq(value, ",") {
			if one = strings.TrimSpace(one); one != "" {
				list = append(list, one)
			}
		}
	}
	return list
}

// selector reads the selector that narrows a list; Grafana sends {} for none.
func (p *lokiParams) selector() string { return p.values.Get("query") }

// selectors reads the selectors of series in both spellings.
func (p *lokiParams) selectors() []string {
	return append(append([]string(nil), p.values["match[]"]...), p.values["match"]...)
}
