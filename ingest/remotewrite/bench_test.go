package remotewrite_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func BenchmarkDecode(b *testing.B) {
	const series = 2000
	for _, samples := range []int{1, 10} {
		b.Run(fmt.Sprintf("samples=%d", samples), func(b *testing.B) {
			d := remotewrite.New()
			benchmark(b, marshal(b, request(series, samples)), d.Decode)
		})
	}
	b.Run("histograms", func(b *testing.B) {
		w := request(series, 0)
		for i := range w.Timeseries {
			w.Timeseries[i].Histograms = histograms()[:1]
		}
		d := remotewrite.New()
		benchmark(b, marshal(b, w), d.Decode)
	})
}

func BenchmarkDecodeV2(b *testing.B) {
	const series = 2000
	for _, samples := range []int{1, 10} {
		b.Run(fmt.Sprintf("samples=%d", samples), func(b *testing.B) {
			d := remotewrite.New()
			benchmark(b, marshalV2(b, requestV2(series, samples)), func(body []byte, cat seamark.Catalog, batch *seamark.Batch) error {
				_, err := d.DecodeV2(body, cat, batch)
				return err
			})
		})
	}
}

func benchmark(b *testing.B, body []byte, decode func([]byte, seamark.Catalog, *seamark.Batch) error) {
	b.Helper()
	cat := catalogtest.New()
	var batch seamark.Batch
	if err := decode(body, cat, &batch); err != nil { // warms catalogue and columns
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := decode(body, cat, &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Rows()), "ns/row")
}

// BenchmarkDecodeScrapes decodes the requests of a whole scrape in turn, so that no cache holds the catalogue, with and
// without prediction.
func BenchmarkDecodeScrapes(b *testing.B) {
	const series, perRequest = 200_000, 2000
	all := request(series, 1).Timeseries
	var bodies [][]byte
	for from := 0; from < series; from += perRequest {
		bodies = append(bodies, marshal(b, &prompb.WriteRequest{Timeseries: all[from : from+perRequest]}))
	}
	for _, predicted := range []int{0, 2 * series} {
		b.Run(fmt.Sprintf("predicted=%v", predicted > 0), func(b *testing.B) {
			d, err := remotewrite.NewWith(remotewrite.Options{PredictedSeries: predicted})
			if err != nil {
				b.Fatal(err)
			}
			cat := catalogtest.New()
			var batch seamark.Batch
			decode := func(i int) {
				batch.Reset()
				if err := d.Decode(bodies[i%len(bodies)], cat, &batch); err != nil {
					b.Fatal(err)
				}
			}
			for i := range bodies {
				decode(i)
			}
			i := 0
			for b.Loop() {
				decode(i)
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/perRequest, "ns/row")
		})
	}
}
