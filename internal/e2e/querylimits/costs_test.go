package querylimits_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// cost is what queries have read.
type cost struct{ rows, bytes uint64 }

func (c *cost) add(rows, bytes uint64) { c.rows, c.bytes = c.rows+rows, c.bytes+bytes }

// near reports that both are the same within a hundredth.
func (c cost) near(of cost) bool {
	off := func(a, b uint64) float64 { return math.Abs(float64(a)-float64(b)) / max(float64(b), 1) }
	return off(c.rows, of.rows) <= 0.01 && off(c.bytes, of.bytes) <= 0.01
}

// costOf reads the header of what a query has cost, or the trailer of the same name.
func costOf(t *testing.T, got harness.Answer) map[string]uint64 {
	t.Helper()
	parts := map[string]uint64{}
	for part := range strings.SplitSeq(got.Header.Get("Seamark-Query-Cost"), ";") {
		name, value, _ := strings.Cut(part, "=")
		var n uint64
		if _, err := fmt.Sscan(value, &n); err != nil {
			t.Fatalf("the header Seamark-Query-Cost is %q of %d %.300s", got.Header.Get("Seamark-Query-Cost"), got.Status, got.Body)
		}
		parts[name] = n
	}
	return parts
}

// TestCostsAreWhatClickHouseCounts asks in all languages, in the background too, for short answers and for long ones, with success and
// without, and adds up what each answer says of its cost. The sums are the tenant's usage, and that is what ClickHouse has counted for the
// quota of the tenant's user.
func TestCostsAreWhatClickHouseCounts(t *testing.T) {
	f := newFleet(t, 1)
	f.fill()
	f.settled(t)
	before := f.usage()
	var sqlCPU uint64
	told, cached := map[string]*cost{"promql": {}, "logql": {}, "events": {}, "audit": {}, "sql": {}}, map[string]uint64{}
	for language, list := range f.questions() {
		for _, q := range list {
			got := f.ask(0, q)
			if got.Status == 0 || got.Status >= http.StatusInternalServerError {
				t.Errorf("%s: %d %.300s", q.path, got.Status, got.Body)
			}
			c := costOf(t, got)
			told[language].add(c["rows"], c["bytes"])
			cached[language] += c["cache_bytes"]
			checkStats(t, q, got, c)
			if language == "sql" {
				sqlCPU += c["cpu_ms"]
			}
		}
	}
	if sqlCPU == 0 { // of a short statement alone the estimate may be none
		t.Error("statements of SQL took no time of a processor")
	}
	for language, q := range map[string]*request{"logql": f.logs("web", `|~ "7$"`, old), "sql": f.sql("SELECT count() FROM logs WHERE body LIKE '%7'", "csv")} {
		rows, bytes := f.inBackground(t, q)
		told[language].add(rows, bytes)
	}
	if cached["promql"] == 0 || cached["logql"] == 0 || cached["sql"] != 0 {
		t.Errorf("memory has answered %v, want some of metrics and logs, and nothing of SQL", cached)
	}
	testkit.Eventually(t, within, func() error {
		after := f.usage()
		for language, sum := range told {
			metered := cost{after[language].rows - before[language].rows, after[language].bytes - before[language].bytes}
			if !sum.near(metered) || metered.rows == 0 {
				return fmt.Errorf("%s: answers say %+v, the usage is %+v", language, *sum, metered)
			}
		}
		return nil
	})
	f.settled(t)
	for language, sum := range told {
		t.Logf("%s: answers say %+v", language, *sum)
	}
}

// checkStats wants the statistics of an answer to tell what its header does.
func checkStats(t *testing.T, q *request, got harness.Answer, header map[string]uint64) {
	t.Helper()
	if got.Status != http.StatusOK || !strings.HasPrefix(q.path, "/loki/api/v1/query") && !strings.HasPrefix(q.path, "/prometheus/api/v1/query") {
		return
	}
	var answer struct {
		Data struct {
			Stats struct {
				Cost    map[string]uint64
				Summary struct{ TotalBytesProcessed, TotalLinesProcessed uint64 }
			}
		}
	}
	if err := json.Unmarshal(got.Body, &answer); err != nil {
		t.Fatalf("%s: %v", q.path, err)
	}
	stats := answer.Data.Stats
	if !maps.Equal(stats.Cost, header) {
		t.Errorf("%s: the statistics say %v, the header %v", q.path, stats.Cost, header)
	}
	if s := stats.Summary; strings.HasPrefix(q.path, "/loki") && (s.TotalBytesProcessed != header["bytes"] || s.TotalLinesProcessed != header["rows"]) {
		t.Errorf("%s: the summary says %+v, the header %v", q.path, s, header)
	}
}

// settled waits until the usage of the tenant is what ClickHouse has counted.
func (f *fleet) settled(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		var all cost
		for _, c := range f.usage() {
			all.add(c.rows, c.bytes)
		}
		counted := f.counted()
		if !all.near(counted) {
			return fmt.Errorf("the usage is %+v, ClickHouse has counted %+v", all, counted)
		}
		t.Logf("the usage is %+v, ClickHouse has counted %+v", all, counted)
		var members struct {
			Items []struct{ Rows, Bytes uint64 }
		}
		f.must(&members, 0, &request{path: "/api/v1/usage/queries?group_by=member", token: f.admin})
		var by cost
		for _, m := range members.Items {
			by.add(m.Rows, m.Bytes)
		}
		platform := f.usage()["platform"]
		if by.add(platform.rows, platform.bytes); !by.near(all) {
			return fmt.Errorf("by member it is %+v, all in all %+v", by, all)
		}
		return nil
	})
}

// usage returns what the tenant is told that its queries have read, by language.
func (f *fleet) usage() map[string]cost {
	f.t.Helper()
	var answer struct {
		Items []struct {
			Source    string
			ReadRows  uint64 `json:"read_rows"`
			ReadBytes uint64 `json:"read_bytes"`
		}
	}
	f.must(&answer, 0, &request{path: "/api/v1/usage?group_by=source", token: f.admin})
	by := map[string]cost{}
	for _, item := range answer.Items {
		by[item.Source] = cost{item.ReadRows, item.ReadBytes}
	}
	return by
}

// counted returns what ClickHouse has counted for the tenant's user, whatever the key.
func (f *fleet) counted() (c cost) {
	f.t.Helper()
	address := "http://" + f.engine.HTTP + "/?" + url.Values{"user": {engine.AdminUser}, "password": {f.engine.Password}}.Encode()
	resp, err := http.Post(address, "text/plain", strings.NewReader(
		"SELECT sum(read_rows), sum(read_bytes) FROM system.quotas_usage WHERE startsWith(quota_key, '"+f.Database()+"') AND duration = 86400"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &c.rows, &c.bytes); err != nil {
		f.t.Fatalf("%s: %v", text, err)
	}
	return c
}

// inBackground sends a query to the background and returns what its job has read.
func (f *fleet) inBackground(t *testing.T, q *request) (rows, bytes uint64) {
	t.Helper()
	q.prefer = "respond-async"
	got := f.ask(0, q)
	if got.Status != http.StatusAccepted {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	var job struct {
		State       string
		Rows, Bytes uint64
	}
	testkit.Eventually(t, within, func() error {
		answer := f.ask(0, &request{path: got.Header.Get("Location"), token: f.Query})
		if err := json.Unmarshal(answer.Body, &job); err != nil || job.State != "done" {
			return fmt.Errorf("the job is %d %s", answer.Status, answer.Body)
		}
		return nil
	})
	return job.Rows, job.Bytes
}

// fill pushes some of every signal.
func (f *fleet) fill() {
	f.lines(f.Account, "web", 30_000, old)
	var b strings.Builder
	begin := time.Now().Add(-old)
	for i := range 20_000 {
		_, _ = fmt.Fprintf(&b, "probe,pod=p%d value=%d %d\n", i%50, i, begin.Add(old*time.Duration(i)/20_000).Unix())
	}
	f.push(f.Account, "/api/v2/write?precision=s", "text/plain", b.String())
	at := begin.Format(time.RFC3339Nano)
	var events, records []string
	for i := range 200 {
		events = append(events, fmt.Sprintf(`{"metadata":{"uid":"00000000-0000-0000-0000-%012d","name":"e%d"},"involvedObject":{"kind":"Pod","name":"web-%d","namespace":"shop"},
			"reason":"BackOff","message":"it is back off","type":"Warning","count":3,"firstTimestamp":%q,"lastTimestamp":%q,"source":{"component":"kubelet","host":"n1"}}`,
			i, i, i%7, begin.Format(time.RFC3339), begin.Add(time.Minute).Format(time.RFC3339)))
		records = append(records, fmt.Sprintf(`{"kind":"Event","level":"Metadata","auditID":"a-%d","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods","verb":"list",
			"user":{"username":"user %d"},"sourceIPs":["10.0.0.1"],"objectRef":{"resource":"pods","namespace":"shop"},"responseStatus":{"code":200},
			"requestReceivedTimestamp":%q,"stageTimestamp":%q}`, i, i%5, at, at))
	}
	f.push(f.Account, "/api/v1/push/events", "application/json", `{"kind":"List","apiVersion":"v1","items":[`+strings.Join(events, ",")+`]}`)
	f.push(f.Account, "/api/v1/push/audit", "application/json", `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`+strings.Join(records, ",")+`]}`)
	for table, want := range map[string]int{"metrics": 20_000, "events": 200, "audit": 200} {
		testkit.Eventually(f.t, within, func() error {
			if got := f.ask(0, f.sql("SELECT count() FROM "+table, "csv")); !strings.HasSuffix(strings.TrimSpace(string(got.Body)), fmt.Sprintf("\n%d", want)) {
				return fmt.Errorf("%s: %d %s, want %d", table, got.Status, got.Body, want)
			}
			return nil
		})
	}
}

// questions are queries of all languages.
func (f *fleet) questions() map[string][]*request {
	now := time.Now()
	get := func(path string, more url.Values) *request {
		more.Set("start", now.Add(-old).Format(time.RFC3339))
		more.Set("end", now.Format(time.RFC3339))
		return &request{path: path + "?" + more.Encode(), token: f.Query}
	}
	all := map[string][]*request{
		"events": {get("/api/v1/events", url.Values{}), get("/api/v1/events", url.Values{"q": {"back"}})},
		"audit":  {get("/api/v1/audit", url.Values{}), get("/api/v1/audit", url.Values{"user": {"user 1"}})},
	}
	for _, query := range []string{"probe", "sum(rate(probe[5m]))", "max by (pod) (probe)", "probe offset 1h", "sum(", "count_over_time(probe[1h])"} {
		all["promql"] = append(all["promql"], get("/prometheus/api/v1/query_range", url.Values{"query": {query}, "step": {"30"}, "stats": {"all"}}),
			get("/prometheus/api/v1/query", url.Values{"query": {query}, "stats": {"true"}}))
	}
	all["promql"] = append(all["promql"], get("/prometheus/api/v1/series", url.Values{"match[]": {"probe"}}), get("/prometheus/api/v1/labels", url.Values{}))
	for _, query := range []string{`{app="web"}`, `{app="web"} |~ "7$"`, `{app="web"} |= "no such text"`, `sum(rate({app="web"} |= "77" [1m]))`, `{app="web"`, `{app="web"} | pattern "line <n> of <_>" | n > 29000`} {
		all["logql"] = append(all["logql"], get("/loki/api/v1/query_range", url.Values{"query": {query}, "step": {"60"}, "limit": {"1000"}}))
	}
	for _, path := range []string{"/loki/api/v1/index/volume", "/loki/api/v1/index/stats", "/loki/api/v1/detected_fields", "/loki/api/v1/patterns", "/api/v1/logs/export"} {
		all["logql"] = append(all["logql"], get(path, url.Values{"query": {`{app="web"}`}}))
	}
	for _, format := range []string{"json", "ndjson", "csv", "arrow", "parquet"} {
		all["sql"] = append(all["sql"], f.sql("SELECT timestamp, pod, body, repeat(body, 8) FROM logs", format), f.sql("SELECT count() FROM logs WHERE body LIKE '%77%'", format),
			f.sql("SELECT body FROM logs LIMIT 5", format))
	}
	all["sql"] = append(all["sql"], f.sql("SELECT throwIf(body LIKE '%29999%') FROM logs", "json"), f.sql("SELECT nothing FROM logs", "json"))
	return all
}
