package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func try(t *testing.T, body string) (pipeline.DryReport, error) {
	t.Helper()
	var dry pipeline.DryRun
	if err := dry.Unmarshal([]byte(body)); err != nil {
		return pipeline.DryReport{}, err
	}
	return pipeline.Try(t.Context(), options(), &dry, catalogtest.New())
}

func TestDryRunTracesEachStep(t *testing.T) {
	report, err := try(t, `{"pipeline":{"name":"p","steps":[
		{"name":"parse","kind":"transform","match":["HasPrefix(log.body, \"{\")"],"statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]},
		{"name":"quiet","kind":"drop","match":["log.attributes[\"level\"] == \"debug\""]},
		{"name":"count","kind":"metric","metric":{"name":"lines","type":"counter"}}]},
		"records":[
		{"labels":{"app":"shop"},"body":"{\"level\":\"debug\"}"},
		{"labels":{"app":"shop"},"body":"{broken","level":"warn","attrs":{"a":"b"},"time":"2026-11-01T12:00:00Z"},
		{"labels":{"app":"shop"},"body":"plain"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	dropped, failed, plain := report.Records[0], report.Records[1], report.Records[2]
	if len(dropped.Steps) != 2 || dropped.Result != nil || !dropped.Steps[1].Dropped || dropped.Steps[0].After.Attrs["level"] != "debug" || len(dropped.Steps[0].Before.Attrs) != 0 {
		t.Errorf("dropped: got %+v", dropped)
	}
	if len(failed.Steps) != 3 || failed.Steps[0].Error == "" || failed.Result == nil || failed.Result.Level != "warn" ||
		!strings.HasPrefix(failed.Result.Attrs[pipeline.ErrorAttribute], "parse: ") || failed.Result.Attrs["a"] != "b" {
		t.Errorf("failed: got %+v", failed)
	}
	if len(plain.Steps) != 3 || plain.Steps[0].Changed || plain.Steps[0].After != nil || plain.Result.Body != "plain" || !plain.Result.Time.Equal(noon) {
		t.Errorf("plain: got %+v", plain)
	}
	if len(report.Metrics) != 1 || report.Metrics[0].Value != 2 || report.Metrics[0].Labels["__name__"] != "lines" {
		t.Errorf("metrics: got %+v", report.Metrics)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}

func TestDryRunOfNoStepsShowsTheRecord(t *testing.T) {
	report, err := try(t, `{"pipeline":{"name":"p","steps":[]},"records":[{"labels":{"app":"shop"},"body":"x"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := json.Marshal(report); err != nil || !strings.HasPrefix(string(body), `{"records":[{"steps":[],"result":{`) || !strings.HasSuffix(string(body), `"metrics":[]}`) {
		t.Errorf("got %s, %v", body, err)
	}
}

func TestDryRunRefuses(t *testing.T) {
	good := `{"name":"p","steps":[]}`
	for body, id := range map[string]string{
		`{"pipeline":` + good + `,"records":[]}`: "seamark-pipeline-records",
		`{"pipeline":` + good + `,"records":[` + strings.Repeat(`{"labels":{"a":"b"},"body":""},`, 100) + `{"labels":{"a":"b"},"body":""}]}`: "seamark-pipeline-records",
		`{"pipeline":` + good + `,"records":[{"labels":{},"body":"x"}]}`:                                                                     "seamark-pipeline-records",
		`{"pipeline":{"name":"p","steps":[{"name":"s","kind":"drop"}]},"records":[{"labels":{"a":"b"},"body":"x"}]}`:                         "seamark-pipeline-invalid",
		`{"pipelin":1}`: "seamark-pipeline-json",
	} {
		_, err := try(t, body)
		if e, ok := err.(*seamark.Error); !ok || e.ID != id || e.Kind != seamark.Invalid { //nolint:errorlint // the outermost error is what the edge shows
			t.Errorf("%.80s: got %v, want %s", body, err, id)
		}
	}
}
