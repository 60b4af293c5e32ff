package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// CardinalityCounter counts the series that have samples on the days from start to end, in milliseconds. Its lists hold at
// most limit entries, the largest first.
type CardinalityCounter interface {
	CountSeries(ctx context.Context, tenant seamark.TenantID, start, end int64, limit int) (Cardinality, error)
}

// Cardinality says how many series there are, and of what.
type Cardinality struct {
	Series, LabelPairs int
	SeriesByMetric     []index.Stat
	ValuesByLabel      []index.Stat // distinct values of each label
	BytesByLabel       []index.Stat // of the values of each label, in all series
	SeriesByPair       []index.Stat // "name=value"
}

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
		NumSeries     int   `json:"numSeries"`
		NumLabelPairs int   `json:"numLabelPairs"`
		ChunkCount    int   `json:"chunkCount"` // there are no chunks here
		MinTime       int64 `json:"minTime"`
		MaxTime       int64 `json:"maxTime"`
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
	done, err := a.startRead(r.Context())
	if err != nil {
		return err
	}
	defer done()
	end := a.Now()
	start := end.Add(-tsdbSpan)
	c, err := a.Cardinality.CountSeries(r.Context(), r.Tenant(), start.UnixMilli(), end.UnixMilli(), limit)
	if err != nil {
		return err
	}
	return writePrometheus(w, tsdbStatus{
		HeadStats:               headStats{NumSeries: c.Series, NumLabelPairs: c.LabelPairs, MinTime: start.UnixMilli(), MaxTime: end.UnixMilli()},
		SeriesCountByMetricName: tsdbStats(c.SeriesByMetric), LabelValueCountByLabelName: tsdbStats(c.ValuesByLabel),
		MemoryInBytesByLabelName: tsdbStats(c.BytesByLabel), SeriesCountByLabelValuePair: tsdbStats(c.SeriesByPair),
	}, nil)
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

func tsdbStats(stats []index.Stat) []tsdbStat {
	list := make([]tsdbStat, len(stats))
	for i, s := range stats {
		list[i] = tsdbStat{s.Name, s.Count}
	}
	return list
}
