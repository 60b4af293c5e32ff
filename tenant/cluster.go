package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Cluster is one Kubernetes cluster (or other sender) of a tenant.
type Cluster struct {
	ID      seamark.ClusterID `json:"id"`
	Tenant  seamark.TenantID  `json:"tenant"`
	Name    string            `json:"name"` // a slug, unique in the tenant; becomes the `cluster` label, so it never changes
	Created time.Time         `json:"created"`
}

// ClusterSpec is what a new cluster is made from.
type ClusterSpec struct {
	Name string
}

const (
	// maxClusters bounds a tenant's clusters, with the tombstones. Without it one tenant fills the bucket that all of them share.
	maxClusters = 1000
	// deadClusterKeep is how long a tombstone stays, so that who lost a race for the name learns why.
	deadClusterKeep = 24 * time.Hour
)

// clusterDoc is stored under `<tenant>.<name>`, which makes the name unique. A deleted cluster stays as a tombstone until
// the name is taken again or a day has passed.
type clusterDoc struct {
	Version int `json:"v"`
	Cluster
	Deleted time.Time `json:"deleted,omitzero"`
	// Ingest lists the ingest tokens that were promised a place, so that two nodes cannot both give out the last one.
	Ingest []tokenPlace `json:"ingest,omitempty"`
}

// tokenPlace is one of a cluster's places for a live ingest token.
type tokenPlace struct {
	KeyID string    `json:"key_id"`
	Given time.Time `json:"given"`
}

func (c *clusterDoc) validate(key string) error {
	_, tenantErr := seamark.ParseTenantID(string(c.Tenant))
	_, clusterErr := seamark.ParseClusterID(string(c.ID))
	if err := errors.Join(tenantErr, clusterErr, checkSlug("cluster's name", c.Name)); err != nil {
		return err
	}
	if clusterKey(c.Tenant, c.Name) != key {
		return fmt.Errorf("cluster %.80q stands under the key of another", c.Name)
	}
	return nil
}

func clusterKey(tenant seamark.TenantID, name string) string { return string(tenant) + "." + name }

// CreateCluster makes a cluster. The error is of kind Invalid for a bad name, Conflict when the name is taken or
// the tenant has 1000 clusters (nodes that create in the same moment can pass this by one each), NotFound when the tenant is gone.
func (d *Directory) CreateCluster(ctx context.Context, tenant seamark.TenantID, spec ClusterSpec) (Cluster, error) {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return Cluster{}, err
	}
	if err := checkSlug("cluster's name", spec.Name); err != nil {
		return Cluster{}, invalid(err, "seamark-cluster-invalid")
	}
	key := clusterKey(tenant, spec.Name)
	if here, _ := d.clusters.find(key); here == nil && len(d.clusters.list(string(tenant))) >= maxClusters {
		return Cluster{}, seamark.Errorf(seamark.Conflict, "seamark-cluster-limit",
			"The tenant has %d clusters, the limit; those that were deleted in the last day count. Delete some, or take the name of one that is deleted.", maxClusters)
	}
	id, err := d.newID()
	if err != nil {
		return Cluster{}, err
	}
	doc := &clusterDoc{Version: docVersion, Cluster: Cluster{
		ID: seamark.ClusterID(id), Tenant: tenant, Name: spec.Name, Created: d.now().UTC(),
	}}
	err = d.clusters.create(ctx, key, doc)
	if errors.Is(err, errTaken) {
		_, err = d.clusters.mutate(ctx, key, func(c *clusterDoc) error {
			if c.Deleted.IsZero() {
				return seamark.Errorf(seamark.Conflict, "seamark-cluster-exists",
					"The tenant has a cluster named %q; choose another name, or delete that one first.", spec.Name)
			}
			*c = *doc
			return nil
		})
	}
	if err != nil {
		return Cluster{}, fmt.Errorf("create cluster: %w", err)
	}
	return doc.Cluster, nil
}

// FindCluster returns a cluster of the tenant. The error is of kind NotFound, for another tenant's cluster too.
func (d *Directory) FindCluster(_ context.Context, tenant seamark.TenantID, id seamark.ClusterID) (Cluster, error) {
	c := d.clusters.findAlias(string(id))
	if c == nil || c.Tenant != tenant || !c.Deleted.IsZero() {
		return Cluster{}, clusterUnknown()
	}
	return c.Cluster, nil
}

// ListClusters returns the tenant's clusters by name.
func (d *Directory) ListClusters(_ context.Context, tenant seamark.TenantID) []Cluster {
	var list []Cluster
	for _, c := range d.clusters.list(string(tenant)) {
		if c.Deleted.IsZero() {
			list = append(list, c.Cluster)
		}
	}
	slices.SortFunc(list, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// DeleteCluster ends a cluster and with it, at once, every token that is bound to it. Its data stays until retention
// removes it, and its name may be used again.
func (d *Directory) DeleteCluster(ctx context.Context, tenant seamark.TenantID, id seamark.ClusterID) error {
	cluster, err := d.FindCluster(ctx, tenant, id)
	if err != nil {
		return err
	}
	_, err = d.clusters.mutate(ctx, clusterKey(tenant, cluster.Name), func(c *clusterDoc) error {
		if c.ID != id || !c.Deleted.IsZero() {
			return clusterUnknown()
		}
		c.Deleted = d.now().UTC()
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete cluster: %w", err)
	}
	return nil
}

// placeToken promises keyID one of the cluster's places for live ingest tokens.
func (d *Directory) placeToken(ctx context.Context, cluster Cluster, keyID string) error {
	_, err := d.clusters.mutate(ctx, clusterKey(cluster.Tenant, cluster.Name), func(c *clusterDoc) error {
		if c.ID != cluster.ID || !c.Deleted.IsZero() {
			return clusterUnknown()
		}
		places := slices.DeleteFunc(slices.Clone(c.Ingest), d.placeFree)
		if len(places) >= maxIngestTokens {
			return seamark.Errorf(seamark.Conflict, "seamark-token-limit",
				"The cluster %q has %d live ingest tokens, and the limit is %d: one in use and one to rotate to. "+
					"Revoke one of them first.", c.Name, len(places), maxIngestTokens)
		}
		places = append(places, tokenPlace{KeyID: keyID, Given: d.now().UTC()})
		c.Ingest = places
		return nil
	})
	return err
}

// placeFree reports whether a place can be given again: its token is dead, or was never created by the node that took the
// place. A creation ends within placeHold, because its KV calls do.
func (d *Directory) placeFree(p tokenPlace) bool {
	const placeHold = time.Minute
	now := d.now()
	t, _ := d.tokens.find(p.KeyID)
	if t == nil {
		return now.Sub(p.Given) > placeHold
	}
	return !t.live(now)
}

// sweepClusters removes tombstones of clusters whose names nobody took again.
func (d *Directory) sweepClusters(ctx context.Context, now time.Time) error {
	for _, c := range d.clusters.all() {
		if c.Deleted.IsZero() || now.Sub(c.Deleted) <= deadClusterKeep {
			continue
		}
		key := clusterKey(c.Tenant, c.Name)
		here, revision := d.clusters.find(key)
		if here != c || revision == 0 {
			continue // the name was taken just now, or the next sweep knows the revision
		}
		if err := d.clusters.bucket.removeAt(ctx, d.clusters.noun+"."+key, revision); err != nil && !errors.Is(err, errTaken) {
			return fmt.Errorf("remove deleted cluster: %w", err)
		}
	}
	return nil
}

func clusterUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-cluster-unknown", "There is no such cluster.")
}
