package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// ExemplarLister looks up exemplars of the series that a query's selectors match, between start and end in milliseconds,
// both included.
type ExemplarLister interface {
	Exemplars(ctx context.Context, scope seamark.Scope, query string, start, end int64) ([]SeriesExemplars, error)
}

// SeriesExemplars are the exemplars of one series, oldest first.
type SeriesExemplars struct {
	Series    labels.Labels
	Exemplars []Exemplar
}

// Exemplar is a sample with a trace behind it.
type Exemplar struct {
	Labels    labels.Labels
	Value     float64
	TimeMilli int64 // since 1970
}

// exemplars answers with an empty list where there is none: Grafana asks when a data source is saved.
func (a *prometheusAPI) exemplars(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	start, err := timeParameter(form, "start", minTime)
	if err != nil {
		return err
	}
	end, err := timeParameter(form, "end", maxTime)
	if err != nil {
		return err
	}
	if end.Before(start) {
		return badData(errors.New("end timestamp must not be before start timestamp"))
	}
	expr, err := a.Parser.ParseExpr(form.Get("query"))
	if err != nil {
		return badData(err)
	}
	if len(parser.ExtractSelectors(expr)) == 0 {
		w.WriteHeader(http.StatusNoContent) // Prometheus' answer to a query without series
		return nil
	}
	var list []SeriesExemplars
	if a.Exemplars != nil {
		if list, err = a.Exemplars.Exemplars(r.Context(), r.Scope(), form.Get("query"), start.UnixMilli(), end.UnixMilli()); err != nil {
			return err
		}
	}
	j := newJSONWriter(w)
	j.raw(`{"status":"success","data":[`)
	for i := range list {
		j.comma(i)
		j.seriesExemplars(&list[i])
	}
	j.raw(`]`)
	return j.finish("", nil)
}

func (j *jsonWriter) seriesExemplars(s *SeriesExemplars) {
	j.raw(`{"seriesLabels":`)
	j.labels(s.Series)
	j.raw(`,"exemplars":[`)
	for i, x := range s.Exemplars {
		j.comma(i)
		j.raw(`{"labels":`)
		j.labels(x.Labels)
		j.raw(`,"value":`)
		j.float(x.Value)
		j.raw(`,"timestamp":`)
		j.seconds(x.TimeMilli)
		j.raw(`}`)
	}
	j.raw(`]}`)
}
