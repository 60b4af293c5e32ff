// Package outside proves that the one binary also runs as separate roles against a NATS server and a ClickHouse that it
// knows by their addresses alone, and that roles come and go without loss.
package outside

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// rig is every role as a process of its own.
type rig struct {
	t       *testing.T // of all parts: a process that one starts lives on in the next
	flags   []string
	roles   map[string]*harness.Server
	account *harness.Account
	admin   func(out any, args ...string)
}

func newRig(t *testing.T) *rig {
	nats, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	r := &rig{t: t, flags: append([]string{"--nats.url", nats.URL}, engine.Flags()...), roles: map[string]*harness.Server{}}
	for _, role := range []string{"ingest", "writer", "querier", "alerting", "api"} {
		r.start(role)
	}
	r.admin = func(out any, args ...string) {
		t.Helper()
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", nats.URL)...)
	}
	r.account = harness.NewAccount(r.admin, "outside")
	return r
}

func (r *rig) start(role string) {
	r.t.Helper()
	r.roles[role] = harness.Serve(r.t, r.t.TempDir(), append([]string{role}, r.flags...)...)
}

// push sends one body to the ingest role.
func (r *rig) push(path, media string, body []byte) (*harness.Answer, error) {
	return harness.Do(context.Background(), http.DefaultClient, &harness.Request{
		URL: r.roles["ingest"].URL + path, Token: r.account.Ingest, Type: media, Body: body,
	})
}

// TestRolesApart runs its parts in order on one set of processes, which take seconds to start.
func TestRolesApart(t *testing.T) {
	r := newRig(t)
	t.Run("values pushed are the values queried", r.testValues)
	t.Run("each role answers its own routes alone", r.testRoutes)
	t.Run("a drain under load loses nothing", r.testDrain)
	t.Run("a revoked token stops within a second", r.testRevocation)
	t.Run("every role ends in order", r.testEnd)
}

func (r *rig) testValues(t *testing.T) {
	const rows = 50
	now := time.Now().Truncate(time.Millisecond)
	lines, points := map[string]string{}, map[float64]float64{}
	var values [][2]string
	series := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "outside_value"}, {Name: "job", Value: "test"}}}
	var items []any
	names := map[string]string{}
	for i := range rows {
		at := now.Add(time.Duration(i-rows) * time.Second)
		nano, line, name := strconv.FormatInt(at.UnixNano(), 10), fmt.Sprintf("line %d of \"the test\" äöü", i), fmt.Sprintf("pod-%d", i)
		values, lines[nano] = append(values, [2]string{nano, line}), line
		series.Samples = append(series.Samples, prompb.Sample{Timestamp: at.UnixMilli(), Value: float64(i) / 3})
		points[float64(at.UnixMilli())] = float64(i) / 3
		items = append(items, map[string]any{
			"kind": "Event", "involvedObject": map[string]string{"kind": "Pod", "namespace": "outside", "name": name},
			"type": "Normal", "reason": "Tested", "message": line, "lastTimestamp": at.UTC().Format(time.RFC3339),
		})
		names[name] = line
	}
	r.mustPush(t, "/loki/api/v1/push", "application/json", encode(t, map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"app": "outside"}, "values": values}}}))
	samples, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	r.mustPush(t, "/api/v1/push", "application/x-protobuf", snappy.Encode(nil, samples))
	r.mustPush(t, "/api/v1/push/events", "application/json", encode(t, map[string]any{"kind": "List", "items": items}))

	same(t, lines, r.queryLines)
	same(t, points, r.querySamples)
	same(t, names, r.queryEvents)
}

func (r *rig) mustPush(t *testing.T, path, media string, body []byte) {
	t.Helper()
	if answer, err := r.push(path, media, body); err != nil || answer.Status/100 != 2 {
		t.Fatalf("push to %s: %+v %v", path, answer, err)
	}
}

// same waits until a query gives what was pushed.
func same[K comparable, V comparable](t *testing.T, want map[K]V, query func() (map[K]V, error)) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() error {
		got, err := query()
		if err == nil && !maps.Equal(got, want) {
			err = fmt.Errorf("the query differs from what was pushed (-want +got):\n%s", cmp.Diff(want, got))
		}
		return err
	})
}

func (r *rig) queryLines() (map[string]string, error) {
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]string }
		}
	}
	err := harness.Get(context.Background(), r.roles["querier"].URL+"/loki/api/v1/query_range?query=%7Bapp%3D%22outside%22%7D&limit=1000", r.account.Query, &answer)
	got := map[string]string{}
	for _, stream := range answer.Data.Result {
		for _, v := range stream.Values {
			got[v[0]] = v[1]
		}
	}
	return got, err
}

func (r *rig) querySamples() (map[float64]float64, error) {
	list, err := harness.PromQL(context.Background(), r.roles["querier"].URL, r.account.Query, `outside_value{job="test",cluster="outside"}[1h]`)
	got := map[float64]float64{}
	for _, series := range list {
		for _, p := range series.Points {
			got[float64(int64(p.Seconds*1000+0.5))] = p.Value
		}
	}
	return got, err
}

func (r *rig) queryEvents() (map[string]string, error) {
	var answer struct {
		Items []struct{ Object, Message string }
	}
	err := harness.Get(context.Background(), r.roles["querier"].URL+"/api/v1/events?namespace=outside&limit=1000", r.account.Query, &answer)
	got := map[string]string{}
	for _, item := range answer.Items {
		got[item.Object] = item.Message
	}
	return got, err
}

// testRoutes asks each role for a route of each; only its own may know it.
func (r *rig) testRoutes(t *testing.T) {
	for path, owner := range map[string]string{
		"/loki/api/v1/labels": "querier", "/api/v1/push": "ingest", "/prometheus/api/v1/rules": "alerting", "/api/v1/clusters": "api",
	} {
		for role, s := range r.roles {
			answer, err := harness.Do(context.Background(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: s.URL + path, Token: r.account.Query})
			if err != nil {
				t.Errorf("%s at %s: %v", path, role, err)
				continue
			}
			if known := answer.Status != http.StatusNotFound; known != (role == owner) {
				t.Errorf("%s at %s: status %d; %s alone may know it", path, role, answer.Status, owner)
			}
		}
	}
}

// drainClients push side by side while the roles go and come.
const drainClients = 6

// testDrain ends the ingest role and the writer with SIGTERM under load, and wants exit code 0 and every acknowledged line.
func (r *rig) testDrain(t *testing.T) {
	var mu sync.Mutex
	acked := map[string]int{}
	var wait sync.WaitGroup
	ended := make(chan struct{}) // the ingest role does not answer any more
	var once sync.Once
	for c := range drainClients {
		wait.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d", c, n)
				body := fmt.Appendf(nil, `{"streams":[{"stream":{"app":"drain"},"values":[["%d","id=%s"]]}]}`, time.Now().UnixNano(), id)
				answer, err := r.push("/loki/api/v1/push", "application/json", body)
				if err != nil {
					once.Do(func() { close(ended) })
					return
				}
				if answer.Status == http.StatusNoContent {
					mu.Lock()
					acked[id] = 1
					mu.Unlock()
				} else if answer.Status != http.StatusServiceUnavailable {
					t.Errorf("push %s while draining: %d %s", id, answer.Status, answer.Body)
				}
			}
		})
	}
	testkit.Eventually(t, time.Minute, func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(acked) < 300 {
			return fmt.Errorf("%d pushes are acknowledged", len(acked))
		}
		return nil
	})
	r.terminate(t, "writer") // in the middle of its batches
	r.terminate(t, "ingest")
	<-ended
	wait.Wait()
	r.start("ingest")
	r.start("writer")
	t.Logf("%d lines were acknowledged before and during the drain", len(acked))
	same(t, acked, func() (map[string]int, error) {
		list, err := harness.LogQL(context.Background(), r.roles["querier"].URL, r.account.Query, `sum by (id) (count_over_time({app="drain"} | logfmt [1h]))`)
		got := map[string]int{}
		for _, s := range list {
			if id := s.Labels["id"]; acked[id] == 1 || s.Point.Value > 1 { // a line without its acknowledgement may be there, once
				got[id] = int(s.Point.Value)
			}
		}
		return got, err
	})
}

// terminate sends SIGTERM and wants an orderly end within the time that orchestrators give.
func (r *rig) terminate(t *testing.T, role string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	begin := time.Now()
	if err := r.roles[role].Terminate(ctx); err != nil {
		t.Errorf("%s after SIGTERM: %v; want exit code 0", role, err)
	}
	t.Logf("%s ended %s after SIGTERM", role, time.Since(begin).Round(time.Millisecond))
}

// testRevocation revokes the token that the ingest role has just accepted. No push that is sent a second later may be taken; what was on
// its way may end as it likes, however long that takes.
func (r *rig) testRevocation(t *testing.T) {
	body := func() []byte {
		return fmt.Appendf(nil, `{"streams":[{"stream":{"app":"revoked"},"values":[["%d","x"]]}]}`, time.Now().UnixNano())
	}
	r.mustPush(t, "/loki/api/v1/push", "application/json", body())
	r.admin(nil, "token", "revoke", r.account.Slug, r.account.IngestKey)
	revoked := time.Now()
	for {
		sent := time.Since(revoked)
		answer, err := r.push("/loki/api/v1/push", "application/json", body())
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status == http.StatusUnauthorized {
			break
		}
		if sent > time.Second {
			t.Fatalf("a push that was sent %s after the revocation got %d: %s", sent, answer.Status, answer.Body)
		}
	}
	t.Logf("refused %s after `seamark admin token revoke` returned", time.Since(revoked).Round(time.Millisecond))
}

func (r *rig) testEnd(t *testing.T) {
	for role := range r.roles {
		r.terminate(t, role)
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
