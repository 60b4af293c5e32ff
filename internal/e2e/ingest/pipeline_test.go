package ingest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// savePipelines replaces the tenant's pipelines.
func (x *account) savePipelines(t *testing.T, definitions string) {
	t.Helper()
	answer := x.Do(t, x.Admin, http.MethodGet, "/api/v1/pipelines", nil, "")
	var have struct{ Revision uint64 }
	if err := json.Unmarshal([]byte(answer.Body), &have); err != nil || answer.Status != http.StatusOK {
		t.Fatalf("GET /api/v1/pipelines: got %d %s (%v)", answer.Status, answer.Body, err)
	}
	x.put(t, x.Admin, "/api/v1/pipelines", fmt.Sprintf(`{"revision":%d,"pipelines":%s}`, have.Revision, definitions))
}

// usePipelines replaces the tenant's pipelines and waits until the server runs them: a step is added to them that marks the
// lines of an app of its own. It fails the test when that is not prompt.
func (x *account) usePipelines(t *testing.T, definitions string) {
	t.Helper()
	mark := fmt.Sprint("since ", now().UnixNano())
	probe := fmt.Sprintf(`{"name":"probe","enabled":true,"steps":[{"name":"probe","kind":"transform","match":["resource.attributes[\"app\"] == \"probe\""],`+
		`"statements":["set(log.body, %q)"]}]}`, mark)
	list := strings.TrimSuffix(definitions, "]")
	if list != "[" {
		list += ","
	}
	x.savePipelines(t, list+strings.ReplaceAll(probe, `"`+mark+`"`, `\"`+mark+`\"`)+"]")
	testkit.Eventually(t, promptly, func() error {
		x.pushLines(t, "probe", http.StatusNoContent, fmt.Sprint("probe ", now().UnixNano()))
		if len(x.bodies(t, `{app="probe"} |= "`+mark+`"`)) == 0 {
			return fmt.Errorf("no line was changed yet")
		}
		return nil
	})
}

// shopPipeline parses, counts, drops, masks and routes what the app shop says. Its last step cannot work on what is no JSON.
const shopPipeline = `{"name":"shop","enabled":true,"steps":[
	{"name":"requests","kind":"metric","match":["resource.attributes[\"app\"] == \"shop\""],"metric":{"name":"shop_lines","type":"counter","labels":{"namespace":"resource.attributes[\"namespace\"]"}}},
	{"name":"quiet","kind":"drop","match":["IsMatch(log.body, \"GET /healthz\")"]},
	{"name":"mask","kind":"redact","match":["resource.attributes[\"app\"] == \"shop\""],"patterns":["email"]},
	{"name":"payments","kind":"route","match":["IsMatch(log.body, \"order\")"],"stream":{"team":"payments"}},
	{"name":"parse","kind":"transform","match":["resource.attributes[\"app\"] == \"shop\""],
	 "statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]}]}`

// shopLines are the records of the dry run and of the push.
var shopLines = []string{
	`{"order":7,"user":"ann@shop.example"}`,
	`GET /healthz 200`,
	`no JSON, from bob@shop.example`,
	`{"status":"ok"}`,
}

// dryRecord is a record as a dry run shows it.
type dryRecord struct {
	Labels, Attrs map[string]string
	Body          string
}

type dryReport struct {
	Records []struct{ Result *dryRecord }
	Metrics []struct {
		Labels map[string]string
		Value  float64
	}
}

func (x *account) dryRun(t *testing.T, labels map[string]string) dryReport {
	t.Helper()
	records := []map[string]any{}
	for _, text := range shopLines {
		records = append(records, map[string]any{"labels": labels, "body": text})
	}
	list, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	answer := x.Post(t, x.Admin, "/api/v1/pipelines/dry-run", jsonMedia, `{"pipeline":`+shopPipeline+`,"records":`+string(list)+`}`, http.StatusOK)
	var report dryReport
	if err := json.Unmarshal([]byte(answer.Body), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// TestPipelineAsTried runs a pipeline dry and for real: what is stored is what was shown.
func TestPipelineAsTried(t *testing.T) {
	x := newAccount(t, "pipelines")
	labels := map[string]string{"app": "shop", "namespace": "prod"}
	report := x.dryRun(t, labels)
	var shown []line
	for _, r := range report.Records {
		if r.Result != nil {
			all := maps.Clone(r.Result.Labels)
			maps.Copy(all, r.Result.Attrs)
			shown = append(shown, line{r.Result.Body, all})
		}
	}
	if len(shown) != 3 || len(report.Metrics) != 1 || report.Metrics[0].Value != 4 {
		t.Fatalf("dry run: got %+v, want three records and a count of four", report)
	}
	checkShopLines(t, shown)

	x.usePipelines(t, "["+shopPipeline+"]")
	x.Post(t, x.Ingest, lokiPath, jsonMedia, lokiBody(t, labels, now(), shopLines...), http.StatusNoContent)
	x.settleLogs(t)
	stored := x.logs(t, `{app="shop"}`)
	for i := range stored { // what every stream has of its sender, whatever the pipeline does
		for _, name := range []string{"cluster", "service_name", "detected_level"} {
			delete(stored[i].Labels, name)
		}
	}
	for i := range shown { // so in a dry run
		for _, name := range []string{"cluster", "service_name", "detected_level"} {
			delete(shown[i].Labels, name)
		}
	}
	if diff := cmp.Diff(shown, stored); diff != "" {
		t.Errorf("lines (-dry run +stored):\n%s", diff)
	}
	x.awaitSamples(t, `sum_over_time(shop_lines{cluster="eu-1"}[10m])`, map[string]string{"prod": "4"}, "namespace")
	x.checkSteps(t)
}

func checkShopLines(t *testing.T, got []line) {
	t.Helper()
	want := []string{`{"order":7,"user":"[redacted:email]"}`, `no JSON, from [redacted:email]`, `{"status":"ok"}`}
	for i, body := range want {
		if got[i].Body != body {
			t.Errorf("record %d: got %q, want %q", i, got[i].Body, body)
		}
	}
	for i, c := range []struct{ label, value string }{{"team", "payments"}, {"_pipeline_error", "parse: "}, {"status", "ok"}} {
		if !strings.HasPrefix(got[i].Labels[c.label], c.value) {
			t.Errorf("record %d: got %v, want %s to begin with %q", i, got[i].Labels, c.label, c.value)
		}
	}
	if got[0].Labels["user"] != "[redacted:email]" || got[0].Labels["order"] != "7" {
		t.Errorf("record 0: got %v, want what was parsed after what was masked", got[0].Labels)
	}
}

// checkSteps reads the counters of the steps.
func (x *account) checkSteps(t *testing.T) {
	t.Helper()
	type step struct {
		Step                     string
		Changed, Dropped, Errors int
	}
	want := map[string]step{"quiet": {"quiet", 0, 1, 0}, "mask": {"mask", 2, 0, 0}, "payments": {"payments", 1, 0, 0}, "parse": {"parse", 2, 0, 1}}
	testkit.Eventually(t, within, func() error {
		answer := x.Do(t, x.Admin, http.MethodGet, "/api/v1/pipelines/stats", nil, "")
		var stats struct{ Steps []step }
		if err := json.Unmarshal([]byte(answer.Body), &stats); err != nil {
			return err
		}
		got := map[string]step{}
		for _, s := range stats.Steps {
			if _, ok := want[s.Step]; ok {
				got[s.Step] = s
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("counters of steps (-want +got):\n%s", diff)
		}
		return nil
	})
}

// TestPipelineOfEveryProtocol changes a line whatever it came in, and ends with the pipeline.
func TestPipelineOfEveryProtocol(t *testing.T) {
	x := newAccount(t, "every-protocol")
	x.usePipelines(t, `[{"name":"p","enabled":true,"steps":[{"name":"mark","kind":"transform","match":["HasPrefix(log.body, \"by \")"],`+
		`"statements":["set(log.body, Concat([log.body, \"changed\"], \" \"))"]}]}]`)
	want := map[string]int{}
	for _, p := range timedLogs(t, now().Add(-time.Minute)) {
		x.push(t, p, nil)
		want["by "+p.name+" changed"] = 1
	}
	if err := exportLogs(t.Context(), t, x.App.HTTPAddr(), x.Ingest, logRecord("shop", now(), "by grpc")); err != nil {
		t.Fatal(err)
	}
	want["by grpc changed"] = 1
	if diff := cmp.Diff(want, x.counts(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	x.usePipelines(t, `[]`)
	x.pushLines(t, "shop", http.StatusNoContent, "by nobody")
	want["by nobody"] = 1
	if diff := cmp.Diff(want, x.counts(t)); diff != "" {
		t.Errorf("lines after the pipelines were emptied (-want +got):\n%s", diff)
	}
}
