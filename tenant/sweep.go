package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	sweepInterval = 10 * time.Minute
	// deadTokenKeep is how long a revoked or expired token stays in lists. Without an end, clusters that rotate fill the
	// bucket, and a full bucket takes no revocation.
	deadTokenKeep = 90 * 24 * time.Hour
)

// sweepLoop removes what is over, now and then, until ctx ends.
func (d *Directory) sweepLoop(ctx context.Context) {
	for pause(ctx, sweepInterval) == nil {
		if err := d.sweep(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "directory sweep failed, the next one tries again", slog.Any("error", err))
		}
	}
}

// sweep drops sessions that are over from memory (their bucket forgets them by age, without telling), and from KV the
// sessions that are over for an hour, the tokens that are long dead, clusters that were deleted a day ago, the arrivals of clusters
// that are gone and the quotas of whom they were for.
func (d *Directory) sweep(ctx context.Context) error {
	now := d.now()
	d.mu.Lock()
	for key, r := range d.sessions.rows {
		if now.After(r.doc.Expires) {
			d.sessions.setLocked(key, nil, 0)
		}
	}
	d.mu.Unlock()
	if err := d.sweepSessions(ctx, now); err != nil {
		return err
	}
	for _, t := range d.tokens.all() {
		revokedLong := !t.Revoked.IsZero() && now.Sub(t.Revoked) > deadTokenKeep
		expiredLong := !t.Expires.IsZero() && now.Sub(t.Expires) > deadTokenKeep
		if !revokedLong && !expiredLong {
			continue
		}
		if err := d.tokens.remove(ctx, t.KeyID); err != nil {
			return fmt.Errorf("remove dead token: %w", err)
		}
	}
	if !d.Synced() { // a cluster that this node has not heard of is not gone
		return nil
	}
	for _, a := range d.arrivals.all() {
		if c := d.clusters.findAlias(string(a.Cluster)); c != nil && c.Deleted.IsZero() {
			continue
		}
		if err := d.arrivals.remove(ctx, (arrivalKey{a.Tenant, a.Cluster}).String()); err != nil {
			return fmt.Errorf("remove old arrival: %w", err)
		}
	}
	if err := errors.Join(d.sweepClusters(ctx, now), d.sweepUses(ctx), d.sweepInvitations(ctx)); err != nil {
		return err
	}
	if err := d.sweepBudgets(ctx); err != nil {
		return err
	}
	return d.sweepQuotas(ctx)
}
