package scaleout

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	batchRows  = 10
	batchPause = 100 * time.Millisecond // the losses, not the rate, are what is tested
	retryPause = 50 * time.Millisecond
	senderIDs  = 100_000_000 // room for one sender's row ids; a sample's value is its id, so they stay far below 2^53
	// lostAnswers is the share of acknowledgements that a sender does not get to see, so that it sends the bytes again.
	lostAnswers = 0.1
)

// signal is a kind of rows, the way that they are pushed and the statements that count them by id, of a database and from one id to another.
type signal struct {
	name, path, media string
	encode            func(s *sender, first uint64, at time.Time) []byte
	counts            []string
}

var signals = []*signal{
	{"logs", "/loki/api/v1/push", "application/json", logs, []string{
		"SELECT toUInt64OrZero(extract(body, 'id=([0-9]+)')) AS id, count() FROM %s.logs WHERE NOT endsWith(grp, '/k8s-events') AND id >= %d AND id < %d GROUP BY id",
	}},
	{"samples", "/api/v1/push", "application/x-protobuf", samples, []string{
		"SELECT toUInt64(v) AS id, count() FROM %s.samples WHERE metric = 'scaleout_value' AND id >= %d AND id < %d GROUP BY id",
	}},
	{"events", "/api/v1/push/events", "application/json", events, []string{
		"SELECT toUInt64OrZero(object) AS id, count() FROM %s.events FINAL WHERE id >= %d AND id < %d GROUP BY id",
		"SELECT toUInt64OrZero(JSONExtractString(body, 'name')) AS id, count() FROM %s.logs WHERE endsWith(grp, '/k8s-events') AND id >= %d AND id < %d GROUP BY id",
	}},
}

// sender pushes batch after batch to any ingest node, the same bytes until they are acknowledged.
type sender struct {
	*signal
	shard   int // that its tenant is on
	number  int
	rnd     *rand.Rand
	lastAt  time.Time
	batches atomic.Uint64 // that are acknowledged
	retries int
	refused string // an answer that no retry helps against
}

// load is what senders and readers do to a region.
type load struct {
	r       *region
	conns   []driver.Conn // of the shards' tables
	client  *http.Client
	ingest  []*atomic.Pointer[string] // where each ingest node is or was last
	querier []*atomic.Pointer[string]
	senders []*sender
	acked   atomic.Int64
	stop    chan struct{}
	wait    sync.WaitGroup

	answers [shards]atomic.Int64 // to readers of the tenant on each shard
	mu      sync.Mutex           // guards gaps
	gaps    []gap
}

// gap is a query that no querier answered.
type gap struct {
	shard        int
	begun, ended time.Time
	err          error
}

func newLoad(r *region, rnd *rand.Rand) *load {
	l := &load{r: r, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}, stop: make(chan struct{})}
	for _, e := range r.engines {
		conn, err := driverOf(e)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { _ = conn.Close() })
		l.conns = append(l.conns, conn)
	}
	for range each {
		l.ingest, l.querier = append(l.ingest, &atomic.Pointer[string]{}), append(l.querier, &atomic.Pointer[string]{})
	}
	l.aim()
	for _, s := range signals {
		for shard := range shards {
			number := len(l.senders) + 1
			l.senders = append(l.senders, &sender{signal: s, shard: shard, number: number, rnd: rand.New(rand.NewPCG(rnd.Uint64(), uint64(number)))})
		}
	}
	for _, s := range l.senders {
		l.wait.Go(func() { l.push(s) })
	}
	for shard := range shards {
		l.wait.Go(func() { l.read(shard, harness.LogQL, `sum(count_over_time({app="scaleout"}[1h]))`) })
		l.wait.Go(func() { l.read(shard, harness.PromQL, `count(scaleout_value)`) })
	}
	return l
}

func driverOf(e *harness.Engine) (driver.Conn, error) {
	return clickhouse.Open(&clickhouse.Options{
		Addr: []string{e.TCP}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: engine.AdminUser, Password: e.Password},
	})
}

// aim tells senders and readers where the nodes are that run now.
func (l *load) aim() {
	for i := range each {
		l.ingest[i].Store(&l.r.nodes["ingest"][i].URL)
		l.querier[i].Store(&l.r.nodes["querier"][i].URL)
	}
}

// goesOn waits for more acknowledgements: whatever is away, data is taken.
func (l *load) goesOn() {
	l.r.t.Helper()
	want := l.acked.Load() + 5*int64(len(l.senders))
	testkit.Eventually(l.r.t, within, func() error {
		if got := l.acked.Load(); got < want {
			return fmt.Errorf("%d of %d batches are acknowledged", got, want)
		}
		return nil
	})
}

// end stops the load; batches under way are pushed to their end.
func (l *load) end() {
	close(l.stop)
	l.wait.Wait()
	l.client.CloseIdleConnections()
}

func (l *load) push(s *sender) {
	tick := time.NewTicker(batchPause)
	defer tick.Stop()
	for s.refused == "" {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		at := time.Now().Truncate(time.Millisecond)
		if !at.After(s.lastAt) {
			at = s.lastAt.Add(time.Millisecond) // no two samples of a series share a time, which has milliseconds
		}
		s.lastAt = at
		l.deliver(s, s.encode(s, uint64(s.number)*senderIDs+s.batches.Load()*batchRows, at))
	}
}

// deliver sends one body until it is acknowledged, each time to the next node.
func (l *load) deliver(s *sender, body []byte) {
	for n := s.number; ; n++ {
		a, err := harness.Do(context.Background(), l.client, &harness.Request{
			URL: *l.ingest[n%each].Load() + s.path, Token: l.r.accounts[s.shard].Ingest, Type: s.media, Body: body,
		})
		switch {
		case err != nil, a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable: // the node is gone, or cannot now
		case a.Status/100 == 2 && s.rnd.Float64() >= lostAnswers:
			s.batches.Add(1)
			l.acked.Add(1)
			return
		case a.Status/100 == 2: // this answer is lost
		default:
			s.refused = fmt.Sprintf("%d %s", a.Status, a.Body)
			return
		}
		s.retries++
		time.Sleep(retryPause) // a sender's own back-off
	}
}

// read asks again and again, and the next querier where one does not answer, as a balancer does.
func (l *load) read(shard int, ask func(ctx context.Context, url, token, query string) ([]harness.Series, error), query string) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		begun := time.Now()
		var err error
		for i := range each {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			_, err = ask(ctx, *l.querier[(n+i)%each].Load(), l.r.accounts[shard].Query, query)
			cancel()
			if err == nil {
				l.answers[shard].Add(1)
				break
			}
		}
		if err != nil {
			l.mu.Lock()
			l.gaps = append(l.gaps, gap{shard, begun, time.Now(), err})
			l.mu.Unlock()
		}
	}
}

func logs(s *sender, first uint64, at time.Time) []byte {
	values := make([][2]string, batchRows)
	for i := range values {
		values[i] = [2]string{strconv.FormatInt(at.UnixNano(), 10), fmt.Sprintf("level=info id=%d msg=\"the lease was renewed\"", first+uint64(i))}
	}
	return encode(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"app": "scaleout", "sender": strconv.Itoa(s.number)}, "values": values}}})
}

func samples(s *sender, first uint64, at time.Time) []byte {
	req := prompb.WriteRequest{}
	for i := range batchRows {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{
			Labels:  []prompb.Label{{Name: "__name__", Value: "scaleout_value"}, {Name: "lane", Value: strconv.Itoa(i)}, {Name: "sender", Value: strconv.Itoa(s.number)}},
			Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: float64(first + uint64(i))}},
		})
	}
	body, err := req.Marshal()
	if err != nil {
		panic(err) // the message is ours
	}
	return snappy.Encode(nil, body)
}

func events(_ *sender, first uint64, at time.Time) []byte {
	items := make([]any, batchRows)
	for i := range items {
		id := first + uint64(i)
		items[i] = map[string]any{
			"kind": "Event", "metadata": map[string]string{"uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", id)},
			"involvedObject": map[string]string{"kind": "Pod", "namespace": "scaleout", "name": strconv.FormatUint(id, 10)},
			"type":           "Normal", "reason": "Renewed", "message": "the lease was renewed", "count": 1,
			"firstTimestamp": at.UTC().Format(time.RFC3339), "lastTimestamp": at.UTC().Format(time.RFC3339),
		}
	}
	return encode(map[string]any{"kind": "List", "items": items})
}

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // the value is ours
	}
	return body
}

// ledger counts a sender's rows in a table by a statement.
type ledger struct{ acked, lost, doubled, foreign int }

// count holds a table against the sender's first rows.
func (l *load) count(s *sender, sql string, acked uint64) (ledger, error) {
	n := ledger{acked: int(acked)}
	first := uint64(s.number) * senderIDs
	rows, err := l.conns[s.shard].Query(context.Background(), fmt.Sprintf(sql, l.r.accounts[s.shard].Database(), first, first+senderIDs))
	if err != nil {
		return n, err
	}
	defer func() { _ = rows.Close() }()
	found := 0
	for rows.Next() {
		var id, times uint64
		if err := rows.Scan(&id, &times); err != nil {
			return n, err
		}
		if times > 1 {
			n.doubled++
		}
		if id-first >= uint64(n.acked) {
			n.foreign++
		} else {
			found++
		}
	}
	n.lost = n.acked - found
	return n, rows.Err()
}

// stored waits until all that is acknowledged now is in its tables, and returns what is there.
func (l *load) stored(s *sender, sql string) (n ledger) {
	l.r.t.Helper()
	acked := s.batches.Load() * batchRows
	testkit.Eventually(l.r.t, within, func() error {
		var err error
		if n, err = l.count(s, sql, acked); err == nil && n.lost > 0 {
			err = fmt.Errorf("sender %d (%s): %+v", s.number, s.name, n)
		}
		return err
	})
	return n
}

// catchesUp waits until what is acknowledged now is stored, but for the tenants of a shard that is away; away is -1 where none is.
func (l *load) catchesUp(away int) {
	l.r.t.Helper()
	for _, s := range l.senders {
		if s.shard != away {
			l.stored(s, s.counts[0])
		}
	}
}

// enoughAnswers is how many queries of a tenant have to be answered while another's shard is away: more than were under way before.
const enoughAnswers = 10

// answersBut waits for answers to the tenants of all shards but one.
func (l *load) answersBut(away int) {
	l.r.t.Helper()
	var before [shards]int64
	for i := range l.answers {
		before[i] = l.answers[i].Load()
	}
	testkit.Eventually(l.r.t, within, func() error {
		for i := range l.answers {
			if got := l.answers[i].Load() - before[i]; i != away && got < enoughAnswers {
				return fmt.Errorf("%d queries of the tenant on shard %d are answered while shard %d is away, want %d", got, i+1, away+1, enoughAnswers)
			}
		}
		return nil
	})
}

// judge holds the tables against what was acknowledged, once the writers have stored it.
func (l *load) judge(t *testing.T) {
	t.Helper()
	var all ledger
	retries := 0
	for _, s := range l.senders {
		if s.refused != "" {
			t.Errorf("sender %d (%s) was refused: %s", s.number, s.name, s.refused)
		}
		retries += s.retries
		for _, sql := range s.counts {
			n := l.stored(s, sql)
			if n.acked == 0 || n.doubled > 0 || n.foreign > 0 {
				t.Errorf("sender %d (%s): %+v; want each acknowledged row once and nothing else", s.number, s.name, n)
			}
			all.acked, all.doubled, all.foreign = all.acked+n.acked, all.doubled+n.doubled, all.foreign+n.foreign
		}
	}
	t.Logf("rows acknowledged %d, lost %d, doubled %d, foreign %d; %d retries; %d and %d queries answered, %d not", all.acked, all.lost, all.doubled, all.foreign, retries, l.answers[0].Load(), l.answers[1].Load(), len(l.gaps))
}

// queried wants every querier to find all rows of logs and samples of each tenant, and no other's.
func (l *load) queried(t *testing.T) {
	t.Helper()
	for shard := range shards {
		l.queriedOf(t, shard)
	}
}

func (l *load) queriedOf(t *testing.T, shard int) {
	t.Helper()
	want := map[string]float64{}
	for _, s := range l.senders {
		if s.shard == shard {
			want[s.name] += float64(s.batches.Load() * batchRows)
		}
	}
	for _, n := range l.r.nodes["querier"] {
		testkit.Eventually(t, within, func() error {
			lines, err := harness.LogQL(t.Context(), n.URL, l.r.accounts[shard].Query, `sum(count_over_time({app="scaleout"}[1h]))`)
			if err != nil || len(lines) != 1 || lines[0].Point.Value != want["logs"] {
				return fmt.Errorf("lines are %v, want %v: %w", lines, want["logs"], err)
			}
			points, err := harness.PromQL(t.Context(), n.URL, l.r.accounts[shard].Query, `sum(count_over_time(scaleout_value[1h]))`)
			if err != nil || len(points) != 1 || points[0].Point.Value != want["samples"] {
				return fmt.Errorf("samples are %v, want %v: %w", points, want["samples"], err)
			}
			return nil
		})
	}
}
