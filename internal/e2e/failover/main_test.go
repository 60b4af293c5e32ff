// Package failover_test kills and stops the replicas that evaluate alerts, again and again, and counts what their receivers hear: every
// alert in time, no end of one that goes on, nothing twice but what is declared, and every silence.
package failover_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	replicaCount    = 3
	tenantCount     = 10
	groupsPerTenant = 20
	interval        = 2 * time.Second // of every group
	startWithin     = 2 * time.Minute // on a machine that is shared
)

// fleet is replicas of the alerting role with what they need, and tenants with their groups and receivers.
type fleet struct {
	t        *testing.T
	flags    []string
	ingest   *harness.Server
	replicas []*replica
	tenants  []*account
	hook     *hook
}

// replica is a process of the alerting role, which keeps its folder over its restarts.
type replica struct {
	*harness.Server
	folder string
}

// account is a tenant.
type account struct {
	slug          string
	ingest, admin string
	values        [groupsPerTenant]float64
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	f := &fleet{t: t, flags: append([]string{"--nats.url", bus.URL}, engine.Flags()...), hook: newHook(t)}
	f.makeTenants(bus.URL)
	f.ingest = harness.Serve(t, t.TempDir(), append([]string{"ingest"}, f.flags...)...)
	launched := []*harness.Launched{harness.Launch(t, t.TempDir(), append([]string{"writer", "--writer.max-batch-age", "100ms"}, f.flags...)...)}
	for range replicaCount {
		r := &replica{folder: t.TempDir()}
		f.replicas = append(f.replicas, r)
		launched = append(launched, f.launch(r))
	}
	for i, l := range launched {
		if err := l.WaitReady(startWithin); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			f.replicas[i-1].Server = &l.Server
		}
	}
	return f
}

func (f *fleet) launch(r *replica) *harness.Launched {
	f.t.Helper()
	return harness.Launch(f.t, r.folder, append([]string{
		"alerting", "--alerting.evaluation-interval", interval.String(), "--alerting.min-interval", "1s", "--alerting.allowed-receivers", "127.0.0.1/32",
	}, f.flags...)...)
}

func (f *fleet) makeTenants(natsURL string) {
	f.t.Helper()
	nc, err := nats.Connect(natsURL)
	if err != nil {
		f.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		f.t.Fatal(err)
	}
	directory, err := tenant.Open(f.t.Context(), tenant.Options{JS: js})
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range tenantCount {
		x := &account{slug: fmt.Sprintf("tenant-%d", i)}
		made, err := directory.CreateTenant(f.t.Context(), tenant.TenantSpec{Slug: x.slug})
		if err != nil {
			f.t.Fatal(err)
		}
		cluster, err := directory.CreateCluster(f.t.Context(), made.ID, tenant.ClusterSpec{Name: "eu-1"})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, s := range []struct {
			spec tenant.TokenSpec
			to   *string
		}{{tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: cluster.ID}, &x.ingest}, {tenant.TokenSpec{Kind: seamark.AdminToken}, &x.admin}} {
			if _, *s.to, err = directory.CreateToken(f.t.Context(), made.ID, s.spec); err != nil {
				f.t.Fatal(err)
			}
		}
		f.tenants = append(f.tenants, x)
	}
}

// alertOf names the alert of a tenant's group.
func alertOf(x *account, group int) string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(x.slug, "-", ""), group)
}

// configure saves every tenant's groups and receiver, at any replica.
func (f *fleet) configure() {
	f.t.Helper()
	for i, x := range f.tenants {
		at := f.replicas[i%replicaCount].URL
		f.must(x, at+"/api/v1/alerts", "application/yaml", fmt.Sprintf(`
alertmanager_config: |
  route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
  receivers: [{name: hook, webhook_configs: [{url: "%s", send_resolved: true}]}]
`, f.hook.URL), http.StatusCreated)
		for g := range groupsPerTenant {
			hold := "0s"
			if g%4 == 3 {
				hold = "4s"
			}
			f.must(x, at+"/prometheus/config/v1/rules/soak", "application/yaml", fmt.Sprintf(
				"name: g%d\ninterval: %s\nrules: [{alert: %s, expr: 'soak_value{group=\"%d\"} > 0', for: %s}]", g, interval, alertOf(x, g), g, hold), http.StatusAccepted)
		}
	}
}

func (f *fleet) must(x *account, url, media, body string, want int) {
	f.t.Helper()
	testkit.Eventually(f.t, time.Minute, func() error {
		answer, err := harness.Do(f.t.Context(), http.DefaultClient, &harness.Request{URL: url, Token: x.admin, Type: media, Body: []byte(body)})
		if err == nil && answer.Status != want {
			err = fmt.Errorf("POST %s: %d %s", url, answer.Status, answer.Body)
		}
		return err
	})
}

// push stores what the tenant's groups read now, and returns when it is acknowledged.
func (f *fleet) push(x *account) {
	f.t.Helper()
	w := &prompb.WriteRequest{}
	for g, v := range x.values {
		w.Timeseries = append(w.Timeseries, prompb.TimeSeries{
			Labels:  []prompb.Label{{Name: "__name__", Value: "soak_value"}, {Name: "group", Value: fmt.Sprint(g)}},
			Samples: []prompb.Sample{{Value: v, Timestamp: time.Now().UnixMilli()}},
		})
	}
	body, err := w.Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	testkit.Eventually(f.t, time.Minute, func() error {
		answer, err := harness.Do(f.t.Context(), http.DefaultClient, &harness.Request{URL: f.ingest.URL + "/api/v1/push", Token: x.ingest, Type: "application/x-protobuf", Body: snappy.Encode(nil, body)})
		if err == nil && answer.Status/100 != 2 {
			err = fmt.Errorf("push: %d %s", answer.Status, answer.Body)
		}
		return err
	})
}

// shards returns how many parts of the tenants a replica holds.
func (r *replica) shards(ctx context.Context) float64 {
	n, err := r.Metric(ctx, "seamark_alerting_shards", "")
	if err != nil {
		return 0
	}
	return n
}

// shared waits until all parts are held, evenly.
func (f *fleet) shared() {
	f.t.Helper()
	testkit.Eventually(f.t, time.Minute, func() error {
		var list []float64
		for _, r := range f.replicas {
			list = append(list, r.shards(f.t.Context()))
		}
		if total := list[0] + list[1] + list[2]; total != 32 || min(list[0], list[1], list[2]) < 10 {
			return fmt.Errorf("the replicas hold %v shards, want 10 or 11 each", list)
		}
		return nil
	})
}

// heard is one notification about one alert, as it arrived.
type heard struct {
	at     time.Time
	alert  string
	status string
	key    string // Idempotency-Key of the message
}

// hook is the receiver of all tenants.
type hook struct {
	*httptest.Server
	mu  sync.Mutex // guards got
	got []heard
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		if json.NewDecoder(r.Body).Decode(&n) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, a := range n.Alerts {
			h.got = append(h.got, heard{time.Now(), a.Labels["alertname"], a.Status, r.Header.Get("Idempotency-Key")})
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// of returns what was heard of an alert since a moment.
func (h *hook) of(alert string, since time.Time) (list []heard) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.got {
		if one.alert == alert && one.at.After(since) {
			list = append(list, one)
		}
	}
	return list
}

// stop stops a replica where it is, without it noticing.
func (r *replica) stop() { _ = syscall.Kill(r.Pid(), syscall.SIGSTOP) }

func (r *replica) goOn() { _ = syscall.Kill(r.Pid(), syscall.SIGCONT) }

// cycles returns how many replicas are killed and stopped.
func cycles() int {
	if os.Getenv("SEAMARK_FAILOVER") == "full" {
		return 20
	}
	return 4
}

// decode reads the JSON of an answer that must be good.
func decode(a *harness.Answer, out any) error {
	if a.Status != http.StatusOK {
		return fmt.Errorf("status %d: %s", a.Status, a.Body)
	}
	return json.Unmarshal(a.Body, out)
}
