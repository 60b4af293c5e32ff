package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The stream of changes has one subject for each tenant, `seamark.changes.<tenant>`, and one for the installation. The
// records of a subject are a chain.
const (
	changeStream   = "SEAMARK_CHANGES"
	changeSubjects = "seamark.changes."
	platformChain  = "platform"
)

const (
	// maxChangeStreamBytes bounds all chains together: without it they take the disk from the queue. A record has about 600
	// bytes beside its differences, so this is 400,000 of them. The oldest go first.
	maxChangeStreamBytes = 256 << 20
	// maxChangesPerChain keeps one tenant from pushing out the records of the others.
	maxChangesPerChain = 100_000
	// refusalBurst and refusalsPerSecond bound the refusals that are recorded one by one, per chain. Without them whoever
	// repeats a forbidden request pushes out the records of what was done. What is left out is counted in the next record.
	refusalBurst      = 60
	refusalsPerSecond = 1
	// differencesBurst and differencesPerSecond bound the bytes of differences, per chain. Without them whoever changes a large
	// document over and over pushes out the records of others: with them that takes ten days.
	differencesBurst     = 4 << 20
	differencesPerSecond = 256
	// appendAttempts bounds how often an append is tried against others that append to the same chain.
	appendAttempts = 50
)

// ChangeLogOptions configures a ChangeLog. JS is required.
type ChangeLogOptions struct {
	JS       jetstream.JetStream
	Replicas int // 1 unless told
	// Retention is how long records stay; 400 days unless told. Zero keeps what the stream has, for readers.
	Retention time.Duration
	// Living reports whether a tenant has a chain: a late request with a deleted tenant's token must not begin a new one.
	// Nil has it that every tenant does.
	Living func(seamark.TenantID) bool
	Now    func() time.Time // time.Now unless told
}

// ChangeLog is the append-only record of every change of the control plane, durable in JetStream. Each tenant has a chain
// of its own, the installation another: a record names the digest of the one before it, so that none can be changed,
// dropped or put between without a trace. It is safe for concurrent use, here and on other nodes. It implements Recorder.
type ChangeLog struct {
	opts   ChangeLogOptions
	stream jetstream.Stream

	mu       sync.Mutex // guards the maps
	heads    map[string]chainHead
	refusals budgets // of records of refusals
	details  budgets // of bytes of differences
}

// chainHead is the newest record of a chain as this node knows it. Another node may have appended since: the append then
// fails and looks again.
type chainHead struct {
	sequence uint64 // in the stream; 0 for an empty chain
	number   uint64
	hash     string
}

// budget is what a chain may take now of something that comes back by the second.
type budget struct {
	left    float64
	at      time.Time
	refused uint64 // takings since one was granted
}

// budgets are those of chains, by name.
type budgets map[string]*budget

// take takes so much from a chain's budget, which is full at first, and reports whether it had as much.
func (b budgets) take(chain string, now time.Time, much, burst, perSecond float64) (skipped uint64, granted bool) {
	one := b[chain]
	if one == nil {
		one = &budget{left: burst, at: now}
		b[chain] = one
	}
	one.left = min(burst, one.left+now.Sub(one.at).Seconds()*perSecond)
	one.at = now
	if one.left < much {
		one.refused++
		return 0, false
	}
	one.left -= much
	skipped, one.refused = one.refused, 0
	return skipped, true
}

// ChangeRecord is a Change as it stands in its chain.
type ChangeRecord struct {
	Change
	Number   uint64 `json:"number"`   // counts from 1 in its chain
	Previous string `json:"previous"` // digest of the record before, "" in the first
	// PreviousSequence is the stream's sequence of the record before, so that a chain is read backwards.
	PreviousSequence uint64 `json:"previous_sequence,omitempty"`

	Sequence uint64 `json:"-"` // the stream's own
	Hash     string `json:"-"` // digest of the record's stored bytes
}

// OpenChangeLog opens the change log, and makes its stream when it is missing.
func OpenChangeLog(ctx context.Context, o ChangeLogOptions) (*ChangeLog, error) {
	setDefault(&o.Replicas, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.JS == nil || o.Retention < 0 {
		return nil, errors.New("tenant: ChangeLogOptions.JS is required, and Retention must not be negative")
	}
	l := &ChangeLog{opts: o, heads: map[string]chainHead{}, refusals: budgets{}, details: budgets{}}
	var err error
	if l.stream, err = l.openStream(ctx); err != nil {
		return nil, unreachable(fmt.Errorf("open stream %s: %w", changeStream, err))
	}
	return l, nil
}

func (l *ChangeLog) openStream(ctx context.Context) (jetstream.Stream, error) {
	if l.opts.Retention == 0 {
		stream, err := l.opts.JS.Stream(ctx, changeStream)
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return stream, err
		}
		l.opts.Retention = 400 * 24 * time.Hour
	}
	return l.opts.JS.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: changeStream, Description: "Seamark: the record of every change of the control plane", Subjects: []string{changeSubjects + "*"},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, Replicas: l.opts.Replicas,
		MaxBytes: maxChangeStreamBytes, MaxMsgsPerSubject: maxChangesPerChain, MaxAge: l.opts.Retention,
	})
}

// chainOf names a tenant's chain, or the installation's for "".
func chainOf(id seamark.TenantID) string {
	if id == "" {
		return platformChain
	}
	return string(id)
}

// Record implements Recorder. A change that an operator, the command line or Seamark itself makes to a tenant stands in both
// chains: the tenant's and the installation's.
func (l *ChangeLog) Record(ctx context.Context, c Change) error {
	if c.Time.IsZero() {
		c.Time = l.opts.Now()
	}
	c.Time = c.Time.UTC().Truncate(time.Millisecond)
	c.Object = MaskTokens(c.Object)
	var chains []string
	if c.Tenant == "" || c.Actor.Kind == ActorOperator || c.Actor.Kind == ActorCLI || c.Actor.Kind == ActorSystem {
		chains = append(chains, platformChain)
	}
	if c.Tenant != "" && (l.opts.Living == nil || l.opts.Living(c.Tenant)) {
		chains = append(chains, chainOf(c.Tenant))
	}
	var faults []error
	for _, chain := range chains {
		if !l.takes(chain, &c) {
			continue
		}
		if err := l.append(ctx, chain, l.detailed(chain, c)); err != nil {
			faults = append(faults, fmt.Errorf("record %s: %w", c.Action, err))
		}
	}
	return errors.Join(faults...)
}

// takes spends the chain's budget of refusals, and tells the record how many were left out before it.
func (l *ChangeLog) takes(chain string, c *Change) bool {
	c.Suppressed = 0
	if c.Result == ChangeDone {
		return true
	}
	now := l.opts.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	suppressed, granted := l.refusals.take(chain, now, 1, refusalBurst, refusalsPerSecond)
	c.Suppressed = suppressed
	return granted
}

// detailed spends the chain's budget of differences. A change that is past it is on record without them.
func (l *ChangeLog) detailed(chain string, c Change) Change {
	if len(c.Differences) == 0 {
		return c
	}
	size := 0.0
	for _, d := range c.Differences {
		size += float64(len(d.Path) + len(d.Before) + len(d.After))
	}
	now := l.opts.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, granted := l.details.take(chain, now, size, differencesBurst, differencesPerSecond); !granted {
		c.Differences, c.DifferencesTruncated = nil, true
	}
	return c
}

// append adds a record behind the newest of its chain. The stream refuses it when another node was faster; it then looks at
// what is newest now. An append without an answer may have happened, which the next look at the chain shows.
func (l *ChangeLog) append(ctx context.Context, chain string, c Change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), kvTimeout) // the change was made, whether or not its caller waits
	defer cancel()
	head, known := l.head(chain)
	written := ""
	for attempt := range appendAttempts {
		if !known {
			var err error
			if head, err = l.readHead(ctx, chain); err != nil {
				return err
			}
			if written != "" && head.hash == written {
				l.setHead(chain, head)
				return nil
			}
		}
		body, err := json.Marshal(ChangeRecord{Change: c, Number: head.number + 1, Previous: head.hash, PreviousSequence: head.sequence})
		if err != nil {
			return fmt.Errorf("encode a record: %w", err)
		}
		written = hashOf(body)
		ack, err := l.opts.JS.Publish(ctx, changeSubjects+chain, body, jetstream.WithExpectLastSequencePerSubject(head.sequence))
		if err == nil {
			l.setHead(chain, chainHead{sequence: ack.Sequence, number: head.number + 1, hash: written})
			return nil
		}
		if known = false; ctx.Err() != nil {
			return unreachable(err)
		}
		if err := pause(ctx, time.Duration(attempt)*time.Millisecond); err != nil {
			return unreachable(err)
		}
	}
	return unreachable(fmt.Errorf("chain %s: %d attempts lost against others", chain, appendAttempts))
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (l *ChangeLog) head(chain string) (chainHead, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.heads[chain]
	return h, ok
}

func (l *ChangeLog) setHead(chain string, h chainHead) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heads[chain].sequence < h.sequence {
		l.heads[chain] = h
	}
}

// readHead asks the stream for the newest record of a chain.
func (l *ChangeLog) readHead(ctx context.Context, chain string) (chainHead, error) {
	msg, err := l.stream.GetLastMsgForSubject(ctx, changeSubjects+chain)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return chainHead{}, nil
	}
	if err != nil {
		return chainHead{}, unreachable(err)
	}
	record, err := decodeRecord(msg)
	if err != nil {
		return chainHead{}, err
	}
	return chainHead{sequence: record.Sequence, number: record.Number, hash: record.Hash}, nil
}

func decodeRecord(msg *jetstream.RawStreamMsg) (ChangeRecord, error) {
	var r ChangeRecord
	if err := json.Unmarshal(msg.Data, &r); err != nil {
		return r, fmt.Errorf("record %d of the change log cannot be read: %w", msg.Sequence, err)
	}
	r.Sequence, r.Hash = msg.Sequence, hashOf(msg.Data)
	return r, nil
}

// Forget deletes a tenant's chain, and returns how many records it had and the digest of the newest.
func (l *ChangeLog) Forget(ctx context.Context, id seamark.TenantID) (records uint64, head string, err error) {
	if err := id.Validate(); err != nil {
		return 0, "", err // "" is the installation's chain, which nothing deletes
	}
	newest, err := l.readHead(ctx, chainOf(id))
	if err != nil {
		return 0, "", err
	}
	if records, err = l.count(ctx, id); err != nil {
		return 0, "", err
	}
	if err := l.stream.Purge(ctx, jetstream.WithPurgeSubject(changeSubjects+chainOf(id))); err != nil {
		return 0, "", unreachable(err)
	}
	l.mu.Lock()
	delete(l.heads, chainOf(id))
	delete(l.refusals, chainOf(id))
	delete(l.details, chainOf(id))
	l.mu.Unlock()
	return records, newest.hash, nil
}

// count returns how many records a chain has.
func (l *ChangeLog) count(ctx context.Context, id seamark.TenantID) (uint64, error) {
	subject := changeSubjects + chainOf(id)
	info, err := l.stream.Info(ctx, jetstream.WithSubjectFilter(subject))
	if err != nil {
		return 0, unreachable(err)
	}
	return info.State.Subjects[subject], nil
}
