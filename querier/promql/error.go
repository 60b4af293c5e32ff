package promql

import (
	"context"
	"errors"
	"runtime"

	"github.com/prometheus/prometheus/promql"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// syntaxError says where a query is not PromQL, in Prometheus' own words, which clients show beside the query.
func syntaxError(err error) error {
	return seamark.Errorf(seamark.Invalid, "seamark-query-syntax", `invalid parameter "query": %s`, err)
}

// queryError sorts what a running query failed with. The engine's own messages speak of the query alone and are shown;
// whatever the store returned is a seamark.Error already.
func (e *Engine) queryError(err error) error {
	if known, ok := errors.AsType[*seamark.Error](err); ok {
		return known
	}
	if _, ok := errors.AsType[runtime.Error](err); ok || errors.Is(err, ErrPanic) {
		return err
	}
	var (
		canceled promql.ErrQueryCanceled
		timeout  promql.ErrQueryTimeout
		samples  promql.ErrTooManySamples
	)
	switch {
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return seamark.Wrap(err, seamark.Canceled, "seamark-query-canceled", "The query was cancelled.")
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return seamark.Wrap(err, seamark.Timeout, "seamark-query-timeout",
			"The query ran out of its time; the limit is %s (--query.timeout), or what the request asked for. Ask for a shorter range, a larger step or fewer series.", e.opts.Timeout)
	case errors.As(err, &samples):
		return tooManySamples(e.opts.MaxSamples)
	}
	return seamark.Wrap(err, seamark.Unprocessable, "seamark-query-execution", "%s", err)
}

func tooManySamples(limit int) error {
	return seamark.Errorf(seamark.Unprocessable, "seamark-query-samples",
		"The query would hold more than %d samples in memory, the limit of a query (--query.max-samples). Ask for a shorter range, a larger step or fewer series.", limit)
}

func tooManySeries(limit int, matchers string) error {
	return seamark.Errorf(seamark.Unprocessable, "seamark-query-series",
		"The selector %s matches more than %d series, the limit of a selector (--query.max-series, or query_max_series of the tenant). Add matchers or ask for a shorter range.", matchers, limit)
}

func tooManyTexts(limit int, what string) error {
	return seamark.Errorf(seamark.Unprocessable, "seamark-query-labels",
		"There are more than %d %s, the limit of a look-up (--query.max-series). Add match[], a shorter range or the parameter limit.", limit, what)
}
