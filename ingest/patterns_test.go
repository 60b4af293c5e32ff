package ingest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/patterns"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// mailbox notes what is published, as the bus stores it: a name once.
type mailbox struct {
	names []string
	rows  map[store.Table]int
}

func (m *mailbox) Publish(_ context.Context, msg *bus.Message) error {
	if msg.ID != "" && slices.Contains(m.names, msg.ID) {
		return nil
	}
	m.names = append(m.names, msg.ID)
	frame, err := store.ParseFrame(msg.Data)
	if err != nil {
		return err
	}
	for _, s := range frame.Segments {
		m.rows[s.Table] += int(s.Rows)
	}
	return nil
}

// wander gives each line another template than the attempt before.
type wander struct{ attempt int }

func (w *wander) Mine(_ seamark.TenantID, logs *seamark.LogRows, _ time.Time) {
	w.attempt++
	logs.Patterns = logs.Patterns[:0]
	for i := range logs.Len() {
		text := fmt.Sprint("attempt ", w.attempt, " line ", i%max(1, 10*w.attempt))
		logs.Patterns = append(logs.Patterns, &seamark.LogPattern{ID: uint64(w.attempt)<<32 | uint64(i), Text: text})
	}
}

func minedBy(t *testing.T, box *mailbox, miner ingest.Patterns) *ingest.Ingester {
	t.Helper()
	o := ingest.DefaultOptions()
	o.Bus, o.Logger, o.Registerer, o.Now, o.Patterns = box, quiet(), prometheus.NewRegistry(), func() time.Time { return epoch }, miner
	o.Arrived = func(seamark.TenantID, seamark.ClusterID, seamark.Signal, time.Time) {}
	in, err := ingest.New(o)
	require.NoError(t, err)
	return in
}

var epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

var sender = seamark.Principal{Tenant: tenantID(1), Kind: seamark.IngestToken, Cluster: "01ARZ3NDEKTSV4RRFFQ69G5FAW", ClusterName: "prod", Signals: seamark.AllSignals}

// lines makes a batch; all lines are of one minute.
func lines(t *testing.T, in *ingest.Ingester, n int) *seamark.Batch {
	t.Helper()
	b := &seamark.Batch{}
	series, err := in.Catalog(sender).Create(1, seamark.LogStream, []seamark.Label{{Name: "app", Value: "api"}})
	require.NoError(t, err)
	b.Logs.AddStream(series)
	for i := range n {
		b.Logs.Append(&seamark.LogRow{TimeNano: epoch.UnixNano() + int64(i), Body: fmt.Sprintf("request %d took %d ms for a body of some length", i, i%100)})
	}
	return b
}

// TestRepeatWithOtherPatterns wants a request that is sent again to be known as the same, whatever templates its lines have by
// then: they depend on what the miner has seen meanwhile.
func TestRepeatWithOtherPatterns(t *testing.T) {
	for name, n := range map[string]int{"small": 100, "of several messages": 100_000} {
		t.Run(name, func(t *testing.T) {
			box := &mailbox{rows: map[store.Table]int{}}
			in := minedBy(t, box, &wander{})
			require.NoError(t, in.Push(t.Context(), sender, seamark.Logs, "request", lines(t, in, n)))
			require.Equal(t, n, box.rows[store.TableLogs])
			counts, messages := box.rows[store.TablePatterns], len(box.names)
			require.Positive(t, counts)
			require.NoError(t, in.Push(t.Context(), sender, seamark.Logs, "request", lines(t, in, n)))
			require.Equal(t, n, box.rows[store.TableLogs])
			require.Equal(t, counts, box.rows[store.TablePatterns])
			require.Len(t, box.names, messages)
		})
	}
}

// TestManyRowsHaveTheirCountsApart wants the counts of a large message in one of their own, and each text once.
func TestManyRowsHaveTheirCountsApart(t *testing.T) {
	box := &mailbox{rows: map[store.Table]int{}}
	miner, err := patterns.New(patterns.Options{Limits: patterns.DefaultLimits(), Registerer: prometheus.NewRegistry()})
	require.NoError(t, err)
	in := minedBy(t, box, miner)
	require.NoError(t, in.Push(t.Context(), sender, seamark.Logs, "small", lines(t, in, 8192)))
	require.Len(t, box.names, 1)
	require.Equal(t, 2, box.rows[store.TablePatterns], "a count and a text")
	require.NoError(t, in.Push(t.Context(), sender, seamark.Logs, "large", lines(t, in, 8193)))
	require.Len(t, box.names, 3)
	require.Equal(t, box.names[1]+".p0", box.names[2])
	require.Equal(t, 3, box.rows[store.TablePatterns], "the text is told once a day")
}
