package pushgateway

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Groups keeps the groups of all tenants, for all ingest nodes together. Implementations are safe for concurrent use.
type Groups interface {
	// Update changes one group by compare-and-set. change is given the group, nil when there is none, which is its to
	// change, and returns what takes its place, nil to remove it. It may be called several times, when somebody else was
	// first; its error ends the update and is returned as it is. When Update returns nil, the change is durable.
	Update(ctx context.Context, tenant seamark.TenantID, id string, change func(*Group) (*Group, error)) error
	// List returns all groups of a tenant, those that are deleted or expired among them.
	List(ctx context.Context, tenant seamark.TenantID) ([]*Group, error)
	// Tenants returns the tenants that have ever had a group.
	Tenants(ctx context.Context) ([]seamark.TenantID, error)
}

const (
	// shelvesPerTenant divides a tenant's groups, so that one push rewrites a part of them. Documents are never deleted, so
	// their number must not grow with the groups that come and go.
	shelvesPerTenant = 16
	// maxShelfBytes keeps a document below the bus' largest message of 8 MiB.
	maxShelfBytes = 6 << 20
	// maxAttempts bounds how often an update starts again because others were first.
	maxAttempts = 100
	rootKey     = "tenants"
)

// Doc is one document of the store: the list of tenants, or one shelf of a tenant's groups.
type Doc struct {
	// Shelves says, in the list, which shelves each tenant uses, a bit each.
	Shelves map[seamark.TenantID]uint64 `json:"shelves,omitempty"`
	Groups  []*Group                    `json:"groups,omitempty"`
}

// Shelves implements Groups in a bucket of the bus.
type Shelves struct {
	docs *bus.Docs[Doc]
	// turns make the updates of one process that meet on a document go one after the other instead of losing to each
	// other. A turn is taken by sending.
	turns [64]chan struct{}
}

// NewShelves returns the groups that docs holds.
func NewShelves(docs *bus.Docs[Doc]) *Shelves {
	s := &Shelves{docs: docs}
	for i := range s.turns {
		s.turns[i] = make(chan struct{}, 1)
	}
	return s
}

// Update implements Groups.
func (s *Shelves) Update(ctx context.Context, tenant seamark.TenantID, id string, change func(*Group) (*Group, error)) error {
	if err := tenant.Validate(); err != nil {
		return err
	}
	shelf := hashOf(id) % shelvesPerTenant
	if err := s.register(ctx, tenant, shelf); err != nil {
		return err
	}
	return s.update(ctx, shelfKey(tenant, shelf), func(doc *Doc) (bool, error) {
		at := slices.IndexFunc(doc.Groups, func(g *Group) bool { return g.ID() == id })
		var old *Group
		if at >= 0 {
			old = doc.Groups[at]
		}
		next, err := change(old)
		switch {
		case err != nil:
			return false, err
		case next == nil && at < 0:
			return false, nil
		case next == nil:
			doc.Groups = slices.Delete(doc.Groups, at, at+1)
		case at < 0:
			doc.Groups = append(doc.Groups, next)
		default:
			doc.Groups[at] = next
		}
		return true, nil
	})
}

// register notes that a tenant uses a shelf, before anything is put there, so that no group is ever out of sight.
func (s *Shelves) register(ctx context.Context, tenant seamark.TenantID, shelf uint64) error {
	root, _, err := s.docs.Find(ctx, rootKey)
	if err != nil {
		return unavailable(err)
	}
	if root.Shelves[tenant]&(1<<shelf) != 0 {
		return nil
	}
	return s.update(ctx, rootKey, func(doc *Doc) (bool, error) {
		if doc.Shelves[tenant]&(1<<shelf) != 0 {
			return false, nil
		}
		if doc.Shelves == nil {
			doc.Shelves = map[seamark.TenantID]uint64{}
		}
		doc.Shelves[tenant] |= 1 << shelf
		return true, nil
	})
}

// update changes one document; change says whether there is something to write.
func (s *Shelves) update(ctx context.Context, key string, change func(*Doc) (bool, error)) error {
	turn := s.turns[hashOf(key)%uint64(len(s.turns))]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
	for range maxAttempts {
		doc, revision, err := s.docs.Find(ctx, key)
		if err != nil {
			return unavailable(err)
		}
		changed, err := change(&doc)
		if err != nil || !changed {
			return err
		}
		if err := doc.checkSize(); err != nil {
			return err
		}
		if _, err = s.docs.Save(ctx, key, doc, revision); err == nil {
			return nil
		}
		if !errors.Is(err, bus.ErrConflict) {
			return unavailable(err)
		}
	}
	return unavailable(fmt.Errorf("%s was changed %d times by others", key, maxAttempts))
}

// checkSize refuses what no message of the bus can hold. It reckons the document's JSON from above, in which bytes take a
// third more.
func (d *Doc) checkSize() error {
	size := 0
	for _, g := range d.Groups {
		size += 400 + len(g.Ended)*4/3
		for _, l := range g.Key.Labels {
			size += 40 + 2*len(l.Name) + 2*len(l.Value)
		}
		for i := range g.Families {
			f := &g.Families[i]
			size += 200 + 2*len(f.Name) + 2*len(f.Help) + 2*len(f.Unit) + len(f.Data)*4/3
		}
	}
	if size > maxShelfBytes {
		return seamark.Errorf(seamark.TooLarge, "seamark-pushgroup-space", "There is no room for the group: with the groups it is kept "+
			"beside it would take %d bytes, and the limit is %d. Push fewer series, or delete groups.", size, maxShelfBytes)
	}
	return nil
}

// List implements Groups.
func (s *Shelves) List(ctx context.Context, tenant seamark.TenantID) ([]*Group, error) {
	if err := tenant.Validate(); err != nil {
		return nil, err
	}
	root, _, err := s.docs.Find(ctx, rootKey)
	if err != nil {
		return nil, unavailable(err)
	}
	var list []*Group
	for shelf := range uint64(shelvesPerTenant) {
		if root.Shelves[tenant]&(1<<shelf) == 0 {
			continue
		}
		doc, _, err := s.docs.Find(ctx, shelfKey(tenant, shelf))
		if err != nil {
			return nil, unavailable(err)
		}
		list = append(list, doc.Groups...)
	}
	return list, nil
}

// Tenants implements Groups.
func (s *Shelves) Tenants(ctx context.Context) ([]seamark.TenantID, error) {
	root, _, err := s.docs.Find(ctx, rootKey)
	if err != nil {
		return nil, unavailable(err)
	}
	list := make([]seamark.TenantID, 0, len(root.Shelves))
	for tenant := range root.Shelves {
		list = append(list, tenant)
	}
	slices.Sort(list)
	return list, nil
}

func shelfKey(tenant seamark.TenantID, shelf uint64) string {
	return fmt.Sprintf("%s.%02d", tenant, shelf)
}

// hashOf decides where a group is kept, so it is part of the stored data and must never change.
func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

func unavailable(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-pushgroup-store", "The pushed groups cannot be read or written now. Retry shortly.")
}
