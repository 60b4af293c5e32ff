package ledger

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Run publishes every Flush until ctx ends, and once more then.
func (l *Ledger) Run(ctx context.Context) error {
	tick := time.NewTicker(l.opts.Flush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.Flush(context.WithoutCancel(ctx))
		case <-tick.C:
		}
		if err := l.Flush(ctx); err != nil && ctx.Err() == nil {
			l.opts.Logger.WarnContext(ctx, "the drop ledger was not published, the next round tries again", slog.Any("error", err))
		}
	}
}

// Flush publishes what was gathered. What could not be published stays as it is and goes first next time, while new drops
// gather in the same bounded books: the same rows are sent again, so that a message whose answer was lost counts once.
func (l *Ledger) Flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	for range 2 { // what was left, then what has gathered
		for len(l.unsent) > 0 {
			p := &l.unsent[0]
			if err := l.opts.Publish(ctx, p.tenant, p.cluster, p.drops); err != nil {
				if hopeless(err) {
					l.metrics.lost.Add(float64(len(p.drops)))
					l.unsent = l.unsent[1:]
					continue
				}
				return fmt.Errorf("publish drops: %w", err)
			}
			l.unsent = l.unsent[1:]
		}
		l.unsent = l.gathered()
	}
	return nil
}

// hopeless reports whether publishing again cannot help: the tenant is gone, or the rows are refused for what they are.
func hopeless(err error) bool {
	switch seamark.KindOf(err) {
	case seamark.NotFound, seamark.Invalid, seamark.Forbidden, seamark.TooLarge:
		return true
	}
	return false
}

// gathered takes the books and writes them out as pages, in an order that does not change from run to run.
func (l *Ledger) gathered() []page {
	now := l.opts.Now()
	l.mu.Lock()
	since, taken := l.since, map[seamark.TenantID]map[line]*entry{}
	l.since = now
	for tenant, b := range l.books {
		if len(b.lines) > 0 {
			taken[tenant], b.lines = b.lines, map[line]*entry{}
		} else if b.quiet(now) {
			delete(l.books, tenant)
		}
	}
	l.mu.Unlock()
	var pages []page
	for tenant, lines := range taken {
		byCluster := map[seamark.ClusterID][]seamark.Drop{}
		for key, e := range lines {
			byCluster[key.cluster] = append(byCluster[key.cluster], dropOf(since, &key, e))
		}
		for cluster, drops := range byCluster {
			slices.SortFunc(drops, compareDrops)
			pages = append(pages, page{tenant, cluster, drops})
		}
	}
	slices.SortFunc(pages, func(a, b page) int { return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.cluster, b.cluster)) })
	return pages
}

// quiet reports whether a book without lines can go: its samples of the last minute are over.
func (b *book) quiet(now time.Time) bool {
	for _, s := range b.samples {
		if now.Sub(s.from) < samplePeriod {
			return false
		}
	}
	return true
}

func dropOf(since time.Time, key *line, e *entry) seamark.Drop {
	return seamark.Drop{
		Time: since, Cluster: key.clusterName, Token: key.token, Protocol: key.protocol, Signal: key.signal, Reason: key.reason,
		Status: uint16(key.status), Requests: e.requests, Rows: e.rows, Bytes: e.bytes, Detail: e.detail, Sample: e.sample,
	}
}

func compareDrops(a, b seamark.Drop) int {
	return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Token, b.Token),
		cmp.Compare(a.Signal, b.Signal), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Cluster, b.Cluster))
}
