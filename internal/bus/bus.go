package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures the bus.
type Options struct {
	Conn *nats.Conn
	JS   jetstream.JetStream
	// Shards is the number of streams per signal and store shard. One stream with a sync per message takes a few hundred messages a
	// second whatever the concurrency, so a node wants several; more than its cores brings nothing.
	Shards int
	// Stores is how many shards the store has. Each has streams of its own, so that what waits for one that is away holds nothing
	// else up.
	Stores int
	// StoreOf tells which shard of the store has a tenant's tables; nil is the first for all.
	StoreOf StoreOf
	// MaxStreamBytes bounds each stream. When it is full, publishing is refused and ingest answers 503: without it a
	// store that is away for a day would fill the disk under the streams and the store alike.
	MaxStreamBytes int64
	// Replicas is 1 on one node, 3 on a NATS cluster.
	Replicas int
	// DuplicateWindow is how long a repeated request is recognised. It costs memory by rate.
	DuplicateWindow time.Duration
	// AckTimeout bounds the wait for a PubAck.
	AckTimeout time.Duration
	// MaxPendingBytes bounds what waits to be published in this process; beyond it ingest answers 503.
	MaxPendingBytes int64
	Logger          *slog.Logger
	Registerer      prometheus.Registerer
}

// DefaultOptions returns the options of one node, without its connections.
func DefaultOptions() Options {
	return Options{
		Shards: 4, Stores: 1, MaxStreamBytes: 2 << 30, Replicas: 1, DuplicateWindow: 10 * time.Minute, AckTimeout: 5 * time.Second,
		MaxPendingBytes: 128 << 20,
	}
}

func (o *Options) validate() error {
	switch {
	case o.Conn == nil || o.JS == nil || o.Logger == nil || o.Registerer == nil:
		return errors.New("bus: Conn, JS, Logger and Registerer are required")
	case o.Shards < 1 || o.Shards > maxShards:
		return fmt.Errorf("bus: Shards is %d; it must be 1 to %d", o.Shards, maxShards)
	case o.Stores < 1 || o.Stores > seamark.MaxStoreShards:
		return fmt.Errorf("bus: Stores is %d; it must be 1 to %d", o.Stores, seamark.MaxStoreShards)
	case o.MaxStreamBytes < 16<<20:
		return fmt.Errorf("bus: MaxStreamBytes is %d; it must be at least 16 MiB, two of the largest messages", o.MaxStreamBytes)
	case o.Replicas < 1 || o.DuplicateWindow <= 0 || o.AckTimeout <= 0 || o.MaxPendingBytes <= 0:
		return errors.New("bus: Replicas, DuplicateWindow, AckTimeout and MaxPendingBytes must be positive")
	}
	return nil
}

// maxShards is what the low bits of a batch id leave room for.
const maxShards = 64

// StoreOf tells which shard of the store has a tenant's tables. What it says of a tenant never changes.
type StoreOf func(seamark.TenantID) (seamark.StoreShard, error)

// Shard is one stream of the bus: a part of the messages of one signal for the tenants of one shard of the store.
type Shard struct {
	Signal seamark.Signal
	Store  seamark.StoreShard
	Number int
}

// String returns the shard's name in keys and metrics: `logs.0`, and of the store's second shard `logs.2-0`.
func (s Shard) String() string { return s.Signal.String() + "." + s.part() }

func (s Shard) stream() string {
	return fmt.Sprintf("SEAMARK_%s_%s", strings.ToUpper(s.Signal.String()), s.part())
}

func (s Shard) subject() string { return fmt.Sprintf("seamark.%s.%s", s.Signal, s.part()) }

// part names the shard among those of its signal. The store's first shard is not named: streams of installations with one are older
// than the others.
func (s Shard) part() string {
	if s.Store == 0 {
		return strconv.Itoa(s.Number)
	}
	return fmt.Sprintf("%s-%d", s.Store, s.Number)
}

// parsePart is the inverse of part, for a signal.
func parsePart(signal seamark.Signal, part string) (Shard, error) {
	shard := Shard{Signal: signal}
	number := part
	if of, rest, several := strings.Cut(part, "-"); several {
		store, err := strconv.Atoi(of)
		if err != nil || store < 2 {
			return Shard{}, fmt.Errorf("%q names no shard", part)
		}
		shard.Store, number = seamark.StoreShardOf(store), rest
	}
	var err error
	if shard.Number, err = strconv.Atoi(number); err != nil || shard.Number < 0 {
		return Shard{}, fmt.Errorf("%q names no shard", part)
	}
	return shard, nil
}

// Bus publishes to and reads from the shards. It is safe for concurrent use.
type Bus struct {
	opts    Options
	streams map[Shard]jetstream.Stream
	metrics metrics

	mu         sync.Mutex // guards publishers
	publishers map[Shard]*publisher
}

// Open creates the streams that are missing, brings the others to the options, and starts the publishers.
func Open(ctx context.Context, o Options) (*Bus, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	b := &Bus{opts: o, publishers: map[Shard]*publisher{}, streams: map[Shard]jetstream.Stream{}, metrics: newMetrics(o.Registerer)}
	if err := ensureDeadStream(ctx, o.JS, o.Replicas); err != nil {
		return nil, err
	}
	for _, shard := range b.Shards() {
		if err := b.ensureStream(ctx, shard); err != nil {
			b.Close()
			return nil, err
		}
	}
	return b, nil
}

func (b *Bus) ensureStream(ctx context.Context, shard Shard) error {
	s, err := b.opts.JS.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:               shard.stream(),
		Description:        "Seamark " + shard.String() + ": encoded batches between ingest and the writer",
		Subjects:           []string{shard.subject() + ".>"},
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		MaxBytes:           b.opts.MaxStreamBytes,
		Replicas:           b.opts.Replicas,
		Duplicates:         b.opts.DuplicateWindow,
		AllowAtomicPublish: true,
	})
	if err != nil {
		return fmt.Errorf("create stream %s: %w", shard.stream(), err)
	}
	b.streams[shard] = s
	return nil
}

// Shards lists all shards of all stored signals.
func (b *Bus) Shards() []Shard {
	var list []Shard
	for _, signal := range seamark.Signals() {
		for store := range seamark.StoreShard(b.opts.Stores) {
			for n := range b.opts.Shards {
				list = append(list, Shard{signal, store, n})
			}
		}
	}
	return list
}

// ShardOf returns the shard of a cluster's signal: always the same one, so that the rows of a cluster keep their order. It fails for a
// tenant that this process has not heard of.
func (b *Bus) ShardOf(tenant seamark.TenantID, cluster seamark.ClusterID, signal seamark.Signal) (Shard, error) {
	store, err := b.opts.StoreOf.find(tenant)
	if err != nil {
		return Shard{}, err
	}
	h := xxhash.New()
	_, _ = h.WriteString(string(tenant))
	_, _ = h.WriteString(string(cluster))
	return Shard{signal, store, int(h.Sum64() % uint64(b.opts.Shards))}, nil
}

// find returns a tenant's shard of the store. A tenant is made before its first message: a process that does not know it is late.
func (f StoreOf) find(tenant seamark.TenantID) (seamark.StoreShard, error) {
	if f == nil {
		return 0, nil
	}
	store, err := f(tenant)
	if err != nil {
		return 0, unavailable(err, "This node has not heard of the tenant yet. Retry shortly.")
	}
	return store, nil
}

// Close stops the publishers after what they hold has been answered.
func (b *Bus) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.publishers {
		p.close()
	}
}
