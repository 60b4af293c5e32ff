package alerts_test

import (
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
)

// evaluations returns the times of the evaluations at which an alert was in each state, from its series ALERTS: none is missed there,
// however seldom one looks.
func evaluations(t *testing.T, x *inprocess.Tenant, selector string) map[string][]time.Time {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	x.Get(t, "/prometheus/api/v1/query", url.Values{"query": {"ALERTS{" + selector + "}[1h]"}}, &answer)
	at := map[string][]time.Time{}
	for _, series := range answer.Data.Result {
		for _, v := range series.Values {
			seconds, _ := v[0].(float64)
			at[series.Metric["alertstate"]] = append(at[series.Metric["alertstate"]], time.UnixMilli(int64(math.Round(1000*seconds))))
		}
	}
	for _, list := range at {
		slices.SortFunc(list, time.Time.Compare)
	}
	return at
}

// inMillis returns a time as samples have it.
func inMillis(at time.Time) time.Time { return time.UnixMilli(at.UnixMilli()) }

// firstAfter returns the first of some times, in order, that is not before another; zero when there is none.
func firstAfter(list []time.Time, at time.Time) time.Time {
	if i := slices.IndexFunc(list, func(one time.Time) bool { return !one.Before(at) }); i >= 0 {
		return list[i]
	}
	return time.Time{}
}
