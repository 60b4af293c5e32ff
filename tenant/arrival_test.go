package tenant_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestArrivalsMeetOnEveryNode(t *testing.T) {
	n := testkit.NATS(t)
	quick := func(o *tenant.Options) { o.ArrivalInterval = 20 * time.Millisecond }
	here, there := openDirectory(t, jetStream(t, n), quick), openDirectory(t, jetStream(t, n), quick)
	acme, umbra := newTenant(t, here, "acme"), newTenant(t, here, "umbra")
	prod, dev := newCluster(t, here, acme.ID, "prod"), newCluster(t, here, acme.ID, "dev")
	foreign := newCluster(t, here, umbra.ID, "prod")
	at := func(second int) time.Time { return time.Date(2026, 11, 1, 12, 0, second, 0, time.UTC) }
	for _, id := range []tenant.Cluster{prod, dev, foreign} { // arrivals of clusters that a node does not know are dropped
		eventually(t, func() error { _, err := there.FindCluster(t.Context(), id.Tenant, id.ID); return err })
	}

	here.Arrived(acme.ID, prod.ID, seamark.Logs, at(10))
	here.Arrived(acme.ID, prod.ID, seamark.Logs, at(5)) // older, so it does not count
	there.Arrived(acme.ID, prod.ID, seamark.Metrics, at(7))
	there.Arrived(acme.ID, dev.ID, seamark.Events, at(8))
	there.Arrived(umbra.ID, foreign.ID, seamark.Logs, at(30))
	there.Arrived(acme.ID, prod.ID, 0, at(59)) // no signal
	there.Arrived(acme.ID, prod.ID, 99, at(59))
	if got := here.ListArrivals(t.Context(), acme.ID)[prod.ID][seamark.Logs]; !got.Equal(at(10)) {
		t.Errorf("own arrival is %s, want %s at once", got, at(10))
	}
	want := map[seamark.ClusterID]map[seamark.Signal]time.Time{
		prod.ID: {seamark.Logs: at(10), seamark.Metrics: at(7)}, dev.ID: {seamark.Events: at(8)},
	}
	agree := func() error {
		for name, d := range map[string]*tenant.Directory{"here": here, "there": there} {
			got := d.ListArrivals(t.Context(), acme.ID)
			if !maps.EqualFunc(got, want, func(a, b map[seamark.Signal]time.Time) bool { return maps.EqualFunc(a, b, time.Time.Equal) }) {
				return fmt.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		return nil
	}
	eventually(t, agree)

	here.Arrived(acme.ID, prod.ID, seamark.Metrics, at(20))
	want[prod.ID][seamark.Metrics] = at(20)
	eventually(t, agree)
	if err := here.DeleteCluster(t.Context(), acme.ID, dev.ID); err != nil {
		t.Fatal(err)
	}
	delete(want, dev.ID)
	eventually(t, agree)
}

func TestCloseWritesArrivals(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d, err := tenant.Open(t.Context(), tenant.Options{JS: js, SyncTimeout: patience, ArrivalInterval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	acme := newTenant(t, d, "acme")
	prod := newCluster(t, d, acme.ID, "prod")
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	d.Arrived(acme.ID, prod.ID, seamark.Logs, at)
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := openDirectory(t, js)
	if got := again.ListArrivals(t.Context(), acme.ID)[prod.ID][seamark.Logs]; !got.Equal(at) {
		t.Errorf("got %s, want %s", got, at)
	}
}

func BenchmarkArrived(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	acme := newTenant(b, d, "acme")
	prod := newCluster(b, d, acme.ID, "prod")
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Millisecond)
		d.Arrived(acme.ID, prod.ID, seamark.Logs, at)
	}
}
