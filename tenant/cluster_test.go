package tenant_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestClustersBelongToTheirTenant(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	prod := newCluster(t, d, acme.ID, "prod")
	dev := newCluster(t, d, acme.ID, "dev")
	other := newCluster(t, d, umbra.ID, "prod")

	if got, want := d.ListClusters(t.Context(), acme.ID), []tenant.Cluster{dev, prod}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, err := d.FindCluster(t.Context(), acme.ID, prod.ID); err != nil || got != prod {
		t.Errorf("find: got %v, %v", got, err)
	}
	_, err := d.FindCluster(t.Context(), acme.ID, other.ID)
	wantError(t, err, seamark.NotFound, "seamark-cluster-unknown")
	wantError(t, d.DeleteCluster(t.Context(), acme.ID, other.ID), seamark.NotFound, "seamark-cluster-unknown")
	_, err = d.CreateCluster(t.Context(), acme.ID, tenant.ClusterSpec{Name: "prod"})
	wantError(t, err, seamark.Conflict, "seamark-cluster-exists")
	_, err = d.CreateCluster(t.Context(), acme.ID, tenant.ClusterSpec{Name: "Prod!"})
	wantError(t, err, seamark.Invalid, "seamark-cluster-invalid")
	if !strings.Contains(err.Error(), "luster's name has 'P' at position 1") { // its caller knows no slug of a cluster
		t.Errorf("got %v", err)
	}
	_, err = d.CreateCluster(t.Context(), "01JZZZZZZZZZZZZZZZZZZZZZZZ", tenant.ClusterSpec{Name: "prod"})
	wantError(t, err, seamark.NotFound, "seamark-tenant-unknown")
}

func TestDeletedClusterEndsItsTokensAndFreesItsName(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	old := newCluster(t, d, acme.ID, "prod")
	_, secret := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: old.ID})
	if err := d.DeleteCluster(t.Context(), acme.ID, old.ID); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-revoked")
	wantError(t, d.DeleteCluster(t.Context(), acme.ID, old.ID), seamark.NotFound, "seamark-cluster-unknown")
	if list := d.ListClusters(t.Context(), acme.ID); len(list) != 0 {
		t.Errorf("list still has %v", list)
	}

	fresh := newCluster(t, d, acme.ID, "prod")
	if fresh.ID == old.ID {
		t.Error("the id of a deleted cluster was given again")
	}
	_, err = d.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-revoked")
	newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: fresh.ID})
	newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: fresh.ID})
}

func TestClustersAreLimited(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	js := jetStream(t, testkit.NATS(t))
	d := openDirectory(t, js, withClock(clock))
	acme := newTenant(t, d, "acme")
	first := newCluster(t, d, acme.ID, "c0")
	for i := 1; i < 1000; i++ {
		newCluster(t, d, acme.ID, fmt.Sprintf("c%d", i))
	}
	create := func(name string) error {
		_, err := d.CreateCluster(t.Context(), acme.ID, tenant.ClusterSpec{Name: name})
		return err
	}
	wantError(t, create("more"), seamark.Conflict, "seamark-cluster-limit")
	wantError(t, create("c1"), seamark.Conflict, "seamark-cluster-exists")
	if err := d.DeleteCluster(t.Context(), acme.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, create("more"), seamark.Conflict, "seamark-cluster-limit") // else who creates and deletes in a loop fills the bucket
	second := newCluster(t, d, acme.ID, "c0")
	if err := d.DeleteCluster(t.Context(), acme.ID, second.ID); err != nil {
		t.Fatal(err)
	}
	clock.Advance(25 * time.Hour)
	eventually(t, func() error {
		if err := d.Sweep(t.Context()); err != nil {
			return err
		}
		return create("more")
	})
	keys := keysOf(t, openBucket(t, js, "clusters"))
	if own := "cluster." + string(acme.ID); !slices.Contains(keys, own+".more") || slices.Contains(keys, own+".c0") {
		t.Errorf("the bucket has c0, which was deleted a day ago, or lacks the new cluster: %v", keys)
	}
}
