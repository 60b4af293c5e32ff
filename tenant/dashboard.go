package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	dashboardsBucket = "dashboards"
	dashboardNoun    = "dashboard"
	// dashboardPercent is the bucket's share of Options.MaxBytes.
	dashboardPercent = 25
	// maxDashboards bounds a tenant's dashboards, maxDashboardsBytes all of them together as JSON. Without them a script that
	// saves in a loop fills the bucket of all tenants. Nodes that save in the same moment can pass them by one each.
	maxDashboards, maxDashboardsBytes = 200, 4 << 20
	// maxDashboardBytes bounds one dashboard as JSON; with the document around it, it must fit a value of the bucket.
	maxDashboardBytes = 60 << 10
)

// Dashboard is a dashboard of a tenant's own.
type Dashboard struct {
	ID      string // a ULID
	Spec    seamark.Dashboard
	Created time.Time
	Updated time.Time
}

// dashboardDoc is stored under `<tenant>.<id>`.
type dashboardDoc struct {
	Version int               `json:"v"`
	Tenant  seamark.TenantID  `json:"tenant"`
	ID      string            `json:"id"`
	Spec    seamark.Dashboard `json:"spec"`
	Bytes   int               `json:"bytes"` // of Spec as JSON, so that counting need not write it
	Created time.Time         `json:"created"`
	Updated time.Time         `json:"updated"`
}

func dashboardKey(tenant seamark.TenantID, id string) string { return string(tenant) + "." + id }

func (d *dashboardDoc) validate(key string) error {
	if err := d.Tenant.Validate(); err != nil {
		return err
	}
	if _, err := ulid.ParseStrict(d.ID); err != nil {
		return fmt.Errorf("dashboard %.40q has a bad id: %w", d.ID, err)
	}
	if dashboardKey(d.Tenant, d.ID) != key {
		return fmt.Errorf("dashboard %.40q of %.40q stands under the key of another", d.ID, d.Tenant)
	}
	var faults []error
	for _, f := range d.Spec.Faults() {
		faults = append(faults, fmt.Errorf("%s: %s", f.Pointer, f.Detail))
	}
	return errors.Join(faults...)
}

func (d *dashboardDoc) shown() Dashboard {
	return Dashboard{ID: d.ID, Spec: d.Spec, Created: d.Created, Updated: d.Updated}
}

// Dashboards keeps all tenants' own dashboards in memory. A node that has not seen KV yet answers Unavailable. It is safe for
// concurrent use; what it returns is shared and must not be changed.
type Dashboards struct{ *documents[dashboardDoc] }

// OpenDashboards opens the bucket with the directory's options and returns when this node knows its state, or SyncTimeout is over:
// it then goes on trying. It lives until Close, which comes before the directory's; ctx bounds only the opening.
func OpenDashboards(ctx context.Context, d *Directory) (*Dashboards, error) {
	docs, err := openDocuments(ctx, d, documentsOptions[dashboardDoc]{
		bucket: dashboardsBucket, noun: dashboardNoun, percent: dashboardPercent, groupOf: func(x *dashboardDoc) string { return string(x.Tenant) },
	})
	if err != nil {
		return nil, err
	}
	s := &Dashboards{docs}
	s.sweepWith(ctx, s.Sweep)
	return s, nil
}

// Sweep removes the dashboards of tenants that are gone. It does nothing on a node that does not know all of both yet.
func (s *Dashboards) Sweep(ctx context.Context) error {
	if !s.Synced() || !s.directory.Synced() {
		return nil
	}
	for _, d := range s.table.all() {
		if t, _ := s.directory.tenants.find(string(d.Tenant)); t != nil && t.State != Deleted {
			continue
		}
		if err := s.table.remove(ctx, dashboardKey(d.Tenant, d.ID)); err != nil {
			return fmt.Errorf("remove old dashboard: %w", err)
		}
	}
	return nil
}

// List returns a tenant's dashboards in the order in which they were made.
func (s *Dashboards) List(_ context.Context, tenant seamark.TenantID) ([]Dashboard, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	list := []Dashboard{}
	for _, d := range s.table.list(string(tenant)) {
		list = append(list, d.shown())
	}
	slices.SortFunc(list, func(a, b Dashboard) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// Find returns one dashboard. The error is of kind NotFound.
func (s *Dashboards) Find(_ context.Context, tenant seamark.TenantID, id string) (Dashboard, error) {
	if err := s.ready(); err != nil {
		return Dashboard{}, err
	}
	d, _ := s.table.find(dashboardKey(tenant, id))
	if d == nil {
		return Dashboard{}, dashboardUnknown()
	}
	return d.shown(), nil
}

// Create keeps a new dashboard. The error is of kind Invalid and names every fault, or Conflict at a limit.
func (s *Dashboards) Create(ctx context.Context, tenant seamark.TenantID, spec seamark.Dashboard) (Dashboard, error) {
	size, err := dashboardSize(&spec)
	if err != nil {
		return Dashboard{}, err
	}
	if _, err := s.directory.FindTenant(ctx, tenant); err != nil {
		return Dashboard{}, err
	}
	if err := s.ready(); err != nil {
		return Dashboard{}, err
	}
	id, err := s.directory.newID()
	if err != nil {
		return Dashboard{}, err
	}
	now := s.directory.now().UTC()
	d := &dashboardDoc{Version: docVersion, Tenant: tenant, ID: id, Spec: spec, Bytes: size, Created: now, Updated: now}
	s.saving.Lock()
	defer s.saving.Unlock()
	if err := s.fits(d, nil); err != nil {
		return Dashboard{}, err
	}
	if err := s.table.create(ctx, dashboardKey(tenant, id), d); err != nil {
		return Dashboard{}, fmt.Errorf("create dashboard: %w", err)
	}
	return d.shown(), nil
}

// Update replaces a dashboard. check, when not nil, sees it first, within the compare-and-set; its error ends the change. The error
// is as of Create, or NotFound.
func (s *Dashboards) Update(ctx context.Context, tenant seamark.TenantID, id string, spec seamark.Dashboard, check func(Dashboard) error) (Dashboard, error) {
	if _, err := s.Find(ctx, tenant, id); err != nil {
		return Dashboard{}, err
	}
	size, err := dashboardSize(&spec)
	if err != nil {
		return Dashboard{}, err
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	changed, err := s.table.mutate(ctx, dashboardKey(tenant, id), func(d *dashboardDoc) error {
		if check != nil {
			if err := check(d.shown()); err != nil {
				return err
			}
		}
		old := *d
		d.Spec, d.Bytes, d.Updated = spec, size, s.directory.now().UTC()
		return s.fits(d, &old)
	})
	if errors.Is(err, errAbsent) {
		return Dashboard{}, dashboardUnknown()
	}
	if err != nil {
		return Dashboard{}, fmt.Errorf("update dashboard: %w", err)
	}
	return changed.shown(), nil
}

// Delete removes a dashboard for good. check is as of Update.
func (s *Dashboards) Delete(ctx context.Context, tenant seamark.TenantID, id string, check func(Dashboard) error) error {
	if err := s.ready(); err != nil {
		return err
	}
	err := s.table.removeChecked(ctx, dashboardKey(tenant, id), func(d *dashboardDoc) error {
		if check == nil {
			return nil
		}
		return check(d.shown())
	})
	if errors.Is(err, errAbsent) {
		return dashboardUnknown()
	}
	if err != nil {
		return fmt.Errorf("delete dashboard: %w", err)
	}
	return nil
}

// fits holds a dashboard that is new, or replaces old, against the limits. The caller holds saving.
func (s *Dashboards) fits(d, old *dashboardDoc) error {
	count, size := 0, d.Bytes
	for _, other := range s.table.list(string(d.Tenant)) {
		if other.ID != d.ID {
			count++
			size += other.Bytes
		}
	}
	switch {
	case old == nil && count >= maxDashboards:
		return seamark.Errorf(seamark.Conflict, "seamark-dashboard-limit", "The tenant has %d dashboards; the limit is %d. Delete one.", count, maxDashboards)
	case size > maxDashboardsBytes && (old == nil || d.Bytes > old.Bytes):
		return seamark.Errorf(seamark.Conflict, "seamark-dashboard-limit",
			"The tenant's dashboards would have %d bytes together; the limit is %d. Delete or shorten some.", size, maxDashboardsBytes)
	}
	return nil
}

// dashboardSize brings a dashboard into the form in which it is stored and returns its bytes as JSON. The error is of kind Invalid.
func dashboardSize(spec *seamark.Dashboard) (int, error) {
	spec.Tags = slices.Compact(slices.Sorted(slices.Values(spec.Tags)))
	faults := spec.Faults()
	text, err := json.Marshal(spec)
	if err != nil {
		return 0, fmt.Errorf("write dashboard: %w", err)
	}
	if len(text) > maxDashboardBytes {
		faults = append(faults, seamark.FieldFault{Detail: fmt.Sprintf("The dashboard has %d bytes as JSON; at most %d fit. Split it in two.", len(text), maxDashboardBytes)})
	}
	if len(faults) == 0 {
		return len(text), nil
	}
	e := seamark.Errorf(seamark.Invalid, "seamark-dashboard-invalid", "The dashboard has a fault at %q: %s", faults[0].Pointer, faults[0].Detail)
	e.Fields = faults
	return 0, e
}

func dashboardUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-dashboard-unknown", "There is no such dashboard.")
}
