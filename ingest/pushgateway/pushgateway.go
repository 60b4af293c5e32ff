// Package pushgateway takes what batch jobs push with the Pushgateway's protocol and keeps it visible: it reads the text
// format, OpenMetrics and delimited protobuf, keeps each group under its grouping key in a store that all ingest nodes
// share, writes the samples of a push at once and, from one elected node, every minute again, as if the groups were
// scraped. It knows no HTTP and no telemetry store: rows leave through a function. Package ingest imports it.
package pushgateway

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// PushFunc stores a batch durably, as ingest's Push does: id names its content, so that repeating it stores nothing.
type PushFunc func(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error

// CatalogFunc returns the catalogue of a principal's cluster.
type CatalogFunc func(p seamark.Principal) seamark.Catalog

// Options configures a Service.
type Options struct {
	Groups  Groups
	Catalog CatalogFunc
	Push    PushFunc
	Limits  Limits
	// DefaultTTL returns the time to live of a tenant's groups whose pushes name none; nil and 0 let them live until they
	// are deleted, as the Pushgateway does.
	DefaultTTL func(tenant seamark.TenantID) time.Duration
	Now        func() time.Time
}

func (o *Options) validate() error {
	switch {
	case o.Groups == nil || o.Catalog == nil || o.Push == nil || o.Now == nil:
		return errors.New("pushgateway: Groups, Catalog, Push and Now are required")
	case o.Limits.MaxGroupBytes < 1 || o.Limits.MaxTenantBytes < o.Limits.MaxGroupBytes || o.Limits.MaxGroups < 1:
		return errors.New("pushgateway: the limits must be positive, and a tenant must have room for one group")
	case o.Limits.MaxGroupBytes > maxShelfBytes/2:
		return fmt.Errorf("pushgateway: MaxGroupBytes is %d; it must be at most %d, so that a group fits its document",
			o.Limits.MaxGroupBytes, maxShelfBytes/2)
	}
	return nil
}

// Service takes pushes. It is safe for concurrent use.
type Service struct {
	opts   Options
	usages usages
}

// New returns a Service.
func New(o Options) (*Service, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Service{
		opts:   o,
		usages: usages{groups: o.Groups, now: o.Now, limits: o.Limits, list: map[seamark.TenantID]*usage{}},
	}, nil
}

// Push is one request that brings metrics.
type Push struct {
	Key         Key
	ContentType string
	Body        []byte        // inflated; nothing keeps it
	TTL         time.Duration // see ParseTTL
}

// Put replaces the group by what is pushed. Nil means that the group is durable and its samples are stored: answer 200.
// Errors of kind Invalid, TooLarge and Unsupported leave the group as it was; a contradiction in the metrics is noted in
// its push_failure_time_seconds. Other errors are worth a retry, which is safe whatever had been done.
func (s *Service) Put(ctx context.Context, p seamark.Principal, push *Push) error {
	return s.push(ctx, p, push, true)
}

// Post is Put for a request that replaces only families of the same name.
func (s *Service) Post(ctx context.Context, p seamark.Principal, push *Push) error {
	return s.push(ctx, p, push, false)
}

func (s *Service) push(ctx context.Context, p seamark.Principal, push *Push, replace bool) error {
	c, err := s.read(p, push)
	var next *Group
	var ended []series
	if err == nil {
		c.replace = replace
		next, ended, err = s.store(ctx, p, push.Key, c)
	}
	if isContradiction(err) {
		return errors.Join(err, s.fail(ctx, p, push.Key))
	}
	if err != nil {
		return err
	}
	s.usages.note(p.Tenant, next)
	return s.write(ctx, p, next, func(e *emitter) error {
		for _, f := range c.families {
			e.metadata(&f.Family)
			if err := e.live(f.series, next.Key, next.Stamp); err != nil {
				return err
			}
		}
		return e.stale(ended, next.Key, next.Stamp)
	})
}

// isContradiction reports whether a push was understood and cannot be true, which the group's failure time tells.
func isContradiction(err error) bool {
	e, ok := errors.AsType[*seamark.Error](err)
	return ok && e.Kind == seamark.Invalid && e.ID != malformedID
}

// read parses and checks a push as far as it needs no other group.
func (s *Service) read(p seamark.Principal, push *Push) (*change, error) {
	c := &change{now: s.opts.Now(), ttl: push.TTL}
	if c.ttl == 0 && s.opts.DefaultTTL != nil {
		c.ttl = s.opts.DefaultTTL(p.Tenant)
	}
	c.ttl = max(c.ttl, 0) // Never
	var err error
	if c.families, err = parse(push.Body, push.ContentType, push.Key, s.opts.Limits.MaxGroupBytes); err != nil {
		return nil, err
	}
	// The catalogue judges every series before anything is stored: a group must not hold what can never be written.
	e := emitter{catalog: s.opts.Catalog(p), batch: new(seamark.Batch)}
	for _, f := range c.families {
		if err := e.live(f.series, push.Key, 0); err != nil {
			return nil, err
		}
		packed, err := f.pack(c.now.UnixMilli())
		if err != nil {
			return nil, err
		}
		c.packed = append(c.packed, packed)
	}
	return c, e.live((&Group{}).ownSeries(), push.Key, 0)
}

// store makes a change part of the group and returns the group with the series that ended.
func (s *Service) store(ctx context.Context, p seamark.Principal, key Key, c *change) (next *Group, ended []series, err error) {
	for fresh := false; ; fresh = true {
		loaded, err := s.usages.load(ctx, p.Tenant, fresh)
		if err != nil {
			return nil, nil, err
		}
		refused := false
		err = s.opts.Groups.Update(ctx, p.Tenant, key.id(p.Cluster), func(g *Group) (*Group, error) {
			next = orNew(g, p, key)
			var err error
			if ended, err = next.apply(c); err != nil {
				return nil, err
			}
			err = s.usages.admit(p.Tenant, next)
			refused = err != nil
			return next, err
		})
		if !refused || loaded {
			return next, ended, err
		}
	}
}

func orNew(g *Group, p seamark.Principal, key Key) *Group {
	if g == nil {
		g = &Group{Cluster: p.Cluster, Key: key}
	}
	g.ClusterName = p.ClusterName
	return g
}

// fail notes a failed push in the group, which it makes when there is none and room for it.
func (s *Service) fail(ctx context.Context, p seamark.Principal, key Key) error {
	var next *Group
	now := s.opts.Now()
	err := s.opts.Groups.Update(ctx, p.Tenant, key.id(p.Cluster), func(g *Group) (*Group, error) {
		if g != nil && !g.Live(now) {
			next = nil
			return g, nil // its stale markers come first
		}
		next = orNew(g, p, key)
		next.Failed = now.UnixMilli()
		next.touch(now)
		if g == nil && s.usages.admit(p.Tenant, next) != nil {
			next = nil
			return nil, nil
		}
		return next, nil
	})
	if err != nil || next == nil {
		return err
	}
	s.usages.note(p.Tenant, next)
	return s.write(ctx, p, next, func(*emitter) error { return nil })
}

// write stores the samples of a change, with the group's own metrics, at the group's stamp.
func (s *Service) write(ctx context.Context, p seamark.Principal, g *Group, rows func(e *emitter) error) error {
	e := emitter{catalog: s.opts.Catalog(p), batch: new(seamark.Batch)}
	if err := rows(&e); err != nil {
		return err
	}
	if !g.Deleted {
		if err := e.live(g.ownSeries(), g.Key, g.Stamp); err != nil {
			return err
		}
	}
	h := fnv.New128a()
	_, _ = h.Write([]byte(p.Tenant))
	_, _ = h.Write([]byte(g.ID()))
	return s.opts.Push(ctx, p, seamark.Metrics, fmt.Sprintf("pushgateway.%x.%d", h.Sum(nil), g.Stamp), e.batch)
}

// Delete deletes the group; deleting one that is not there succeeds. Nil means that the deletion is durable: answer 202.
// Its series end with stale markers now and, should this node die, from the reemitter.
func (s *Service) Delete(ctx context.Context, p seamark.Principal, key Key) error {
	return s.remove(ctx, p, key.id(p.Cluster))
}

// Wipe deletes all groups of the principal's cluster.
func (s *Service) Wipe(ctx context.Context, p seamark.Principal) error {
	groups, err := s.opts.Groups.List(ctx, p.Tenant)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.Cluster == p.Cluster && !g.Deleted {
			if err := s.remove(ctx, p, g.ID()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) remove(ctx context.Context, p seamark.Principal, id string) error {
	var gone *Group
	now := s.opts.Now()
	err := s.opts.Groups.Update(ctx, p.Tenant, id, func(g *Group) (*Group, error) {
		gone = nil
		if g == nil || g.Deleted {
			return g, nil
		}
		gone = g
		g.Deleted = true
		g.touch(now)
		return g, nil
	})
	if err != nil || gone == nil {
		return err
	}
	s.usages.note(p.Tenant, gone)
	return s.write(ctx, p, gone, func(e *emitter) error { return e.emitGone(gone, gone.Stamp) })
}

// List returns the live groups of a tenant, by cluster and grouping key.
func (s *Service) List(ctx context.Context, tenant seamark.TenantID) ([]*Group, error) {
	groups, err := s.opts.Groups.List(ctx, tenant)
	if err != nil {
		return nil, err
	}
	now := s.opts.Now()
	groups = slices.DeleteFunc(groups, func(g *Group) bool { return !g.Live(now) })
	slices.SortFunc(groups, func(a, b *Group) int { return strings.Compare(a.ID(), b.ID()) })
	return groups, nil
}

// Ready says whether pushes can be taken, for /-/ready; /-/healthy needs no more than a process that answers.
func (s *Service) Ready(ctx context.Context) error {
	_, err := s.opts.Groups.Tenants(ctx)
	return err
}
