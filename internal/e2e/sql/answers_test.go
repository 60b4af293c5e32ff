package sql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const formatted = "SELECT pod, count() AS n, max(timestamp) AS last, [1.5, 2] AS list, NULL AS none FROM logs WHERE labels['app'] != '' GROUP BY pod ORDER BY pod"

// testFormats reads an answer in each format; what Go reads nothing of, the engine does.
func (w *world) testFormats(t *testing.T) {
	last := w.start.Add((lines - 2) * time.Second).Format("2006-01-02T15:04:05.000000000Z")
	t.Run("json", func(t *testing.T) {
		answer := w.ask(t, w.Account, "/api/v1/sql", map[string]any{"query": formatted})
		var got struct {
			Meta []struct{ Name, Type string }
			Data []struct {
				Pod, Last string
				N         int
				List      []float64
				None      any
			}
			Rows       int
			Statistics struct {
				RowsRead int `json:"rows_read"`
			}
		}
		if err := json.Unmarshal(answer.Body, &got); err != nil || answer.Status != http.StatusOK {
			t.Fatalf("%d %s: %v", answer.Status, answer.Body, err)
		}
		if kind := answer.Header.Get("Content-Type"); kind != "application/json" || got.Rows != 4 || len(got.Data) != 4 || got.Statistics.RowsRead < lines {
			t.Errorf("got %s %+v", kind, got)
		}
		if r := got.Data[0]; r.Pod != "api-0" || r.N != 250 || r.Last != last || len(r.List) != 2 || r.None != nil || got.Meta[1].Type != "UInt64" {
			t.Errorf("got %+v %+v, want the last line at %s", r, got.Meta, last)
		}
	})
	for _, accept := range []string{"application/x-ndjson", "text/csv;q=0.9, */*"} {
		t.Run(accept, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/api/v1/sql", strings.NewReader(fmt.Sprintf(`{"query":%q}`, formatted)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", accept)
			r.Header.Set("Authorization", "Bearer "+w.Query)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			text, _ := io.ReadAll(resp.Body)
			media, _, _ := strings.Cut(accept, ";")
			if !strings.HasPrefix(resp.Header.Get("Content-Type"), media) || strings.Count(string(text), "\n") < 4 || !strings.Contains(string(text), last) {
				t.Errorf("got %s %s", resp.Header.Get("Content-Type"), text)
			}
		})
	}
	for format, engineName := range map[string]string{"arrow": "ArrowStream", "parquet": "Parquet"} {
		t.Run(format, func(t *testing.T) {
			answer := w.ask(t, w.Account, "/api/v1/sql", map[string]any{"query": strings.Replace(formatted, ", NULL AS none", "", 1), "format": format})
			if answer.Status != http.StatusOK || !strings.Contains(answer.Header.Get("Content-Type"), format) {
				t.Fatalf("%d %s", answer.Status, answer.Body)
			}
			rows := w.readBack(t, engineName, answer.Body)
			if want := "api-0\t250\t" + strings.NewReplacer("T", " ", "Z", "").Replace(last) + "\t[1.5,2]"; !strings.HasPrefix(rows, want) || strings.Count(rows, "\n") != 4 {
				t.Errorf("got %s, want it to begin with %s", rows, want)
			}
		})
	}
}

// readBack has the engine read a file of a format.
func (w *world) readBack(t *testing.T, format string, file []byte) string {
	t.Helper()
	table := "readback_" + strings.ToLower(format)
	w.admin(t, "CREATE DATABASE IF NOT EXISTS readback", nil)
	w.admin(t, "CREATE OR REPLACE TABLE readback."+table+" (pod String, n UInt64, last DateTime64(9, 'UTC'), list Array(Float64)) ENGINE = Memory", nil)
	w.admin(t, "INSERT INTO readback."+table+" FORMAT "+format, file)
	return w.admin(t, "SELECT * FROM readback."+table+" ORDER BY pod FORMAT TSV", nil)
}

// admin runs a statement as the engine's administrator.
func (w *world) admin(t *testing.T, sql string, body []byte) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.engine.HTTP+"/?query="+url.QueryEscape(sql), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-ClickHouse-User", "seamark")
	r.Header.Set("X-ClickHouse-Key", w.engine.Password)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", sql, resp.StatusCode, text, err)
	}
	return string(text)
}

func (w *world) testParameters(t *testing.T) {
	hostile := "it's \\ a\ttab\nand {x:String} '); DROP"
	for _, c := range []struct {
		sql        string
		parameters map[string]any
		want       string
	}{
		{"SELECT count() FROM logs WHERE namespace = {ns:String}", map[string]any{"ns": "bank"}, "250"},
		{"SELECT count() FROM logs WHERE pod IN {pods:Array(String)}", map[string]any{"pods": []string{"web-0", "db-0", hostile}}, "500"},
		{"SELECT {n:UInt8} + {n:UInt8}, {f:Float64}, {b:Bool}", map[string]any{"n": 3, "f": 1.5, "b": true}, "6,1.5,true"},
		{"SELECT {s:String} = {list:Array(String)}[1]", map[string]any{"s": hostile, "list": []string{hostile}}, "1"},
		{"SELECT length({s:String})", map[string]any{"s": hostile}, fmt.Sprint(len(hostile))},
		{"SELECT {n:Nullable(String)} IS NULL", map[string]any{"n": nil}, "1"},
		{"SELECT {m:Map(String, UInt8)}['a']", map[string]any{"m": map[string]int{"a": 7}}, "7"},
		{"SELECT {big:UInt64}", map[string]any{"big": uint64(18446744073709551615)}, "18446744073709551615"},
		{"SELECT toDate({day:Date}) + {n:Int8}", map[string]any{"day": "2026-11-21", "n": -1}, `"2026-11-20"`},
		{"SELECT count() FROM logs WHERE level = 'error' LIMIT {n:UInt8}", map[string]any{"n": 1}, "100"},
	} {
		if status, got := w.csv(t, w.Account, c.sql, c.parameters); status != http.StatusOK || got != c.want {
			t.Errorf("%s: got %d %s, want %s", c.sql, status, got, c.want)
		}
	}
}

// testFaults shows what people read when they have made a mistake.
func (w *world) testFaults(t *testing.T) {
	for _, c := range []struct {
		sql        string
		parameters map[string]any
		status     int
		id, detail string
	}{
		{"SELECT bdy FROM logs", nil, 400, "seamark-sql-invalid", "Line 1, column 8: "},
		{"SELECT\n toUInt8(body, 1, 2, 3) FROM logs", nil, 400, "seamark-sql-invalid", "toUInt8"},
		{"SELECT body + 1 FROM logs", nil, 400, "seamark-sql-invalid", "Illegal types"},
		{"SELECT body, count() FROM logs", nil, 400, "seamark-sql-invalid", "aggregate"},
		{"SELECT toUInt8(body) FROM logs", nil, 400, "seamark-sql-invalid", "Cannot parse"},
		{"SELECT body FROM log", nil, 400, "seamark-sql-refused", `"log" is not a view`},
		{"SELECT body FROM logs WHERE", nil, 400, "seamark-sql-syntax", "Line 1, column 28: "},
		{"SELECT {x:UInt8}", nil, 400, "seamark-sql-parameter", "has no value"},
		{"SELECT 1", map[string]any{"x": 1}, 400, "seamark-sql-parameter", "no parameter x"},
		{"SELECT {x:UInt8}", map[string]any{"x": "y"}, 400, "seamark-sql-invalid", ""},
		{"SELECT 1 UNION ALL SELECT 1, 2", nil, 400, "seamark-sql-invalid", ""},
		{" ", nil, 400, "seamark-sql-syntax", "empty"},
	} {
		answer := w.ask(t, w.Account, "/api/v1/sql", map[string]any{"query": c.sql, "parameters": c.parameters})
		var problem struct{ ID, Detail string }
		if err := json.Unmarshal(answer.Body, &problem); err != nil {
			t.Fatalf("%s: %s", c.sql, answer.Body)
		}
		if answer.Status != c.status || problem.ID != c.id || !strings.Contains(problem.Detail, c.detail) {
			t.Errorf("%s: got %d %s, want %d %s %q", c.sql, answer.Status, answer.Body, c.status, c.id, c.detail)
		}
		for _, ours := range []string{w.Database(), "series AS", "DB::", "version 2", "FROM {"} {
			if strings.Contains(problem.Detail, ours) {
				t.Errorf("%s: the message tells of our side: %s", c.sql, problem.Detail)
			}
		}
	}
	if answer := w.ask(t, w.Account, "/api/v1/sql", map[string]any{"query": "SELECT 1", "format": "xml"}); answer.Status != http.StatusBadRequest {
		t.Errorf("format xml: got %d", answer.Status)
	}
}

func (w *world) testSchema(t *testing.T) {
	var schema struct {
		Views []struct {
			Name     string
			Columns  []struct{ Name, Type, Comment string }
			Examples []string
		}
	}
	if err := harness.Get(t.Context(), w.URL+"/api/v1/sql/schema", w.Query, &schema); err != nil || len(schema.Views) != 7 {
		t.Fatalf("%+v, %v", schema, err)
	}
	for _, v := range schema.Views {
		for _, sql := range v.Examples {
			parameters := map[string]any{}
			if strings.Contains(sql, "{ns:") {
				parameters["ns"] = "shop"
			}
			if status, got := w.csv(t, w.Account, sql, parameters); status != http.StatusOK {
				t.Errorf("the example %s: %d %s", sql, status, got)
			}
		}
		for _, c := range v.Columns {
			if c.Type == "" || c.Comment == "" {
				t.Errorf("%s.%s has no type or comment", v.Name, c.Name)
			}
		}
		if status, got := w.csv(t, w.other, "SELECT * FROM "+v.Name, nil); status != http.StatusOK {
			t.Errorf("%s of a tenant that has little: %d %s", v.Name, status, got)
		}
		if file := docsOf(t); !strings.Contains(file, "### "+v.Name+"\n") {
			t.Errorf("docs/sql.md does not describe %s", v.Name)
		} else {
			for _, c := range v.Columns {
				if !strings.Contains(file, "| `"+c.Name+"` | "+c.Type+" | "+c.Comment+" |") {
					t.Errorf("docs/sql.md does not describe %s.%s", v.Name, c.Name)
				}
			}
		}
	}
}

func docsOf(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sql.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *world) testExplain(t *testing.T) {
	answer := w.ask(t, w.Account, "/api/v1/sql/explain", map[string]any{"query": "SELECT pod, count() FROM logs WHERE timestamp > {t:DateTime} GROUP BY pod", "parameters": map[string]any{"t": w.start.Format(time.DateTime)}})
	var plan struct {
		Rows, Marks, Parts, Bytes uint64
		Tables                    []struct{ Table string }
		Plan                      string
	}
	if err := json.Unmarshal(answer.Body, &plan); err != nil || plan.Rows < lines || plan.Bytes == 0 || len(plan.Tables) != 2 || !strings.Contains(plan.Plan, "Indexes") || strings.Contains(plan.Plan, w.Database()) {
		t.Errorf("got %d %s, %v", answer.Status, answer.Body, err)
	}
}

// endless runs for as long as it is let.
const endless = "SELECT sum(cityHash64(a, b, c)) FROM (SELECT arrayJoin(range(20000)) AS a) CROSS JOIN (SELECT arrayJoin(range(20000)) AS b) CROSS JOIN (SELECT arrayJoin(range(20000)) AS c)"

func (w *world) testLimits(t *testing.T) {
	rows := "SELECT arrayJoin(range(300)) AS n FROM logs WHERE labels['app'] != ''"
	answer := w.ask(t, w.Account, "/api/v1/sql", map[string]any{"query": rows})
	if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(string(answer.Body), "seamark-sql-result-rows") {
		t.Errorf("rows: got %d %.300s", answer.Status, answer.Body)
	}
	// A long answer that fails in its middle: NDJSON says so in its last line, and of the others the connection is cut.
	broken := "SELECT throwIf(n = 150000, 'at {x}') AS t, n, repeat('x', 150) AS s FROM (SELECT arrayJoin(range(160000)) AS n)"
	answer = w.ask(t, w.Account, "/api/v1/sql", map[string]any{"query": broken, "format": "ndjson"})
	text := string(answer.Body)
	last := text[strings.LastIndexByte(strings.TrimSpace(text), '\n')+1:]
	if answer.Status == http.StatusOK && (!strings.HasPrefix(last, `{"error":{"id":"seamark-sql-invalid"`) || strings.Contains(text, "DB::")) {
		t.Errorf("the last line is %.300s", last)
	}
	if answer.Status == http.StatusOK && len(text) < 1<<20 {
		t.Errorf("only %d bytes came before the error", len(text))
	}
	body, _ := json.Marshal(map[string]any{"query": broken, "format": "csv"})
	cut, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/api/v1/sql", Token: w.Query, Type: jsonMedia, Body: body})
	if err == nil && cut.Status == http.StatusOK {
		t.Errorf("CSV: got a whole answer of %d bytes, want one that is cut", len(cut.Body))
	}
	long := "SELECT repeat('x', 1000) AS s FROM (SELECT arrayJoin(range(50000)))"
	body, _ = json.Marshal(map[string]any{"query": long, "format": "csv"})
	cut, err = harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/api/v1/sql", Token: w.Query, Type: jsonMedia, Body: body})
	if err == nil && cut.Status == http.StatusOK {
		t.Errorf("bytes: got a whole answer of %d bytes, want one that is cut", len(cut.Body))
	}
}

// testCancel leaves while a query runs, and sees it end in the engine.
func (w *world) testCancel(t *testing.T) {
	running := func() string {
		return strings.TrimSpace(w.admin(t, "SELECT count() FROM system.processes WHERE user = '"+w.Database()+"' AND query LIKE '%cityHash64%'", nil))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		body, _ := json.Marshal(map[string]any{"query": endless})
		_, _ = harness.Do(ctx, http.DefaultClient, &harness.Request{URL: w.URL + "/api/v1/sql", Token: w.Query, Type: jsonMedia, Body: body})
	}()
	await := func(want string) {
		t.Helper()
		testkit.Eventually(t, within, func() error {
			if n := running(); n != want {
				return fmt.Errorf("%s queries run, want %s", n, want)
			}
			return nil
		})
	}
	await("1")
	began := time.Now()
	cancel()
	<-ended
	await("0")
	if took := time.Since(began); took > 15*time.Second { // its own limit is 20 s
		t.Errorf("the query ended after %s", took)
	}
}
