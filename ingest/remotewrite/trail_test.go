package remotewrite_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// counting counts how often the catalogue is asked.
type counting struct {
	*catalogtest.Catalog
	mu    sync.Mutex
	finds int
}

func (c *counting) Find(key uint64) *seamark.Series {
	c.mu.Lock()
	c.finds++
	c.mu.Unlock()
	return c.Catalog.Find(key)
}

func predicting(t *testing.T, series int) *remotewrite.Decoder {
	t.Helper()
	d, err := remotewrite.NewWith(remotewrite.Options{PredictedSeries: series})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// scrape decodes the series in requests of so many and returns how often the catalogue was asked. Every row must have
// its own series.
func scrape(t *testing.T, d *remotewrite.Decoder, cat *counting, all []prompb.TimeSeries, perRequest int) int {
	t.Helper()
	cat.finds = 0
	var b seamark.Batch
	for part := range slices.Chunk(all, perRequest) {
		b.Reset()
		w := &prompb.WriteRequest{Timeseries: part}
		if err := d.Decode(marshal(t, w), cat, &b); err != nil {
			t.Fatal(err)
		}
		if got, want := rowsOf(&b), wantRows(w, true); !slices.Equal(got, want) {
			t.Fatalf("got %v\nwant %v", got, want)
		}
	}
	return cat.finds
}

func TestPrediction(t *testing.T) {
	all, d, cat := request(4000, 1).Timeseries, predicting(t, 10_000), &counting{Catalog: catalogtest.New()}
	if n := scrape(t, d, cat, all, 500); n != 4000 {
		t.Fatalf("the first scrape asked %d times, want 4000", n)
	}
	step := func(name string, all []prompb.TimeSeries, perRequest, most int) {
		t.Helper()
		if n := scrape(t, d, cat, all, perRequest); n > most {
			t.Errorf("%s: the catalogue was asked %d times, want at most %d", name, n, most)
		}
	}
	step("the same again", all, 500, 400)
	step("other requests", all, 480, 800)
	step("without some pods", slices.Concat(all[:1000], all[1003:2000], all[2006:]), 500, 800)
	turned := slices.Concat(all[2000:], all[:2000])
	step("in another order", turned, 500, 400)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	step("without order", all, 500, 4000)
	step("in the new order", all, 500, 400)
}

// TestPredictionKeepsTenantsApart sends the same bytes for two clusters in turn: neither may get the other's series.
func TestPredictionKeepsTenantsApart(t *testing.T) {
	body, d := marshal(t, request(200, 1)), predicting(t, 10_000)
	cats := [2]*catalogtest.Catalog{catalogtest.New(), catalogtest.New()}
	var owned [2][]*seamark.Series
	for range 3 {
		for i, cat := range cats {
			var b seamark.Batch
			if err := d.Decode(body, cat, &b); err != nil {
				t.Fatal(err)
			}
			if owned[i] == nil {
				owned[i] = b.Samples.Series
			}
			if !slices.Equal(owned[i], b.Samples.Series) {
				t.Fatal("a cluster got other series than before")
			}
		}
	}
	for i := range owned[0] {
		if owned[0][i] == owned[1][i] {
			t.Fatal("two clusters share a series")
		}
	}
}

// TestPredictionIsBounded sends more series than are remembered.
func TestPredictionIsBounded(t *testing.T) {
	all, d, cat := request(3000, 1).Timeseries, predicting(t, 1000), &counting{Catalog: catalogtest.New()}
	for range 3 {
		if n := scrape(t, d, cat, all, 400); n != 3000 {
			t.Fatalf("asked %d times: more than 1000 of 3000 series are remembered", n)
		}
	}
	scrape(t, d, cat, all[:800], 400)
	if n := scrape(t, d, cat, all[:800], 400); n > 100 {
		t.Fatalf("asked %d times: what fits is not remembered", n)
	}
}

func TestPredictionIsConcurrent(t *testing.T) {
	all, d, cat := request(1000, 1).Timeseries, predicting(t, 700), &counting{Catalog: catalogtest.New()}
	w := &prompb.WriteRequest{Timeseries: all}
	bodies, want := [][]byte{}, [][]row{}
	for part := range slices.Chunk(all, 250) {
		w.Timeseries = part
		bodies, want = append(bodies, marshal(t, w)), append(want, wantRows(w, true))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var b seamark.Batch
			for i := range 20 {
				at := (worker + i) % len(bodies)
				b.Reset()
				if err := d.Decode(bodies[at], cat, &b); err != nil {
					t.Error(err)
				} else if !slices.Equal(rowsOf(&b), want[at]) {
					t.Error("a request has other series than it sent")
				}
			}
		})
	}
	group.Wait()
}
