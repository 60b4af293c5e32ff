package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Warehouse is the store of a tenant's telemetry, as its end needs it.
type Warehouse interface {
	// EraseTenant removes all that the store has under a tenant's number and returns what that was, by place.
	EraseTenant(ctx context.Context, number seamark.TenantNumber) ([]Erased, error)
	// TenantRemains counts what the store still has under a tenant's number, by place; nothing when nothing is left.
	TenantRemains(ctx context.Context, number seamark.TenantNumber) (map[string]uint64, error)
}

// PurgeOptions configures a Purger. Directory, Eraser, Changes, Warehouse and Certificates are required.
type PurgeOptions struct {
	Directory    *Directory
	Eraser       *Eraser
	Changes      *ChangeLog
	Warehouse    Warehouse
	Certificates *Certificates
	// Settle is how long after its end a tenant's things are left alone, so that every node has heard of it and what was
	// under way has ended; and how far apart the two looks are that must find nothing. 15 s unless told.
	Settle time.Duration
	// Watch is how long a purged tenant is looked after, in case something comes back; 48 h unless told. A node that was cut
	// off may hold messages until then.
	Watch  time.Duration
	Now    func() time.Time
	Logger *slog.Logger
}

func (o *PurgeOptions) setDefaults() {
	setDefault(&o.Settle, 15*time.Second)
	setDefault(&o.Watch, 48*time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Purger ends tenants: it waits for the end of their grace, removes all that is theirs everywhere, proves that nothing is
// left, and certifies it. One process at a time runs it; another that takes over goes on where it was.
type Purger struct {
	opts  PurgeOptions
	clean map[seamark.TenantID]time.Time // since when looks have found nothing
	after map[seamark.TenantID]time.Time // the last look after its purge
}

// NewPurger returns a purger that does nothing until Step.
func NewPurger(o PurgeOptions) (*Purger, error) {
	o.setDefaults()
	if o.Directory == nil || o.Eraser == nil || o.Changes == nil || o.Warehouse == nil || o.Certificates == nil {
		return nil, errors.New("tenant: PurgeOptions.Directory, Eraser, Changes, Warehouse and Certificates are required")
	}
	return &Purger{opts: o, clean: map[seamark.TenantID]time.Time{}, after: map[seamark.TenantID]time.Time{}}, nil
}

// Step does what is due now, for all tenants. A tenant that cannot be purged now does not keep the others waiting: its
// error is joined to the result, and the next step tries again.
func (p *Purger) Step(ctx context.Context) error {
	if !p.opts.Directory.Synced() {
		return nil // a directory that works from its snapshot may not know of a restoration
	}
	_, err := p.opts.Directory.EndGrace(ctx)
	faults := []error{err}
	for _, t := range p.opts.Directory.ListDeleted() {
		if t.Purged.IsZero() {
			err = p.purge(ctx, t)
		} else {
			err = p.lookAfter(ctx, t)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("purge tenant %s: %w", t.ID, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(faults...)
}

// purge takes one tenant a step towards its certificate.
func (p *Purger) purge(ctx context.Context, t Tenant) error {
	now := p.opts.Now()
	if now.Sub(t.Gone) < p.opts.Settle {
		return nil
	}
	draft, err := p.opts.Certificates.draft(ctx, t)
	if err != nil {
		return err
	}
	erased, err := p.erase(ctx, t)
	draft.Erased = addErased(draft.Erased, erased...)
	if draft.Passes++; draft.Started.IsZero() {
		draft.Started = now.UTC()
	}
	if serr := p.opts.Certificates.saveDraft(ctx, draft); serr != nil || err != nil {
		return errors.Join(err, serr)
	}
	left, err := p.remains(ctx, t)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		delete(p.clean, t.ID)
		p.opts.Logger.InfoContext(ctx, "a deleted tenant is not empty yet", slog.String("tenant", string(t.ID)), slog.Any("left", left))
		return nil
	}
	since, seen := p.clean[t.ID]
	if !seen {
		p.clean[t.ID] = now
		return nil
	}
	if now.Sub(since) < p.opts.Settle {
		return nil
	}
	return p.certify(ctx, t, draft, since, now)
}

// erase makes one pass over everything. Documents go first: with them go the tokens and rules that could make more.
func (p *Purger) erase(ctx context.Context, t Tenant) ([]Erased, error) {
	var list []Erased
	// A node that had not heard of the end may have written when a credential was last used.
	if err := p.opts.Directory.sweepUses(ctx); err != nil {
		return nil, err
	}
	records, head, err := p.opts.Changes.Forget(ctx, t.ID)
	if records > 0 {
		list = append(list, Erased{Place: changeStream, Items: records})
		p.opts.Logger.InfoContext(ctx, "the changes of a deleted tenant are gone", slog.String("tenant", string(t.ID)), slog.String("head", head))
	}
	if err != nil {
		return list, err
	}
	docs, err := p.opts.Eraser.Documents(ctx, t.ID)
	if list = append(list, docs...); err != nil {
		return list, err
	}
	rows, err := p.opts.Warehouse.EraseTenant(ctx, t.Number)
	if list = append(list, rows...); err != nil {
		return list, err
	}
	messages, err := p.opts.Eraser.Messages(ctx, t.ID)
	return append(list, messages...), err
}

func (p *Purger) remains(ctx context.Context, t Tenant) (map[string]uint64, error) {
	left, err := p.opts.Eraser.Remaining(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	rows, err := p.opts.Warehouse.TenantRemains(ctx, t.Number)
	for place, n := range rows {
		left[place] += n
	}
	return left, err
}

func (p *Purger) certify(ctx context.Context, t Tenant, draft certificateDraft, first, last time.Time) error {
	cert := Certificate{
		Version: 1, Tenant: t.ID, Number: t.Number, Slug: t.Slug, Name: t.Name, Created: t.Created, Deleted: t.Gone,
		Started: draft.Started, Finished: p.opts.Now().UTC(), Passes: draft.Passes, Erased: draft.Erased, Kept: keptNotes(),
		Proof: CertificateProof{
			Looks: []time.Time{first.UTC(), last.UTC()},
			Method: "Both looks found no document in any bucket that is the tenant's, no message in any stream under its name, no dead letter of it, " +
				"no database, table part, user or running query under its number.",
		},
	}
	if err := p.opts.Certificates.issue(ctx, cert); err != nil {
		return err
	}
	if err := p.opts.Directory.bury(ctx, t); err != nil {
		return err
	}
	delete(p.clean, t.ID)
	p.opts.Logger.InfoContext(ctx, "a deleted tenant is purged and certified", slog.String("tenant", string(t.ID)))
	return p.opts.Changes.Record(ctx, Change{
		Actor: Actor{Kind: ActorSystem}, Action: "tenant.purge", Object: "tenant/" + string(t.ID), Result: ChangeDone,
	})
}

// lookAfterInterval is how often a purged tenant is looked after: each look reads all buckets.
const lookAfterInterval = 10 * time.Minute

// lookAfter erases again what came back to a tenant that was purged not long ago, and tells of it.
func (p *Purger) lookAfter(ctx context.Context, t Tenant) error {
	now := p.opts.Now()
	if now.Sub(t.Purged) > p.opts.Watch {
		delete(p.after, t.ID)
		return nil
	}
	if now.Sub(p.after[t.ID]) < lookAfterInterval {
		return nil
	}
	p.after[t.ID] = now
	left, err := p.remains(ctx, t)
	if err != nil || len(left) == 0 {
		return err
	}
	p.opts.Logger.WarnContext(ctx, "something came back of a tenant that was purged; it is erased again",
		slog.String("tenant", string(t.ID)), slog.Any("left", left))
	_, err = p.erase(ctx, t)
	return err
}
