// Package quarantine keeps queries that kill an engine from killing it again and again: a query that was under way at two deaths
// of the engine is refused for a while, by its fingerprint, on every node and after every restart. It knows no language, no
// engine and no store: app tells it of deaths and of queries that ended well, and asks before a query runs.
package quarantine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// bucket is the KV bucket of the entries. Keys begin with the tenant, so that the purge of a deleted tenant finds them.
const bucket = "seamark_query_quarantine"

// Limits is when a query is quarantined, and for how long.
type Limits struct {
	// Strikes is at how many deaths of an engine a query must have been under way.
	Strikes int
	// Within is how far apart the deaths may be.
	Within time.Duration
	// Lasts is how long a quarantined query is refused.
	Lasts time.Duration
	// Suspects is how many queries get a strike at one death: those that had read most, then those that ran longest. With more,
	// dashboards that happened to be under way would be quarantined with the culprit.
	Suspects int
}

// DefaultLimits returns the limits of `seamark serve`.
func DefaultLimits() Limits {
	return Limits{Strikes: 2, Within: time.Hour, Lasts: time.Hour, Suspects: 3}
}

// maxEntries bounds the entries of one tenant. Without it a tenant whose queries kill engines fills the bucket.
const maxEntries = 100

// maxText is how much of a query's text an entry shows.
const maxText = 2048

// Options configures a Keeper. All fields but Replicas are required.
type Options struct {
	JS       jetstream.JetStream
	Replicas int
	Limits   Limits
	Logger   *slog.Logger
	Now      func() time.Time
}

func (o *Options) validate() error {
	l := &o.Limits
	switch {
	case o.JS == nil || o.Logger == nil || o.Now == nil:
		return errors.New("quarantine: JS, Logger and Now are required")
	case l.Strikes < 1 || l.Within <= 0 || l.Lasts <= 0 || l.Suspects < 1:
		return errors.New("quarantine: Limits must be positive")
	}
	return nil
}

// Query is what may be quarantined.
type Query struct {
	Tenant   seamark.TenantID
	Language string
	Text     string
	Actor    string
}

// Suspect is a query that was under way when an engine died.
type Suspect struct {
	Query
	Ran   time.Duration // so far
	Bytes uint64        // that it had read
}

// Strike is one death of an engine that a query was under way at.
type Strike struct {
	Time   time.Time     `json:"time"`
	Reason string        `json:"reason"` // a sentence for the tenant
	Ran    time.Duration `json:"ran"`
	Bytes  uint64        `json:"bytes"`
}

// Entry is what is known against one fingerprint of a tenant.
type Entry struct {
	Tenant   seamark.TenantID `json:"tenant"`
	ID       string           `json:"id"` // the fingerprint
	Language string           `json:"language"`
	Text     string           `json:"text"` // of the newest strike, cut
	Actor    string           `json:"actor"`
	Strikes  []Strike         `json:"strikes"`        // the oldest first
	Until    time.Time        `json:"until,omitzero"` // when it ends; zero while it is no quarantine yet
}

func (e *Entry) key() string { return string(e.Tenant) + "." + e.ID }

// Keeper knows what is quarantined. It is safe for concurrent use.
type Keeper struct {
	opts  Options
	board *bus.Board[Entry]
}

// Open opens the keeper's bucket, which it makes when it is missing. It knows nothing before Run.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	board, err := bus.OpenBoard[Entry](ctx, bus.BoardOptions{
		JS: o.JS, Bucket: bucket, Description: "Seamark queries that kill engines", Replicas: o.Replicas, TTL: o.Limits.Within + o.Limits.Lasts,
	})
	if err != nil {
		return nil, err
	}
	return &Keeper{opts: o, board: board}, nil
}

// Run follows what other nodes quarantine and lift, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error { return k.board.Run(ctx) }

// Check refuses a query that is quarantined, with kind Unprocessable: it must not be sent again as it is.
func (k *Keeper) Check(q Query) error {
	if k.board.Empty() { // nearly always: no query pays for its fingerprint
		return nil
	}
	id := Fingerprint(q.Language, q.Text)
	found, ok := k.board.Find(string(q.Tenant) + "." + id)
	if e := &found.Doc; ok && k.opts.Now().Before(e.Until) {
		return refusal(e)
	}
	return nil
}

func refusal(e *Entry) error {
	last := e.Strikes[len(e.Strikes)-1]
	return seamark.Errorf(seamark.Unprocessable, "seamark-query-quarantined",
		"This query is quarantined until %s: it was under way each of the %d times that an engine failed, the last at %s (%s). Queries that differ in "+
			"literals alone are quarantined with it. Ask for less, such as by more matchers or fewer series, or have an owner or admin lift the quarantine: "+
			"DELETE /api/v1/query-quarantine/%s.",
		e.Until.UTC().Format(time.RFC3339), len(e.Strikes), last.Time.UTC().Format(time.RFC3339), strings.TrimSuffix(last.Reason, "."), e.ID)
}

// Died gives the likely culprits of an engine's death a strike each, and quarantines those that have enough. Several suspects
// of the same fingerprint are one.
func (k *Keeper) Died(ctx context.Context, reason string, suspects []Suspect) error {
	var faults []error
	for _, s := range k.likely(suspects) {
		if err := k.strike(ctx, reason, &s); err != nil {
			faults = append(faults, fmt.Errorf("strike a query of tenant %s: %w", s.Tenant, err))
		}
	}
	return errors.Join(faults...)
}

// likely returns one suspect per fingerprint, the likeliest first, no more than the limit.
func (k *Keeper) likely(suspects []Suspect) []Suspect {
	list, seen := slices.Clone(suspects), map[string]bool{}
	slices.SortStableFunc(list, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Ran, a.Ran))
	})
	list = slices.DeleteFunc(list, func(s Suspect) bool {
		key := string(s.Tenant) + "." + Fingerprint(s.Language, s.Text)
		known := seen[key]
		seen[key] = true
		return known
	})
	return list[:min(len(list), k.opts.Limits.Suspects)]
}

func (k *Keeper) strike(ctx context.Context, reason string, s *Suspect) error {
	id := Fingerprint(s.Language, s.Text)
	key := string(s.Tenant) + "." + id
	for {
		found, err := k.board.Fetch(ctx, key)
		if err != nil {
			return err
		}
		if found.Revision == 0 && len(k.of(s.Tenant)) >= maxEntries {
			return fmt.Errorf("the tenant has %d entries already", maxEntries)
		}
		now, e := k.opts.Now().UTC(), found.Doc
		e.Tenant, e.ID, e.Language, e.Text, e.Actor = s.Tenant, id, s.Language, clip(s.Text), s.Actor
		e.Strikes = slices.DeleteFunc(slices.Clone(e.Strikes), func(x Strike) bool { return now.Sub(x.Time) > k.opts.Limits.Within })
		e.Strikes = append(e.Strikes, Strike{Time: now, Reason: reason, Ran: s.Ran, Bytes: s.Bytes})
		if len(e.Strikes) >= k.opts.Limits.Strikes {
			e.Until = now.Add(k.opts.Limits.Lasts)
		}
		_, err = k.board.Save(ctx, key, e, found.Revision)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		if err == nil {
			k.opts.Logger.WarnContext(ctx, "a query was under way when an engine failed", slog.String("tenant", string(s.Tenant)), slog.String("fingerprint", id),
				slog.Int("strikes", len(e.Strikes)), slog.Time("quarantined_until", e.Until))
		}
		return err
	}
}

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "..."
}

// Acquit takes the strikes of a query that now ended well although it read and ran at least as much as when an engine died: it
// was a bystander. Whoever calls it often pays nothing for queries that nothing is known against.
func (k *Keeper) Acquit(ctx context.Context, s *Suspect) error {
	if k.board.Empty() {
		return nil
	}
	found, ok := k.board.Find(string(s.Tenant) + "." + Fingerprint(s.Language, s.Text))
	if !ok || !found.Doc.Until.IsZero() {
		return nil
	}
	for _, x := range found.Doc.Strikes {
		if s.Bytes < x.Bytes || s.Ran < x.Ran/2 { // half: an engine about to die is slow for everybody
			return nil
		}
	}
	err := k.board.Delete(ctx, found.Doc.key(), found.Revision)
	if errors.Is(err, bus.ErrConflict) {
		return nil // a strike meanwhile: it stays
	}
	return err
}

// List returns what is quarantined now of a tenant, or with the zero TenantID of all, what ends first in front.
func (k *Keeper) List(tenant seamark.TenantID) []Entry {
	list, now := k.of(tenant), k.opts.Now()
	list = slices.DeleteFunc(list, func(e Entry) bool { return !now.Before(e.Until) })
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (k *Keeper) of(tenant seamark.TenantID) []Entry {
	var list []Entry
	for _, p := range k.board.List() {
		if tenant == "" || p.Doc.Tenant == tenant {
			list = append(list, p.Doc)
		}
	}
	return list
}

// Lift ends a quarantine at once, with its strikes. The error is of kind NotFound.
func (k *Keeper) Lift(ctx context.Context, tenant seamark.TenantID, id string) error {
	absent := seamark.Errorf(seamark.NotFound, "seamark-quarantine-unknown", "No query is quarantined under this id; the quarantine may have ended.")
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return absent
	}
	for {
		found, err := k.board.Fetch(ctx, string(tenant)+"."+id)
		if err == nil && found.Revision == 0 {
			return absent
		}
		if err == nil && !k.opts.Now().Before(found.Doc.Until) {
			return absent
		}
		if err == nil {
			err = k.board.Delete(ctx, found.Doc.key(), found.Revision)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, bus.ErrConflict):
			return seamark.Wrap(err, seamark.Unavailable, "seamark-quarantine-unreachable", "The quarantine cannot be changed right now. Retry in some seconds.")
		}
	}
}
