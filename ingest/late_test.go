package ingest_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/patterns"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// countedLines pushes lines whose patterns are counted.
type countedLines struct {
	*rig
	ingester *ingest.Ingester
	who      seamark.Principal
	conn     driver.Conn
	pushed   int // lines
}

func newCountedLines(t *testing.T) *countedLines {
	t.Helper()
	c := &countedLines{rig: newRig(t), who: sender}
	c.who.Tenant, c.conn = tenantID(c.number), c.rig.conn()
	miner, err := patterns.New(patterns.Options{Limits: patterns.DefaultLimits(), Registerer: prometheus.NewRegistry()})
	require.NoError(t, err)
	o := ingest.DefaultOptions()
	o.Bus, o.Logger, o.Registerer, o.Now, o.Patterns = c.bus, quiet(), prometheus.NewRegistry(), time.Now, miner
	o.Arrived = func(seamark.TenantID, seamark.ClusterID, seamark.Signal, time.Time) {}
	c.ingester, err = ingest.New(o)
	require.NoError(t, err)
	return c
}

// manyDays makes a batch crowded: a day's lines and their counts are an insert each.
const manyDays = 5

// send pushes two lines of each of so many days.
func (c *countedLines) send(days int) {
	c.t.Helper()
	var b seamark.Batch
	series, err := c.ingester.Catalog(c.who).Create(1, seamark.LogStream, []seamark.Label{{Name: "app", Value: "api"}})
	require.NoError(c.t, err)
	b.Logs.AddStream(series)
	for i := range 2 * days {
		c.pushed++
		b.Logs.Append(&seamark.LogRow{TimeNano: time.Now().AddDate(0, 0, -i/2).UnixNano(), Body: fmt.Sprintf("request %d was served", c.pushed)})
	}
	require.NoError(c.t, c.ingester.Push(c.t.Context(), c.who, seamark.Logs, fmt.Sprint("request ", c.pushed), &b))
}

// stored returns how many lines are stored and how many are counted.
func (c *countedLines) stored() (lines, counted uint64) {
	lines, _ = c.counts(c.conn, "logs", "body")
	_ = c.conn.QueryRow(c.t.Context(), fmt.Sprintf("SELECT sum(lines) FROM t%04d.log_patterns", c.number)).Scan(&counted) // the table comes with the first
	return lines, counted
}

// becomes waits until so many lines are stored and counted.
func (c *countedLines) becomes(lines, counted int) {
	c.t.Helper()
	testkit.Eventually(c.t, time.Minute, func() error {
		if n, m := c.stored(); n != uint64(lines) || m != uint64(counted) {
			return fmt.Errorf("%d lines are stored and %d are counted, want %d and %d", n, m, lines, counted)
		}
		return nil
	})
}

// counting returns a writer whose counts wait for so long.
func (c *countedLines) counting(age time.Duration, failpoint func(string), set ...func(*ingest.WriterOptions)) (*ingest.Writer, *prometheus.Registry) {
	c.t.Helper()
	registry := prometheus.NewRegistry()
	return c.writerOf(c.bus, registry, failpoint, append(set, func(o *ingest.WriterOptions) { o.MaxCountsAge = age })...), registry
}

// checkpoint returns the shard's.
func (c *countedLines) checkpoint() ingest.Checkpoint {
	c.t.Helper()
	docs, err := bus.OpenDocs[ingest.Checkpoint](c.t.Context(), c.js, "checkpoints", 1)
	require.NoError(c.t, err)
	doc, _, err := docs.Find(c.t.Context(), c.shard().String())
	require.NoError(c.t, err)
	return doc
}

// nothingWaits waits until the shard's document says that all counts are stored.
func (c *countedLines) nothingWaits() {
	c.t.Helper()
	testkit.Eventually(c.t, time.Minute, func() error {
		if doc := c.checkpoint(); doc.Waiting != 0 || doc.Intent != nil {
			return fmt.Errorf("the checkpoint is %+v", doc)
		}
		return nil
	})
}

// TestLateCountsSurviveEveryStep lets the writer die at each step between lines and their counts, twice: every line is stored
// once, and counted once.
func TestLateCountsSurviveEveryStep(t *testing.T) {
	for _, step := range []string{
		"before-intent", "after-intent", "between-inserts", "before-checkpoint", "after-checkpoint",
		"counts-before-intent", "counts-after-intent", "counts-between-inserts", "counts-before-checkpoint",
	} {
		t.Run(step, func(t *testing.T) {
			c := newCountedLines(t)
			for range 2 {
				for range 3 {
					c.send(manyDays)
				}
				var hits atomic.Int64
				ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
				w, _ := c.counting(time.Nanosecond, func(at string) {
					if at == step {
						hits.Add(1)
						cancel()
						runtime.Goexit() // nothing more is done
					}
				})
				require.NoError(t, w.Run(ctx))
				require.Positive(t, hits.Load())
			}
			c.send(manyDays)
			w, _ := c.counting(time.Nanosecond, nil)
			defer c.run(w)()
			c.becomes(c.pushed, c.pushed)
			c.nothingWaits()
		})
	}
}

// TestCountsWaitBehindTheirLines wants lines to be stored at once and counts later, the messages that a successor needs to stay
// in the stream until then, and a batch of few inserts to be stored whole.
func TestCountsWaitBehindTheirLines(t *testing.T) {
	c := newCountedLines(t)
	brief := func(o *ingest.WriterOptions) { o.TailAge = time.Millisecond }
	first := func(want uint64) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error {
			state, err := c.bus.State(t.Context(), c.shard())
			if err == nil && state.First != want {
				err = fmt.Errorf("the stream begins at %d, want %d", state.First, want)
			}
			return err
		})
	}
	w, registry := c.counting(time.Hour, nil, brief)
	stop := c.run(w)
	c.send(1)
	c.becomes(2, 2)
	first(2)
	for i := range 3 {
		c.send(manyDays)
		c.waits(registry, i+1)
		c.becomes(c.pushed, 2)
	}
	stop()
	doc := c.checkpoint()
	require.Equal(t, uint64(2), doc.Waiting)
	require.Equal(t, uint64(4), doc.Sequence)
	first(2)

	// A successor does not know for how long they have waited.
	w, registry = c.counting(time.Hour, nil, brief)
	defer c.run(w)()
	c.waits(registry, 0)
	c.becomes(c.pushed, c.pushed)
	first(5)
	c.send(manyDays)
	c.waits(registry, 1)
	c.becomes(c.pushed, c.pushed-2*manyDays)
}

// waits waits until so many messages are stored whose counts wait.
func (c *countedLines) waits(registry *prometheus.Registry, messages int) {
	c.t.Helper()
	testkit.Eventually(c.t, time.Minute, func() error {
		families, err := registry.Gather()
		if err != nil {
			return err
		}
		sum := 0.0
		for _, f := range families {
			if f.GetName() == "seamark_writer_late_messages" {
				for _, m := range f.GetMetric() {
					sum += m.GetGauge().GetValue()
				}
			}
		}
		if int(sum) != messages {
			return fmt.Errorf("the counts of %v messages wait, want %d", sum, messages)
		}
		return nil
	})
}

// TestCountsAreNeverLate wants an age of 0 to store counts with their lines, however crowded the batch.
func TestCountsAreNeverLate(t *testing.T) {
	c := newCountedLines(t)
	inserts := &tableInserts{Blocks: c.store}
	w, _ := c.counting(0, nil, func(o *ingest.WriterOptions) { o.Store = inserts })
	defer c.run(w)()
	c.send(manyDays)
	c.becomes(c.pushed, c.pushed)
	require.Equal(t, manyDays, inserts.of(store.TablePatterns))
}

// tableInserts counts inserts.
type tableInserts struct {
	ingest.Blocks
	mu   sync.Mutex
	made map[store.Table]int
}

func (b *tableInserts) Insert(ctx context.Context, id seamark.TenantID, block *store.Block) error {
	b.mu.Lock()
	if b.made == nil {
		b.made = map[store.Table]int{}
	}
	b.made[block.Table]++
	b.mu.Unlock()
	return b.Blocks.Insert(ctx, id, block)
}

func (b *tableInserts) of(table store.Table) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.made[table]
}

// TestLateCountsAreFewerInserts stores the counts of several batches, each day's in one insert.
func TestLateCountsAreFewerInserts(t *testing.T) {
	c := newCountedLines(t)
	w, registry := c.counting(time.Hour, nil)
	stop := c.run(w)
	for i := range 3 {
		c.send(manyDays)
		c.waits(registry, i+1)
	}
	c.becomes(c.pushed, 0)
	stop()
	inserts := &tableInserts{Blocks: c.store}
	w, _ = c.counting(time.Hour, nil, func(o *ingest.WriterOptions) { o.Store = inserts })
	defer c.run(w)()
	c.becomes(c.pushed, c.pushed)
	require.Equal(t, manyDays, inserts.of(store.TablePatterns))
	require.Zero(t, inserts.of(store.TableLogs))
}

// goneTenant is a store to which the tenant was deleted.
type goneTenant struct{ ingest.Blocks }

var errGone = seamark.Errorf(seamark.NotFound, "seamark-tenant-gone", "No such tenant.")

func (goneTenant) Insert(context.Context, seamark.TenantID, *store.Block) error { return errGone }

func (goneTenant) Verify(context.Context, seamark.TenantID, *store.Block) (bool, error) {
	return false, errGone
}

// TestLateCountsOfADeletedTenant deletes a tenant whose counts wait: they are dropped, and nothing holds its messages.
func TestLateCountsOfADeletedTenant(t *testing.T) {
	c := newCountedLines(t)
	w, registry := c.counting(time.Hour, nil)
	stop := c.run(w)
	c.send(manyDays)
	c.waits(registry, 1)
	c.becomes(c.pushed, 0)
	stop()
	require.Equal(t, uint64(1), c.checkpoint().Waiting)
	w, registry = c.counting(time.Hour, nil, func(o *ingest.WriterOptions) { o.Store = goneTenant{c.store} })
	defer c.run(w)()
	c.nothingWaits()
	require.Positive(t, counter(t, registry, "seamark_writer_orphan_rows_total"))
	c.becomes(c.pushed, 0)
}

// TestLateCountsThatAreRefused puts counts that the store cannot read among those that wait: the others are stored.
func TestLateCountsThatAreRefused(t *testing.T) {
	c := newCountedLines(t)
	c.send(manyDays)
	frame, err := store.ParseFrame(c.lastMessage())
	require.NoError(t, err)
	var counts []store.Segment
	for _, s := range frame.Segments {
		if s.Table == store.TablePatterns {
			counts = append(counts, s)
		}
	}
	require.Len(t, counts, manyDays)
	counts[0].Payload[len(counts[0].Payload)-3] ^= 0x40
	frame.Segments, frame.Usage = counts, nil
	c.publish("damaged", store.AppendFrame(nil, &frame))
	w, registry := c.counting(time.Nanosecond, nil)
	defer c.run(w)()
	c.becomes(c.pushed, c.pushed+2*(manyDays-1))
	c.nothingWaits()
	require.InDelta(t, 1, counter(t, registry, "seamark_writer_dead_letters_total"), 0)
}

// TestLateCountsThatWereRemoved takes messages out of the stream whose counts wait: the loss is told, and the shard goes on.
func TestLateCountsThatWereRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		keep    uint64 // first message that stays
		counted int    // messages
	}{"all": {4, 0}, "some": {2, 2}} {
		t.Run(name, func(t *testing.T) {
			l := newCountedLines(t)
			w, registry := l.counting(time.Hour, nil)
			stop := l.run(w)
			for i := range 3 {
				l.send(manyDays)
				l.waits(registry, i+1)
			}
			stop()
			require.NoError(t, l.bus.Purge(t.Context(), l.shard(), c.keep))
			w, registry = l.counting(time.Hour, nil)
			defer l.run(w)()
			l.becomes(l.pushed, c.counted*2*manyDays)
			l.send(1)
			l.becomes(l.pushed, c.counted*2*manyDays+2)
			require.InDelta(t, 1, counter(t, registry, "seamark_writer_stream_losses_total"), 0)
		})
	}
}

// TestLateCountsOfOtherMessages lets a successor find other messages under an open intent of counts than it was made of: they
// are not taken for stored.
func TestLateCountsOfOtherMessages(t *testing.T) {
	c := newCountedLines(t)
	for range 3 {
		c.send(manyDays)
	}
	h := &history{Bus: c.bus, shard: c.shard(), shows: []uint64{1, 2}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w, _ := c.counting(time.Nanosecond, func(at string) {
		if at == "counts-before-checkpoint" {
			cancel()
			runtime.Goexit() // nothing more is done
		}
	}, func(o *ingest.WriterOptions) { o.Bus = h })
	require.NoError(t, w.Run(ctx))
	doc := c.checkpoint()
	require.NotNil(t, doc.Intent)
	require.Equal(t, uint64(2), doc.Sequence)
	c.becomes(4*manyDays, 4*manyDays)

	h.shows = []uint64{3, 2}
	w, registry := c.counting(time.Nanosecond, nil, func(o *ingest.WriterOptions) { o.Owner, o.Bus = "node-2", h })
	defer c.run(w)()
	c.becomes(4*manyDays, 8*manyDays)
	require.InDelta(t, 1, counter(t, registry, "seamark_writer_stream_losses_total"), 0)
}
