package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

// blocks is a storage that hands out the same rows again and again, so that a benchmark measures the stages alone.
type blocks struct {
	memory
	block store.LogBlock
	times int
}

func (b blocks) LogRows(_ context.Context, _ seamark.TenantID, _ store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	for range b.times {
		if err := fn(&b.block); err != nil {
			return store.LogStats{}, err
		}
	}
	return store.LogStats{}, nil
}

// BenchmarkStages reports the price per line of parsing, filtering and counting.
func BenchmarkStages(b *testing.B) {
	batch := &seamark.Batch{}
	s := blocks{memory: memory{b, batch}, times: 10}
	var logfmt store.LogBlock
	for i := range 20 {
		stream := &seamark.Series{Kind: seamark.LogStream, FP: uint64(i), Name: "ns/app"}
		for _, name := range []string{"app", "cluster", "container", "namespace", "node", "pod", "service_name", "stream"} {
			stream.Labels = append(stream.Labels, seamark.Label{Name: name, Value: fmt.Sprint(name, "-", i)})
		}
		batch.Logs.Append(&seamark.LogRow{Stream: batch.Logs.AddStream(stream), TimeNano: base.UnixNano()})
	}
	for i := range 1000 {
		at, fp := base.Add(time.Duration(i)*time.Millisecond).UnixNano(), uint64(i%20)
		s.block.Time, s.block.FP = append(s.block.Time, at), append(s.block.FP, fp)
		s.block.Body = append(s.block.Body, fmt.Sprintf(`{"ts":"2026-11-20T23:59:00.%03dZ","level":"info","msg":"request served","request":{"method":"GET","path":"/api/v1/things/%d","headers":{"user-agent":"curl/8.1"}},"status":%d,"took":"%dms","bytes":%d}`, i, i, 200+100*(i%4), i, i*17))
		logfmt.Body = append(logfmt.Body, fmt.Sprintf(`ts=2026-11-20T23:59:00.%03dZ level=info msg="request served" method=GET path=/api/v1/things/%d status=%d took=%dms bytes=%d`, i, i, 200+100*(i%4), i, i*17))
	}
	for _, c := range []struct{ name, query string }{
		{"json sum by", `sum by (status) (count_over_time({} | json | __error__="" | status >= 400 [5m]))`},
		{"json all labels", `count_over_time({} | json | drop ts, request_path, took, bytes, __error__ [5m])`},
		{"json unwrap", `avg_over_time({} | json | unwrap duration(took) | __error__="" [5m]) by (status)`},
		{"logfmt sum by", `sum by (status) (count_over_time({} | logfmt | __error__="" | status >= 400 [5m]))`},
	} {
		b.Run(c.name, func(b *testing.B) {
			storage := s
			if c.name == "logfmt sum by" {
				storage.block.Body = logfmt.Body
			}
			e := newEngine(b, storage)
			p := logqlengine.Params{Query: c.query, Start: base, End: base.Add(5 * time.Minute), Step: time.Minute}
			b.ReportAllocs()
			for b.Loop() {
				_, err := e.Query(b.Context(), tenant, p)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*storage.times*storage.block.Len()), "ns/line")
		})
	}
}
