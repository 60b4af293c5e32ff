package otlpgrpc_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestSDKExporter pushes a span with OpenTelemetry's own SDK and exporter, and checks by how often it sends that it
// understands what it is told: again when it may come back, once when it may not.
func TestSDKExporter(t *testing.T) {
	for name, c := range map[string]struct {
		first    *seamark.Error // the answer to the first attempt
		attempts int64
		stored   int
	}{
		"stored":       {nil, 1, 1},
		"busy":         {&seamark.Error{Kind: seamark.Unavailable, ID: "seamark-ingest-busy", Message: "Busy.", RetryAfter: time.Millisecond}, 2, 1},
		"quota":        {&seamark.Error{Kind: seamark.RateLimited, ID: "seamark-quota", Message: "Quota.", RetryAfter: time.Millisecond}, 2, 1},
		"our fault":    {&seamark.Error{Kind: seamark.Internal, ID: "seamark-internal", Message: "x", RetryAfter: time.Millisecond}, 2, 1},
		"too large":    {&seamark.Error{Kind: seamark.TooLarge, ID: "seamark-body-large", Message: "Large."}, 1, 0},
		"invalid":      {&seamark.Error{Kind: seamark.Invalid, ID: "seamark-body-protobuf", Message: "Broken."}, 1, 0},
		"out of scope": {&seamark.Error{Kind: seamark.Forbidden, ID: "seamark-permission-missing", Message: "No."}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var attempts atomic.Int64
			b := &backend{onPush: func(context.Context) error {
				if attempts.Add(1) == 1 && c.first != nil {
					return c.first
				}
				return nil
			}}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithInsecure(), otlptracegrpc.WithEndpoint(serve(t, newServer(t, b.options(t)))),
				otlptracegrpc.WithCompressor("gzip"), otlptracegrpc.WithHeaders(map[string]string{"authorization": "Bearer " + goodToken}),
				otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
					Enabled: true, InitialInterval: time.Millisecond, MaxInterval: time.Millisecond, MaxElapsedTime: time.Minute,
				}))
			if err != nil {
				t.Fatal(err)
			}
			provider := trace.NewTracerProvider(trace.WithSyncer(exporter))
			_, span := provider.Tracer("test").Start(ctx, "work")
			span.End()
			if err := provider.Shutdown(ctx); err != nil {
				t.Fatal(err)
			}
			if got := attempts.Load(); got != c.attempts || len(b.kept()) != c.stored {
				t.Errorf("%d attempts and %d stored, want %d and %d", got, len(b.kept()), c.attempts, c.stored)
			}
			if c.stored > 0 && b.kept()[0].spans[0] != "work of eu" {
				t.Errorf("stored %v", b.kept()[0].spans)
			}
		})
	}
}
