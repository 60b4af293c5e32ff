// Package bench measures the whole product as processes: CPU seconds per million rows by part, bytes per row on disk and
// the time from acknowledgement to query, beside a straight insert of the same rows. `make bench` runs it.
package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/store"
)

// Logs makes Kubernetes-like lines: mixed formats, about 190 bytes, 300 streams of 60 workloads.
type Logs struct {
	rnd     *rand.Rand
	streams []string
	at      time.Time
	step    time.Duration
}

// NewLogs returns a corpus of rows lines that ends at end.
func NewLogs(seed uint64, rows int, end time.Time) *Logs {
	c := &Logs{rnd: rand.New(rand.NewPCG(seed, 1)), step: 3 * time.Hour / time.Duration(rows)}
	c.at = end.Add(-c.step * time.Duration(rows))
	for i := range 300 {
		app := i % 60
		c.streams = append(c.streams, fmt.Sprintf(`{namespace="ns-%d", app="app-%d", pod="app-%d-%s", container="main", node="node-%d"}`,
			app%12, app, app, c.hex(8), c.rnd.IntN(40)))
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
		return fmt.Sprintf(`{"ts":"%s","level":"info","msg":"request served","method":"%s","path":"%s","status":%d,"duration_ms":%d,"bytes":%d,"request_id":"%s","trace_id":"%s","remote":"10.%d.%d.%d"}`,
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

// Request returns a push of n lines, spread over ten streams, as an agent sends it.
func (c *Logs) Request(n int) []byte {
	const perRequest = 10
	first := c.rnd.IntN(len(c.streams) / perRequest)
	req := push.PushRequest{}
	for i := range perRequest {
		id := first*perRequest + i
		st := push.Stream{Labels: c.streams[id]}
		for range n / perRequest {
			c.at = c.at.Add(c.step)
			st.Entries = append(st.Entries, push.Entry{Timestamp: c.at, Line: c.line(id)})
		}
		req.Streams = append(req.Streams, st)
	}
	body, err := proto.Marshal(&req)
	if err != nil {
		panic(err) // the message is ours
	}
	return snappy.Encode(nil, body)
}

// Metrics makes scrapes of 20,000 series at 15 s: counters, gauges that rarely move, and histograms.
type Metrics struct {
	rnd    *rand.Rand
	series []prompb.TimeSeries
	values []float64
	at     time.Time
}

const scrapeInterval = 15 * time.Second

// NewMetrics returns a corpus of so many scrapes that ends at end.
func NewMetrics(seed uint64, scrapes int, end time.Time) *Metrics {
	c := &Metrics{rnd: rand.New(rand.NewPCG(seed, 2)), at: end.Add(-time.Duration(scrapes) * scrapeInterval).Truncate(time.Second)}
	label := func(n, v string) prompb.Label { return prompb.Label{Name: n, Value: v} }
	add := func(name string, extra ...prompb.Label) {
		labels := append([]prompb.Label{label("__name__", name)}, extra...)
		c.series = append(c.series, prompb.TimeSeries{Labels: labels, Samples: make([]prompb.Sample, 1)})
		c.values = append(c.values, float64(c.rnd.IntN(1000)))
	}
	for pod := range 250 {
		base := []prompb.Label{
			label("cluster", "bench"), label("container", "main"), label("endpoint", "metrics"), label("instance", fmt.Sprintf("10.0.%d.%d:8080", pod/256, pod%256)),
			label("job", fmt.Sprintf("app-%d", pod%60)), label("namespace", fmt.Sprintf("ns-%d", pod%12)), label("node", fmt.Sprintf("node-%d", pod%40)),
			label("pod", fmt.Sprintf("app-%d-%08x", pod%60, pod*2654435761)), label("service", fmt.Sprintf("app-%d", pod%60)),
		}
		for m := range 20 {
			add(fmt.Sprintf("container_gauge_%d", m), base...)
			add(fmt.Sprintf("container_ops_%d_total", m), base...)
		}
		for b := range 40 {
			add("http_request_duration_seconds_bucket", append(append([]prompb.Label{}, base...), label("le", fmt.Sprint(float64(b+1)/20)))...)
		}
	}
	return c
}

// Scrape moves every series on by one interval and returns the requests of it, perRequest samples each.
func (c *Metrics) Scrape(perRequest int) [][]byte {
	c.at = c.at.Add(scrapeInterval)
	for i := range c.series {
		name := c.series[i].Labels[0].Value
		switch {
		case strings.HasPrefix(name, "container_gauge"):
			if c.rnd.IntN(10) == 0 {
				c.values[i] = float64(c.rnd.IntN(1 << 20))
			}
		case strings.HasSuffix(name, "_total"):
			c.values[i] += float64(c.rnd.IntN(50))
		default:
			if c.rnd.IntN(4) == 0 {
				c.values[i] += float64(c.rnd.IntN(5))
			}
		}
		c.series[i].Samples[0] = prompb.Sample{Value: c.values[i], Timestamp: c.at.UnixMilli()}
	}
	var requests [][]byte
	for start := 0; start < len(c.series); start += perRequest {
		req := prompb.WriteRequest{Timeseries: c.series[start:min(start+perRequest, len(c.series))]}
		body, err := req.Marshal()
		if err != nil {
			panic(err) // the message is ours
		}
		requests = append(requests, snappy.Encode(nil, body))
	}
	return requests
}

// Len returns the number of series.
func (c *Metrics) Len() int { return len(c.series) }

// Schema returns the statement that makes one of Seamark's tables in database t0001.
func Schema(table string) string {
	return store.Schema(table, "t0001")
}
