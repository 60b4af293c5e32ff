package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// brittle is a bus of one shard whose reads end as the test says. It notes how many were begun.
type brittle struct {
	*bus.Bus
	shard bus.Shard
	reads atomic.Int64
	read  func(ctx context.Context, number int64) error
}

func (b *brittle) Shards() []bus.Shard { return []bus.Shard{b.shard} }

func (b *brittle) Read(ctx context.Context, _ bus.Shard, _ uint64, _ func(bus.Received) error) error {
	return b.read(ctx, b.reads.Add(1))
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// stops returns "<level> <error>" of what was logged about stops of writers.
func (j *journal) stops() ([]string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []string
	for entry := range strings.Lines(j.text.String()) {
		var e struct{ Level, Msg, Err string }
		if err := json.Unmarshal([]byte(entry), &e); err != nil {
			return nil, err
		}
		if strings.HasPrefix(e.Msg, "the shard's writer ") {
			list = append(list, e.Level+" "+e.Err)
		}
	}
	return list, nil
}

// becomes waits until the log has told of these stops.
func (j *journal) becomes(t *testing.T, want ...string) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		got, err := j.stops()
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			err = fmt.Errorf("the log tells of the stops %q, want %q", got, want)
		}
		return err
	})
}

// TestStopsThatPass wants a stop or two to be a warning, the third in a row an error, and the first after a steady run a warning
// again.
func TestStopsThatPass(t *testing.T) {
	r, log := newRig(t), &journal{}
	began, ahead := time.Now(), atomic.Int64{}
	b := &brittle{Bus: r.bus, shard: r.bus.Shards()[0]}
	b.read = func(ctx context.Context, number int64) error {
		switch {
		case number == 5: // it has run for a minute
			ahead.Add(int64(time.Minute))
		case number == 6: // and works from now on
			<-ctx.Done()
			return ctx.Err()
		}
		return fmt.Errorf("broken %d", number)
	}
	w := r.writerOf(b, prometheus.NewRegistry(), nil, func(o *ingest.WriterOptions) {
		o.Logger = slog.New(slog.NewJSONHandler(log, nil))
		o.Now = func() time.Time { return began.Add(time.Duration(ahead.Load())) }
	})
	stop := r.run(w)
	want := []string{"WARN broken 1", "WARN broken 2", "ERROR broken 3", "ERROR broken 4", "WARN broken 5"}
	log.becomes(t, want...)
	testkit.Eventually(t, time.Minute, func() error {
		if b.reads.Load() < 6 {
			return errors.New("the shard has not started again")
		}
		return nil
	})
	stop()
	log.becomes(t, want...) // the end of the writer is no stop
}

// TestStopNamesTheLostLease takes a shard's lease away, as happens to a process that stood still: the log says so, as a warning,
// and the shard starts again.
func TestStopNamesTheLostLease(t *testing.T) {
	r, log := newRig(t), &journal{}
	b := &brittle{Bus: r.bus, shard: r.bus.Shards()[0], read: func(ctx context.Context, _ int64) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	w := r.writerOf(b, prometheus.NewRegistry(), nil, func(o *ingest.WriterOptions) {
		o.Logger, o.LeaseTTL = slog.New(slog.NewJSONHandler(log, nil)), 2*time.Second
	})
	defer r.run(w)()
	reads := func(want int64) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error {
			if got := b.reads.Load(); got < want {
				return fmt.Errorf("the shard was started %d times, want %d", got, want)
			}
			return nil
		})
	}
	reads(1)
	leases, err := bus.OpenLeases(t.Context(), r.js, "leases", 1)
	require.NoError(t, err)
	testkit.Eventually(t, time.Minute, func() error { // a renewal may come between
		doc, revision, err := leases.Find(t.Context(), ingest.WriterLease(b.shard))
		if err == nil {
			_, err = leases.Save(t.Context(), ingest.WriterLease(b.shard), doc, revision)
		}
		return err
	})
	testkit.Eventually(t, time.Minute, func() error { // a machine that stands still takes it away once more
		got, err := log.stops()
		if want := "WARN " + ingest.WriterLease(b.shard) + ": the lease was lost"; err == nil && (len(got) == 0 || got[0] != want) {
			err = fmt.Errorf("the log tells of the stops %q, want %q", got, want)
		}
		return err
	})
	reads(2)
}
