package logexport_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const lines = 200_000

// record is a line of a file, its labels and metadata as JSON.
type record struct{ time, line, labels, metadata string }

func encoded(labels map[string]string) string {
	if len(labels) == 0 {
		return "{}"
	}
	b, _ := json.Marshal(labels)
	return string(b)
}

// corpus makes lines of 20 streams over 20 minutes, a tenth of them in one nanosecond, with texts that formats must escape.
func (w *world) corpus() []pushed {
	list := make([]pushed, lines)
	for i := range list {
		l := &list[i]
		l.nanos = w.start.Add(time.Duration(i*7919%1_200_000) * time.Millisecond).UnixNano()
		if i%10 == 0 {
			l.nanos = w.start.Add(10 * time.Minute).UnixNano()
		}
		l.labels = map[string]string{"app": fmt.Sprint("app-", i%5), "namespace": "shop", "pod": fmt.Sprint("pod-", i%20)}
		l.line = fmt.Sprintf(`{"n":%d,"status":%d,"text":"a, \"quoted\"	word, ünï"}`+"\n%s", i, 200+i%4*100, strings.Repeat("x", i%50))
		if i%3 == 0 {
			l.metadata = map[string]string{"request": strconv.Itoa(i), "said": `"yes", no`}
		}
	}
	return list
}

func expected(list []pushed) []record {
	records := make([]record, len(list))
	for i, l := range list {
		labels := map[string]string{"cluster": slug, "service_name": l.labels["app"]} // which ingest adds
		for k, v := range l.labels {
			labels[k] = v
		}
		records[i] = record{time.Unix(0, l.nanos).UTC().Format("2006-01-02T15:04:05.000000000Z"), l.line, encoded(labels), encoded(l.metadata)}
	}
	return sorted(records)
}

func sorted(list []record) []record {
	slices.SortFunc(list, func(a, b record) int { return cmp.Or(strings.Compare(a.time, b.time), strings.Compare(a.line, b.line)) })
	return list
}

// TestExportEqualsPush pushes lines and downloads them in each format.
func TestExportEqualsPush(t *testing.T) {
	w := newWorld(t)
	list := w.corpus()
	w.push(t, list)
	want := expected(list)
	ch := harness.StartEngine(t, t.TempDir())
	for format, parse := range map[string]func([]byte) ([]record, error){
		"ndjson": parseJSON, "csv": parseCSV, "parquet": func(file []byte) ([]record, error) { return parseParquet(t, ch, file) },
	} {
		t.Run(format, func(t *testing.T) {
			began := time.Now()
			resp, file := w.download(t, "format", format)
			t.Logf("%d bytes in %s", len(file), time.Since(began).Round(time.Millisecond))
			for name, value := range map[string]string{"X-Seamark-Rows": strconv.Itoa(lines), "X-Seamark-Error": ""} {
				if got := resp.Trailer.Get(name); got != value {
					t.Errorf("trailer %s: got %q, want %q", name, got, value)
				}
			}
			if got := resp.Header.Get("X-Seamark-Rows-Estimate"); got != strconv.Itoa(lines) {
				t.Errorf("estimate: got %s, want %d", got, lines)
			}
			if got := resp.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="logs-`) || !strings.HasSuffix(got, "."+format+`"`) {
				t.Errorf("Content-Disposition: got %s", got)
			}
			got, err := parse(file)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSortedFunc(got, func(a, b record) int { return strings.Compare(a.time, b.time) }) {
				t.Error("lines are not in the order of their times")
			}
			got = sorted(got)
			if len(got) != len(want) {
				t.Fatalf("got %d lines, want %d", len(got), len(want))
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("line %d: got %+v, want %+v", i, got[i], want[i])
				}
			}
		})
	}
	t.Run("places", w.testPlaces)
}

// download exports all lines, compressed where the format is.
func (w *world) download(t *testing.T, pairs ...string) (*http.Response, []byte) {
	t.Helper()
	resp := w.open(t, pairs...)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("export %v: %d %s", pairs, resp.StatusCode, text)
	}
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	file, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("export %v: %v", pairs, err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil { // trailers come behind the body
		t.Fatal(err)
	}
	return resp, file
}

// open begins an export of all lines.
func (w *world) open(t *testing.T, pairs ...string) *http.Response {
	t.Helper()
	pairs = append(pairs, "query", `{app=~".+"} | drop detected_level`, "start", nanos(w.start.Add(-time.Minute)), "end", nanos(w.start.Add(time.Hour)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.address("/api/v1/logs/export", pairs...), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.Query)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// testPlaces opens as many exports as a tenant may run, without reading them: the next is refused until one of their readers
// goes away.
func (w *world) testPlaces(t *testing.T) {
	first, second := w.open(t, "format", "csv"), w.open(t, "format", "ndjson")
	defer func() { _ = second.Body.Close() }()
	third := w.open(t)
	text, _ := io.ReadAll(third.Body)
	_ = third.Body.Close()
	if third.StatusCode != http.StatusTooManyRequests || !strings.Contains(string(text), "seamark-export-concurrency") {
		t.Errorf("a third export: got %d %s, want 429", third.StatusCode, text)
	}
	_ = first.Body.Close()
	testkit.Eventually(t, within, func() error {
		again := w.open(t, "limit", "1")
		defer func() { _ = again.Body.Close() }()
		if again.StatusCode != http.StatusOK {
			return fmt.Errorf("after a reader went away: got %d, want 200", again.StatusCode)
		}
		return nil
	})
}

func parseJSON(file []byte) ([]record, error) {
	var list []record
	for text := range bytes.Lines(file) {
		var l struct {
			Time, Line       string
			Labels, Metadata map[string]string
			Parsed, Error    json.RawMessage
		}
		if err := json.Unmarshal(text, &l); err != nil || l.Parsed != nil || l.Error != nil {
			return nil, fmt.Errorf("%w: %s", err, text)
		}
		list = append(list, record{l.Time, l.Line, encoded(l.Labels), encoded(l.Metadata)})
	}
	return list, nil
}

func parseCSV(file []byte) ([]record, error) {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		return nil, err
	}
	if got := strings.Join(rows[0], ","); got != "time,line,labels,metadata,parsed" {
		return nil, fmt.Errorf("the header is %s", got)
	}
	var list []record
	for _, r := range rows[1:] {
		labels, metadata := map[string]string{}, map[string]string{}
		if err := json.Unmarshal([]byte(r[2]), &labels); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(r[3]), &metadata); err != nil {
			return nil, err
		}
		list = append(list, record{r[0], r[1], encoded(labels), encoded(metadata)})
	}
	return list, nil
}

// parseParquet loads a file into a table of its own and reads it from there, in the file's order.
func parseParquet(t *testing.T, ch *harness.Engine, file []byte) ([]record, error) {
	t.Helper()
	ask := func(query string, body []byte) ([]byte, error) {
		address := "http://" + ch.HTTP + "/?" + url.Values{"user": {engine.AdminUser}, "password": {ch.Password}, "query": {query}}.Encode()
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: address, Body: body})
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
		if err != nil {
			return nil, err
		}
		return a.Body, nil
	}
	for _, step := range []struct {
		query string
		body  []byte
	}{
		{"CREATE DATABASE files", nil},
		{"CREATE TABLE files.lines (time DateTime64(9, 'UTC'), line String, labels String, metadata String, parsed String) ENGINE = Memory", nil},
		{"INSERT INTO files.lines SETTINGS max_insert_threads = 1, input_format_parquet_preserve_order = 1 FORMAT Parquet", file},
	} {
		if _, err := ask(step.query, step.body); err != nil {
			return nil, err
		}
	}
	rows, err := ask("SELECT concat(replaceOne(toString(time), ' ', 'T'), 'Z'), line, labels, metadata, parsed FROM files.lines SETTINGS max_threads = 1 FORMAT CSVWithNames", nil)
	if err != nil {
		return nil, err
	}
	_, data, _ := bytes.Cut(rows, []byte("\n"))
	return parseCSV(append([]byte("time,line,labels,metadata,parsed\n"), data...))
}
