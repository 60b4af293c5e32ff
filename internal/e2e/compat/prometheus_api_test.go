package compat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// prometheusAPIs is client_golang's client of the query API, which tools in Go are made with: every method that it has.
func prometheusAPIs() []client {
	return []client{{
		protocol: queryProtocol, name: "client_golang's API", modules: []string{"github.com/prometheus/client_golang"}, prepare: apiData,
		checks: []check{
			{"Query with every option, QueryRange; warnings and infos", checkAPIQuery},
			{"Series, LabelNames, LabelValues, with limits", checkAPILabels},
			{"QueryExemplars, Metadata, FormatQuery", checkAPIExtras},
			{"TSDB, Buildinfo, Rules, Alerts", checkAPIStatus},
			{"faults: bad_data, execution; 404 for what describes the process of a Prometheus (Config, Flags, Targets, Snapshot, ...)", checkAPIFaults},
		},
	}}
}

// apiData pushes what requestV1 holds.
func apiData(t *testing.T, x *account) {
	t.Helper()
	x.start = time.Now().Truncate(time.Second).Add(-time.Minute)
	request := requestV1("api", x.start.UnixMilli())
	_, err := storeV1(t.Context(), x, request)
	err = errors.Join(err, x.wantHistogram(t.Context(), "api_spread_seconds", nativeHistogram{Count: 6, Sum: 15}),
		wantMetadata(t.Context(), x, "api_requests_total", metadata{"counter", "Requests served.", ""}))
	if err != nil {
		t.Fatal(err)
	}
}

func (x *account) api() (promv1.API, error) {
	httpClient, err := config_util.NewClientFromConfig(config_util.HTTPClientConfig{
		Authorization: &config_util.Authorization{Type: "Bearer", Credentials: config_util.Secret(x.Query)},
	}, "compat")
	if err != nil {
		return nil, err
	}
	c, err := promapi.NewClient(promapi.Config{Address: x.URL + "/prometheus", Client: httpClient})
	if err != nil {
		return nil, err
	}
	return promv1.NewAPI(c), nil
}

// same compares what a method returned.
func same[T any](method string, err error, want, got T) error {
	if diff := cmp.Diff(want, got); diff != "" {
		err = errors.Join(err, errors.New("(-want +got):\n"+diff))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

func checkAPIQuery(ctx context.Context, x *account) error {
	api, err := x.api()
	if err != nil {
		return err
	}
	v, warnings, infos, err := api.Query(ctx, `rate(api_requests_total[1m])`, x.start, promv1.WithTimeout(time.Minute), promv1.WithLookbackDelta(time.Minute),
		promv1.WithStats(promv1.AllStatsValue), promv1.WithLimit(1))
	result := same("Query", err, 0, len(warnings)+len(infos))
	if vector, ok := v.(model.Vector); !ok || len(vector) != 1 || vector[0].Metric["code"] != "200" {
		result = errors.Join(result, fmt.Errorf("Query: got %v, want one series", v))
	}
	_, _, infos, err = api.Query(ctx, `min(api_spread_seconds)`, x.start)
	result = errors.Join(result, same("Query's infos", err, promv1.Infos{"PromQL info: ignored histogram in min aggregation (1:5)"}, infos))
	_, warnings, _, err = api.Query(ctx, `quantile(2, api_requests_total)`, x.start)
	result = errors.Join(result, same("Query's warnings", err, promv1.Warnings{
		`PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)`,
	}, warnings))
	v, _, infos, err = api.QueryRange(ctx, `api_requests_total * 0 + 3`, promv1.Range{Start: x.start, End: x.start.Add(10 * time.Second), Step: 5 * time.Second})
	result = errors.Join(result, same("QueryRange", err, 0, len(infos)))
	if matrix, ok := v.(model.Matrix); !ok || len(matrix) != 1 || len(matrix[0].Values) != 3 || matrix[0].Values[2].Value != 3 {
		result = errors.Join(result, fmt.Errorf("QueryRange: got %v, want three points", v))
	}
	return result
}

func checkAPILabels(ctx context.Context, x *account) error {
	api, err := x.api()
	if err != nil {
		return err
	}
	from, to := x.start.Add(-time.Hour), x.start.Add(time.Hour)
	cut := promv1.Warnings{"results truncated due to limit"}
	series, _, _, err := api.Series(ctx, []string{"api_requests_total"}, from, to)
	result := same("Series", err, []model.LabelSet{{"__name__": "api_requests_total", "cluster": clusterName, "code": "200"}}, series)
	series, warnings, _, err := api.Series(ctx, []string{`{__name__=~"api_.+"}`}, from, to, promv1.WithLimit(1))
	result = errors.Join(result, same("Series with a limit", err, 1, len(series)), same("Series' warnings", nil, cut, warnings))
	names, _, _, err := api.LabelNames(ctx, nil, from, to)
	result = errors.Join(result, same("LabelNames", err, model.LabelNames{"__name__", "cluster", "code"}, names))
	names, warnings, _, err = api.LabelNames(ctx, []string{"api_spread_seconds"}, from, to, promv1.WithLimit(1))
	result = errors.Join(result, same("LabelNames with a limit", err, model.LabelNames{"__name__"}, names), same("LabelNames' warnings", nil, cut, warnings))
	values, _, _, err := api.LabelValues(ctx, "__name__", nil, from, to)
	result = errors.Join(result, same("LabelValues", err, model.LabelValues{"api_requests_total", "api_spread_seconds"}, values))
	values, _, _, err = api.LabelValues(ctx, "code", []string{"api_requests_total"}, from, to)
	return errors.Join(result, same("LabelValues with a selector", err, model.LabelValues{"200"}, values))
}

func checkAPIExtras(ctx context.Context, x *account) error {
	api, err := x.api()
	if err != nil {
		return err
	}
	exemplars, err := api.QueryExemplars(ctx, "rate(api_requests_total[5m])", x.start.Add(-time.Minute), x.start.Add(time.Minute))
	result := same("QueryExemplars", err, []promv1.ExemplarQueryResult{{
		SeriesLabels: model.LabelSet{"__name__": "api_requests_total", "cluster": clusterName, "code": "200"},
		Exemplars:    []promv1.Exemplar{{Labels: model.LabelSet{"trace_id": model.LabelValue(someTrace.String())}, Value: 1, Timestamp: model.TimeFromUnix(x.start.Unix())}},
	}}, exemplars)
	found, err := api.Metadata(ctx, "api_requests_total", "1")
	result = errors.Join(result, same("Metadata", err, map[string][]promv1.Metadata{"api_requests_total": {{Type: promv1.MetricTypeCounter, Help: "Requests served."}}}, found))
	formatted, err := api.FormatQuery(ctx, "sum(up)by(job)")
	return errors.Join(result, same("FormatQuery", err, "sum by (job) (up)", strings.Trim(formatted, `"`)))
}

func checkAPIStatus(ctx context.Context, x *account) error {
	api, err := x.api()
	if err != nil {
		return err
	}
	counts, err := api.TSDB(ctx, promv1.WithLimit(2))
	result := errors.Join(
		same("TSDB", err, []promv1.Stat{{Name: "api_requests_total", Value: 1}, {Name: "api_spread_seconds", Value: 1}}, counts.SeriesCountByMetricName),
		same("TSDB's pairs", nil, []promv1.Stat{{Name: "cluster=" + clusterName, Value: 2}, {Name: "__name__=api_requests_total", Value: 1}}, counts.SeriesCountByLabelValuePair),
		same("TSDB's values", nil, []promv1.Stat{{Name: "__name__", Value: 2}, {Name: "cluster", Value: 1}}, counts.LabelValueCountByLabelName),
		same("TSDB's head", nil, [2]int{2, 4}, [2]int{counts.HeadStats.NumSeries, counts.HeadStats.NumLabelPairs}),
	)
	rules, err := api.Rules(ctx, nil)
	result = errors.Join(result, same("Rules", err, 0, len(rules.Groups)))
	alerts, err := api.Alerts(ctx)
	result = errors.Join(result, same("Alerts", err, 0, len(alerts.Alerts)))
	build, err := api.Buildinfo(ctx)
	return errors.Join(result, same("Buildinfo", err, true, strings.HasPrefix(build.Version, "3.")))
}

func checkAPIFaults(ctx context.Context, x *account) error {
	api, err := x.api()
	if err != nil {
		return err
	}
	fault := func(method string, err error, want promv1.ErrorType) error {
		known, ok := errors.AsType[*promv1.Error](err)
		if !ok || known.Type != want {
			return fmt.Errorf("%s: got %w, want an error of the type %s", method, err, want)
		}
		return nil
	}
	_, _, _, err = api.Query(ctx, "up{", x.start)
	result := fault("Query", err, promv1.ErrBadData)
	_, _, _, err = api.Query(ctx, `label_replace(api_requests_total, "x", "y", "code", "(")`, x.start)
	result = errors.Join(result, fault("Query", err, promv1.ErrExec))
	for method, call := range map[string]func() error{
		"AlertManagers":   func() error { _, err := api.AlertManagers(ctx); return err },
		"CleanTombstones": func() error { return api.CleanTombstones(ctx) },
		"Config":          func() error { _, err := api.Config(ctx); return err },
		"DeleteSeries":    func() error { return api.DeleteSeries(ctx, []string{"up"}, x.start, x.start) },
		"Flags":           func() error { _, err := api.Flags(ctx); return err },
		"Runtimeinfo":     func() error { _, err := api.Runtimeinfo(ctx); return err },
		"Snapshot":        func() error { _, err := api.Snapshot(ctx, false); return err },
		"Targets":         func() error { _, err := api.Targets(ctx); return err },
		"TargetsMetadata": func() error { _, err := api.TargetsMetadata(ctx, "", "up", ""); return err },
		"TSDBBlocks":      func() error { _, err := api.TSDBBlocks(ctx); return err },
		"WalReplay":       func() error { _, err := api.WalReplay(ctx); return err },
	} {
		err := call()
		result = errors.Join(result, fault(method, err, promv1.ErrClient))
		if err != nil && !strings.Contains(err.Error(), "404") {
			result = errors.Join(result, fmt.Errorf("%s: %w, want 404", method, err))
		}
	}
	return result
}
