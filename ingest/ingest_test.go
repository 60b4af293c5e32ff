package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is the write path over real engines: HTTP front, bus and store, with one tenant of its own number.
type rig struct {
	t        *testing.T
	number   seamark.TenantNumber
	js       jetstream.JetStream
	bus      *bus.Bus
	store    *store.Store
	edge     http.Handler
	registry *prometheus.Registry
	arrived  atomic.Int64
}

var tenants atomic.Uint32

// tenantID returns the id of the tenant with a number.
func tenantID(n seamark.TenantNumber) seamark.TenantID {
	return seamark.TenantID(fmt.Sprintf("01ARZ3NDEKTSV4RRFFQ69G%04d", n))
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, number: seamark.TenantNumber(tenants.Add(1)), registry: prometheus.NewRegistry()}
	nc, err := testkit.NATS(t).Connect()
	require.NoError(t, err)
	r.js, err = jetstream.New(nc)
	require.NoError(t, err)
	o := bus.DefaultOptions()
	o.Conn, o.JS, o.Logger, o.Registerer, o.Shards, o.MaxStreamBytes = nc, r.js, quiet(), r.registry, 2, 64<<20
	r.bus, err = bus.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(r.bus.Close)
	r.openStore()
	r.openFront()
	return r
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (r *rig) openStore() {
	ch := testkit.ClickHouse(r.t)
	tcp, web := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{web}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(id seamark.TenantID) (seamark.TenantNumber, error) {
			if id != tenantID(r.number) {
				return 0, seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "No such tenant.")
			}
			return r.number, nil
		},
		Platform: r.number, Dial: engine.DialClickHouse, MaxTenantConns: 4, Logger: quiet(), Registerer: r.registry, Now: time.Now,
	})
	require.NoError(r.t, err)
	r.store = s
	r.t.Cleanup(func() { _ = s.Close() })
}

// openFront makes the front, with options of its own.
func (r *rig) openFront(set ...func(*ingest.Options)) {
	o := ingest.DefaultOptions()
	o.Bus, o.Logger, o.Registerer, o.Now = r.bus, quiet(), r.registry, time.Now
	o.Arrived = func(seamark.TenantID, seamark.ClusterID, seamark.Signal, time.Time) { r.arrived.Add(1) }
	for _, fn := range set {
		fn(&o)
	}
	in, err := ingest.New(o)
	require.NoError(r.t, err)
	routes, err := ingest.Routes(in)
	require.NoError(r.t, err)
	r.edge, err = httpx.New(httpx.Options{Routes: routes, Verifier: oneTenant{tenantID(r.number)}, Logger: quiet(), Registerer: o.Registerer, Now: time.Now})
	require.NoError(r.t, err)
}

// oneTenant lets every token that says so in as the ingest token of one tenant.
type oneTenant struct{ id seamark.TenantID }

func (o oneTenant) Authenticate(_ context.Context, token string) (seamark.Principal, error) {
	if token != "smk_good" {
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "Unknown token.")
	}
	return seamark.Principal{Tenant: o.id, Kind: seamark.IngestToken, Cluster: "01ARZ3NDEKTSV4RRFFQ69G5FAW", ClusterName: "prod", Signals: seamark.AllSignals}, nil
}

func (o oneTenant) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, errors.New("no sessions here")
}

func (o oneTenant) Permit(seamark.Principal, string) error { return nil }

// writer returns a writer that cuts batches quickly.
func (r *rig) writer(failpoint func(string)) *ingest.Writer {
	r.t.Helper()
	return r.writerOf(r.bus, prometheus.NewRegistry(), failpoint)
}

// writerOf returns such a writer of another stream, with options of its own.
func (r *rig) writerOf(stream ingest.Stream, registry *prometheus.Registry, failpoint func(string), set ...func(*ingest.WriterOptions)) *ingest.Writer {
	r.t.Helper()
	o := ingest.DefaultWriterOptions()
	var err error
	o.Checkpoints, err = bus.OpenDocs[ingest.Checkpoint](r.t.Context(), r.js, "checkpoints", 1)
	require.NoError(r.t, err)
	o.Leases, err = bus.OpenLeases(r.t.Context(), r.js, "leases", 1)
	require.NoError(r.t, err)
	o.Bus, o.Store, o.Owner, o.Failpoint, o.MaxBatchAge = stream, r.store, "node-1", failpoint, 20*time.Millisecond
	o.Logger, o.Registerer, o.Now = quiet(), registry, time.Now
	for _, fn := range set {
		fn(&o)
	}
	w, err := ingest.NewWriter(o)
	require.NoError(r.t, err)
	return w
}

// run starts a writer and returns what stops it and waits.
func (r *rig) run(w *ingest.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	var done sync.WaitGroup
	done.Go(func() { _ = w.Run(ctx) })
	return func() { cancel(); done.Wait() }
}

// push posts a body and returns the answer.
func (r *rig) push(path, contentType, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(r.t.Context(), http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer smk_good")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.edge.ServeHTTP(w, req)
	return w
}

func (r *rig) conn() driver.Conn {
	ch := testkit.ClickHouse(r.t)
	tcp, _ := ch.Addrs()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()}})
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// counts returns how many rows a tenant's table has and how many distinct values of an expression.
func (r *rig) counts(conn driver.Conn, table, distinct string) (rows, unique uint64) {
	err := conn.QueryRow(r.t.Context(), fmt.Sprintf("SELECT count(), uniqExact(%s) FROM t%04d.%s", distinct, r.number, table)).Scan(&rows, &unique)
	if err != nil {
		return 0, 0 // the table comes with the first data
	}
	return rows, unique
}

func lokiJSON(line string, at time.Time) string {
	return fmt.Sprintf(`{"streams":[{"stream":{"app":"web","namespace":"shop"},"values":[["%d",%q]]}]}`, at.UnixNano(), line)
}

func TestPushReachesTheStoreOnce(t *testing.T) {
	r := newRig(t)
	defer r.run(r.writer(nil))()
	at := time.Now()
	for range 3 { // a sender that never saw the answer sends the same again
		w := r.push("/loki/api/v1/push", "application/json", lokiJSON("hello", at))
		require.Equal(t, http.StatusNoContent, w.Code, w.Body.String())
	}
	conn := r.conn()
	testkit.Eventually(t, time.Minute, func() error {
		if rows, _ := r.counts(conn, "logs", "body"); rows != 1 {
			return fmt.Errorf("got %d rows, want 1", rows)
		}
		return nil
	})
	var group, level, service, cluster string
	var ns int64
	require.NoError(t, conn.QueryRow(t.Context(), fmt.Sprintf(`SELECT l.grp, l.level, toUnixTimestamp64Nano(l.ts), s.labels['service_name'], s.labels['cluster']
		FROM t%04d.logs AS l JOIN t%04d.series AS s ON s.fp = l.fp`, r.number, r.number)).Scan(&group, &level, &ns, &service, &cluster))
	require.Equal(t, []any{"shop/web", "unknown", at.UnixNano(), "web", "prod"}, []any{group, level, ns, service, cluster})
}

// TestWriterSurvivesEveryStep stops the writer at each step of its protocol, again and again under load, and expects
// every acknowledged line exactly once.
func TestWriterSurvivesEveryStep(t *testing.T) {
	for _, step := range []string{"before-intent", "after-intent", "between-inserts", "before-checkpoint", "after-checkpoint"} {
		t.Run(step, func(t *testing.T) {
			r := newRig(t)
			acked := make(chan int, 1)
			load, stopLoad := context.WithCancel(t.Context())
			go func() { acked <- r.load(load) }()
			conn := r.conn()
			for round := range 6 {
				fail := &failure{step: step, pass: round%3 + 1, hit: make(chan struct{})}
				ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
				fail.stop = cancel
				var done sync.WaitGroup
				done.Go(func() { _ = r.writer(fail.at).Run(ctx) })
				<-fail.hit
				done.Wait()
			}
			stopLoad()
			want := <-acked
			require.Positive(t, want)
			defer r.run(r.writer(nil))()
			testkit.Eventually(t, time.Minute, func() error {
				if rows, unique := r.counts(conn, "logs", "body"); rows != uint64(want) || unique != uint64(want) {
					return fmt.Errorf("got %d rows, %d distinct; %d were acknowledged", rows, unique, want)
				}
				return nil
			})
		})
	}
}

// failure cancels a writer at the nth pass of a step and blocks it there, as a kill would.
type failure struct {
	step   string
	pass   int
	stop   context.CancelFunc
	hit    chan struct{}
	passes atomic.Int32
	once   sync.Once
}

func (f *failure) at(name string) {
	if name == f.step && int(f.passes.Add(1)) == f.pass {
		f.once.Do(func() { f.stop(); close(f.hit) })
	}
}

// load pushes distinct lines until ctx ends and returns how many were acknowledged.
func (r *rig) load(ctx context.Context) int {
	n := 0
	for ctx.Err() == nil {
		if w := r.push("/loki/api/v1/push", "application/json", lokiJSON(fmt.Sprint("line ", n), time.Now())); w.Code != http.StatusNoContent {
			r.t.Errorf("push: %d %s", w.Code, w.Body.String())
			return n
		}
		n++
	}
	return n
}

func TestPushRefusals(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	for name, c := range map[string]struct {
		path, contentType, body string
		headers                 []string
		status                  int
		say                     string
	}{
		"wrong type":       {"/loki/api/v1/push", "text/html", "x", nil, 415, "application/json"},
		"not json":         {"/loki/api/v1/push", "application/json", "{", nil, 400, "byte"},
		"not snappy":       {"/loki/api/v1/push", "application/x-protobuf", "junk", nil, 400, "snappy"},
		"unknown encoding": {"/loki/api/v1/push", "application/json", "{}", []string{"Content-Encoding", "br"}, 415, "gzip"},
		"snappy bomb":      {"/api/v1/push", "application/x-protobuf", "\xff\xff\xff\xff\x0fx", nil, 400, "declares more bytes than it can hold"},
		"too large":        {"/api/v1/push", "application/x-protobuf", strings.Repeat("x", 9<<20), nil, 413, "--ingest.max-body-bytes"},
		"old line":         {"/loki/api/v1/push", "application/json", lokiJSON("old", now.Add(-40*24*time.Hour)), nil, 400, "--ingest.max-age"},
		"remote write 3":   {"/api/v1/push", "application/x-protobuf;proto=io.prometheus.write.v3.Request", "x", nil, 415, "io.prometheus.write.v2.Request"},
		"otlp junk":        {"/v1/logs", "application/json", "[", nil, 400, ""},
		"long line":        {"/loki/api/v1/push", "application/json", lokiJSON(strings.Repeat("y", 300<<10), now), nil, 400, "--ingest.max-line-bytes"},
		"bad label":        {"/loki/api/v1/push", "application/json", `{"streams":[{"stream":{"a b":"x"},"values":[["1","l"]]}]}`, nil, 400, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := r.push(c.path, c.contentType, c.body, c.headers...)
			require.Equal(t, c.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), c.say)
		})
	}
	require.Zero(t, r.arrived.Load())
}

// TestPushRefusesBeforeReading sends a body that fails the test when it is read.
func TestPushRefusesBeforeReading(t *testing.T) {
	r := newRig(t)
	for _, authorization := range []string{"", "Bearer smk_bad", "Basic eDp5", "Nonsense"} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/loki/api/v1/push", unreadable{t})
		req.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		r.edge.ServeHTTP(w, req)
		require.Equal(t, http.StatusUnauthorized, w.Code)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read before the credential was checked")
	return 0, io.EOF
}

// TestPushKeepsGoodBesideBad sends one good and one old line; the good one is stored and the answer tells of the other.
func TestPushKeepsGoodBesideBad(t *testing.T) {
	r := newRig(t)
	defer r.run(r.writer(nil))()
	body := fmt.Sprintf(`{"streams":[{"stream":{"app":"web"},"values":[["%d","good"],["1","old"]]}]}`, time.Now().UnixNano())
	w := r.push("/loki/api/v1/push", "application/json", body)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "1 of 2 rows were refused; the others are stored.")
	conn := r.conn()
	testkit.Eventually(t, time.Minute, func() error {
		if rows, _ := r.counts(conn, "logs", "body"); rows != 1 {
			return fmt.Errorf("got %d rows, want 1", rows)
		}
		return nil
	})
}

func TestEventsBecomeRowsAndLines(t *testing.T) {
	r := newRig(t)
	defer r.run(r.writer(nil))()
	event := func(count int) string {
		at := time.Now().UTC().Truncate(time.Second)
		return fmt.Sprintf(`{"kind":"Event","apiVersion":"v1","metadata":{"name":"e","namespace":"shop","uid":"1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
			"involvedObject":{"kind":"Pod","namespace":"shop","name":"web-1"},"reason":"BackOff","message":"again","type":"Warning","count":%d,
			"firstTimestamp":"%s","lastTimestamp":"%s","source":{"component":"kubelet","host":"n1"}}`, count,
			at.Add(-time.Minute).Truncate(time.Minute).Format(time.RFC3339), at.Format(time.RFC3339))
	}
	for count := 1; count <= 3; count++ {
		w := r.push("/api/v1/push/events", "application/json", event(count))
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	}
	conn := r.conn()
	var rows uint64
	var cnt uint32
	var cluster string
	testkit.Eventually(t, time.Minute, func() error { // lines and events are inserts of their own
		if lines, _ := r.counts(conn, "logs", "body"); lines != 3 {
			return fmt.Errorf("got %d lines, want 3", lines)
		}
		err := conn.QueryRow(t.Context(), fmt.Sprintf("SELECT count(), max(cnt), any(cluster) FROM t%04d.events FINAL", r.number)).Scan(&rows, &cnt, &cluster)
		if err == nil && cnt != 3 {
			err = fmt.Errorf("the event's count is %d, want 3", cnt)
		}
		return err
	})
	require.LessOrEqual(t, rows, uint64(2), "updates of one event collapse; its first minute may pass between two")
	require.Equal(t, "prod", cluster)
}

// TestUnreadableMessageIsSetAside puts rubbish on a shard between good messages.
func TestUnreadableMessageIsSetAside(t *testing.T) {
	r := newRig(t)
	shard, err := r.bus.ShardOf(tenantID(r.number), "01ARZ3NDEKTSV4RRFFQ69G5FAW", seamark.Logs)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON("one", time.Now())).Code)
	_, err = r.js.Publish(t.Context(), fmt.Sprintf("seamark.logs.%d.x", shard.Number), []byte("rubbish"))
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON("two", time.Now())).Code)
	defer r.run(r.writer(nil))()
	conn := r.conn()
	testkit.Eventually(t, time.Minute, func() error {
		if rows, _ := r.counts(conn, "logs", "body"); rows != 2 {
			return fmt.Errorf("got %d rows, want 2", rows)
		}
		return nil
	})
	dead, err := r.js.Stream(t.Context(), "SEAMARK_DEAD")
	require.NoError(t, err)
	msg, err := dead.GetLastMsgForSubject(t.Context(), "seamark.dead.>")
	require.NoError(t, err)
	require.True(t, bytes.Equal([]byte("rubbish"), msg.Data))
}

// TestEventsAmongLogs sends one event over protocols of logs: it becomes one row of events and no line but its own.
func TestEventsAmongLogs(t *testing.T) {
	r := newRig(t)
	defer r.run(r.writer(nil))()
	event := fmt.Sprintf(`{"kind":"Event","apiVersion":"v1","metadata":{"name":"a.1","namespace":"shop","uid":"3b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d","resourceVersion":"7"},`+
		`"involvedObject":{"kind":"Pod","namespace":"shop","name":"a"},"reason":"BackOff","message":"again","type":"Warning","count":3,`+
		`"firstTimestamp":%q,"lastTimestamp":%q}`, time.Now().Add(-90*24*time.Hour).UTC().Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339))
	line, err := json.Marshal(event)
	require.NoError(t, err)
	loki := fmt.Sprintf(`{"streams":[{"stream":{"job":"events"},"values":[["%d",%s],["%d","plain"]]}]}`, time.Now().UnixNano(), line, time.Now().UnixNano())
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", loki).Code)
	require.Equal(t, http.StatusNoContent, r.push("/api/v1/push/logs", "application/x-ndjson", event+"\n"+`{"message":"plain"}`+"\n").Code)
	bulk := r.push("/_bulk", "application/x-ndjson", `{"create":{"_index":"logs-k8s"}}`+"\n"+event+"\n")
	require.Equal(t, http.StatusOK, bulk.Code)
	require.Contains(t, bulk.Body.String(), `"errors":false`)
	require.Equal(t, http.StatusOK, r.push("/services/collector", "application/json", `{"event":`+event+`}`).Code)
	conn := r.conn()
	testkit.Eventually(t, time.Minute, func() error {
		var events, lines uint64
		db := fmt.Sprintf("t%04d", r.number)
		if err := conn.QueryRow(t.Context(), "SELECT (SELECT count() FROM "+db+".events FINAL), (SELECT count() FROM "+db+".logs WHERE body = 'plain')").Scan(&events, &lines); err != nil {
			return err
		}
		if events != 1 || lines != 2 {
			return fmt.Errorf("got %d events and %d lines, want 1 and 2", events, lines)
		}
		return nil
	})
	var others uint64
	require.NoError(t, conn.QueryRow(t.Context(), fmt.Sprintf("SELECT count() FROM t%04d.logs WHERE body != 'plain' AND body NOT LIKE '{\"cluster\":%%'", r.number)).Scan(&others))
	require.Zero(t, others, "lines that are neither plain nor an event's own")
}

// flaky is a bus that fails the first publish after it has stored the message.
type flaky struct {
	ingest.Publisher
	failed atomic.Bool
}

func (f *flaky) Publish(ctx context.Context, m *bus.Message) error {
	err := f.Publisher.Publish(ctx, m)
	if err == nil && !f.failed.Swap(true) {
		return seamark.Errorf(seamark.Unavailable, "seamark-queue-busy", "The answer was lost.")
	}
	return err
}

// doubling is a pipeline that shows how often it ran.
type doubling struct{}

func (doubling) Apply(_ context.Context, _ seamark.Principal, _ seamark.Catalog, b *seamark.Batch) error {
	for i, body := range b.Logs.Body {
		b.Logs.Body[i] = body + body
	}
	return nil
}

// TestPushingABatchAgain pushes a batch twice, as listeners do when an answer is lost: limits, events' lines and pipelines are
// applied once, and its rows are stored once.
func TestPushingABatchAgain(t *testing.T) {
	r := newRig(t)
	defer r.run(r.writer(nil))()
	o := ingest.DefaultOptions()
	o.Bus, o.Logger, o.Registerer, o.Now, o.Pipelines = &flaky{Publisher: r.bus}, quiet(), prometheus.NewRegistry(), time.Now, doubling{}
	o.Arrived = func(seamark.TenantID, seamark.ClusterID, seamark.Signal, time.Time) {}
	in, err := ingest.New(o)
	require.NoError(t, err)
	p, err := oneTenant{tenantID(r.number)}.Authenticate(t.Context(), "smk_good")
	require.NoError(t, err)
	var b seamark.Batch
	series, err := in.Catalog(p).Create(1, seamark.LogStream, []seamark.Label{{Name: "app", Value: "x"}})
	require.NoError(t, err)
	b.Logs.Append(&seamark.LogRow{Stream: b.Logs.AddStream(series), TimeNano: time.Now().UnixNano(), Body: "ab"})
	b.Events = []seamark.Event{{UID: "u", Kind: "Pod", Object: "a", Type: "Normal", Reason: "R", Count: 1, Last: time.Now()}}
	require.Error(t, in.Push(t.Context(), p, seamark.Logs, "one", &b))
	require.NoError(t, in.Push(t.Context(), p, seamark.Logs, "one", &b))
	conn := r.conn()
	testkit.Eventually(t, time.Minute, func() error {
		var whole, doubled uint64
		err := conn.QueryRow(t.Context(), fmt.Sprintf("SELECT count(), countIf(body = 'abab') FROM t%04d.logs", r.number)).Scan(&whole, &doubled)
		if err == nil && (whole != 2 || doubled != 1) {
			err = fmt.Errorf("got %d lines, %d of them changed once; want 2 and 1", whole, doubled)
		}
		return err
	})
}
