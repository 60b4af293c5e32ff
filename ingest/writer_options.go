package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Blocks is what the writer needs of the store.
type Blocks interface {
	// Insert stores a block whole; any error leaves it in doubt.
	Insert(ctx context.Context, tenant seamark.TenantID, b *store.Block) error
	// Verify settles a block in doubt and reports whether it is stored.
	Verify(ctx context.Context, tenant seamark.TenantID, b *store.Block) (bool, error)
	// Inserts returns how many inserts Insert makes of a tenant's block.
	Inserts(tenant seamark.TenantID, table store.Table, rows uint64, crowded bool) int
	// Probe has the server read one of a block's segments without storing it. A refusal is an error that store.Rejected knows.
	Probe(ctx context.Context, tenant seamark.TenantID, b *store.Block, segment int) error
}

// Stream is what the writer needs of the bus.
type Stream interface {
	Shards() []bus.Shard
	State(ctx context.Context, shard bus.Shard) (bus.State, error)
	Read(ctx context.Context, shard bus.Shard, from uint64, fn func(bus.Received) error) error
	Message(ctx context.Context, shard bus.Shard, sequence uint64) (data []byte, ok bool, err error)
	Settle(ctx context.Context, shard bus.Shard) error
	Purge(ctx context.Context, shard bus.Shard, keep uint64) error
	Bury(ctx context.Context, shard bus.Shard, l *bus.DeadLetter) error
}

// WriterOptions configures the writer.
type WriterOptions struct {
	Bus         Stream
	Store       Blocks
	Checkpoints *CheckpointDocs
	Leases      *bus.LeaseDocs
	// Owner names this process among writers. A process that keeps its owner over a restart gets its shards back at once.
	Owner string
	// MaxInsertRows and MaxInsertBytes, compressed, cut a batch when one of its inserts has so many: an insert of 10 k rows
	// costs the server a quarter more per row than one of 100 k. MaxBatchBytes cuts it when all of them together have.
	MaxInsertRows                 uint64
	MaxInsertBytes, MaxBatchBytes int
	// MaxBatchAge bounds how long a row waits under light load.
	MaxBatchAge time.Duration
	// InsertsPerSecond is the node's budget of inserts, each of which costs the server about 5 ms and a part to merge,
	// however few its rows are. When tenants are many and small, batches wait for it and grow.
	InsertsPerSecond float64
	// MaxCountsAge is how long counts of patterns wait, while inserts take the budget, so that a tenant's are inserted together; 0
	// inserts them with their lines always.
	MaxCountsAge time.Duration
	// TailAge is how long a message stays in the stream after it is stored, TailBytes how much of a stream stays at most.
	// A repeat that comes after a restart of NATS is known by what stayed, so TailAge is the duplicate window; what
	// TailBytes takes of the stream is not there for an outage of the store.
	TailAge   time.Duration
	TailBytes int64
	// LeaseTTL is how long a dead writer keeps its shards.
	LeaseTTL time.Duration
	// Failpoint, when set, is called at each step of the write protocol, for the crash tests.
	Failpoint  func(name string)
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// DefaultWriterOptions returns the options of one node without its connections.
func DefaultWriterOptions() WriterOptions {
	return WriterOptions{
		MaxInsertRows: 500_000, MaxInsertBytes: 16 << 20, MaxBatchBytes: 64 << 20, MaxBatchAge: 500 * time.Millisecond, InsertsPerSecond: 100,
		MaxCountsAge: 30 * time.Second, TailAge: 10 * time.Minute, TailBytes: 256 << 20, LeaseTTL: 10 * time.Second,
	}
}

func (o *WriterOptions) validate() error {
	switch {
	case o.Bus == nil || o.Store == nil || o.Checkpoints == nil || o.Leases == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("writer: Bus, Store, Checkpoints, Leases, Logger, Registerer and Now are required")
	case o.Owner == "":
		return errors.New("writer: Owner is required")
	case o.MaxInsertRows == 0 || o.MaxInsertBytes <= 0 || o.MaxBatchBytes <= 0 || o.MaxBatchAge <= 0:
		return errors.New("writer: MaxInsertRows, MaxInsertBytes, MaxBatchBytes and MaxBatchAge must be positive")
	case o.InsertsPerSecond <= 0 || o.LeaseTTL <= 0 || o.TailAge <= 0 || o.TailBytes <= 0 || o.MaxCountsAge < 0:
		return errors.New("writer: InsertsPerSecond, LeaseTTL, TailAge and TailBytes must be positive, and MaxCountsAge not negative")
	}
	return nil
}
