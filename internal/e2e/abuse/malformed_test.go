package abuse

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// TestCorpusIsTaken keeps the other tests honest: what they damage is valid before.
func TestCorpusIsTaken(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	for _, p := range corpus(t) {
		answer, err := g.push(p.route, p.encoding, p.body)
		if err != nil || answer.Status/100 != 2 {
			t.Errorf("%s: %+v %v", p.name, answer, err)
		}
	}
}

// fault is one way to spoil a request.
type fault struct {
	name   string
	change func(p *payload, r *harness.Request)
	status int
	says   []string // with | between words of which one is enough
	// own faults are told by the protocols that are defined here; other products' take what theirs take.
	own bool
}

func (g *target) faults() []fault {
	oversize, inflated := make([]byte, 9<<20), zip(make([]byte, 40<<20))
	return []fault{
		{"no token", func(_ *payload, r *harness.Request) { r.Token = "" }, 401, []string{"credential", "token"}, false},
		{"odd token", func(_ *payload, r *harness.Request) { r.Token = "smk_ingest_x_y" }, 401, []string{"token"}, false},
		{"query token", func(_ *payload, r *harness.Request) { r.Token = g.account.Query }, 403, []string{"query"}, false},
		{"media type", func(_ *payload, r *harness.Request) { r.Type = "text/xml" }, 415, []string{"text/xml"}, true},
		{"encoding", func(_ *payload, r *harness.Request) { r.Encoding = "br" }, 415, []string{`br`, "gzip"}, false},
		{"oversize", func(_ *payload, r *harness.Request) { r.Encoding, r.Body = "", oversize }, 413, []string{"8388608", "--ingest.max-body-bytes"}, false},
		{"inflated oversize", func(_ *payload, r *harness.Request) { r.Encoding, r.Body = "gzip", inflated }, 413, []string{"33554432"}, false},
		{"cut gzip", func(p *payload, r *harness.Request) {
			whole := zip(bytes.Repeat(p.body, 20))
			r.Encoding, r.Body = "gzip", whole[:len(whole)/2]
		}, 400, []string{"gzip"}, false},
		{"not gzip", func(_ *payload, r *harness.Request) { r.Encoding = "gzip" }, 400, []string{"gzip", "Content-Encoding"}, false},
		{"not snappy", func(_ *payload, r *harness.Request) {
			r.Encoding, r.Body = "snappy", []byte("\xff\xff\xff\xff\x0f????")
		}, 400, []string{"snappy"}, false},
		{"not zstd", func(_ *payload, r *harness.Request) { r.Encoding = "zstd" }, 400, []string{"zstd"}, false},
		{"garbage", func(_ *payload, r *harness.Request) {
			r.Encoding, r.Body = "gzip", zip([]byte("\x0a\xff\xff{[\x00garbage"))
		}, 400, []string{"byte|Line"}, true},
		{"a directory", func(p *payload, r *harness.Request) { r.URL = g.URL + pathOf(p.path) + "/" }, 404, []string{"nothing at"}, true},
		{"wrong method", func(_ *payload, r *harness.Request) { r.Method = http.MethodDelete }, 405, []string{"DELETE"}, true},
	}
}

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// TestFaultsAreNamed sends what is wrong in the same way on every route, and wants the right status and a message that
// names the fault.
func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	list := corpus(t)
	for _, f := range g.faults() {
		for _, p := range list {
			if f.own && p.foreign() || p.path == hecAck.path || p.path == influxQuery.path {
				continue // what is asked beside pushes has small bodies and no encodings
			}
			g.expectFault(&f, &p)
		}
	}
	g.alive()
}

// foreign reports whether a payload's route is another product's API as a whole.
func (p *payload) foreign() bool {
	return !slices.ContainsFunc([]string{"/loki/", "/api/v1/push", "/api/v1/write", "/prometheus/", "/v1/", "/otlp/", "/api/prom/"}, func(prefix string) bool {
		return strings.HasPrefix(p.path, prefix)
	})
}

func (g *target) expectFault(f *fault, p *payload) {
	g.t.Helper()
	req := &harness.Request{Method: p.method, URL: g.URL + p.path, Token: g.account.Ingest, Type: p.media, Encoding: p.encoding, Body: p.body}
	f.change(p, req)
	answer, err := harness.Do(context.Background(), g.client, req)
	if err != nil {
		g.t.Errorf("%s, %s: %v", p.name, f.name, err)
		return
	}
	if answer.Status != f.status {
		g.t.Errorf("%s, %s: status %d, want %d: %s", p.name, f.name, answer.Status, f.status, answer.Body)
	}
	for _, word := range f.says {
		if !slices.ContainsFunc(strings.Split(word, "|"), func(w string) bool { return strings.Contains(string(answer.Body), w) }) {
			g.t.Errorf("%s, %s: the message does not name %q: %s", p.name, f.name, word, answer.Body)
		}
	}
}

// TestRowFaultsAreNamed sends rows that break a limit of their own beside a good one.
func TestRowFaultsAreNamed(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	now := time.Now().UnixNano()
	stream := func(labels, values string) string {
		return fmt.Sprintf(`{"streams":[{"stream":{"app":"good"},"values":[["%d","good"]]},{"stream":%s,"values":[%s]}]}`, now, labels, values)
	}
	line := fmt.Sprintf(`["%d","line"]`, now)
	for _, c := range []struct {
		name string
		body string
		says []string
	}{
		{"label name", stream(`{"a-b":"c"}`, line), []string{"a-b", "must match", "1 of 2"}},
		{"label value", stream(`{"a":"`+strings.Repeat("v", 5000)+`"}`, line), []string{`"a"`, "5000", "4096", "--ingest.max-label-value-bytes"}},
		{"label count", stream(manyLabels(70), line), []string{"70", "64", "--ingest.max-labels"}},
		{"long line", stream(`{"a":"b"}`, fmt.Sprintf(`["%d",%q]`, now, strings.Repeat("x", 300_000))), []string{"300000", "262144", "--ingest.max-line-bytes"}},
		{"future", stream(`{"a":"b"}`, fmt.Sprintf(`["%d","x"]`, now+int64(time.Hour))), []string{"--ingest.max-future", "10m"}},
		{"past", stream(`{"a":"b"}`, fmt.Sprintf(`["%d","x"]`, now-int64(90*24*time.Hour))), []string{"--ingest.max-age", "720h"}},
		{"time", stream(`{"a":"b"}`, `["yesterday","x"]`), []string{"nanoseconds since 1970"}},
		{"shape", `{"streams":[{"stream":{"a":"b"},"values":[5]}]}`, []string{"values"}},
		{"no json", `<xml/>`, []string{"JSON", "byte"}},
	} {
		answer, err := g.push(lokiJSON, "", []byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if answer.Status != http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", c.name, answer.Status, answer.Body)
		}
		for _, word := range c.says {
			if !strings.Contains(string(answer.Body), word) {
				t.Errorf("%s: the message does not name %q: %s", c.name, word, answer.Body)
			}
		}
	}
	g.alive()
}

func manyLabels(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"l%d":"v"`, i)
	}
	return "{" + strings.Join(parts, ",") + "}"
}
