package pushgateway

import (
	"context"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Limits bounds what a tenant may keep pushed.
type Limits struct {
	// MaxGroupBytes bounds the series of one group, as protobuf before compression. Without it one push fills the store.
	MaxGroupBytes int
	// MaxTenantBytes bounds the series of all groups of a tenant. Without it one tenant takes the store's room from the others.
	MaxTenantBytes int
	// MaxGroups bounds a tenant's groups. Without it senders that make up a label with every push grow the store for ever.
	MaxGroups int
}

// DefaultLimits returns the limits that a tenant starts with.
func DefaultLimits() Limits {
	return Limits{MaxGroupBytes: 1 << 20, MaxTenantBytes: 8 << 20, MaxGroups: 2000}
}

// usage is what a tenant has pushed, as one node last saw it. Other nodes' pushes since then are missing, so limits may be
// passed by what all nodes take within usageAge; what would be refused is judged by a fresh reading.
type usage struct {
	at     time.Time
	groups map[string]groupUsage
}

type groupUsage struct {
	cluster seamark.ClusterID
	bytes   int
	types   map[string]string // by family
}

// usageAge is how long a reading is used, and usageIdle how long an idle tenant's is kept.
const (
	usageAge  = 30 * time.Second
	usageIdle = 10 * time.Minute
)

// usages holds the readings of the tenants that push to this node.
type usages struct {
	groups Groups
	now    func() time.Time
	limits Limits

	mu   sync.Mutex // guards list and what is in it
	list map[seamark.TenantID]*usage
}

// load makes sure that there is a reading of the tenant, a fresh one when fresh is set or the last one is old. It tells
// whether it has read now.
func (u *usages) load(ctx context.Context, tenant seamark.TenantID, fresh bool) (bool, error) {
	now := u.now()
	u.mu.Lock()
	last := u.list[tenant]
	u.mu.Unlock()
	if !fresh && last != nil && now.Sub(last.at) < usageAge {
		return false, nil
	}
	groups, err := u.groups.List(ctx, tenant)
	if err != nil {
		return false, err
	}
	next := &usage{at: now, groups: make(map[string]groupUsage, len(groups))}
	for _, g := range groups {
		if g.Live(now) {
			next.groups[g.ID()] = usageOf(g)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list[tenant] = next
	for other, reading := range u.list {
		if now.Sub(reading.at) > usageIdle {
			delete(u.list, other)
		}
	}
	return true, nil
}

func usageOf(g *Group) groupUsage {
	out := groupUsage{cluster: g.Cluster, bytes: g.Bytes(), types: make(map[string]string, len(g.Families))}
	for i := range g.Families {
		out.types[g.Families[i].Name] = g.Families[i].Type
	}
	return out
}

// note replaces what is known of one group.
func (u *usages) note(tenant seamark.TenantID, g *Group) {
	u.mu.Lock()
	defer u.mu.Unlock()
	reading := u.list[tenant]
	switch {
	case reading == nil:
	case g.Live(u.now()):
		reading.groups[g.ID()] = usageOf(g)
	default:
		delete(reading.groups, g.ID())
	}
}

// admit says whether the tenant may have g as it is now: within the limits, and with families of the types that the other
// groups of its cluster give them.
func (u *usages) admit(tenant seamark.TenantID, g *Group) error {
	if size := g.Bytes(); size > u.limits.MaxGroupBytes {
		return groupLarge(size, u.limits.MaxGroupBytes)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	reading := u.list[tenant]
	if reading == nil {
		return nil
	}
	id, size, count := g.ID(), g.Bytes(), 1
	for other, has := range reading.groups {
		if other == id {
			continue
		}
		count++
		size += has.bytes
		if has.cluster != g.Cluster {
			continue
		}
		for i := range g.Families {
			f := &g.Families[i]
			if known, ok := has.types[f.Name]; ok && known != f.Type {
				return inconsistent("Family %.100q is pushed as %s, and another group of the cluster has it as %s. Give it one type "+
					"everywhere, or another name.", f.Name, f.Type, known)
			}
		}
	}
	switch {
	case count > u.limits.MaxGroups:
		return seamark.Errorf(seamark.TooLarge, "seamark-pushgroup-count", "The tenant would have %d groups; the limit is %d "+
			"(--ingest.max-push-groups). Delete groups that are done, give them a time to live, or leave labels that change with "+
			"every run out of the path.", count, u.limits.MaxGroups)
	case size > u.limits.MaxTenantBytes:
		return seamark.Errorf(seamark.TooLarge, "seamark-pushtenant-large", "The groups of the tenant would hold %d bytes of series; the "+
			"limit is %d (--ingest.max-push-tenant-bytes). Delete groups that are done, give them a time to live, or push fewer series.",
			size, u.limits.MaxTenantBytes)
	}
	return nil
}
