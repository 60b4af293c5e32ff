// Package bench measures the whole product as processes: CPU seconds per million rows by part and by protocol, bytes per row
// on disk and the time from acknowledgement to query, beside a straight insert of the same rows. `make bench` runs it. Its
// product files make what senders send.
package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/store"
)

// Stream is where lines come from: a container of a pod.
type Stream struct{ Namespace, App, Pod, Node string }

// Record is one log line as an agent has read it.
type Record struct {
	At     time.Time
	Stream *Stream
	Line   string
}

// LogsOptions describes a log corpus.
type LogsOptions struct {
	Seed    uint64
	Rows    int // the lines lie within three hours before End
	Streams int // a multiple of ten
	End     time.Time
}

// Logs makes Kubernetes-like lines: mixed formats, about 190 bytes.
type Logs struct {
	rnd     *rand.Rand
	streams []Stream
	at      time.Time
	step    time.Duration
}

// NewLogs returns a log corpus.
func NewLogs(o LogsOptions) *Logs {
	c := &Logs{rnd: rand.New(rand.NewPCG(o.Seed, 1)), step: 3 * time.Hour / time.Duration(max(o.Rows, 1))}
	c.at = o.End.Add(-c.step * time.Duration(o.Rows))
	for i := range o.Streams {
		app := i % 60
		c.streams = append(c.streams, Stream{
			Namespace: fmt.Sprintf("ns-%d", app%12), App: fmt.Sprintf("app-%d", app), Pod: fmt.Sprintf("app-%d-%s", app, c.hex(8)), Node: fmt.Sprintf("node-%d", c.rnd.IntN(40)),
		})
	}
	return c
}

func (c *Logs) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[c.rnd.IntN(16)]
	}
	return string(b)
}

var (
	verbs = []string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	paths = []string{"/api/v1/orders", "/api/v1/orders/search", "/api/v1/users/me", "/healthz", "/api/v2/cart/items", "/static/app.js"}
	words = []string{"reconciling", "cache", "updated", "connection", "pool", "worker", "finished", "queue", "message", "retry", "lease", "snapshot"}
)

func (c *Logs) line(stream int) string {
	r := c.rnd
	switch stream % 5 {
	case 0:
		return fmt.Sprintf(`{"ts":%q,"level":"info","msg":"request served","method":%q,"path":%q,"status":%d,"duration_ms":%d,"bytes":%d,"request_id":%q,"trace_id":%q,"remote":"10.%d.%d.%d"}`,
			c.at.Format(time.RFC3339Nano), verbs[r.IntN(6)], paths[r.IntN(6)], []int{200, 200, 200, 201, 304, 404, 500}[r.IntN(7)], r.IntN(900), r.IntN(40000), c.hex(16), c.hex(32), r.IntN(4), r.IntN(256), r.IntN(256))
	case 1:
		return fmt.Sprintf(`10.0.%d.%d - - [%s] "%s %s HTTP/1.1" 200 %d "-" "kube-probe/1.33" %d.%03d upstream=app-%d:8080 req=%s`,
			r.IntN(256), r.IntN(256), c.at.Format("02/Jan/2006:15:04:05 -0700"), verbs[r.IntN(6)], paths[r.IntN(6)], r.IntN(40000), r.IntN(2), r.IntN(1000), r.IntN(60), c.hex(32))
	case 2:
		return fmt.Sprintf(`I%s %7d reflector.go:%d] "Watch close" reason="%s %s %s" type="*v1.Pod" items=%d namespace="ns-%d" name="app-%d-%s"`,
			c.at.Format("0102 15:04:05.000000"), r.IntN(100000), 200+r.IntN(60), words[r.IntN(12)], words[r.IntN(12)], words[r.IntN(12)], r.IntN(500), r.IntN(12), r.IntN(60), c.hex(5))
	case 3:
		return fmt.Sprintf(`time=%s level=%s msg="%s %s %s" component=%s attempt=%d took=%dms user=%d queue=orders-%d partition=%d trace_id=%s`,
			c.at.Format(time.RFC3339Nano), []string{"info", "info", "info", "warn", "error"}[r.IntN(5)], words[r.IntN(12)], words[r.IntN(12)], words[r.IntN(12)], words[r.IntN(12)],
			r.IntN(5), r.IntN(3000), r.IntN(10000), r.IntN(8), r.IntN(32), c.hex(32))
	}
	return fmt.Sprintf(`%s INFO  [http-nio-8080-exec-%d] c.e.shop.OrderService - %s %s for customer %d in %d ms order=%s %s`,
		c.at.Format("2006-01-02 15:04:05.000"), r.IntN(20), words[r.IntN(12)], words[r.IntN(12)], r.IntN(20000), r.IntN(500), c.hex(24), strings.Repeat("detail ", 1+r.IntN(6)))
}

// Next returns the next n lines, of ten streams, stream after stream, as an agent sends them.
func (c *Logs) Next(n int) []Record {
	const perRequest = 10
	first := c.rnd.IntN(len(c.streams) / perRequest)
	records := make([]Record, 0, n)
	for i := range perRequest {
		id := first*perRequest + i
		for range n / perRequest {
			c.at = c.at.Add(c.step)
			records = append(records, Record{c.at, &c.streams[id], c.line(id)})
		}
	}
	return records
}

// Schema returns the statement that makes one of Seamark's tables in database t0001.
func Schema(table string) string {
	return store.Schema(table, "t0001")
}
