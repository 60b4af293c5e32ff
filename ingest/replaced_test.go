package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// history is a shard's stream as a disk shows it that has lost its end: the messages of the real one that are named, renumbered
// from 1. It notes in which order the writer settles and inserts.
type history struct {
	*bus.Bus
	shard bus.Shard
	shows []uint64
}

func (h *history) State(ctx context.Context, shard bus.Shard) (bus.State, error) {
	s, err := h.Bus.State(ctx, shard)
	if shard == h.shard {
		s.First, s.Last = 1, uint64(len(h.shows))
	}
	return s, err
}

func (h *history) Message(ctx context.Context, shard bus.Shard, sequence uint64) ([]byte, bool, error) {
	if shard == h.shard {
		if sequence > uint64(len(h.shows)) {
			return nil, false, nil
		}
		sequence = h.shows[sequence-1]
	}
	return h.Bus.Message(ctx, shard, sequence)
}

func (h *history) Read(ctx context.Context, shard bus.Shard, from uint64, fn func(bus.Received) error) error {
	if shard != h.shard {
		return h.Bus.Read(ctx, shard, from, fn)
	}
	var list []bus.Received // all at once, so that one batch takes them
	for i := from; i <= uint64(len(h.shows)); i++ {
		data, _, err := h.Message(ctx, shard, i)
		if err != nil {
			return err
		}
		list = append(list, bus.Received{Sequence: i, Data: data})
	}
	for _, m := range list {
		if err := fn(m); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestReplacedMessages gives a writer a stream, stops it at a step, and lets its successor find other messages under the
// sequences that the first has passed, of the same sizes. None of them may be taken for stored.
func TestReplacedMessages(t *testing.T) {
	for name, c := range map[string]struct {
		step          string
		before, after []uint64
		losses        float64
		want          []string
	}{
		"open intent":           {"before-checkpoint", []uint64{1}, []uint64{2}, 1, []string{"line 1", "line 2"}},
		"open intent, cut":      {"before-checkpoint", []uint64{1, 2}, []uint64{1}, 1, []string{"line 1", "line 1", "line 2"}},
		"stored":                {"stored", []uint64{1}, []uint64{2}, 1, []string{"line 1", "line 2"}},
		"stored, grown":         {"stored", []uint64{1}, []uint64{2, 3}, 1, []string{"line 1", "line 2", "line 3"}},
		"stored, cut":           {"stored", []uint64{1, 2}, []uint64{1}, 1, []string{"line 1", "line 2"}},
		"the same, open intent": {"before-checkpoint", []uint64{1}, []uint64{1, 2}, 0, []string{"line 1", "line 2"}},
		"the same, stored":      {"stored", []uint64{1}, []uint64{1, 2}, 0, []string{"line 1", "line 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for i := range 3 {
				require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON(fmt.Sprint("line ", i+1), time.Now())).Code)
			}
			shard, err := r.bus.ShardOf(tenantID(r.number), "01ARZ3NDEKTSV4RRFFQ69G5FAW", seamark.Logs)
			require.NoError(t, err)
			h := &history{Bus: r.bus, shard: shard}
			conn := r.conn()

			h.shows = c.before
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			die := func(step string) {
				if step == c.step {
					cancel()
					runtime.Goexit() // nothing more is saved
				}
			}
			var done sync.WaitGroup
			done.Go(func() { _ = r.writerOf(h, prometheus.NewRegistry(), die).Run(ctx) })
			testkit.Eventually(t, time.Minute, r.holds(conn, len(c.before)))
			cancel() // one that ends in order saves how far it has come
			done.Wait()

			h.shows = c.after
			registry := prometheus.NewRegistry()
			defer r.run(r.writerOf(h, registry, nil))()
			testkit.Eventually(t, time.Minute, r.holds(conn, len(c.want)))
			var lines []string
			require.NoError(t, conn.QueryRow(t.Context(), fmt.Sprintf("SELECT arraySort(groupArray(body)) FROM t%04d.logs", r.number)).Scan(&lines))
			require.Equal(t, c.want, lines)
			testkit.Eventually(t, time.Minute, func() error {
				if got := counter(t, registry, "seamark_writer_stream_losses_total"); got != c.losses {
					return fmt.Errorf("got %v losses, want %v", got, c.losses)
				}
				return nil
			})
		})
	}
}

// holds returns a check that the table of lines has so many rows.
func (r *rig) holds(conn driver.Conn, want int) func() error {
	return func() error {
		if rows, _ := r.counts(conn, "logs", "body"); rows != uint64(want) {
			return fmt.Errorf("got %d rows, want %d", rows, want)
		}
		return nil
	}
}

// counter returns the value of a counter without labels.
func counter(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no counter %s", name)
	return 0
}
