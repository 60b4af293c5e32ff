package abuse

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// corpus is a valid payload of every ingest route and media type, uncompressed unless the protocol always compresses.
func corpus(t *testing.T) []payload {
	t.Helper()
	now := time.Now()
	return []payload{
		{lokiJSON, "", goodLogs(now, 3)},
		{lokiProto, "snappy", goodLokiProto(t, now)},
		{remoteWrite, "snappy", goodRemoteWrite(t, now)},
		{otlpLogs, "", goodOTLPLogs(t, now)},
		{otlpLogsJSON, "", goodOTLPLogsJSON(now)},
		{otlpMetrics, "", goodOTLPMetrics(t, now)},
		{otlpMetJSON, "", goodOTLPMetricsJSON(now)},
		{events, "", goodEvents(now)},
		{kubeEventer, "", goodEventer(now)},
	}
}

type payload struct {
	route
	encoding string
	body     []byte
}

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

// TestFaultsAreNamed sends what is wrong in the same way on every route, and wants the right status and a message that
// names the fault.
func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	for _, c := range []struct {
		name   string
		change func(p payload, r *harness.Request)
		status int
		says   []string
	}{
		{"no token", func(_ payload, r *harness.Request) { r.Token = "" }, 401, []string{"credential", "token"}},
		{"odd token", func(_ payload, r *harness.Request) { r.Token = "smk_ingest_x_y" }, 401, []string{"token"}},
		{"query token", func(_ payload, r *harness.Request) { r.Token = g.account.Query }, 403, []string{"query"}},
		{"media type", func(_ payload, r *harness.Request) { r.Type = "text/xml" }, 415, []string{"text/xml"}},
		{"encoding", func(_ payload, r *harness.Request) { r.Encoding = "br" }, 415, []string{`br`, "gzip"}},
		{"oversize", func(_ payload, r *harness.Request) { r.Encoding, r.Body = "", make([]byte, 9<<20) }, 413, []string{"8388608", "--ingest.max-body-bytes"}},
		{"inflated oversize", func(_ payload, r *harness.Request) { r.Encoding, r.Body = "gzip", zip(make([]byte, 40<<20)) }, 413, []string{"33554432"}},
		{"cut gzip", func(p payload, r *harness.Request) {
			whole := zip(bytes.Repeat(p.body, 20))
			r.Encoding, r.Body = "gzip", whole[:len(whole)/2]
		}, 400, []string{"gzip"}},
		{"not gzip", func(_ payload, r *harness.Request) { r.Encoding = "gzip" }, 400, []string{"gzip", "Content-Encoding"}},
		{"not snappy", func(_ payload, r *harness.Request) { r.Encoding, r.Body = "snappy", []byte("\xff\xff\xff\xff\x0f????") }, 400, []string{"snappy"}},
		{"not zstd", func(_ payload, r *harness.Request) { r.Encoding = "zstd" }, 400, []string{"zstd"}},
		{"garbage", func(_ payload, r *harness.Request) {
			r.Encoding, r.Body = "gzip", zip([]byte("\x0a\xff\xff{[\x00garbage"))
		}, 400, []string{"byte"}},
		{"a directory", func(_ payload, r *harness.Request) { r.URL += "/" }, 404, []string{"nothing at"}},
		{"wrong method", func(_ payload, r *harness.Request) { r.Method = http.MethodDelete }, 405, []string{"DELETE"}},
	} {
		for _, p := range corpus(t) {
			req := &harness.Request{URL: g.URL + p.path, Token: g.account.Ingest, Type: p.media, Encoding: p.encoding, Body: p.body}
			c.change(p, req)
			answer, err := harness.Do(context.Background(), g.client, req)
			if err != nil {
				t.Errorf("%s, %s: %v", p.name, c.name, err)
				continue
			}
			if answer.Status != c.status {
				t.Errorf("%s, %s: status %d, want %d: %s", p.name, c.name, answer.Status, c.status, answer.Body)
			}
			for _, word := range c.says {
				if !strings.Contains(string(answer.Body), word) {
					t.Errorf("%s, %s: the message does not name %q: %s", p.name, c.name, word, answer.Body)
				}
			}
		}
	}
	g.alive()
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
		{"long line", stream(`{"a":"b"}`, fmt.Sprintf(`["%d","%s"]`, now, strings.Repeat("x", 300_000))), []string{"300000", "262144", "--ingest.max-line-bytes"}},
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
