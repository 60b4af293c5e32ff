package tenant_test

import (
	"slices"
	"testing"

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
