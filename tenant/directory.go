package tenant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Directory. JS is required; every other field has a default.
type Options struct {
	JS jetstream.JetStream
	// Replicas of each bucket: 1 on a single node, 3 in a cluster.
	Replicas int
	// MaxBytes bounds all buckets together, 256 MiB unless told. It is reserved in JetStream's store; without it one
	// runaway bucket takes the disk from the queue.
	MaxBytes int64
	// SnapshotPath is the file of the last-known-good copy. Empty means none: the node then starts only while KV answers.
	SnapshotPath string
	// SyncTimeout is how long Open waits for KV before it starts from the snapshot; 10 s unless told.
	SyncTimeout time.Duration
	// StartTimeout is how long it waits where there is no snapshot, before it gives up; SyncTimeout unless told. The buckets of a
	// cluster that was started a moment ago take longer than a node that has a snapshot should be silent.
	StartTimeout time.Duration

	// WriterStaleness is how old the node's knowledge may be while it still accepts credentials that can change something:
	// admin tokens, operators, and people who are more than viewers. 30 s unless told.
	WriterStaleness time.Duration
	// ReaderStaleness is the same for ingest and query tokens and viewers; 5 min unless told. Past it a revoked token
	// could live on for ever on a node that lost its connection.
	ReaderStaleness time.Duration

	// BeatInterval is how often each bucket's freshness is proven by a write; 1 s unless told.
	BeatInterval time.Duration
	// LookInterval is how often each bucket is asked whether this node is as far; 250 ms unless told. Three intervals without
	// a good answer make the directory Stale.
	LookInterval time.Duration
	// StallTimeout is how long a watch may stay silent while its bucket takes writes; 15 s unless told, which leaves
	// the client's own repair (two missed heartbeats of 5 s) the first try.
	StallTimeout time.Duration
	// ReconnectJitter spreads the new watches of a fleet after a reconnect; 400 ms unless told, since a node does not know what
	// changed before it has its watches.
	ReconnectJitter time.Duration
	// ArrivalInterval is how often the last arrival of a cluster is written; 5 s unless told.
	ArrivalInterval time.Duration
	// UseInterval is how often the last use of a credential is written; 1 min unless told.
	UseInterval time.Duration

	// StoreShards is how many shards the store has, which new tenants are placed on; 0 goes by what servers have noted.
	StoreShards int
	// Issuer stands in sessions as iss and aud; two installations with different issuers refuse each other's sessions.
	Issuer string
	// SessionLifetime is how long a sign-in lasts whatever happens; 7 days unless told, MaxSessionLifetime at most.
	SessionLifetime time.Duration
	// IdleLifetime is how long it lasts without being refreshed; 24 h unless told.
	IdleLifetime time.Duration
	// TokenLifetime is how long a session's token lasts before the next is needed; 10 min unless told.
	TokenLifetime time.Duration
	// KeyLifetime is the age at which the session signing key is replaced; 30 days unless told.
	KeyLifetime time.Duration
	// Keys seals the session signing keys' private halves. A process without it signs nobody in; it still verifies sessions.
	Keys *seal.Ring
	// PasswordCost is what a password hash costs; DefaultPasswordCost unless told.
	PasswordCost PasswordCost

	Now    func() time.Time // time.Now unless told
	Rand   io.Reader        // crypto/rand unless told; must be safe for concurrent use
	Logger *slog.Logger     // discards unless told
}

func (o *Options) setDefaults() {
	setDefault(&o.Replicas, 1)
	setDefault(&o.MaxBytes, 256<<20)
	setDefault(&o.SyncTimeout, 10*time.Second)
	o.StartTimeout = max(o.StartTimeout, o.SyncTimeout)
	setDefault(&o.WriterStaleness, 30*time.Second)
	setDefault(&o.ReaderStaleness, 5*time.Minute)
	setDefault(&o.BeatInterval, time.Second)
	setDefault(&o.LookInterval, 250*time.Millisecond)
	setDefault(&o.StallTimeout, 15*time.Second)
	setDefault(&o.ReconnectJitter, 400*time.Millisecond)
	setDefault(&o.ArrivalInterval, 5*time.Second)
	setDefault(&o.UseInterval, time.Minute)
	setDefault(&o.Issuer, "seamark")
	setDefault(&o.SessionLifetime, 7*24*time.Hour)
	setDefault(&o.IdleLifetime, min(24*time.Hour, o.SessionLifetime))
	setDefault(&o.TokenLifetime, min(10*time.Minute, o.IdleLifetime))
	setDefault(&o.KeyLifetime, 30*24*time.Hour)
	setDefault(&o.PasswordCost, DefaultPasswordCost())
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *Options) validate() error {
	if o.JS == nil {
		return errors.New("tenant: Options.JS is required")
	}
	if o.Replicas < 1 || o.Replicas > 5 {
		return fmt.Errorf("tenant: Options.Replicas is %d, must be 1 to 5", o.Replicas)
	}
	if o.MaxBytes < 1<<20 {
		return fmt.Errorf("tenant: Options.MaxBytes is %d, must be at least 1 MiB", o.MaxBytes)
	}
	for name, d := range map[string]time.Duration{
		"SyncTimeout": o.SyncTimeout, "WriterStaleness": o.WriterStaleness, "ReaderStaleness": o.ReaderStaleness,
		"BeatInterval": o.BeatInterval, "LookInterval": o.LookInterval, "StallTimeout": o.StallTimeout, "ReconnectJitter": o.ReconnectJitter,
		"ArrivalInterval": o.ArrivalInterval, "UseInterval": o.UseInterval, "SessionLifetime": o.SessionLifetime, "KeyLifetime": o.KeyLifetime,
		"IdleLifetime": o.IdleLifetime, "TokenLifetime": o.TokenLifetime,
	} {
		if d <= 0 {
			return fmt.Errorf("tenant: Options.%s is %s, must be positive", name, d)
		}
	}
	if o.SessionLifetime > MaxSessionLifetime {
		return fmt.Errorf("tenant: Options.SessionLifetime is %s; the limit is %s", o.SessionLifetime, MaxSessionLifetime)
	}
	if o.TokenLifetime > o.IdleLifetime || o.IdleLifetime > o.SessionLifetime {
		return fmt.Errorf("tenant: Options.TokenLifetime %s, IdleLifetime %s and SessionLifetime %s must not fall in this order",
			o.TokenLifetime, o.IdleLifetime, o.SessionLifetime)
	}
	return o.PasswordCost.validate()
}

// Directory is the control plane's state as this node knows it. It is safe for concurrent use.
type Directory struct {
	opts Options
	log  *slog.Logger
	now  func() time.Time
	ids  ulid.MonotonicReader // randomness of ids, of which those of one millisecond stand in their order

	mu          sync.RWMutex // guards the rows of all tables
	tenants     *table[tenantDoc]
	slugs       *table[slugDoc]
	counters    *table[counterDoc]
	stores      *table[storesDoc]
	quotas      *table[quotaDoc]
	retentions  *table[retentionDoc]
	plans       *table[planDoc]
	budgets     *table[budgetDoc]
	clusters    *table[clusterDoc]
	tokens      *table[tokenDoc]
	users       *table[userDoc]
	access      *table[accessDoc]
	invitations *table[invitationDoc]
	persons     *table[identityDoc]
	sessions    *table[sessionDoc]
	keys        *table[keyDoc]
	arrivals    *table[arrivalDoc]
	used        *table[useDoc]

	watches []*watch
	// tokenBeat and sessionBeat are the oldest beats of the buckets that tokens and sessions are checked against, as
	// Unix nanoseconds. They are apart so that a flood of sign-ins that fills its bucket cannot stop ingest.
	tokenBeat, sessionBeat atomic.Int64
	dirty                  atomic.Bool // whether the snapshot file is behind
	// limitChanges counts the changes of quotas and plans.
	limitChanges atomic.Uint64

	policy  *policy // what is built in; never changed
	arrived arrivalBook
	uses    useBook
	accepts *acceptLimits
	hashing *hashGate
	limits  *signInLimits

	stop    context.CancelFunc
	running sync.WaitGroup
}

// patience is how long an opening waits for KV.
func (o *Options) patience(snapshot bool) time.Duration {
	if snapshot {
		return o.SyncTimeout
	}
	return o.StartTimeout
}

// Open creates or opens the buckets and returns when this node knows their state. Where KV does not answer within
// SyncTimeout it returns a directory that works from the snapshot and keeps trying; where there is no snapshot, an error of kind
// Unavailable after StartTimeout. The directory lives until Close; ctx bounds only the opening.
func Open(ctx context.Context, opts Options) (*Directory, error) {
	opts.setDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	rules, err := newPolicy()
	if err != nil {
		return nil, err
	}
	d := &Directory{opts: opts, log: opts.Logger, now: opts.Now}
	d.ids = &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(opts.Rand, 0)}
	d.policy = rules
	d.hashing = newHashGate(opts.PasswordCost, opts.Rand)
	d.limits = newSignInLimits(opts.JS.Conn())
	d.arrived.entries = map[arrivalKey]*arrivalTimes{}
	d.accepts = newAcceptLimits()
	d.makeTables()
	loaded := d.loadSnapshot(ctx)

	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	d.start(life)
	err = d.awaitSync(ctx, opts.patience(loaded))
	if err == nil {
		d.sealKeys(ctx)
		return d, nil
	}
	if loaded {
		d.log.WarnContext(ctx, "directory started from its snapshot, KV does not answer",
			slog.Duration("age", d.Freshness()), slog.Any("error", err))
		return d, nil
	}
	stop()
	d.running.Wait()
	return nil, unreachable(err)
}

// makeTables lays out the buckets. Shares are parts of Options.MaxBytes.
func (d *Directory) makeTables() {
	newBucket := func(name string, percent int64, ttl time.Duration) *bucket {
		return &bucket{name: name, js: d.opts.JS, config: jetstream.KeyValueConfig{
			Bucket: bucketPrefix + name, Description: "Seamark control plane: " + name, History: 1, TTL: ttl,
			MaxBytes: d.opts.MaxBytes * percent / 100, MaxValueSize: maxValueBytes,
			Storage: jetstream.FileStorage, Replicas: d.opts.Replicas,
		}}
	}
	changed := func() { d.dirty.Store(true) }
	limited := func() { d.dirty.Store(true); d.limitChanges.Add(1) }
	unsaved := func() {} // arrivals are not in the snapshot

	tenants, clusters, tokens := newBucket(tenantsBucket, 10, 0), newBucket(clustersBucket, 15, 0), newBucket(tokensBucket, 25, 0)
	users, arrivals, keys := newBucket(usersBucket, 15, 0), newBucket(arrivalsBucket, 12, 0), newBucket(keysBucket, 3, 0)
	sessions := newBucket(sessionsBucket, 20, MaxSessionLifetime+time.Hour)

	d.tenants = newTable[tenantDoc]("tenant", tenants, &d.mu, changed)
	d.slugs = newTable[slugDoc]("slug", tenants, &d.mu, changed)
	d.counters = newTable[counterDoc]("counter", tenants, &d.mu, changed)
	d.stores = newTable[storesDoc]("store", tenants, &d.mu, changed)
	d.retentions = newTable[retentionDoc]("retention", tenants, &d.mu, changed)
	d.quotas = newTable[quotaDoc]("quota", tenants, &d.mu, limited)
	d.plans = newTable[planDoc]("plan", tenants, &d.mu, limited)
	d.budgets = newTable[budgetDoc]("budget", tenants, &d.mu, changed)
	d.clusters = newTable[clusterDoc]("cluster", clusters, &d.mu, changed)
	d.clusters.aliasOf = func(c *clusterDoc) string { return string(c.ID) }
	d.clusters.groupOf = func(c *clusterDoc) string { return string(c.Tenant) }
	d.tokens = newTable[tokenDoc]("token", tokens, &d.mu, changed)
	d.tokens.groupOf = func(t *tokenDoc) string { return string(t.Tenant) }
	d.tieTokens()
	d.users = newTable[userDoc]("user", users, &d.mu, changed)
	d.users.aliasOf = func(u *userDoc) string { return string(u.ID) }
	d.users.groupsOf = func(u *userDoc) []string { return u.tenants() }
	d.users.redact = withoutPassword
	d.access = newTable[accessDoc]("access", users, &d.mu, changed)
	d.invitations = newTable[invitationDoc]("invitation", users, &d.mu, changed)
	d.invitations.groupOf = func(i *invitationDoc) string { return string(i.Tenant) }
	d.persons = newTable[identityDoc]("identity", users, &d.mu, changed)
	d.persons.groupOf = func(i *identityDoc) string { return string(i.User) }
	d.sessions = newTable[sessionDoc]("session", sessions, &d.mu, changed)
	d.sessions.groupOf = func(s *sessionDoc) string { return string(s.User) }
	d.keys = newTable[keyDoc]("key", keys, &d.mu, changed)
	d.keys.redact, d.keys.decode = withoutPrivateKey, d.decodeKey
	d.arrivals = newTable[arrivalDoc]("arrival", arrivals, &d.mu, unsaved)
	d.arrivals.groupOf = func(a *arrivalDoc) string { return string(a.Tenant) }
	d.used = newTable[useDoc]("use", arrivals, &d.mu, unsaved)

	d.addWatch(tenants, map[string]shelf{"tenant": d.tenants, "slug": d.slugs, "counter": d.counters, "store": d.stores, "quota": d.quotas, "retention": d.retentions, "plan": d.plans, "budget": d.budgets})
	d.addWatch(clusters, map[string]shelf{"cluster": d.clusters})
	d.addWatch(tokens, map[string]shelf{"token": d.tokens})
	d.addWatch(users, map[string]shelf{"user": d.users, "access": d.access, "invitation": d.invitations, "identity": d.persons})
	d.addWatch(sessions, map[string]shelf{"session": d.sessions})
	d.addWatch(keys, map[string]shelf{"key": d.keys})
	d.addWatch(arrivals, map[string]shelf{"arrival": d.arrivals, "use": d.used})
}

func (d *Directory) addWatch(b *bucket, shelves map[string]shelf) {
	d.watches = append(d.watches, &watch{
		bucket: b, shelves: shelves, beats: b.name != arrivalsBucket, now: d.now, log: d.log,
		timing: watchTiming{
			beat: d.opts.BeatInterval, look: d.opts.LookInterval, stall: d.opts.StallTimeout,
			reconnectJitter: d.opts.ReconnectJitter, maxBackoff: 30 * time.Second,
		},
		restart: make(chan struct{}, 1), replayed: make(chan struct{}), synced: make(chan struct{}),
		openedAt: d.now().UnixNano(), beaten: d.settleBeats, faults: map[string]Fault{},
	})
}

// start runs the background work of the directory until ctx ends.
func (d *Directory) start(ctx context.Context) {
	for _, w := range d.watches {
		d.running.Go(func() { w.run(ctx) })
		if w.beats {
			d.running.Go(func() { w.beatLoop(ctx) })
			d.running.Go(func() { w.lookLoop(ctx) })
		}
	}
	d.running.Go(func() { d.restartOnReconnect(ctx) })
	d.running.Go(func() { d.arrivalLoop(ctx) })
	d.running.Go(func() { d.useLoop(ctx) })
	d.running.Go(func() { d.sweepLoop(ctx) })
	d.running.Go(func() { d.keyLoop(ctx) })
	d.running.Go(func() { d.limits.listen(ctx, d.now, d.log) })
	if d.opts.SnapshotPath != "" {
		d.running.Go(func() { d.snapshotLoop(ctx) })
	}
}

// restartOnReconnect makes all watches anew after a reconnect: the server may have forgotten our consumers, and the
// client alone needs two missed heartbeats to notice.
func (d *Directory) restartOnReconnect(ctx context.Context) {
	conn := d.opts.JS.Conn()
	status := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(status)
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-status:
			if !ok {
				return
			}
			for _, w := range d.watches {
				w.requestRestart()
			}
		}
	}
}

// awaitSync waits until every bucket was replayed and proven current.
func (d *Directory) awaitSync(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, w := range d.watches {
		select {
		case <-w.synced:
		case <-ctx.Done():
			return fmt.Errorf("bucket %s did not sync within %s: %w", w.bucket.name, patience, ctx.Err())
		}
	}
	return nil
}

// Synced reports whether this node has seen KV's whole state since it started; false while it works from the snapshot.
func (d *Directory) Synced() bool {
	for _, w := range d.watches {
		if !isClosed(w.synced) {
			return false
		}
	}
	return true
}

// settleBeats recomputes what the beats prove.
func (d *Directory) settleBeats() {
	tokenBeat, sessionBeat := int64(1<<63-1), int64(1<<63-1)
	for _, w := range d.watches {
		at := w.beatAt.Load()
		switch w.bucket.name {
		case tenantsBucket, clustersBucket, tokensBucket:
			tokenBeat = min(tokenBeat, at)
		}
		if w.beats {
			sessionBeat = min(sessionBeat, at)
		}
	}
	d.tokenBeat.Store(tokenBeat)
	d.sessionBeat.Store(sessionBeat)
}

// Freshness returns the age of the oldest part of what this node knows. It stays near BeatInterval while KV answers.
func (d *Directory) Freshness() time.Duration {
	return age(d.now(), d.sessionBeat.Load())
}

// Stale reports whether this node may not have learned of changes: for three look intervals it was not known to be as far as
// the store, or a beat is missing an interval after it was due. It warns, and refuses nothing.
func (d *Directory) Stale() bool {
	seen := int64(1<<63 - 1)
	for _, w := range d.watches {
		if w.beats {
			seen = min(seen, w.progress.seenAt.Load())
		}
	}
	return age(d.now(), seen) > 3*d.opts.LookInterval || d.Freshness() > 2*d.opts.BeatInterval
}

// Blind reports whether this node refuses every token, because what it knows is older than Options.ReaderStaleness.
func (d *Directory) Blind() bool { return age(d.now(), d.tokenBeat.Load()) > d.opts.ReaderStaleness }

// age is how long ago a beat was; a node that never heard one knows nothing, whatever the clock says.
func age(now time.Time, beat int64) time.Duration {
	if beat == 0 {
		return 1<<63 - 1
	}
	return max(0, now.Sub(time.Unix(0, beat)))
}

// stale refuses a check whose ground is too old. The sender keeps its data and retries.
func stale(age time.Duration) error {
	return seamark.Errorf(seamark.Unavailable, "seamark-directory-stale",
		"This node lost touch with the control plane %s ago and cannot tell whether the credential is still valid. Retry; "+
			"nothing is wrong with the credential.", age.Round(time.Second))
}

// Faults lists the stored values that this node refused and has not seen healed, by bucket and key.
func (d *Directory) Faults() []Fault {
	var list []Fault
	for _, w := range d.watches {
		list = append(list, w.listFaults()...)
	}
	slices.SortFunc(list, func(a, b Fault) int {
		return strings.Compare(a.Bucket+"\x00"+a.Key, b.Bucket+"\x00"+b.Key)
	})
	return list
}

// Close writes what is pending and stops the background work. ctx bounds the waiting; the directory is unusable after.
func (d *Directory) Close(ctx context.Context) error {
	err := errors.Join(d.flushArrivals(ctx), d.flushUses(ctx))
	if d.opts.SnapshotPath != "" {
		err = errors.Join(err, d.saveSnapshot())
	}
	d.stop()
	done := make(chan struct{})
	go func() {
		d.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("close directory: %w", ctx.Err()))
	}
}

// newID makes a ULID from the directory's clock and randomness. One process' ids sort in the order in which they were made.
func (d *Directory) newID() (string, error) {
	id, err := ulid.New(ulid.Timestamp(d.now()), d.ids)
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id.String(), nil
}
