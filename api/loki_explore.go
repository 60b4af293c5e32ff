package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogExplorer is what the Loki routes need beside queries, for Explore and Logs Drilldown. Selectors and queries are LogQL,
// empty for all logs.
type LogExplorer interface {
	LogSizer
	// DetectedLabels lists the labels of the streams of a selector and how many values each has.
	DetectedLabels(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) ([]DetectedLabel, error)
	// DetectedFields lists the fields of the newest lines of a query.
	DetectedFields(ctx context.Context, scope seamark.Scope, q LogFieldsQuery) ([]LogField, error)
	// LogPatterns lists the templates of a query's lines; a step of 0 is the explorer's.
	LogPatterns(ctx context.Context, scope seamark.Scope, query string, r seamark.TimeRange, step time.Duration) ([]LogPattern, error)
}

// LogSizer tells how many bytes lines have.
type LogSizer interface {
	// LogStats says how much there is in the streams of a selector.
	LogStats(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) (LogStats, error)
	// LogShards cuts the streams of a selector into shards of about so many bytes, by their fingerprints.
	LogShards(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange, shardBytes uint64) ([]LogShard, error)
	// LogVolumes returns at most q.Limit volumes, the largest first.
	LogVolumes(ctx context.Context, scope seamark.Scope, q LogVolumeQuery) ([]LogVolume, error)
}

// LogStats is the size of some streams.
type LogStats struct{ Streams, Entries, Bytes uint64 }

// LogShard is the streams whose fingerprints are First to Last, both included.
type LogShard struct {
	First, Last uint64
	Stats       LogStats
}

// LogVolumeQuery asks how many bytes the lines of streams have.
type LogVolumeQuery struct {
	Selector string
	Range    seamark.TimeRange
	Step     time.Duration // 0: one value for the whole range
	Limit    int
	Targets  []string // labels that bytes are summed by; none: those of the selector
	ByLabel  bool     // sum by the name of each label instead of by label sets
}

// LogVolume is the bytes of one label set, or of one label name, which then has no value.
type LogVolume struct {
	Labels []seamark.Label
	Points []LogVolumePoint
}

// LogVolumePoint is the bytes of a step that ends at Time.
type LogVolumePoint struct {
	Time  time.Time
	Bytes uint64
}

// The sizes of lists by default, as Loki has them, and at most.
const (
	lokiVolumes    = 100
	maxLokiVolumes = 10_000
)

// stats answers how much a query will read, which Grafana shows while it is typed.
func (h lokiHandlers) stats(w http.ResponseWriter, r *httpx.Request) error {
	p, span, err := h.listing(r)
	if err != nil {
		return err
	}
	s, err := h.Explorer.LogStats(r.Context(), r.Scope(), p.selector(), span)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, lokiStatsOf(s))
}

// lokiStatsOf counts a stream of a range as one chunk, which is how Loki stores a part of it.
func lokiStatsOf(s LogStats) lokiStats {
	return lokiStats{Streams: s.Streams, Chunks: s.Streams, Entries: s.Entries, Bytes: s.Bytes}
}

type lokiStats struct {
	Streams uint64 `json:"streams"`
	Chunks  uint64 `json:"chunks"`
	Entries uint64 `json:"entries"`
	Bytes   uint64 `json:"bytes"`
}

// lokiResult is Loki's envelope of series.
type lokiResult struct {
	Type   string       `json:"resultType"`
	Result []lokiSeries `json:"result"`
	Stats  struct{}     `json:"stats"`
}

type lokiSeries struct {
	Metric map[string]string `json:"metric"`
	Value  *lokiPoint        `json:"value,omitempty"`  // of a vector
	Values []lokiPoint       `json:"values,omitempty"` // of a matrix
}

// lokiPoint is [seconds, "value"].
type lokiPoint [2]any

func (h lokiHandlers) volume(w http.ResponseWriter, r *httpx.Request) error {
	return h.writeVolumes(w, r, func(*lokiParams, *LogVolumeQuery) error { return nil })
}

func (h lokiHandlers) volumeRange(w http.ResponseWriter, r *httpx.Request) error {
	return h.writeVolumes(w, r, func(p *lokiParams, q *LogVolumeQuery) (err error) {
		q.Step, err = p.step(q.Range)
		return err
	})
}

// writeVolumes answers with one value of each volume, or with a series where more sets a step.
func (h lokiHandlers) writeVolumes(w http.ResponseWriter, r *httpx.Request, more func(*lokiParams, *LogVolumeQuery) error) error {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return err
	}
	q := LogVolumeQuery{Selector: p.selector(), Targets: p.list("targetLabels")}
	if q.Range, err = p.timeRange(lokiQuerySpan); err != nil {
		return err
	}
	if q.Limit, err = p.count("limit", lokiVolumes, maxLokiVolumes); err != nil {
		return err
	}
	switch p.values.Get("aggregateBy") {
	case "", "series":
	case "labels":
		q.ByLabel = true
	default:
		return p.invalid("aggregateBy", "series or labels")
	}
	if err := more(p, &q); err != nil {
		return err
	}
	volumes, err := h.Explorer.LogVolumes(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, lokiData[lokiResult]{Status: "success", Data: volumeResult(volumes, q.Step > 0)})
}

func volumeResult(volumes []LogVolume, matrix bool) lokiResult {
	result := lokiResult{Type: "vector", Result: make([]lokiSeries, len(volumes))}
	if matrix {
		result.Type = "matrix"
	}
	for i, v := range volumes {
		s := &result.Result[i]
		s.Metric = labelMap(v.Labels)
		for _, at := range v.Points {
			s.Values = append(s.Values, lokiPoint{float64(at.Time.UnixMilli()) / 1e3, strconv.FormatUint(at.Bytes, 10)})
		}
		if !matrix {
			s.Value, s.Values = &s.Values[0], nil
		}
	}
	return result
}

func labelMap(labels []seamark.Label) map[string]string {
	m := make(map[string]string, len(labels))
	for _, l := range labels {
		m[l.Name] = l.Value
	}
	return m
}

// LogPattern is a template of lines, with <_> for what differs.
type LogPattern struct {
	Text   string
	Level  string // "" when it is not known
	Points []LogPatternPoint
}

// LogPatternPoint is how many lines a step that begins at Time has.
type LogPatternPoint struct {
	Time  time.Time
	Lines uint64
}

type lokiPattern struct {
	Pattern string     `json:"pattern"`
	Level   string     `json:"level"`
	Samples [][2]int64 `json:"samples"`
}

// patterns answers the templates of a query's lines and their counts over time.
func (h lokiHandlers) patterns(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return err
	}
	query, err := p.required("query")
	if err != nil {
		return err
	}
	span, err := p.timeRange(lokiQuerySpan)
	if err != nil {
		return err
	}
	step := time.Duration(0)
	if p.values.Get("step") != "" {
		if step, err = p.step(span); err != nil {
			return err
		}
	}
	found, err := h.Explorer.LogPatterns(r.Context(), r.Scope(), query, span, step)
	if err != nil {
		return err
	}
	list := make([]lokiPattern, len(found))
	for i, f := range found {
		list[i] = lokiPattern{Pattern: f.Text, Level: f.Level, Samples: make([][2]int64, len(f.Points))}
		if f.Level == "" {
			list[i].Level = "unknown"
		}
		for k, at := range f.Points {
			list[i].Samples[k] = [2]int64{at.Time.Unix(), int64(at.Lines)}
		}
	}
	return writeLokiList(w, list)
}
