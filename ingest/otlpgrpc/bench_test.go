package otlpgrpc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/metadata"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// benchLines are 1,000 log lines of about 200 bytes.
func benchLines() []string {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf("request %d served %s", i, strings.Repeat("some words ", 17))
	}
	return lines
}

// BenchmarkCall is a call without a connection: framing, inflating and decoding.
func BenchmarkCall(b *testing.B) {
	for _, encoding := range []string{"identity", "gzip", "zstd", "snappy"} {
		b.Run(encoding, func(b *testing.B) {
			o := new(backend).options(b)
			o.Push = func(context.Context, seamark.Principal, seamark.Signal, string, *seamark.Batch) error { return nil }
			s := newServer(b, o)
			lines := benchLines()
			flag := byte(1)
			if encoding == "identity" {
				flag = 0
			}
			message := logsBody(b, lines...)
			body := frame(flag, compress(b, encoding, message))
			b.ReportAllocs()
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				if w := call(s, logsPath, encoding, body); w.Body.Len() == 0 {
					b.Fatal(w.Header())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/row")
		})
	}
}

// BenchmarkExport is a call over a connection, with the work of the client.
func BenchmarkExport(b *testing.B) {
	o := new(backend).options(b)
	o.Push = func(context.Context, seamark.Principal, seamark.Signal, string, *seamark.Batch) error { return nil }
	client := plogotlp.NewGRPCClient(dial(b, serve(b, newServer(b, o))))
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+goodToken)
	lines := benchLines()
	req := logsOf(lines...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Export(ctx, req); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/row")
}
