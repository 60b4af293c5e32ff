package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// tsdbSpan is the time whose series are counted; Prometheus counts those of its head, two to three hours.
const tsdbSpan = 24 * time.Hour

// Prometheus' limits of the lists.
const (
	defaultStats = 10
	maxStats     = 10_000
)

type (
	tsdbStatus struct {
		HeadStats                   headStats  `json:"headStats"`
		SeriesCountByMetricName     []tsdbStat `json:"seriesCountByMetricName"`
		LabelValueCountByLabelName  []tsdbStat `json:"labelValueCountByLabelName"`
		MemoryInBytesByLabelName    []tsdbStat `json:"memoryInBytesByLabelName"`
		SeriesCountByLabelValuePair []tsdbStat `json:"seriesCountByLabelValuePair"`
	}
	headStats struct {
		NumSeries     uint64 `json:"numSeries"`
		NumLabelPairs uint64 `json:"numLabelPairs"`
		ChunkCount    int    `json:"chunkCount"` // there are no chunks here
		MinTime       int64  `json:"minTime"`
		MaxTime       int64  `json:"maxTime"`
	}
	tsdbStat struct {
		Name  string `json:"name"`
		Value uint64 `json:"value"`
	}
)

func (a *prometheusAPI) tsdbStatus(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	limit, err := statsLimit(form.Get("limit"))
	if err != nil {
		return badData(err)
	}
	end := a.Now()
	answer := tsdbStatus{HeadStats: headStats{MinTime: end.Add(-tsdbSpan).UnixMilli(), MaxTime: end.UnixMilli()}}
	if err := a.countTSDB(r.Context(), r.Scope(), limit, &answer); err != nil {
		return err
	}
	return writePrometheus(w, answer, nil)
}

// countTSDB fills the lists and what they say of the whole.
func (a *prometheusAPI) countTSDB(ctx context.Context, scope seamark.Scope, limit int, answer *tsdbStatus) error {
	first, last := dayOf(time.UnixMilli(answer.HeadStats.MinTime)), dayOf(time.UnixMilli(answer.HeadStats.MaxTime))
	for _, list := range []struct {
		by    CardinalityBy
		order CardinalityOrder
		into  *[]tsdbStat
	}{
		{ByMetric, OrderSeries, &answer.SeriesCountByMetricName}, {ByPair, OrderSeries, &answer.SeriesCountByLabelValuePair},
		{ByLabel, OrderValues, &answer.LabelValueCountByLabelName}, {ByLabel, OrderBytes, &answer.MemoryInBytesByLabelName},
	} {
		c, err := a.Cardinality.CountCardinality(ctx, scope, CardinalityQuery{FirstDay: first, LastDay: last, By: list.by, Order: list.order, Limit: limit})
		if err != nil {
			return err
		}
		*list.into = tsdbStats(c.List, list.by, list.order)
		answer.HeadStats.NumSeries, answer.HeadStats.NumLabelPairs = c.Total.Series, max(answer.HeadStats.NumLabelPairs, c.Values)
	}
	return nil
}

// tsdbStats leaves out what was there before the last day alone.
func tsdbStats(entries []CardinalityEntry, by CardinalityBy, order CardinalityOrder) []tsdbStat {
	list := make([]tsdbStat, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		one := tsdbStat{e.Name, e.Series}
		switch {
		case e.Series == 0:
			continue
		case by == ByPair:
			one.Name += "=" + e.Value
		case order == OrderValues:
			one.Value = e.Values
		case order == OrderBytes:
			one.Value = e.ValueBytes
		}
		list = append(list, one)
	}
	return list
}

func statsLimit(text string) (int, error) {
	if text == "" {
		return defaultStats, nil
	}
	limit, err := strconv.Atoi(text)
	switch {
	case err != nil || limit < 1:
		return 0, errors.New("limit must be a positive number")
	case limit > maxStats:
		return 0, fmt.Errorf("limit must not exceed %d", maxStats)
	}
	return limit, nil
}
