package tenant_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func setQuota(t testing.TB, d *tenant.Directory, id seamark.TenantID, q tenant.Quota) {
	t.Helper()
	if err := d.SetTenantQuota(t.Context(), id, q); err != nil {
		t.Fatalf("set quota: %v", err)
	}
}

// TestQuotaReachesEveryNode sets quotas on one node, and the other has them soon.
func TestQuotaReachesEveryNode(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	acme := newTenant(t, here, "acme")
	prod := newCluster(t, here, acme.ID, "prod")
	ofTenant, ofCluster := tenant.Quota{RowsPerSecond: 500, ActiveSeries: 1000}, tenant.Quota{RowsPerSecond: 50}
	setQuota(t, here, acme.ID, tenant.Quota{RowsPerSecond: 1})
	setQuota(t, here, acme.ID, ofTenant)
	if err := here.SetClusterQuota(t.Context(), prod, ofCluster, ofTenant); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*tenant.Directory{here, there} {
		eventually(t, func() error {
			if a, b := d.Quota(acme.ID, prod.ID); a != ofTenant || b != ofCluster {
				return fmt.Errorf("got %+v and %+v, want %+v and %+v", a, b, ofTenant, ofCluster)
			}
			return nil
		})
	}
	setQuota(t, there, acme.ID, tenant.Quota{})
	eventually(t, func() error {
		if a, b := here.Quota(acme.ID, prod.ID); a != (tenant.Quota{}) || b != ofCluster {
			return fmt.Errorf("after it was taken back got %+v and %+v", a, b)
		}
		return nil
	})
	if a, b := here.Quota("01ARZ3NDEKTSV4RRFFQ69G5FAV", prod.ID); a != (tenant.Quota{}) || b != (tenant.Quota{}) {
		t.Errorf("another tenant has %+v and %+v of this one", a, b)
	}
}

func TestQuotaIsChecked(t *testing.T) {
	d := openDirectory(t, jetStream(t, testkit.NATS(t)))
	acme, other := newTenant(t, d, "acme"), newTenant(t, d, "other")
	prod := newCluster(t, d, acme.ID, "prod")
	for name, c := range map[string]struct {
		quota tenant.Quota
		words string
	}{
		"negative":           {tenant.Quota{DailyBytes: -1}, "The quota daily_bytes is -1; it must be 0 (not set) to"},
		"too large":          {tenant.Quota{MaxLabels: 257}, "The quota max_labels is 257; it must be 0 (not set) to 256."},
		"burst below rate":   {tenant.Quota{BytesPerSecond: 10, BytesBurst: 9}, "The quota bytes_burst is 9; it must be at least bytes_per_second, 10."},
		"two faults at once": {tenant.Quota{MaxAttrs: -1, MaxLineBytes: -1}, "The quota max_line_bytes is -1"},
	} {
		err := d.SetTenantQuota(t.Context(), acme.ID, c.quota)
		wantError(t, err, seamark.Invalid, "seamark-quota-invalid")
		if !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: the message %q does not say %q", name, err, c.words)
		}
	}
	within := tenant.Quota{RowsPerSecond: 100}
	err := d.SetClusterQuota(t.Context(), prod, tenant.Quota{RowsPerSecond: 101, ActiveSeries: 7}, within)
	wantError(t, err, seamark.Invalid, "seamark-quota-invalid")
	if want := "The quota rows_per_second is 101; the tenant's own limit is 100."; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	wantError(t, d.SetTenantQuota(t.Context(), "01ARZ3NDEKTSV4RRFFQ69G5FAV", within), seamark.NotFound, "seamark-tenant-unknown")
	foreign := prod
	foreign.Tenant = other.ID
	wantError(t, d.SetClusterQuota(t.Context(), foreign, within, within), seamark.NotFound, "seamark-cluster-unknown")
	if a, b := d.Quota(acme.ID, prod.ID); a != (tenant.Quota{}) || b != (tenant.Quota{}) {
		t.Errorf("a refused quota was set: %+v, %+v", a, b)
	}
}

// TestQuotaIsInTheSnapshot starts a node while KV is away: it has the quotas of before.
func TestQuotaIsInTheSnapshot(t *testing.T) {
	n := newFragileNATS(t)
	path := filepath.Join(t.TempDir(), "directory.json")
	first, err := tenant.Open(t.Context(), tenant.Options{JS: n.connect(t), SnapshotPath: path, PasswordCost: cheap(), SyncTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	acme := newTenant(t, first, "acme")
	want := tenant.Quota{DailyBytes: 77}
	setQuota(t, first, acme.ID, want)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.stop()
	again := openDirectory(t, n.connect(t), func(o *tenant.Options) { o.SnapshotPath, o.SyncTimeout = path, 200*time.Millisecond })
	if got, _ := again.Quota(acme.ID, ""); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestPoisonedQuotaIsRefused writes what no node may take into KV: the last good quota stays.
func TestPoisonedQuotaIsRefused(t *testing.T) {
	js := jetStream(t, testkit.NATS(t))
	d := openDirectory(t, js)
	acme := newTenant(t, d, "acme")
	want := tenant.Quota{RowsPerSecond: 5}
	setQuota(t, d, acme.ID, want)
	kv, err := js.KeyValue(t.Context(), "seamark_tenants")
	if err != nil {
		t.Fatal(err)
	}
	poison := fmt.Sprintf(`{"v":1,"tenant":%q,"quota":{"rows_per_second":-3}}`, acme.ID)
	if _, err := kv.PutString(t.Context(), "quota."+string(acme.ID), poison); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if len(d.Faults()) == 0 {
			return fmt.Errorf("no fault yet")
		}
		return nil
	})
	if got, _ := d.Quota(acme.ID, ""); got != want {
		t.Errorf("got %+v, want the last good %+v", got, want)
	}
}

// TestSweepRemovesQuotas deletes a cluster and a tenant: their quotas go, the others stay.
func TestSweepRemovesQuotas(t *testing.T) {
	d := openDirectory(t, jetStream(t, testkit.NATS(t)))
	acme, gone := newTenant(t, d, "acme"), newTenant(t, d, "gone")
	prod, dev := newCluster(t, d, acme.ID, "prod"), newCluster(t, d, acme.ID, "dev")
	q := tenant.Quota{RowsPerSecond: 5}
	setQuota(t, d, acme.ID, q)
	setQuota(t, d, gone.ID, q)
	for _, c := range []tenant.Cluster{prod, dev} {
		if err := d.SetClusterQuota(t.Context(), c, q, q); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.DeleteTenant(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteCluster(t.Context(), acme.ID, dev.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		ofGone, _ := d.Quota(gone.ID, "")
		ofAcme, ofDev := d.Quota(acme.ID, dev.ID)
		_, ofProd := d.Quota(acme.ID, prod.ID)
		if ofGone != (tenant.Quota{}) || ofDev != (tenant.Quota{}) || ofAcme != q || ofProd != q {
			return fmt.Errorf("got %+v of a deleted tenant, %+v of a deleted cluster, %+v and %+v of the others", ofGone, ofDev, ofAcme, ofProd)
		}
		return nil
	})
}
