package abuse

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"github.com/seamarkhq/seamark/internal/engine"
)

const (
	parallelBombs = 64
	// maxGrowth is the promise: what a wave of bombs may add to the server's resident memory at any moment.
	maxGrowth = 64 << 20
)

// bomb is one kind of hostile body.
type bomb struct {
	name     string
	route    route
	encoding string
	body     []byte
	allowed  []int
}

var (
	refused = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	// taken is for bodies within the limits, which are only expensive.
	taken = append([]int{http.StatusOK, http.StatusAccepted, http.StatusNoContent}, refused...)
)

func bombs() []bomb {
	gz, zs, deflated := compress(256<<20, "gzip"), compress(256<<20, "zstd"), compress(256<<20, "deflate")
	nested := encode("gzip", gz)
	snapped := snappy.Encode(nil, make([]byte, 120<<20))
	lie := append([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, "x"...) // a length of 4 GiB - 1
	return []bomb{
		{"snappy that declares 4 GiB", remoteWrite, "snappy", lie, refused},
		{"snappy of 120 MiB", remoteWrite2, "snappy", snapped, refused},
		{"gzip 1:1000", lokiJSON, "gzip", gz, refused},
		{"zstd 1:9000", lokiJSON, "zstd", zs, refused},
		{"deflate 1:1000", otlpLogs, "deflate", deflated, refused},
		{"gzip in gzip", otlpLogs, "gzip", nested, refused},
		{"gzip in gzip, told", lokiJSON, "gzip, gzip", nested, refused},
		{"honest and over the limit", lokiJSON, "", goodLogs(time.Now(), 120_000), refused},
		{"honest and over the limit inflated", lokiJSON, "gzip", zip(goodLogs(time.Now(), 400_000)), refused},
	}
}

// agentBombs are bombs for the protocols of other products, one encoding after the other.
func agentBombs() []bomb {
	packed := map[string][]byte{}
	for _, encoding := range []string{"gzip", "zstd", "deflate"} {
		packed[encoding] = compress(256<<20, encoding)
	}
	packed["snappy"] = snappy.Encode(nil, make([]byte, 120<<20))
	order := []string{"gzip", "zstd", "deflate", "snappy"}
	var list []bomb
	for i, r := range []route{
		lokiOld, otlpTraces, auditHook, jsonLines, esBulk, hecEvent, hecRaw, ddSeries1, ddSeries2, ddSketches, ddChecks, ddIntake, ddLogs, influx1, influx2, pushText, pushProto, events,
	} {
		encoding := order[i%len(order)]
		list = append(list, bomb{r.name + ", " + encoding, r, encoding, packed[encoding], refused})
	}
	nested := encode("zstd", encode("gzip", packed["gzip"]))
	return append(list,
		bomb{"es bulk, gzip in gzip in zstd", esBulk, "zstd", nested, taken}, // one bad line, which the answer tells
		bomb{"es bulk, nested and told", esBulk, "gzip, gzip, zstd", nested, refused},
		bomb{"hec, nested and told", hecEvent, "gzip, zstd", nested, refused},
	)
}

// denseBodies are within the limits and full of the smallest entries that a message can have: each takes two bytes of the
// body and many in memory.
func denseBodies() []bomb {
	const most = 32<<20 - 64
	return []bomb{
		{"empty log entries", lokiProto, "snappy", snappy.Encode(nil, field(1, repeat(most, 0x12, 0x00))), taken},
		{"empty streams", lokiProto, "snappy", snappy.Encode(nil, repeat(most, 0x0a, 0x00)), taken},
		{"empty samples", remoteWrite, "snappy", snappy.Encode(nil, field(1, append(metricName(), repeat(most-64, 0x12, 0x00)...))), taken},
		{"empty series", remoteWrite, "snappy", snappy.Encode(nil, repeat(most, 0x0a, 0x00)), taken},
		{"empty labels", remoteWrite, "snappy", snappy.Encode(nil, field(1, repeat(most, 0x0a, 0x00))), taken},
		{"empty metadata", remoteWrite, "snappy", snappy.Encode(nil, repeat(most, 0x1a, 0x00)), taken},
		{"empty otlp records", otlpLogs, "snappy", snappy.Encode(nil, field(1, field(2, repeat(most, 0x12, 0x00)))), taken},
		{"empty otlp points", otlpMetrics, "snappy", snappy.Encode(nil, field(1, field(2, field(2, append([]byte{0x0a, 1, 'm'}, field(5, repeat(most-64, 0x0a, 0x00))...))))), taken},
		{"empty json lines", lokiJSON, "gzip", zip(wrapRepeat(`{"streams":[{"stream":{"a":"b"},"values":[["1",""]`, `,["1",""]`, `]}]}`, most)), taken},
		{"empty json events", events, "gzip", zip(wrapRepeat(`[{}`, `,{}`, `]`, most)), taken},
	}
}

// denseAgentBodies are the same for the protocols of other products.
func denseAgentBodies() []bomb {
	const most = 32<<20 - 64
	lines := func(line string) []byte { return zip(bytes.Repeat([]byte(line), most/len(line))) }
	v2 := func(b []byte) []byte { return snappy.Encode(nil, b) }
	return []bomb{
		{"empty symbols", remoteWrite2, "snappy", v2(repeat(most, 0x22, 0x00)), taken},
		{"empty series 2", remoteWrite2, "snappy", v2(repeat(most, 0x2a, 0x00)), taken},
		{"empty spans", otlpTraces, "snappy", v2(field(1, field(2, repeat(most, 0x12, 0x00)))), taken},
		{"empty span events", otlpTraces, "snappy", v2(field(1, field(2, field(2, repeat(most-64, 0x5a, 0x00))))), taken},
		{"empty exponential points", otlpMetrics, "snappy", v2(field(1, field(2, field(2, append([]byte{0x0a, 1, 'm'}, field(10, repeat(most-64, 0x0a, 0x00))...))))), taken},
		{"empty bulk items", esBulk, "gzip", lines("{\"index\":{}}\n{}\n"), taken},
		{"bulk items without documents", esBulk, "gzip", lines("{\"index\":{}}\n"), taken},
		{"deep documents", esBulk, "gzip", zip(wrapRepeat("{\"index\":{}}\n", `{"a":`, "\n", most)), taken},
		{"empty hec events", hecEvent, "gzip", lines(`{"event":1}`), taken},
		{"many hec metrics", hecEvent, "gzip", zip(wrapRepeat(`{"event":"metric","fields":{`, `"metric_name:a":1,`, `"b":"c"}}`, most)), taken},
		{"empty raw lines", hecRaw, "gzip", lines("a\n"), taken},
		{"empty json records", jsonLines, "gzip", lines("{}\n"), taken},
		{"one record of many fields", jsonLines, "gzip", zip(wrapRepeat(`{"message":"m"`, `,"a":1`, `}`, most)), taken},
		{"empty audit events", auditHook, "gzip", zip(wrapRepeat(`{"kind":"EventList","items":[{}`, `,{}`, `]}`, most)), taken},
		{"empty datadog series", ddSeries1, "gzip", zip(wrapRepeat(`{"series":[{}`, `,{}`, `]}`, most)), taken},
		{"empty datadog points", ddSeries1, "gzip", zip(wrapRepeat(`{"series":[{"metric":"m","points":[[1,1]`, `,[1,1]`, `]}]}`, most)), taken},
		{"empty datadog messages", ddSeries2, "snappy", v2(repeat(most, 0x0a, 0x00)), taken},
		{"empty sketches", ddSketches, "snappy", v2(field(1, append(field(1, []byte("m")), repeat(most-64, 0x3a, 0x00)...))), taken},
		{"empty checks", ddChecks, "gzip", zip(wrapRepeat(`[{}`, `,{}`, `]`, most)), taken},
		{"empty datadog logs", ddLogs, "gzip", zip(wrapRepeat(`[{}`, `,{}`, `]`, most)), taken},
		{"short influx lines", influx1, "gzip", lines("m f=1\n"), taken},
		{"many influx fields", influx1, "gzip", zip(wrapRepeat(`m f=1`, `,f=1`, ` 1`, most)), taken},
		{"short pushed samples", pushText, "gzip", lines("m 1\n"), taken},
		{"empty pushed families", pushProto, "gzip", zip(repeat(most, 0x00)), taken},
	}
}

// compress returns n zero bytes, compressed.
func compress(n int, encoding string) []byte {
	var out bytes.Buffer
	w := writerOf(encoding, &out)
	zeros := make([]byte, 1<<20)
	for range n / len(zeros) {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	return out.Bytes()
}

// repeat returns about n bytes of the pattern.
func repeat(n int, pattern ...byte) []byte { return bytes.Repeat(pattern, n/len(pattern)) }

func wrapRepeat(head, item, tail string, n int) []byte {
	return slices.Concat([]byte(head), bytes.Repeat([]byte(item), (n-len(head)-len(tail))/len(item)), []byte(tail))
}

// field wraps bytes as a length-delimited protobuf field with a number below 16.
func field(number byte, body []byte) []byte {
	out := []byte{number<<3 | 2}
	for n := len(body); ; n >>= 7 {
		if n < 0x80 {
			return append(append(out, byte(n)), body...)
		}
		out = append(out, byte(n)|0x80)
	}
}

// metricName is the label that every metric series needs, in remote write's protobuf.
func metricName() []byte {
	return field(1, append(field(1, []byte("__name__")), field(2, []byte("m"))...))
}

// TestBombs sends waves of each kind of bomb at once and watches the server's resident memory.
func TestBombs(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	g.warmUp()
	g.waves(bombs())
	t.Run("endless body", func(t *testing.T) {
		g := *g
		g.t = t
		watch := g.watchMemory()
		g.judge(watch, g.wave(g.pushEndless), refused)
	})
}

// TestDenseBodies does the same with bodies that are small, valid and large in memory.
func TestDenseBodies(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	g.warmUp()
	g.waves(denseBodies())
}

// TestAgentBombs does the same as TestBombs with the protocols of other products.
func TestAgentBombs(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	g.warmUp()
	g.waves(agentBombs())
}

// maxAgentGrowth is more than the promise: Prometheus' parser of pushed text copies a body of up to 32 MiB, and no memory is
// asked for that.
const maxAgentGrowth = maxGrowth + 32<<20

// TestDenseAgentBodies does the same as TestDenseBodies with the protocols of other products.
func TestDenseAgentBodies(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	g.most = maxAgentGrowth
	g.warmUp()
	g.waves(denseAgentBodies())
}

// waves sends one wave of each.
func (g *target) waves(list []bomb) {
	for _, b := range list {
		g.t.Run(b.name, func(t *testing.T) {
			g := *g
			g.t = t
			watch := g.watchMemory()
			statuses := g.wave(func() (int, error) {
				answer, err := g.push(b.route, b.encoding, b.body)
				if err != nil {
					return 0, err
				}
				return answer.Status, nil
			})
			g.judge(watch, statuses, b.allowed)
		})
	}
}

// wave runs parallelBombs requests at once and counts their answers; 0 is a connection that was cut.
func (g *target) wave(send func() (int, error)) map[int]int {
	var mu sync.Mutex
	statuses := map[int]int{}
	var wait sync.WaitGroup
	for range parallelBombs {
		wait.Go(func() {
			status, err := send()
			if err != nil {
				g.t.Logf("no answer: %v", err)
			}
			mu.Lock()
			statuses[status]++
			mu.Unlock()
		})
	}
	wait.Wait()
	return statuses
}

// zeros never ends, but stops where a server that reads on without limit would have shown itself.
type zeros struct{ left int64 }

var errTookAll = errors.New("the server read far more than it may")

func (z *zeros) Read(p []byte) (int, error) {
	if z.left -= int64(len(p)); z.left < 0 {
		return 0, errTookAll
	}
	clear(p)
	return len(p), nil
}

func (g *target) pushEndless() (int, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, g.URL+lokiJSON.path, &zeros{left: 256 << 20})
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+g.account.Ingest)
	req.Header.Set("Content-Type", lokiJSON.media)
	resp, err := g.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, nil
}

// warmUp lets the server grow to its size under normal traffic.
func (g *target) warmUp() {
	g.t.Helper()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 25 {
				if answer, err := g.push(lokiJSON, "", goodLogs(time.Now(), 2000)); err != nil || answer.Status != http.StatusNoContent {
					g.t.Errorf("warm-up: %+v %v", answer, err)
					return
				}
			}
		})
	}
	wait.Wait()
	var err error
	if _, g.warm, err = engine.ProcStats(g.Pid()); err != nil {
		g.t.Fatal(err)
	}
}

// memoryWatch samples a process's resident memory until stop is closed.
type memoryWatch struct {
	peak atomic.Int64
	stop chan struct{}
	done chan struct{}
}

func (g *target) watchMemory() *memoryWatch {
	g.t.Helper()
	w := &memoryWatch{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
				if _, now, err := engine.ProcStats(g.Pid()); err == nil {
					w.peak.Store(max(w.peak.Load(), now))
				}
			}
		}
	}()
	return w
}

// judge ends the watch and holds the wave's outcome against the promise.
func (g *target) judge(w *memoryWatch, statuses map[int]int, allowed []int) {
	g.t.Helper()
	close(w.stop)
	<-w.done
	grown := w.peak.Load() - g.warm
	g.t.Logf("answers %v; resident memory %d MiB after normal traffic, at most %+d MiB to that during %d at once", statuses, g.warm>>20, grown>>20, parallelBombs)
	for status, n := range statuses {
		if !slices.Contains(allowed, status) {
			g.t.Errorf("%d answers were %d; only %v may be", n, status, allowed)
		}
	}
	if most := cmp.Or(g.most, maxGrowth); grown > most {
		g.t.Errorf("resident memory grew by %d MiB; the promise is %d", grown>>20, most>>20)
	}
	g.alive()
}
