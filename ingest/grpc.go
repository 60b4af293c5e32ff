package ingest

import (
	"context"
	"net/http"

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

const grpcProtocol = "otlpgrpc"

// GRPC returns the server of OTLP over gRPC, which shares the limits, the memory and the way to the bus with the HTTP front.
func (in *Ingester) GRPC(o GRPCOptions) (*otlpgrpc.Server, error) {
	inflater, err := inflate.New(inflate.Options{})
	if err != nil {
		return nil, err
	}
	return otlpgrpc.New(otlpgrpc.Options{
		Verify: o.Verify, Catalog: in.Catalog, Decoder: otlp.New(), Inflater: inflater,
		Permit: func(p seamark.Principal, permission string) error {
			if err := o.Permit(p, permission); err != nil {
				return err
			}
			return in.checkSender(p, 0)
		},
		Push:   in.PushAs(seamark.Source{Protocol: grpcProtocol, Status: http.StatusOK}),
		Limits: in.opts.Limits, Logger: in.opts.Logger, Now: in.opts.Now,
		MaxAttrs: in.MaxAttrs,
		Claim: func(ctx context.Context) (seamark.Claimer, func()) {
			memory := in.budget.claim(ctx)
			return memory, memory.release
		},
		Received: func(_ seamark.Signal, sent, inflated int) {
			in.metrics.bytes.WithLabelValues(grpcProtocol, "sent").Add(float64(sent))
			in.metrics.bytes.WithLabelValues(grpcProtocol, "inflated").Add(float64(inflated))
		},
		Refused: func(_ context.Context, p seamark.Principal, signal seamark.Signal, err *seamark.Error) {
			in.TellRefused(p, &seamark.Drop{Protocol: grpcProtocol, Signal: signal, Reason: err.ID, Detail: err.Message})
		},
	})
}

// PushFunc stores a batch as Push does.
type PushFunc = func(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error

// PushAs is Push for a protocol that says no more of its batches than the size that they came in, if that.
func (in *Ingester) PushAs(source seamark.Source) PushFunc {
	return func(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error {
		body, wire := b.Source.BodyBytes, b.Source.WireBytes
		b.Source = source
		b.Source.BodyBytes, b.Source.WireBytes = body, wire
		keepScope(p, b)
		return in.Push(ctx, p, signal, id, b)
	}
}
