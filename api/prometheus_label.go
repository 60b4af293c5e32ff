package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/internal/httpx"
)

func (a *prometheusAPI) labels(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	p, err := a.parseLookUp(form, false)
	if err != nil {
		return err
	}
	names, warnings, err := a.Lister.Labels(r.Context(), r.Scope(), p.hints, p.sets)
	if err != nil {
		return err
	}
	return writePrometheus(w, names, warnings)
}

func (a *prometheusAPI) labelValues(w http.ResponseWriter, r *httpx.Request) error {
	name := r.Param("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return badData(fmt.Errorf("invalid label name: %q", name))
	}
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	p, err := a.parseLookUp(form, false)
	if err != nil {
		return err
	}
	values, warnings, err := a.Lister.LabelValues(r.Context(), r.Scope(), name, p.hints, p.sets)
	if err != nil {
		return err
	}
	return writePrometheus(w, values, warnings)
}

func (a *prometheusAPI) series(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	if len(form["match[]"]) == 0 {
		return badData(errors.New("no match[] parameter provided"))
	}
	p, err := a.parseLookUp(form, true)
	if err != nil {
		return err
	}
	list, warnings, err := a.Lister.Series(r.Context(), r.Scope(), p.hints, p.sets)
	if err != nil {
		return err
	}
	j := newJSONWriter(w)
	j.raw(`{"status":"success","data":[`)
	for i, ls := range list {
		j.comma(i)
		j.labels(ls)
	}
	j.raw(`]`)
	return j.finish("", warnings)
}

// familyMetadata is one description of a metric family.
type familyMetadata struct {
	Type string `json:"type"`
	Unit string `json:"unit"`
	Help string `json:"help"`
}

func (a *prometheusAPI) metadata(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	limit, limited, err := number(form.Get("limit"))
	if err != nil {
		return badData(errors.New("limit must be a number"))
	}
	// Each family has one description here, so the limit per metric cuts nothing.
	if _, _, err := number(form.Get("limit_per_metric")); err != nil {
		return badData(errors.New("limit_per_metric must be a number"))
	}
	families := map[string][]familyMetadata{}
	if limited && limit == 0 {
		return writePrometheus(w, families, nil)
	}
	list, err := a.Lister.Metadata(r.Context(), r.Scope(), form.Get("metric"), limit)
	if err != nil {
		return err
	}
	for _, m := range list {
		families[m.Metric] = []familyMetadata{{Type: m.Type, Help: m.Help, Unit: m.Unit}}
	}
	return writePrometheus(w, families, nil)
}

func number(text string) (n int, given bool, err error) {
	if text == "" {
		return 0, false, nil
	}
	n, err = strconv.Atoi(text)
	return n, true, err
}
