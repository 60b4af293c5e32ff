package events

import (
	"context"
	"regexp"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TimelineQuery asks for what happened to one object and to what it belongs to.
type TimelineQuery struct {
	Range                            seamark.TimeRange
	Cluster, Namespace, Kind, Object string // Namespace is "" for objects of the whole cluster
	Limit                            int    // events; 0 is the default
}

// Owner is an object above the one asked for. Events tell no owner references, so that an owner is known by what its own
// events say: Message is the event that names the object below it, such as "Created pod: web-0". Where there is none it
// is "", and the owner is taken from the name of the object below, which begins with the owner's.
type Owner struct{ Kind, Name, Message string }

// Timeline is the events of an object and its owners, newest first.
type Timeline struct {
	Owners    []Owner // nearest first
	Events    []seamark.Event
	Truncated bool
}

// ownerKinds says which kinds may own objects of a kind.
var ownerKinds = map[string][]string{
	"Pod":        {"ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"},
	"ReplicaSet": {"Deployment"},
	"Job":        {"CronJob"},
}

// maxOwners bounds the chain: a pod, its ReplicaSet, its Deployment.
const maxOwners = 3

// Timeline finds the object's owners and lists the events of all of them. Errors are of kind Invalid for a query out of
// bounds, or what the store says.
func (s *Searcher) Timeline(ctx context.Context, tenant seamark.TenantID, q TimelineQuery) (*Timeline, error) {
	if q.Kind == "" || q.Object == "" || q.Cluster == "" {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-events-object", "A timeline needs the cluster, the kind and the name of an object.")
	}
	filter := Filter{Range: q.Range, Is: map[string][]string{"cluster": {q.Cluster}, "namespace": {q.Namespace}, "kind": {q.Kind}, "object": {q.Object}}}
	list, truncated, err := s.List(ctx, tenant, filter, q.Limit)
	if err != nil {
		return nil, err
	}
	t := &Timeline{Events: list, Truncated: truncated}
	if t.Owners, err = s.owners(ctx, tenant, &q); err != nil {
		return nil, err
	}
	for _, o := range t.Owners {
		filter.Is["kind"], filter.Is["object"] = []string{o.Kind}, []string{o.Name}
		list, truncated, err := s.List(ctx, tenant, filter, q.Limit)
		if err != nil {
			return nil, err
		}
		t.Events, t.Truncated = append(t.Events, list...), t.Truncated || truncated
	}
	slices.SortStableFunc(t.Events, func(a, b seamark.Event) int { return b.Last.Compare(a.Last) })
	if err := s.checkEvents(&q.Limit); err != nil {
		return nil, err
	}
	if len(t.Events) > q.Limit {
		t.Events, t.Truncated = t.Events[:q.Limit], true
	}
	return t, nil
}

// owners follows the chain of owners upwards.
func (s *Searcher) owners(ctx context.Context, tenant seamark.TenantID, q *TimelineQuery) ([]Owner, error) {
	var chain []Owner
	kind, name := q.Kind, q.Object
	for len(chain) < maxOwners && len(ownerKinds[kind]) > 0 {
		found, err := s.opts.Store.EventOwners(ctx, tenant, store.EventOwnersQuery{
			Range: q.Range, Cluster: q.Cluster, Namespace: q.Namespace, Name: name, Kinds: ownerKinds[kind], Limit: 16,
		})
		if err != nil {
			return nil, err
		}
		owner, ok := pickOwner(found, name)
		if !ok {
			break
		}
		chain = append(chain, owner)
		kind, name = owner.Kind, owner.Name
	}
	return chain, nil
}

// generated are the endings that controllers put behind the owner's name: Kubernetes' random letters (SafeEncodeString),
// a pod template's hash, the ordinal of a stateful pod, the minute of a scheduled job.
var generated = map[string]*regexp.Regexp{
	"ReplicaSet":            regexp.MustCompile(`^-[bcdfghjklmnpqrstvwxz2456789]{5}$`),
	"DaemonSet":             regexp.MustCompile(`^-[bcdfghjklmnpqrstvwxz2456789]{5}$`),
	"ReplicationController": regexp.MustCompile(`^-[bcdfghjklmnpqrstvwxz2456789]{5}$`),
	"Job":                   regexp.MustCompile(`^-(\d+-)?[bcdfghjklmnpqrstvwxz2456789]{5}$`),
	"StatefulSet":           regexp.MustCompile(`^-\d+$`),
	"Deployment":            regexp.MustCompile(`^-[bcdfghjklmnpqrstvwxz2456789]{1,10}$`),
	"CronJob":               regexp.MustCompile(`^-\d+$`),
}

// pickOwner takes the first that names the child in an event, else the first whose name and what its kind adds make the
// child's name.
func pickOwner(found []store.EventOwner, child string) (Owner, bool) {
	for _, o := range found {
		if o.Message != "" {
			return Owner(o), true
		}
	}
	for _, o := range found {
		if len(o.Name) < len(child) && child[:len(o.Name)] == o.Name && generated[o.Kind].MatchString(child[len(o.Name):]) {
			return Owner(o), true
		}
	}
	return Owner{}, false
}
