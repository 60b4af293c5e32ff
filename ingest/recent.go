package ingest

import (
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// recent remembers ids that were stored a while ago, per cluster, in two generations: enough for senders that repeat
// themselves across requests. What one node has seen another has not: the duplicate window over whole requests is the one
// that all nodes share.
type recent struct {
	perGeneration int

	mu       sync.Mutex // guards clusters
	clusters map[clusterKey]*generations
}

type generations struct{ young, old map[uint64]struct{} }

// recentPerCluster is 2 MiB of ids, some minutes of a busy API server's audit log.
const recentPerCluster = 1 << 16

func newRecent() *recent {
	return &recent{perGeneration: recentPerCluster / 2, clusters: map[clusterKey]*generations{}}
}

// seen returns a function that reports whether an id of p's cluster was added.
func (r *recent) seen(p seamark.Principal) func(id uint64) bool {
	key := clusterKey{p.Tenant, p.Cluster}
	return func(id uint64) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		g := r.clusters[key]
		if g == nil {
			return false
		}
		_, young := g.young[id]
		_, old := g.old[id]
		return young || old
	}
}

// add remembers ids of p's cluster.
func (r *recent) add(p seamark.Principal, ids []uint64) {
	key := clusterKey{p.Tenant, p.Cluster}
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.clusters[key]
	if g == nil {
		g = &generations{young: map[uint64]struct{}{}}
		r.clusters[key] = g
	}
	for _, id := range ids {
		if len(g.young) >= r.perGeneration {
			g.young, g.old = map[uint64]struct{}{}, g.young
		}
		g.young[id] = struct{}{}
	}
}
