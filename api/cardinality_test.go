package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// explore asks the explorer; the edge's clock says ten past midnight on the first of January 1970.
func explore(t *testing.T, f *promFake, params ...string) *httptest.ResponseRecorder {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Add(params[i], params[i+1])
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/cardinality?"+values.Encode(), http.NoBody)
	r.Header.Set("Authorization", "Bearer smk_x")
	w := httptest.NewRecorder()
	promEdge(t, f).ServeHTTP(w, r)
	return w
}

func TestCardinalityAnswers(t *testing.T) {
	const (
		end    = "2026-11-21T12:00:00Z"
		days   = `{"period":{"start":"2026-11-21T00:00:00Z","end":"2026-11-22T00:00:00Z"},"preceding":{"start":"2026-11-20T00:00:00Z","end":"2026-11-21T00:00:00Z"},"total":`
		counts = `"series":3,"preceding_series":2,"growth":1,"growth_ratio":0.5,"new":2,"gone":1,"churn":3`
	)
	for _, c := range []struct {
		params []string
		want   string
	}{
		{nil, days + `{` + counts + `,"samples":30},"entries":7,"items":[{"name":"up",` + counts + `,"samples":30},` +
			`{"name":"old","series":0,"preceding_series":1,"growth":-1,"growth_ratio":-1,"new":0,"gone":1,"churn":1,"samples":0}]}`},
		{[]string{"by", "label", "samples", "false"}, days + `{` + counts + `,"samples":null},"entries":7,"items":[{"name":"job",` + counts + `,"samples":null,"values":2,"value_bytes":5}]}`},
		{[]string{"label", "job"}, days + `{` + counts + `,"samples":30},"entries":7,"items":[` +
			`{"name":"job","value":"<a>","series":2,"preceding_series":0,"growth":2,"growth_ratio":null,"new":2,"gone":0,"churn":2,"samples":0}]}`},
	} {
		w := explore(t, newPromFake(t), append(c.params, "end", end)...)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.JSONEq(t, c.want, w.Body.String())
	}
}

func TestCardinalityQueries(t *testing.T) {
	const day = 20778 // 2026-11-21
	noon := []string{"end", "2026-11-21T12:00:00Z"}
	for _, c := range []struct {
		params []string
		want   api.CardinalityQuery
	}{
		{nil, api.CardinalityQuery{Limit: 10, Samples: true}},
		{noon, api.CardinalityQuery{FirstDay: day, LastDay: day, Limit: 10, Samples: true}},
		{[]string{"end", "2026-11-21T00:00:00Z"}, api.CardinalityQuery{FirstDay: day - 1, LastDay: day - 1, Limit: 10, Samples: true}},
		{append(noon, "period", "1h"), api.CardinalityQuery{FirstDay: day, LastDay: day, Limit: 10, Samples: true}},
		{append(noon, "period", "1d"), api.CardinalityQuery{FirstDay: day, LastDay: day, Limit: 10, Samples: true}},
		{append(noon, "period", "25h"), api.CardinalityQuery{FirstDay: day - 1, LastDay: day, Limit: 10, Samples: true}},
		{append(noon, "period", "604800"), api.CardinalityQuery{FirstDay: day - 6, LastDay: day, Limit: 10, Samples: true}},
		{append(noon, "period", "290y"), api.CardinalityQuery{FirstDay: 0, LastDay: day, Limit: 10, Samples: true}},
		{append(noon, "start", "2026-11-19T23:59:59Z"), api.CardinalityQuery{FirstDay: day - 2, LastDay: day, Limit: 10, Samples: true}},
		{
			append(noon, "by", "pair", "order", "churn", "limit", "50", "samples", "false"),
			api.CardinalityQuery{FirstDay: day, LastDay: day, By: api.ByPair, Order: api.OrderChurn, Limit: 50},
		},
		{append(noon, "by", "label", "order", "bytes"), api.CardinalityQuery{FirstDay: day, LastDay: day, By: api.ByLabel, Order: api.OrderBytes, Limit: 10, Samples: true}},
		{append(noon, "label", "pod"), api.CardinalityQuery{FirstDay: day, LastDay: day, By: api.ByLabelValue, Label: "pod", Limit: 10, Samples: true}},
	} {
		f := newPromFake(t)
		w := explore(t, f, c.params...)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.Equal(t, []api.CardinalityQuery{c.want}, f.counted, c.params)
		require.Equal(t, promTenant, f.tenant)
	}
	f := newPromFake(t)
	require.Equal(t, http.StatusOK, explore(t, f, "match[]", `up{job="a"}`, "match[]", `{pod=~".*"}`).Code)
	require.Len(t, f.counted[0].Sets, 2)
	require.Equal(t, `__name__="up"`, f.counted[0].Sets[0][1].String())
}

func TestCardinalityRefuses(t *testing.T) {
	for _, params := range [][]string{
		{"by", "series"}, {"order", strings.Repeat("x", 100)}, {"limit", "x"}, {"samples", "perhaps"}, {"match[]", "{"}, {"start", "x"}, {"end", "x"},
		{"period", "x"}, {"period", "0"}, {"period", "1d", "start", "0"}, {"start", "10", "end", "10"},
	} {
		f := newPromFake(t)
		w := explore(t, f, params...)
		require.Equal(t, http.StatusBadRequest, w.Code, "%v %s", params, w.Body)
		require.Less(t, w.Body.Len(), 400, "what was sent is not repeated whole")
		require.Empty(t, f.counted)
	}
	f := newPromFake(t)
	f.err = seamark.Errorf(seamark.Timeout, "seamark-query-timeout", "The query ran out of its time.")
	w := explore(t, f)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	var fault struct{ ID string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &fault))
	require.Equal(t, "seamark-query-timeout", fault.ID)
}
