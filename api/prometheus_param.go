package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxPromFormBytes bounds a query's form. Without it a request holds as much memory as it likes.
const maxPromFormBytes = 1 << 20

// invalidParameter names the parameter in Prometheus' words.
func invalidParameter(name string, err error) error {
	return seamark.Errorf(seamark.Invalid, "seamark-parameter-invalid", "invalid parameter %q: %s", name, err)
}

// badData passes on a fault in Prometheus' words where those do not name the parameter.
func badData(err error) error {
	return seamark.Errorf(seamark.Invalid, "seamark-parameter-invalid", "%s", err)
}

// parseForm returns the parameters of the URL and of a form in the body, the body's first.
func parseForm(w http.ResponseWriter, r *httpx.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPromFormBytes)
	err := r.ParseForm()
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, seamark.Errorf(seamark.TooLarge, "seamark-body-large", "The form is larger than the limit of %d bytes.", maxPromFormBytes)
	}
	if err != nil {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-form-invalid", "error parsing form values: %s", err)
	}
	return r.Form, nil
}

// queryParams are the parameters that instant and range queries share.
type queryParams struct {
	form    url.Values
	query   string
	limit   int
	timeout time.Duration // 0: the engine's own
	opts    promql.QueryOpts
}

func (*prometheusAPI) parseQuery(w http.ResponseWriter, r *httpx.Request) (*queryParams, error) {
	form, err := parseForm(w, r)
	if err != nil {
		return nil, err
	}
	p := &queryParams{form: form, query: form.Get("query")}
	if p.limit, err = parseLimit(form.Get("limit")); err != nil {
		return nil, invalidParameter("limit", err)
	}
	return p, nil
}

// parseOptions reads what Prometheus reads after the times: of several faults in one request it names the first.
func (p *queryParams) parseOptions() error {
	var err error
	if text := p.form.Get("timeout"); text != "" {
		if p.timeout, err = parseDuration(text); err != nil {
			return invalidParameter("timeout", err)
		}
		if p.timeout <= 0 {
			p.timeout = 1 // over before it began, as in Prometheus
		}
	}
	var lookback time.Duration
	if text := p.form.Get("lookback_delta"); text != "" {
		if lookback, err = parseDuration(text); err != nil {
			return badData(fmt.Errorf("error parsing lookback delta duration: %w", err))
		}
	}
	p.opts = promql.NewPrometheusQueryOpts(p.form.Get("stats") == "all", lookback)
	return nil
}

// statsWarning is what Prometheus says of values that it takes today and will refuse.
func (p *queryParams) statsWarning() error {
	switch text := p.form.Get("stats"); text {
	case "", "true", "all":
		return nil
	default:
		return fmt.Errorf(`value %q for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`, text)
	}
}

// context returns ctx with the timeout that the caller asked for; the engine's own stays in force.
func (p *queryParams) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, p.timeout)
}

func (p *queryParams) time(name string, fallback time.Time) (time.Time, error) {
	return timeParameter(p.form, name, fallback)
}

func (p *queryParams) requiredTime(name string) (time.Time, error) {
	t, err := parseTime(p.form.Get(name))
	if err != nil {
		return time.Time{}, invalidParameter(name, err)
	}
	return t, nil
}

func timeParameter(form url.Values, name string, fallback time.Time) (time.Time, error) {
	text := form.Get(name)
	if text == "" {
		return fallback, nil
	}
	t, err := parseTime(text)
	if err != nil {
		return time.Time{}, invalidParameter(name, fmt.Errorf("invalid time value for '%s': %w", name, err))
	}
	return t, nil
}

// The ends of Prometheus' time, which stand for "no bound". Clients send them as text with years that no parser takes.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

// parseTime reads Unix seconds with a fraction, of which milliseconds are kept, or RFC 3339.
func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		whole, fraction := math.Modf(seconds)
		fraction = math.Round(fraction*1000) / 1000
		return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, end := range []time.Time{minTime, maxTime} {
		if text == end.Format(time.RFC3339Nano) {
			return end, nil
		}
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// parseDuration reads seconds with a fraction or Prometheus' notation, such as 1h30m.
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		nanos := seconds * float64(time.Second)
		if nanos > math.MaxInt64 || nanos < math.MinInt64 || math.IsNaN(nanos) {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(nanos), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
}

// parseLimit reads a limit; none and 0 mean no limit.
func parseLimit(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err == nil && limit < 0 {
		err = errors.New("limit must be non-negative")
	}
	return limit, err
}

// lookUp are the parameters of requests for labels and series.
type lookUp struct {
	hints *storage.SelectHints
	sets  [][]*labels.Matcher
}

// parseLookUp reads the parameters of a look-up. Series names the parameter in a fault of its selectors, and must have one;
// labels and values do neither.
func (a *prometheusAPI) parseLookUp(form url.Values, named bool) (*lookUp, error) {
	matchFault := badData
	if named {
		matchFault = func(err error) error { return invalidParameter("match[]", err) }
	}
	limit, err := parseLimit(form.Get("limit"))
	if err != nil {
		return nil, invalidParameter("limit", err)
	}
	start, err := timeParameter(form, "start", minTime)
	if err != nil {
		return nil, err
	}
	end, err := timeParameter(form, "end", maxTime)
	if err != nil {
		return nil, err
	}
	sets, err := a.Parser.ParseMetricSelectors(form["match[]"])
	if err != nil {
		return nil, matchFault(err)
	}
	for _, matchers := range sets {
		if !selective(matchers) {
			return nil, matchFault(errors.New("match[] must contain at least one non-empty matcher"))
		}
	}
	return &lookUp{sets: sets, hints: &storage.SelectHints{Start: timestamp.FromTime(start), End: timestamp.FromTime(end), Limit: limit}}, nil
}

// selective reports whether some matcher refuses the empty text; else the set selects every series there is.
func selective(matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches("") {
			return true
		}
	}
	return false
}
