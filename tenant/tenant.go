package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// State is what a tenant may do.
type State string

// The states. Deleted is final.
const (
	Active    State = "active"
	Suspended State = "suspended" // every credential is refused; data is kept
	Deleting  State = "deleting"  // as suspended, until PurgeAfter; it can be had back until then
	Deleted   State = "deleted"   // every credential is refused and all is purged; the number stays taken for ever
)

// Tenant is one customer.
type Tenant struct {
	ID      seamark.TenantID     `json:"id"`
	Number  seamark.TenantNumber `json:"number"`
	Slug    string               `json:"slug"` // what people see; unique among tenants that are not deleted
	Name    string               `json:"name"`
	Created time.Time            `json:"created"`
	Shard   int                  `json:"shard"` // of the store, from 1: where the tenant's data is. It never changes; a record without it is of a time with one
	State   State                `json:"state"`
	// Generation grows with every change of State, so that late work can tell that it was admitted under another one.
	Generation uint64 `json:"generation"`

	// PurgeAfter is when a tenant that is being deleted becomes Deleted; Former is the state that an undo brings back.
	PurgeAfter time.Time `json:"purge_after,omitzero"`
	Former     State     `json:"former,omitempty"`
	// Gone is when it became Deleted, Purged when nothing of it was left. A purged tenant has neither slug nor name any more.
	Gone   time.Time `json:"gone,omitzero"`
	Purged time.Time `json:"purged,omitzero"`
}

// TenantSpec is what a new tenant is made from.
type TenantSpec struct {
	Slug  string
	Name  string // the slug when empty
	Shard *int   // of the store, from 1; nil is the one with the fewest tenants
}

// tenantDoc is stored under the tenant's id. It counts only while the slug's document points to it: a creation that dies
// between both leaves nothing visible, and the slug is free.
type tenantDoc struct {
	Version int `json:"v"`
	Tenant
}

func (t *tenantDoc) validate(key string) error {
	if _, err := seamark.ParseTenantID(key); err != nil {
		return err
	}
	if string(t.ID) != key {
		return fmt.Errorf("tenant %.40q stands under the key of another", t.ID)
	}
	if t.Number == 0 {
		return errors.New("tenant has no number")
	}
	if t.Shard == 0 {
		t.Shard = 1
	}
	if err := checkStoreShard(t.Shard); err != nil {
		return err
	}
	switch t.State {
	case Active:
		t.State = Active // in the constant's memory: each request compares it
	case Suspended:
	case Deleting:
		if t.PurgeAfter.IsZero() || t.Former != Active && t.Former != Suspended {
			return errors.New("tenant is being deleted and has no time for that, or no state to go back to")
		}
	case Deleted:
		if !t.Purged.IsZero() {
			return nil
		}
	default:
		return fmt.Errorf("tenant state %.40q is unknown", t.State)
	}
	return errors.Join(checkSlug("tenant's slug", t.Slug), checkName("tenant", t.Name))
}

// slugDoc gives a slug to a tenant.
type slugDoc struct {
	Version int              `json:"v"`
	Tenant  seamark.TenantID `json:"tenant"`
}

func (s *slugDoc) validate(key string) error {
	_, err := seamark.ParseTenantID(string(s.Tenant))
	return errors.Join(checkSlug("tenant's slug", key), err)
}

// counterDoc hands out numbers.
type counterDoc struct {
	Version int                  `json:"v"`
	Last    seamark.TenantNumber `json:"last"`
}

// numberCounter is the key of the counter of tenant numbers.
const numberCounter = "number"

func (c *counterDoc) validate(key string) error {
	if key != numberCounter || c.Last == 0 {
		return fmt.Errorf("counter %.40q at %d is unknown", key, c.Last)
	}
	return nil
}

// CreateTenant makes a tenant with a number that no tenant ever had, on a shard of the store that it stays on. The error is of kind
// Invalid for a bad slug or name and for a shard that there is not, and of kind Conflict when the slug is taken.
func (d *Directory) CreateTenant(ctx context.Context, spec TenantSpec) (Tenant, error) {
	if spec.Name == "" {
		spec.Name = spec.Slug
	}
	if err := errors.Join(checkSlug("tenant's slug", spec.Slug), checkName("tenant", spec.Name)); err != nil {
		return Tenant{}, invalid(err, "seamark-tenant-invalid")
	}
	if _, err := d.FindTenantBySlug(ctx, spec.Slug); err == nil {
		return Tenant{}, slugTaken(spec.Slug)
	}
	shard, err := d.place(spec.Shard)
	if err != nil {
		return Tenant{}, err
	}
	id, err := d.newID()
	if err != nil {
		return Tenant{}, err
	}
	number, err := d.nextNumber(ctx)
	if err != nil {
		return Tenant{}, fmt.Errorf("take a tenant number: %w", err)
	}
	t := Tenant{
		ID: seamark.TenantID(id), Number: number, Slug: spec.Slug, Name: spec.Name,
		Created: d.now().UTC(), Shard: shard, State: Active, Generation: 1,
	}
	if err := d.tenants.create(ctx, id, &tenantDoc{Version: docVersion, Tenant: t}); err != nil {
		return Tenant{}, fmt.Errorf("create tenant: %w", err)
	}
	if err := d.claimSlug(ctx, t.Slug, t.ID); err != nil {
		if seamark.KindOf(err) == seamark.Conflict {
			// Nobody can see the document without its slug. Removing it only saves space, so a failure is not the caller's.
			// After any other error the slug may have been claimed all the same, and then the document is needed.
			_ = d.tenants.remove(ctx, id)
		}
		return Tenant{}, err
	}
	return t, nil
}

// nextNumber takes a number by compare-and-set. A number is spent even when the creation fails afterwards. It never falls
// below a number that this node has seen, even when the bucket was lost and counts from the start.
func (d *Directory) nextNumber(ctx context.Context) (seamark.TenantNumber, error) {
	highest := seamark.TenantNumber(0)
	for _, t := range d.tenants.all() {
		highest = max(highest, t.Number)
	}
	next, err := d.counters.mutate(ctx, numberCounter, func(c *counterDoc) error {
		c.Last = max(c.Last, highest) + 1
		return nil
	})
	if !errors.Is(err, errAbsent) {
		if err != nil {
			return 0, err
		}
		return next.Last, nil
	}
	err = d.counters.create(ctx, numberCounter, &counterDoc{Version: docVersion, Last: highest + 1})
	if errors.Is(err, errTaken) {
		return d.nextNumber(ctx)
	}
	return highest + 1, err
}

// claimSlug commits a creation. A slug whose tenant is deleted is free.
func (d *Directory) claimSlug(ctx context.Context, slug string, id seamark.TenantID) error {
	err := d.slugs.create(ctx, slug, &slugDoc{Version: docVersion, Tenant: id})
	if errors.Is(err, errTaken) {
		_, err = d.slugs.mutate(ctx, slug, func(s *slugDoc) error {
			if holder, _ := d.tenants.find(string(s.Tenant)); holder == nil || holder.State != Deleted {
				return slugTaken(slug)
			}
			s.Tenant = id
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("claim slug: %w", err)
	}
	return nil
}

func slugTaken(slug string) error {
	return seamark.Errorf(seamark.Conflict, "seamark-tenant-exists", "A tenant with the slug %q exists; choose another slug.", slug)
}

// FindTenant returns a tenant that is not deleted. The error is of kind NotFound.
func (d *Directory) FindTenant(_ context.Context, id seamark.TenantID) (Tenant, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if t := d.liveTenantLocked(id); t != nil {
		return t.Tenant, nil
	}
	return Tenant{}, tenantUnknown()
}

// FindTenantBySlug returns the tenant that has the slug now. The error is of kind NotFound.
func (d *Directory) FindTenantBySlug(_ context.Context, slug string) (Tenant, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.slugs.findLocked(slug); s != nil {
		if t := d.liveTenantLocked(s.Tenant); t != nil {
			return t.Tenant, nil
		}
	}
	return Tenant{}, tenantUnknown()
}

// ListTenants returns the tenants that are not deleted, by slug.
func (d *Directory) ListTenants(context.Context) []Tenant {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []Tenant
	for _, s := range d.slugs.rows {
		if t := d.liveTenantLocked(s.doc.Tenant); t != nil {
			list = append(list, t.Tenant)
		}
	}
	slices.SortFunc(list, func(a, b Tenant) int { return strings.Compare(a.Slug, b.Slug) })
	return list
}

// liveTenantLocked returns a tenant that is committed and not deleted, or nil. The caller holds mu.
func (d *Directory) liveTenantLocked(id seamark.TenantID) *tenantDoc {
	t := d.tenants.findLocked(string(id))
	if t == nil || t.State == Deleted {
		return nil
	}
	if s := d.slugs.findLocked(t.Slug); s == nil || s.Tenant != id {
		return nil
	}
	return t
}

// Number returns the number that the tenant's database is named after. The error is of kind NotFound: its id is
// seamark-tenant-deleted when the tenant existed, so that the writer may drop what it still has, and
// seamark-tenant-unknown when this node has not heard of it, where waiting may help.
func (d *Directory) Number(id seamark.TenantID) (seamark.TenantNumber, error) {
	t, _ := d.tenants.find(string(id))
	switch {
	case t == nil:
		return 0, tenantUnknown()
	case t.State == Deleted:
		return 0, seamark.Errorf(seamark.NotFound, "seamark-tenant-deleted", "The tenant was deleted.")
	}
	return t.Number, nil
}

func tenantUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "There is no such tenant.")
}

// SuspendTenant refuses all credentials of the tenant from now on; ResumeTenant accepts them again.
func (d *Directory) SuspendTenant(ctx context.Context, id seamark.TenantID) (Tenant, error) {
	return d.setState(ctx, id, Suspended)
}

// ResumeTenant ends a suspension.
func (d *Directory) ResumeTenant(ctx context.Context, id seamark.TenantID) (Tenant, error) {
	return d.setState(ctx, id, Active)
}

// DeleteTenant refuses all credentials of the tenant for ever and frees its slug, without any grace. The document stays as
// a tombstone, so that nothing late can be taken for another tenant's. The lifecycle purges what is left.
func (d *Directory) DeleteTenant(ctx context.Context, id seamark.TenantID) error {
	_, err := d.setState(ctx, id, Deleted)
	return err
}

func (d *Directory) setState(ctx context.Context, id seamark.TenantID, state State) (Tenant, error) {
	if _, err := d.FindTenant(ctx, id); err != nil {
		return Tenant{}, err
	}
	t, err := d.tenants.mutate(ctx, string(id), func(t *tenantDoc) error {
		switch {
		case t.State == Deleted:
			return tenantUnknown()
		case t.State == Deleting && state != Deleted:
			return seamark.Errorf(seamark.Conflict, "seamark-tenant-ending", "The tenant %q is being deleted. Restore it first.", t.Slug)
		case t.State == state:
			return nil
		}
		if state == Deleted {
			t.Gone = d.now().UTC()
		}
		t.State = state
		t.Generation++
		return nil
	})
	if err != nil {
		return Tenant{}, fmt.Errorf("set tenant state: %w", err)
	}
	return t.Tenant, nil
}

// maxSlugBytes is the length of a DNS label (RFC 1123): slugs may become host names.
const maxSlugBytes = 63

// checkSlug accepts a lowercase DNS label. What it is called is the field's name, as its owner knows it.
func checkSlug(what, slug string) error {
	if len(slug) == 0 || len(slug) > maxSlugBytes {
		return fmt.Errorf("the %s has %d characters; it needs 1 to %d", what, len(slug), maxSlugBytes)
	}
	for i := range len(slug) {
		c := slug[i]
		edge := i == 0 || i == len(slug)-1
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && !edge {
			continue
		}
		return fmt.Errorf("the %s has %q at position %d; use a-z, 0-9 and inner hyphens", what, c, i+1)
	}
	return nil
}

// maxNameBytes bounds names for people. Without it one name fills a page of every list.
const maxNameBytes = 200

func checkName(noun, name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxNameBytes {
		return fmt.Errorf("the %s's name has %d bytes; it needs 1 to %d and a visible character", noun, len(name), maxNameBytes)
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("the %s's name has control characters or is not UTF-8", noun)
	}
	return nil
}

// invalid turns the errors of checks into one sentence each for the customer.
func invalid(err error, id string) error {
	var text strings.Builder
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(strings.ToUpper(line[:1]) + line[1:] + ".")
	}
	return seamark.Errorf(seamark.Invalid, id, "%s", text.String())
}
