package otlpgrpc

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Server. Functions must be safe for concurrent use.
type Options struct {
	// Verify proves a token. It is called before the message is read.
	Verify func(ctx context.Context, token string) (seamark.Principal, error)
	// Permit returns nil when p may use a permission, such as ingest:logs.
	Permit func(p seamark.Principal, permission string) error
	// Catalog returns the catalogue of p's cluster.
	Catalog func(p seamark.Principal) seamark.Catalog
	// Push stores a batch durably and moves what it refuses to b.Rejected. id identifies the request by its content. The
	// batch belongs to the server again when Push returns.
	Push func(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error
	// Claim begins a request's share of the memory of all requests; release gives everything back.
	Claim func(ctx context.Context) (memory seamark.Claimer, release func())
	// Received, when set, is told the size of each message as it was sent and inflated.
	Received func(signal seamark.Signal, sent, inflated int)
	// Refused, when set, is told of requests that failed with a credential whose owner is known.
	Refused func(ctx context.Context, p seamark.Principal, signal seamark.Signal, err *seamark.Error)

	Decoder  *otlp.Decoder
	Inflater *inflate.Inflater
	// Limits bounds a message: MaxBodyBytes as it is sent, MaxInflatedBytes inflated.
	Limits seamark.Limits
	// MaxAttrs, when set, bounds the attributes of a record of p's tenant and cluster; nil is Limits.MaxAttrs for all.
	MaxAttrs func(p seamark.Principal) int
	Logger   *slog.Logger
	Now      func() time.Time

	// MaxConcurrentStreams bounds the calls of one connection that are under way, default 100. Without it one sender can
	// hold any number of handlers. It holds for Serve; behind a handler the server around it decides.
	MaxConcurrentStreams int
	// MaxConnectionAge is when a connection is told to end and come back, default 30 minutes. Without it senders stay with
	// the replicas that they found first, and new replicas stay idle. It holds for Serve.
	MaxConnectionAge time.Duration
	// BodyPatience and MinBodyRate bound how slowly a message may come: patience, and a second more for every MinBodyRate
	// bytes that arrived. Defaults 10 s and 4 KiB. Without them a few hundred senders that stall hold all memory.
	BodyPatience time.Duration
	MinBodyRate  int64
}

func (o *Options) validate() error {
	if o.Verify == nil || o.Permit == nil || o.Catalog == nil || o.Push == nil || o.Claim == nil {
		return errors.New("otlpgrpc: Verify, Permit, Catalog, Push and Claim are required")
	}
	if o.Decoder == nil || o.Inflater == nil || o.Logger == nil || o.Now == nil {
		return errors.New("otlpgrpc: Decoder, Inflater, Logger and Now are required")
	}
	if o.Limits.MaxBodyBytes <= 0 || o.Limits.MaxInflatedBytes <= 0 {
		return errors.New("otlpgrpc: Limits.MaxBodyBytes and Limits.MaxInflatedBytes must be positive")
	}
	if o.MaxConcurrentStreams < 0 || o.MaxConnectionAge < 0 || o.BodyPatience < 0 || o.MinBodyRate < 0 {
		return errors.New("otlpgrpc: MaxConcurrentStreams, MaxConnectionAge, BodyPatience and MinBodyRate must not be negative")
	}
	if o.MaxAttrs == nil {
		o.MaxAttrs = func(seamark.Principal) int { return o.Limits.MaxAttrs }
	}
	if o.MaxConcurrentStreams == 0 {
		o.MaxConcurrentStreams = 100
	}
	if o.MaxConnectionAge == 0 {
		o.MaxConnectionAge = 30 * time.Minute
	}
	if o.BodyPatience == 0 {
		o.BodyPatience = 10 * time.Second
	}
	if o.MinBodyRate == 0 {
		o.MinBodyRate = 4 << 10
	}
	return nil
}
