package ingest

import (
	"context"

	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// GRPCOptions is what OTLP over gRPC needs of the directory.
type GRPCOptions struct {
	Verify func(ctx context.Context, token string) (seamark.Principal, error)
	Permit func(p seamark.Principal, permission string) error
}

// GRPC returns the server of OTLP over gRPC, which shares the limits, the memory and the way to the bus with the HTTP front.
func (in *Ingester) GRPC(o GRPCOptions) (*otlpgrpc.Server, error) {
	inflater, err := inflate.New(inflate.Options{})
	if err != nil {
		return nil, err
	}
	return otlpgrpc.New(otlpgrpc.Options{
		Verify: o.Verify, Permit: o.Permit, Catalog: in.Catalog, Push: in.Push, Decoder: otlp.New(), Inflater: inflater,
		Limits: in.opts.Limits, Logger: in.opts.Logger, Now: in.opts.Now,
		Claim: func(ctx context.Context) (seamark.Claimer, func()) {
			memory := in.budget.claim(ctx)
			return memory, memory.release
		},
		Received: func(_ seamark.Signal, sent, inflated int) {
			in.metrics.bytes.WithLabelValues("otlpgrpc", "sent").Add(float64(sent))
			in.metrics.bytes.WithLabelValues("otlpgrpc", "inflated").Add(float64(inflated))
		},
	})
}

// Dropped tells the owner's ledger what a protocol without answers lost.
func (in *Ingester) Dropped(p seamark.Principal, d seamark.Drop) {}
