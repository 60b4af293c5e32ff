package reading_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

type counts struct {
	Name, Value     string
	Series          int
	PrecedingSeries int `json:"preceding_series"`
	Growth          int
	GrowthRatio     *float64 `json:"growth_ratio"`
	New, Gone       int
	Churn           int
	Samples         *int
	Values          int
}

type explored struct {
	Period  struct{ Start, End time.Time }
	Total   counts
	Entries int
	Items   []counts
}

func pointer[T any](v T) *T { return &v }

// deploy pushes series of two days: a deployment has taken place between them, and a label was added that never repeats. It
// returns noon of the second day.
func (w *world) deploy(t *testing.T) time.Time {
	t.Helper()
	w.start = time.Now().UTC().Truncate(24 * time.Hour).Add(-36 * time.Hour)
	request := &prompb.WriteRequest{}
	for i := range 4 {
		request.Timeseries = append(request.Timeseries, w.series([]string{"__name__", "up", "pod", fmt.Sprint("old-", i)}, 1, 1))
	}
	w.push(t, request)
	w.start = w.start.Add(24 * time.Hour)
	request.Timeseries = append(request.Timeseries[:0], w.series([]string{"__name__", "up", "pod", "old-0"}, 1, 1, 1))
	for i := range 3 {
		request.Timeseries = append(request.Timeseries, w.series([]string{"__name__", "up", "pod", fmt.Sprint("new-", i)}, 1, 1))
	}
	for i := range 10 {
		request.Timeseries = append(request.Timeseries, w.series([]string{"__name__", "visits_total", "pod", "new-0", "user", fmt.Sprint(i)}, 1))
	}
	w.push(t, request)
	return w.start
}

func TestCardinality(t *testing.T) {
	w := newWorld(t)
	yesterday := w.deploy(t)
	ask := func(pairs ...string) (found explored, err error) {
		values := url.Values{"end": {yesterday.Add(time.Hour).Format(time.RFC3339)}}
		for i := 0; i < len(pairs); i += 2 {
			values.Add(pairs[i], pairs[i+1])
		}
		err = harness.Get(t.Context(), w.URL+"/api/v1/cardinality?"+values.Encode(), w.Query, &found)
		return found, err
	}
	testkit.Eventually(t, within, func() error {
		found, err := ask()
		if err == nil && (found.Total.Series != 14 || found.Total.PrecedingSeries != 4 || *found.Total.Samples != 19) {
			err = fmt.Errorf("got %+v", found.Total)
		}
		return err
	})
	up := counts{Name: "up", Series: 4, PrecedingSeries: 4, GrowthRatio: pointer(0.0), New: 3, Gone: 3, Churn: 6, Samples: pointer(9)}
	visits := counts{Name: "visits_total", Series: 10, Growth: 10, New: 10, Churn: 10, Samples: pointer(10)}
	for _, c := range []struct {
		pairs   []string
		entries int
		want    []counts
	}{
		{nil, 2, []counts{visits, up}},
		{[]string{"order", "growth", "limit", "1"}, 2, []counts{visits}},
		{[]string{"match[]", "up", "order", "samples"}, 1, []counts{up}},
		{[]string{"by", "label", "order", "values", "limit", "1"}, 4, []counts{{
			Name: "user", Series: 10, Growth: 10, New: 10, Churn: 10, Samples: pointer(10), Values: 10,
		}}},
		{[]string{"label", "pod", "match[]", `{pod=~"old-[01]"}`}, 2, []counts{
			{Name: "pod", Value: "old-0", Series: 1, PrecedingSeries: 1, GrowthRatio: pointer(0.0), Samples: pointer(3)},
			{Name: "pod", Value: "old-1", PrecedingSeries: 1, Growth: -1, GrowthRatio: pointer(-1.0), Gone: 1, Churn: 1, Samples: pointer(0)},
		}},
		{[]string{"by", "pair", "order", "churn", "limit", "1", "samples", "false"}, 2 + 7 + 10 + 1, []counts{{
			Name: "cluster", Value: slug, Series: 14, PrecedingSeries: 4, Growth: 10, GrowthRatio: pointer(2.5), New: 13, Gone: 3, Churn: 16,
		}}},
		{[]string{"period", "2d", "match[]", "up"}, 1, []counts{{Name: "up", Series: 7, Growth: 7, New: 7, Churn: 7, Samples: pointer(17)}}},
	} {
		found, err := ask(c.pairs...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, found.Items); diff != "" || found.Entries != c.entries {
			t.Errorf("%v: %d entries, want %d (-want +got):\n%s", c.pairs, found.Entries, c.entries, diff)
		}
	}
	w.testCardinalityRefusals(t)
}

func (w *world) testCardinalityRefusals(t *testing.T) {
	t.Helper()
	for query, want := range map[string]string{
		"limit=0": "seamark-cardinality-limit", "limit=10001": "seamark-cardinality-limit", "period=16d": "seamark-cardinality-days",
		"order=values": "seamark-cardinality-order", "by=value": "seamark-cardinality-label", "match[]=%7B": "seamark-parameter-invalid", "by=x": "seamark-parameter-invalid",
	} {
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: w.URL + "/api/v1/cardinality?" + query, Token: w.Query})
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: got %d %s, want %s", query, a.Status, a.Body, want)
		}
	}
	for token, status := range map[string]int{w.Ingest: http.StatusForbidden, "": http.StatusUnauthorized} {
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: w.URL + "/api/v1/cardinality", Token: token})
		if err != nil || a.Status != status {
			t.Errorf("got %v, %v, want %d", a, err, status)
		}
	}
}
