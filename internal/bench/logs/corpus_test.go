package logs_test

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	corpusRows   = 10_000_000
	corpusLength = 24 * time.Hour
	apps         = 60
	namespaces   = 12
	podsPerApp   = 5
	formats      = 6

	// needles is how many words and ids can be asked for: one per round, because the server remembers for a while which
	// granules a condition found nothing in, and a repeat would measure that.
	needles = rounds + 1
	// needleLines is how many lines have each word.
	needleLines = 5
)

// corpus is a day of logs: 300 streams in 60 groups, mixed formats, about 190 bytes a line.
type corpus struct {
	rows    int
	end     time.Time // all lines lie before it
	rnd     *rand.Rand
	streams []*seamark.Series
	hexes   [32]byte

	requests, traces []string // ids that stand in one line each, of every part of the day
	middle           int64    // time of a line of the first stream
}

func newCorpus(b *testing.B) *corpus {
	b.Helper()
	c := &corpus{
		rows: max(scaled(b, corpusRows), 10_000), end: time.Now().UTC().Add(-10 * time.Minute).Truncate(time.Minute), rnd: rand.New(rand.NewPCG(11, 1)),
	}
	for i := range apps * podsPerApp {
		app := i % apps
		one := &seamark.Series{
			Kind: seamark.LogStream, Name: fmt.Sprintf("ns-%d/app-%d", app%namespaces, app),
			Labels: []seamark.Label{
				{Name: "app", Value: fmt.Sprintf("app-%d", app)}, {Name: "cluster", Value: "bench"}, {Name: "container", Value: "main"},
				{Name: "namespace", Value: fmt.Sprintf("ns-%d", app%namespaces)}, {Name: "node", Value: fmt.Sprintf("node-%d", i%40)},
				{Name: "pod", Value: podOf(i)},
			},
		}
		hash := fnv.New64a()
		_, _ = fmt.Fprint(hash, one.Labels) // a hash never fails
		one.FP = hash.Sum64() * 0x9e3779b97f4a7c15
		c.streams = append(c.streams, one)
	}
	return c
}

func podOf(stream int) string {
	return fmt.Sprintf("app-%d-%08x-%05x", stream%apps, uint32(stream/apps)*2654435761, uint32(stream)*40503%1048576)
}

// needle is the k-th word that stands in needleLines lines and nowhere else.
func needle(k int) string { return fmt.Sprintf("quicksilver%03dbracket", k) }

// lines yields the rows in the order of their time. The row is the corpus's until the next one.
func (c *corpus) lines() iter.Seq[*seamark.LogRow] {
	return func(yield func(*seamark.LogRow) bool) {
		var row seamark.LogRow
		planted, every := 0, c.rows/(needles*needleLines)
		pick := c.rows / needles
		for i := range c.rows {
			at := c.end.Add(-time.Duration(float64(corpusLength) * float64(c.rows-i) / float64(c.rows)))
			stream := c.rnd.IntN(len(c.streams))
			row = seamark.LogRow{Stream: uint32(stream), TimeNano: at.UnixNano()}
			if i%every == every/2 && planted < needles*needleLines {
				row.Body = "deadlock found by " + needle(planted%needles) + ", waiting for worker to give up its lease"
				planted++
			} else {
				row.Body = c.line(stream, at, i%pick < pick/2 && len(c.requests) <= i/pick)
			}
			row.Level = level.DetectLevel(row.Body)
			row.TraceID, _ = level.FindTraceID(row.Body)
			if stream == 0 && i < c.rows/2 {
				c.middle = row.TimeNano
			}
			if !yield(&row) {
				return
			}
		}
	}
}

func (c *corpus) hex(n int) string {
	const digits = "0123456789abcdef"
	random := c.rnd.Uint64()
	for i := range n {
		if i == 16 {
			random = c.rnd.Uint64()
		}
		c.hexes[i] = digits[random&15]
		random >>= 4
	}
	return string(c.hexes[:n])
}

func (c *corpus) one(of ...string) string { return of[c.rnd.IntN(len(of))] }

func (c *corpus) verb() string { return c.one("GET", "GET", "GET", "GET", "POST", "PUT", "DELETE") }

func (c *corpus) path() string {
	return c.one("/api/v1/orders", "/api/v1/orders/search", "/api/v1/users/me", "/healthz", "/api/v2/cart/items", "/static/app.js")
}

func (c *corpus) status() int {
	return []int{200, 200, 200, 200, 200, 200, 201, 204, 304, 304, 400, 404, 404, 429, 500, 503}[c.rnd.IntN(16)]
}

func (c *corpus) word() string {
	return c.one("reconciling", "cache", "updated", "connection", "pool", "worker", "finished", "queue", "message", "retry", "lease", "snapshot")
}

// severity is error for 3 lines of 100 and warn for 7.
func (c *corpus) severity() string {
	switch n := c.rnd.IntN(100); {
	case n < 3:
		return "error"
	case n < 10:
		return "warn"
	case n < 20:
		return "debug"
	}
	return "info"
}

// formatOf gives the apps of a namespace different formats.
func formatOf(stream int) int {
	app := stream % apps
	return (app/namespaces + app) % formats
}

// line makes a line. With noted set a line that has ids is one of those that are asked for.
func (c *corpus) line(stream int, at time.Time, noted bool) string {
	r := c.rnd
	switch formatOf(stream) {
	case 0:
		request, trace := c.hex(16), c.hex(32)
		if noted {
			c.requests, c.traces = append(c.requests, request), append(c.traces, trace)
		}
		return fmt.Sprintf(`{"ts":%q,"level":%q,"msg":"request served","method":%q,"path":%q,"status":%d,"duration_ms":%d,"bytes":%d,"request_id":%q,"trace_id":%q,"remote":"10.%d.%d.%d"}`,
			at.Format(time.RFC3339Nano), c.severity(), c.verb(), c.path(), c.status(), r.IntN(900), r.IntN(40000), request, trace, r.IntN(4), r.IntN(256), r.IntN(256))
	case 1:
		return fmt.Sprintf(`10.0.%d.%d - - [%s] "%s %s HTTP/1.1" %d %d "-" "kube-probe/1.33" %d.%03d upstream=app-%d:8080 req=%s`,
			r.IntN(256), r.IntN(256), at.Format("02/Jan/2006:15:04:05 -0700"), c.verb(), c.path(), c.status(), r.IntN(40000), r.IntN(2), r.IntN(1000), r.IntN(60), c.hex(32))
	case 2:
		return fmt.Sprintf(`I%s %7d reflector.go:%d] "Watch close" reason="%s %s %s" type="*v1.Pod" items=%d namespace="ns-%d" name="app-%d-%s"`,
			at.Format("0102 15:04:05.000000"), r.IntN(100000), 200+r.IntN(60), c.word(), c.word(), c.word(), r.IntN(500), r.IntN(12), r.IntN(60), c.hex(5))
	case 3:
		severity, outcome := c.severity(), "done"
		if severity == "error" {
			outcome = c.one("connection refused", "deadline exceeded", "no such host")
		}
		return fmt.Sprintf(`time=%s level=%s msg="%s %s %s: %s" component=%s attempt=%d took=%dms user=%d queue=orders-%d partition=%d trace_id=%s`,
			at.Format(time.RFC3339Nano), severity, c.word(), c.word(), c.word(), outcome, c.word(), r.IntN(5), r.IntN(3000), r.IntN(10000), r.IntN(8), r.IntN(32), c.hex(32))
	case 4:
		return c.java(at)
	}
	return fmt.Sprintf("%s worker %d %s the %s of shard %d, %d items left, next run in %d seconds", at.Format("2006-01-02T15:04:05Z"), r.IntN(64), c.word(), c.word(), r.IntN(128), r.IntN(100000), r.IntN(600))
}

// java makes a line of a Java service, one of fifty with a stack trace.
func (c *corpus) java(at time.Time) string {
	r := c.rnd
	head := fmt.Sprintf(`%s %%s [http-nio-8080-exec-%d] c.e.shop.OrderService - %s %s for customer %d in %d ms order=%s`,
		at.Format("2006-01-02 15:04:05.000"), r.IntN(20), c.word(), c.word(), r.IntN(20000), r.IntN(500), c.hex(24))
	if r.IntN(50) > 0 {
		return fmt.Sprintf(head, c.one("INFO ", "INFO ", "INFO ", "DEBUG", "WARN "))
	}
	var trace strings.Builder
	fmt.Fprintf(&trace, head+"\njava.util.concurrent.TimeoutException: no answer after %d ms", "ERROR", r.IntN(9000))
	for range 5 + r.IntN(20) {
		fmt.Fprintf(&trace, "\n\tat com.example.shop.%s.%s(%s.java:%d)", c.one("order", "cart", "pool"), c.word(), c.one("OrderService", "Pool", "Retry"), r.IntN(900))
	}
	return trace.String()
}
