package lokiapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// tail is a client's end of a live tail.
type tail struct {
	t    *testing.T
	conn *websocket.Conn
}

// frame is one message of a tail.
type frame struct {
	Streams []struct {
		Stream map[string]string
		Values [][]json.RawMessage
	}
	Dropped       []json.RawMessage `json:"dropped_entries"`
	EncodingFlags []string          `json:"encodingFlags"`
}

// openTail connects as Grafana's backend does.
func openTail(t *testing.T, w *world, token, params string, header http.Header) *tail {
	t.Helper()
	h := http.Header{"Authorization": {"Bearer " + token}, "Origin": {w.URL}}
	maps.Copy(h, header)
	conn, _, err := websocket.Dial(t.Context(), w.URL+"/loki/api/v1/tail?"+params, &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		t.Fatalf("open a tail of %s: %v", params, err)
	}
	conn.SetReadLimit(-1) // what a tail begins with may be long
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &tail{t, conn}
}

// next returns the next message, or what the server closes with.
func (l *tail) next() (f *frame, end websocket.CloseError) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), within)
	defer cancel()
	kind, body, err := l.conn.Read(ctx)
	if end, ok := errors.AsType[websocket.CloseError](err); ok {
		return nil, end
	}
	if err != nil || kind != websocket.MessageText {
		l.t.Fatalf("read a message: %v, %v", kind, err)
	}
	f = &frame{}
	if err := json.Unmarshal(body, f); err != nil {
		l.t.Fatalf("%v in %s", err, body)
	}
	return f, end
}

// read returns the lines of the next messages until there are n.
func (l *tail) read(n int) (lines []string) {
	l.t.Helper()
	for len(lines) < n {
		f, end := l.next()
		if f == nil {
			l.t.Fatalf("closed with %v after %d of %d lines", end, len(lines), n)
		}
		for _, s := range f.Streams {
			for _, v := range s.Values {
				var line string
				if err := json.Unmarshal(v[1], &line); err != nil {
					l.t.Fatal(err)
				}
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func live(line string, labels ...string) *stream {
	s := &stream{Stream: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		s.Stream[labels[i]] = labels[i+1]
	}
	s.add(time.Now(), line)
	return s
}

// TestTailWithinASecond pushes lines and wants them on the screen within a second, the first of a stream included. It is the middle of
// either sort that counts: a machine that does other things, too, may keep single lines waiting.
func TestTailWithinASecond(t *testing.T) {
	w := newWorld(t)
	l := openTail(t, w, w.Query, encode("query", `{app=~"live.+"} |= "show"`), nil)
	took := map[bool][]time.Duration{} // by whether the line is the first of its stream
	for i := range 20 {
		sent := time.Now()
		push(t, w, w.Account, live(fmt.Sprint("hide ", i), "app", "live1"), live(fmt.Sprint("show ", i), "app", fmt.Sprint("live", i/4)), live("show", "app", "other"))
		got := l.read(1)
		took[i%4 == 0] = append(took[i%4 == 0], time.Since(sent))
		if want := fmt.Sprint("show ", i); len(got) != 1 || got[0] != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	for first, list := range took {
		slices.Sort(list)
		if middle := list[len(list)/2]; middle > time.Second {
			t.Errorf("lines that are the first of their stream: %t; the middle one came after %s: %v", first, middle, list)
		}
	}
}

// TestTailPipeline runs a query whose every kind of stage the tail must run, and asks for labels apart.
func TestTailPipeline(t *testing.T) {
	w := newWorld(t)
	l := openTail(t, w, w.Query, encode("query", `{app="web"} | json | level="error" | user!=""`), http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}})
	push(t, w, w.Account, live(`{"level":"info","user":"ann"}`, "app", "web"), live(`{"level":"error"}`, "app", "web"), live(`{"level":"error","user":"bob"}`, "app", "web"))
	f, _ := l.next()
	if f == nil || len(f.Streams) != 1 || len(f.Streams[0].Values) != 1 || len(f.EncodingFlags) != 1 {
		t.Fatalf("got %+v, want one categorized line", f)
	}
	compare(t, `{"app":"web","cluster":"acme","service_name":"web"}`, marshal(t, f.Streams[0].Stream))
	compare(t, `{"structuredMetadata":{"detected_level":"error"},"parsed":{"level":"error","user":"bob"}}`, string(f.Streams[0].Values[0][2]))
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTailHistoryThenLive opens tails while lines stream in, and wants every line from the first one on in each of them, once.
func TestTailHistoryThenLive(t *testing.T) {
	w := newWorld(t)
	const total, tails = 400, 5
	begin := time.Now().Add(-time.Second)
	var opened sync.WaitGroup
	results := make([][]string, tails)
	for i := range total {
		if i > 0 && i%(total/(tails+1)) == 0 && i/(total/(tails+1)) <= tails {
			n := i/(total/(tails+1)) - 1
			l := openTail(t, w, w.Query, encode("query", `{app="count"}`, "start", nano(begin), "limit", "5000"), nil)
			opened.Go(func() { results[n] = l.read(total) })
		}
		push(t, w, w.Account, live(fmt.Sprint(i), "app", "count"))
	}
	opened.Wait()
	for n, got := range results {
		seen := map[string]int{}
		for _, line := range got {
			seen[line]++
		}
		for i := range total {
			if seen[fmt.Sprint(i)] != 1 {
				t.Errorf("tail %d shows line %d %d times", n, i, seen[fmt.Sprint(i)])
			}
		}
	}
}

// TestTailLimit begins with the newest lines, oldest first.
func TestTailLimit(t *testing.T) {
	w := newWorld(t)
	w.fill(t)
	l := openTail(t, w, w.Query, encode("query", `{app="cron"}`, "start", nano(w.start), "limit", "3"), nil)
	if got := strings.Join(l.read(3), ";"); got != "job 57 finished in 399 ms;job 58 finished in 406 ms;job 59 finished in 413 ms" {
		t.Errorf("got %s", got)
	}
	push(t, w, w.Account, live("new", "app", "cron", "namespace", "ops"))
	if got := l.read(1); got[0] != "new" {
		t.Errorf("got %s after the history, want the new line", got)
	}
}

// TestTailsEnd refuses an eleventh tail, and closes those of a revoked token, and all when the server stops.
func TestTailsEnd(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin(t)
	var extra struct {
		Token string `json:"token"`
		KeyID string `json:"key_id"`
	}
	admin(&extra, "token", "create", slug, "--kind", "query")
	revoked := openTail(t, w, extra.Token, encode("query", `{app="x"}`), nil)
	var kept []*tail
	for range 9 {
		kept = append(kept, openTail(t, w, w.Query, encode("query", `{app="x"}`), nil))
	}
	if a := plainUpgrade(t, w, w.Query, `{app="x"}`); a.Status != http.StatusTooManyRequests || !strings.Contains(string(a.Body), "limit of 10 open tails") {
		t.Errorf("an eleventh tail got %d %s", a.Status, a.Body)
	}
	if a := plainUpgrade(t, w, w.Query, `count_over_time({app="x"}[1m])`); a.Status != http.StatusBadRequest {
		t.Errorf("a tail of a metric query got %d %s", a.Status, a.Body)
	}
	if a := plainUpgrade(t, w, w.Ingest, `{app="x"}`); a.Status != http.StatusForbidden {
		t.Errorf("a tail with an ingest token got %d %s", a.Status, a.Body)
	}
	admin(nil, "token", "revoke", slug, extra.KeyID)
	invalid := websocket.CloseError{Code: 1008, Reason: "the credential is no longer valid"}
	if f, end := revoked.next(); end != invalid {
		t.Errorf("the revoked token's tail got %+v and %v, want %v", f, end, invalid)
	}
	push(t, w, w.Account, live("still here", "app", "x"))
	if got := kept[0].read(1); got[0] != "still here" {
		t.Errorf("the other token's tail got %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- w.Terminate(ctx) }()
	stopping := websocket.CloseError{Code: 1001, Reason: "the server is stopping"}
	for i, l := range kept {
		f, end := l.next()
		for f != nil { // the line that the first tail has read
			f, end = l.next()
		}
		if end != stopping {
			t.Errorf("tail %d got %v when the server stopped, want %v", i, end, stopping)
		}
	}
	if err := <-stopped; err != nil {
		t.Errorf("the server stopped with %v", err)
	}
}

// plainUpgrade asks for a WebSocket and returns the answer of a server that does not want one.
func plainUpgrade(t *testing.T, w *world, token, query string) *harness.Answer {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/loki/api/v1/tail?"+encode("query", query), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	q.Header = http.Header{
		"Authorization": {"Bearer " + token}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	a, err := doRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
