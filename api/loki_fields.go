package api

import (
	"net/http"
	"net/url"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DetectedLabel is a label of streams and how many values it has.
type DetectedLabel struct {
	Name        string
	Cardinality int
}

// LogFieldsQuery asks for the fields of the newest lines of a query.
type LogFieldsQuery struct {
	Query string
	Range seamark.TimeRange
	Lines int // to look at
}

// LogField is something that lines have beside the labels of their stream.
type LogField struct {
	Name    string
	Type    string   // int, float, duration, bytes, boolean or string
	Parsers []string // json, logfmt; none for structured metadata
	Path    []string // to it in a JSON line; nil when it is in none
	Values  []string // distinct, of the lines looked at
}

// The sizes of Loki's lists of fields: how many by default and at most, and how many lines are looked at.
const (
	lokiFields         = 1000
	maxLokiFields      = 10_000
	lokiFieldLines     = 1000
	maxLokiFieldsLines = 5000
)

type lokiDetectedLabel struct {
	Label       string `json:"label"`
	Cardinality int    `json:"cardinality"`
}

// detectedLabels answers by which labels streams can be told apart. Grafana may ask for it first, without a query.
func (h lokiHandlers) detectedLabels(w http.ResponseWriter, r *httpx.Request) error {
	p, span, err := h.listing(r)
	if err != nil {
		return err
	}
	found, err := h.Explorer.DetectedLabels(r.Context(), r.Scope(), p.selector(), span)
	if err != nil {
		return err
	}
	list := make([]lokiDetectedLabel, len(found))
	for i, l := range found {
		list[i] = lokiDetectedLabel{Label: l.Name, Cardinality: l.Cardinality}
	}
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{"detectedLabels": list})
}

type lokiField struct {
	Label       string   `json:"label"`
	Type        string   `json:"type"`
	Cardinality int      `json:"cardinality"`
	Parsers     []string `json:"parsers"` // null for structured metadata
	Path        []string `json:"jsonPath,omitempty"`
}

func (h lokiHandlers) detectedFields(w http.ResponseWriter, r *httpx.Request) error {
	found, limit, err := h.fields(r)
	if err != nil {
		return err
	}
	list := make([]lokiField, 0, len(found))
	for _, f := range found[:min(len(found), limit)] {
		list = append(list, lokiField{Label: f.Name, Type: f.Type, Cardinality: len(f.Values), Parsers: f.Parsers, Path: f.Path})
	}
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{"fields": list, "limit": limit})
}

func (h lokiHandlers) detectedFieldValues(w http.ResponseWriter, r *httpx.Request) error {
	name, err := url.PathUnescape(r.Param("name"))
	if err != nil {
		return seamark.Errorf(seamark.Invalid, "seamark-parameter-invalid", "The field's name in the path is not well escaped.")
	}
	found, limit, err := h.fields(r)
	if err != nil {
		return err
	}
	values := []string{}
	for _, f := range found {
		if f.Name == name {
			values = f.Values[:min(len(f.Values), limit)]
		}
	}
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{"values": values, "limit": limit})
}

// fields finds the fields that a request asks for, and how many of them or their values it wants.
func (h lokiHandlers) fields(r *httpx.Request) ([]LogField, int, error) {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return nil, 0, err
	}
	q := LogFieldsQuery{Query: p.selector()}
	if q.Range, err = p.timeRange(lokiQuerySpan); err != nil {
		return nil, 0, err
	}
	if q.Lines, err = p.count("line_limit", lokiFieldLines, maxLokiFieldsLines); err != nil {
		return nil, 0, err
	}
	limit, err := p.count("limit", lokiFields, maxLokiFields)
	if err != nil {
		return nil, 0, err
	}
	found, err := h.Explorer.DetectedFields(r.Context(), r.Scope(), q)
	return found, limit, err
}

// LokiLimits is what Logs Drilldown is told of the limits.
type LokiLimits struct {
	MaxEntries, MaxSeries int
	Timeout, Retention    time.Duration
}

// drilldownLimits answers in the words of Loki's configuration, which Logs Drilldown reads. "0s" and "0B" are no limit.
func (h lokiHandlers) drilldownLimits(w http.ResponseWriter, _ *httpx.Request) error {
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{
		"limits": map[string]any{
			"discover_log_levels": true, "discover_service_name": []string{"service_name"}, "log_level_fields": []string{"level"},
			"max_entries_limit_per_query": h.Limits.MaxEntries, "max_line_size_truncate": false, "max_query_bytes_read": "0B",
			"max_query_length": "0s", "max_query_lookback": "0s", "max_query_range": "0s", "max_query_series": h.Limits.MaxSeries,
			"metric_aggregation_enabled": false, "pattern_persistence_enabled": false, "query_timeout": h.Limits.Timeout.String(),
			"retention_period": h.Limits.Retention.String(), "volume_enabled": true, "volume_max_series": maxLokiVolumes,
		},
		"pattern_ingester_enabled": true, "version": lokiVersion,
		"maxDetectedFields": lokiFields, "maxDetectedValues": lokiFields, "maxLines": h.Limits.MaxEntries,
	})
}
