package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// deleting refuses what a tenant that is being deleted cannot do.
func deleting(t *tenantDoc) error {
	return seamark.Errorf(seamark.Forbidden, "seamark-tenant-deleting",
		"The tenant %q is being deleted: all of it is purged after %s. Until then an operator of this installation can restore it.",
		t.Slug, t.PurgeAfter.UTC().Format(time.RFC3339))
}

// BeginDeletion refuses all credentials of a tenant from now on, and has all of it purged after a time of grace, in which
// RestoreTenant undoes it. Beginning again changes the time. The error is of kind NotFound for an unknown tenant.
func (d *Directory) BeginDeletion(ctx context.Context, id seamark.TenantID, grace time.Duration) (Tenant, error) {
	return d.changeTenant(ctx, id, "begin deletion", func(t *tenantDoc) error {
		if t.State != Deleting {
			t.Former, t.State = t.State, Deleting
			t.Generation++
		}
		t.PurgeAfter = d.now().UTC().Add(max(grace, 0))
		return nil
	})
}

// RestoreTenant ends a deletion whose grace is not over: the tenant is what it was. The error is of kind Conflict when
// the tenant is not being deleted, and NotFound when it is too late.
func (d *Directory) RestoreTenant(ctx context.Context, id seamark.TenantID) (Tenant, error) {
	return d.changeTenant(ctx, id, "restore tenant", func(t *tenantDoc) error {
		if t.State != Deleting {
			return seamark.Errorf(seamark.Conflict, "seamark-tenant-living", "The tenant %q is not being deleted, it is %s.", t.Slug, t.State)
		}
		t.State, t.Former, t.PurgeAfter = t.Former, "", time.Time{}
		t.Generation++
		return nil
	})
}

// changeTenant changes a tenant that is not deleted.
func (d *Directory) changeTenant(ctx context.Context, id seamark.TenantID, what string, change func(*tenantDoc) error) (Tenant, error) {
	if _, err := d.FindTenant(ctx, id); err != nil {
		return Tenant{}, err
	}
	t, err := d.tenants.mutate(ctx, string(id), func(t *tenantDoc) error {
		if t.State == Deleted {
			return tenantUnknown()
		}
		return change(t)
	})
	if err != nil {
		return Tenant{}, fmt.Errorf("%s: %w", what, err)
	}
	return t.Tenant, nil
}

// EndGrace turns the tenants whose grace is over into deleted ones, and returns them. From then on nothing is stored for
// them, on every node that hears of it.
func (d *Directory) EndGrace(ctx context.Context) ([]Tenant, error) {
	now := d.now()
	var gone []Tenant
	for _, doc := range d.tenants.all() {
		if doc.State != Deleting || now.Before(doc.PurgeAfter) {
			continue
		}
		ended, err := d.tenants.mutate(ctx, string(doc.ID), func(t *tenantDoc) error {
			if t.State != Deleting || now.Before(t.PurgeAfter) { // it was restored meanwhile
				return errRestored
			}
			t.State, t.Gone = Deleted, now.UTC()
			t.Generation++
			return nil
		})
		switch {
		case err == nil:
			gone = append(gone, ended.Tenant)
		case !errors.Is(err, errRestored):
			return gone, fmt.Errorf("end grace: %w", err)
		}
	}
	return gone, nil
}

var errRestored = errors.New("the tenant was restored")

// ListDeleted returns the tombstones: tenants that are deleted, purged or not.
func (d *Directory) ListDeleted() []Tenant {
	var list []Tenant
	for _, doc := range d.tenants.all() {
		if doc.State == Deleted {
			list = append(list, doc.Tenant)
		}
	}
	return list
}

// States returns the state of every tenant, tombstones included. It is cheap enough to ask every second.
func (d *Directory) States() map[seamark.TenantID]State {
	d.mu.RLock()
	defer d.mu.RUnlock()
	states := make(map[seamark.TenantID]State, len(d.tenants.rows))
	for _, r := range d.tenants.rows {
		states[r.doc.ID] = r.doc.State
	}
	return states
}

// State returns a tenant's state, "" for one that was never heard of. It answers from memory.
func (d *Directory) State(id seamark.TenantID) State {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if t := d.tenants.findLocked(string(id)); t != nil {
		return t.State
	}
	return ""
}

// Tombstone returns a deleted tenant. The error is of kind NotFound for one that is not, or never was.
func (d *Directory) Tombstone(id seamark.TenantID) (Tenant, error) {
	if t, _ := d.tenants.find(string(id)); t != nil && t.State == Deleted {
		return t.Tenant, nil
	}
	return Tenant{}, tenantUnknown()
}

// bury takes slug and name from a tombstone whose tenant was purged: what stays is the id, so that nothing late is taken
// for another tenant's, and the number, so that it is never given again.
func (d *Directory) bury(ctx context.Context, t Tenant) error {
	slug, revision := d.slugs.find(t.Slug)
	if slug != nil && slug.Tenant == t.ID { // and not a tenant's that took the slug since
		err := d.slugs.bucket.removeAt(ctx, "slug."+t.Slug, revision)
		if err != nil && !errors.Is(err, errTaken) {
			return fmt.Errorf("free slug: %w", err)
		}
	}
	_, err := d.tenants.mutate(ctx, string(t.ID), func(doc *tenantDoc) error {
		doc.Slug, doc.Name, doc.Former, doc.PurgeAfter, doc.Purged = "", "", "", time.Time{}, d.now().UTC()
		return nil
	})
	if err != nil {
		return fmt.Errorf("bury tenant: %w", err)
	}
	return nil
}
