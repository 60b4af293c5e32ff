package tenant_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func withShards(n int) func(*tenant.Options) { return func(o *tenant.Options) { o.StoreShards = n } }

// TestTenantsAreSpreadOverShards wants each tenant on the shard with the fewest, of several the first, and none of those that are gone
// counted.
func TestTenantsAreSpreadOverShards(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t), withShards(3))
	var made []tenant.Tenant
	var shards []int
	for i := range 5 {
		made = append(made, newTenant(t, d, fmt.Sprintf("t%d", i)))
		shards = append(shards, made[i].Shard)
	}
	if want := []int{1, 2, 3, 1, 2}; !slices.Equal(shards, want) {
		t.Errorf("tenants are on the shards %v, want %v", shards, want)
	}
	for _, gone := range []tenant.Tenant{made[1], made[4]} {
		if err := d.DeleteTenant(t.Context(), gone.ID); err != nil {
			t.Fatal(err)
		}
	}
	if next := newTenant(t, d, "next"); next.Shard != 2 {
		t.Errorf("the next tenant is on shard %d, want 2, which has none any more", next.Shard)
	}
	if at, err := d.StoreShard(made[1].ID); err != nil || at.Number() != 2 {
		t.Errorf("a deleted tenant is on %v, %v; want 2, where its data was", at, err)
	}
}

// TestPlacementIsAskedFor puts tenants where an operator says, refuses shards that there are not, and tells other nodes.
func TestPlacementIsAskedFor(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n), withShards(2)), openDirectory(t, jetStream(t, n), withShards(2))
	for _, bad := range []int{-1, 0, 3, 1 << 30} {
		_, err := here.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "acme", Shard: &bad})
		wantError(t, err, seamark.Invalid, "seamark-tenant-shard")
	}
	made, err := here.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "acme", Shard: new(2)})
	if err != nil || made.Shard != 2 {
		t.Fatalf("got %+v, %v; want shard 2", made, err)
	}
	if _, err := here.SuspendTenant(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		at, err := there.StoreShard(made.ID)
		if err == nil && at.Number() != 2 {
			t.Errorf("there: the tenant is on shard %s", at)
		}
		return err
	})
	_, err = there.StoreShard("01BX5ZZKBKACTAV9WEVGEMMVRZ")
	wantError(t, err, seamark.NotFound, "seamark-tenant-unknown")
}

// TestRecordsWithoutShard has a record of a time with one shard, and one that names a shard that cannot be.
func TestRecordsWithoutShard(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js, withShards(2))
	made, err := d.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "old", Shard: new(2)})
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(t.Context(), "seamark_tenants")
	if err != nil {
		t.Fatal(err)
	}
	put := func(shard string) {
		t.Helper()
		document := fmt.Sprintf(`{"v":1,"id":%q,"number":1,"slug":"old","name":"Old","created":"2026-01-02T03:04:05Z","state":"active","generation":1%s}`, made.ID, shard)
		if _, err := kv.Put(t.Context(), "tenant."+string(made.ID), []byte(document)); err != nil {
			t.Fatal(err)
		}
	}
	on := func(want int) {
		t.Helper()
		eventually(t, func() error {
			if at, err := d.StoreShard(made.ID); err != nil || at.Number() != want {
				return fmt.Errorf("the tenant is on %v, %w; want %d", at, err, want)
			}
			return nil
		})
	}
	put("")
	on(1)
	put(`,"shard":2`)
	on(2)
	put(`,"shard":65`)
	eventually(t, func() error {
		if len(d.Faults()) != 1 {
			return fmt.Errorf("faults are %v; want the tenant's record", d.Faults())
		}
		return nil
	})
	on(2)
}

// TestToolsKnowShards has a directory that is told of no shards, as an administrator's is, place tenants by what servers have noted.
func TestToolsKnowShards(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	server, tool := openDirectory(t, js, withShards(2)), openDirectory(t, jetStream(t, n))
	if newTenant(t, tool, "one").Shard != 1 || newTenant(t, tool, "two").Shard != 1 {
		t.Error("nobody has noted a second shard")
	}
	if err := server.SetStoreShards(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if keys := storeDocuments(t, js); keys != 0 {
		t.Errorf("one shard is noted in %d documents, want none: builds before shards would not know it", keys)
	}
	for range 2 { // the second time nothing changes
		if err := server.SetStoreShards(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		made, err := tool.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "three", Shard: new(2)})
		if err == nil && made.Shard != 2 {
			t.Errorf("got %+v", made)
		}
		return err
	})
	if err := server.SetStoreShards(t.Context(), 0); err == nil {
		t.Error("no shards at all are noted")
	}
}

func storeDocuments(t *testing.T, js jetstream.JetStream) (n int) {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), "seamark_tenants")
	if err != nil {
		t.Fatal(err)
	}
	lister, err := kv.ListKeysFiltered(t.Context(), "store.>")
	if err != nil {
		t.Fatal(err)
	}
	for range lister.Keys() {
		n++
	}
	return n
}
