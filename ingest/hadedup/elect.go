package hadedup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// attempts is how often a compare-and-set that lost is tried again within a request's time.
const attempts = 10

// elect brings this node's knowledge up to date and, where the cluster still has no replica that sends, elects the given
// one. The caller holds settling.
func (t *Tracker) elect(ctx context.Context, id seamark.TenantID, of *tenant, label, replica string) (accept bool, err error) {
	for range attempts {
		doc, revision, err := t.opts.Docs.Find(ctx, string(id))
		if err != nil {
			return false, fmt.Errorf("read elections: %w", err)
		}
		now := t.opts.Now()
		of.learn(doc, now)
		if accept, known := of.decide(label, replica, now, t.opts.FailAfter); known {
			return accept, nil
		}
		old, exists := doc.Clusters[label]
		next := Election{Clusters: maps.Clone(doc.Clusters)}
		if next.Clusters == nil {
			next.Clusters = map[string]Elected{}
		}
		if !exists && len(next.Clusters) >= t.opts.MaxClusters && !of.evict(next.Clusters, now) {
			return false, seamark.Errorf(seamark.RateLimited, "seamark-ha-clusters",
				"The tenant has %d pairs of Prometheus servers (label cluster), and the limit is %d (--quota.ha-clusters). The samples of cluster %q were "+
					"not taken; remove its __replica__ label to send them without deduplication.", len(next.Clusters), t.opts.MaxClusters, clip(label))
		}
		next.Clusters[strings.Clone(label)] = Elected{Replica: strings.Clone(replica), Beat: old.Beat + 1}
		_, err = t.opts.Docs.Save(ctx, string(id), next, revision)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("save elections: %w", err)
		}
		of.learn(next, now)
		of.decide(label, replica, now, t.opts.FailAfter)
		t.metrics.elections.WithLabelValues(reason(old.Replica, replica)).Inc()
		return true, nil
	}
	return false, fmt.Errorf("save elections: %w", bus.ErrConflict)
}

func reason(before, elected string) string {
	switch before {
	case "":
		return "first"
	case elected:
		return "return"
	}
	return "takeover"
}

// learn takes over what the document says. A replica whose beat has changed sends, if not here then to another node; so
// does, for all that this node can tell, one that it hears of for the first time.
func (of *tenant) learn(doc Election, now time.Time) {
	of.mu.Lock()
	defer of.mu.Unlock()
	for label, elected := range doc.Clusters {
		c := of.clusters[label]
		if c == nil {
			c = &cluster{}
			of.clusters[label] = c
		} else if c.elected == elected {
			continue
		}
		*c = cluster{elected: elected, alive: now, sent: c.sent && c.elected.Replica == elected.Replica}
	}
	for label := range of.clusters {
		if _, ok := doc.Clusters[label]; !ok {
			delete(of.clusters, label)
		}
	}
}

// evictAfter is how long a cluster is silent before it makes room for another one.
const evictAfter = time.Hour

// evict removes the cluster that has been silent for longest and reports whether there was one. The others' clocks do not
// matter: its beat has not changed for an hour of this node's.
func (of *tenant) evict(clusters map[string]Elected, now time.Time) bool {
	of.mu.Lock()
	defer of.mu.Unlock()
	oldest, found := now.Add(-evictAfter), ""
	for label := range clusters {
		if c := of.clusters[label]; c != nil && !c.alive.After(oldest) {
			oldest, found = c.alive, label
		}
	}
	if found == "" {
		return false
	}
	delete(clusters, found)
	return true
}

// Run tells the other nodes who sends, and learns it from them, until ctx ends.
func (t *Tracker) Run(ctx context.Context) error {
	tick := time.NewTicker(t.opts.Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := t.Sync(ctx); err != nil && ctx.Err() == nil {
			t.opts.Logger.WarnContext(ctx, "elections of replicas were not exchanged, the next round tries again", slog.Any("error", err))
		}
	}
}

// idleAfter is how long a tenant that sends nothing from pairs is remembered.
const idleAfter = 2 * time.Hour

// Sync does one round of what Run does. Tests call it by their own clock.
func (t *Tracker) Sync(ctx context.Context) error {
	t.mu.Lock()
	tenants := maps.Clone(t.tenants)
	for id, of := range tenants {
		of.mu.Lock()
		if t.opts.Now().Sub(of.used) > idleAfter {
			delete(t.tenants, id)
			delete(tenants, id)
		}
		of.mu.Unlock()
	}
	t.mu.Unlock()
	var failed error
	for id, of := range tenants {
		if err := t.syncTenant(ctx, id, of); err != nil {
			failed = err // the others still get their turn
		}
	}
	return failed
}

// syncTenant writes the beats of the replicas that sent here, all in one document.
func (t *Tracker) syncTenant(ctx context.Context, id seamark.TenantID, of *tenant) error {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Beat)
	defer cancel()
	select {
	case of.settling <- struct{}{}:
		defer func() { <-of.settling }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for range attempts {
		doc, revision, err := t.opts.Docs.Find(ctx, string(id))
		if err != nil {
			return fmt.Errorf("read elections: %w", err)
		}
		of.learn(doc, t.opts.Now())
		next, labels := of.beats(doc)
		if len(labels) == 0 {
			return nil
		}
		_, err = t.opts.Docs.Save(ctx, string(id), next, revision)
		of.beaten(next, labels, err == nil)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("save elections: %w", err)
		}
		return nil
	}
	return fmt.Errorf("save elections: %w", bus.ErrConflict)
}

// beats returns the document with a beat more for each replica that sent here since the last one, and their clusters.
func (of *tenant) beats(doc Election) (next Election, labels []string) {
	of.mu.Lock()
	defer of.mu.Unlock()
	next.Clusters = maps.Clone(doc.Clusters)
	for label, c := range of.clusters {
		if c.sent {
			c.sent = false // a request that comes while this is written beats in the next round
			next.Clusters[label] = Elected{Replica: c.elected.Replica, Beat: c.elected.Beat + 1}
			labels = append(labels, label)
		}
	}
	return next, labels
}

// beaten notes that beats were written, or that they are still to be.
func (of *tenant) beaten(doc Election, labels []string, written bool) {
	of.mu.Lock()
	defer of.mu.Unlock()
	for _, label := range labels {
		c := of.clusters[label]
		switch {
		case c == nil || c.elected.Replica != doc.Clusters[label].Replica:
		case written:
			c.elected = doc.Clusters[label]
		default:
			c.sent = true
		}
	}
}

// clip cuts text of a sender for a message.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
