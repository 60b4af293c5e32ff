package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// metered returns what the meter says of the rig's tenant, by signal and protocol.
func (r *rig) metered() (map[string]store.UsageRow, error) {
	now := time.Now()
	list, err := r.store.ListUsage(r.t.Context(), store.UsageQuery{
		Tenant: tenantID(r.number), Range: seamark.TimeRange{Start: now.Add(-2 * time.Hour), End: now.Add(time.Hour)},
		By: []store.UsageColumn{store.UsageSignal, store.UsageSource}, Limit: 100,
	})
	found := map[string]store.UsageRow{}
	for _, u := range list {
		found[u.Signal+"/"+u.Source] = u
	}
	return found, err
}

// shard is where the rig's cluster's logs go.
func (r *rig) shard() bus.Shard {
	shard, err := r.bus.ShardOf(tenantID(r.number), meterCluster, seamark.Logs)
	require.NoError(r.t, err)
	return shard
}

const meterCluster = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")

func (r *rig) lastMessage() []byte {
	r.t.Helper()
	n := r.shard().Number
	s, err := r.js.Stream(r.t.Context(), fmt.Sprintf("SEAMARK_LOGS_%d", n))
	require.NoError(r.t, err)
	m, err := s.GetLastMsgForSubject(r.t.Context(), fmt.Sprintf("seamark.logs.%d.%s", n, tenantID(r.number)))
	require.NoError(r.t, err)
	return m.Data
}

func (r *rig) publish(id string, data []byte) {
	r.t.Helper()
	require.NoError(r.t, r.bus.Publish(r.t.Context(), &bus.Message{Tenant: tenantID(r.number), Cluster: meterCluster, Signal: seamark.Logs, ID: id, Data: data}))
}

// TestMeterCountsWhatIsStored pushes, each request twice, and lets the writer die at every step of its protocol: the meter says what
// is stored and what was acknowledged, neither more nor less.
func TestMeterCountsWhatIsStored(t *testing.T) {
	for _, step := range []string{"none", "before-intent", "after-intent", "between-inserts", "before-checkpoint", "after-checkpoint"} {
		t.Run(step, func(t *testing.T) {
			r := newRig(t)
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			defer cancel()
			var done sync.WaitGroup
			die := func(at string) {
				if at == step {
					cancel()
					runtime.Goexit() // nothing more is saved
				}
			}
			bodies, bytes := 0, 0
			for i := range 4 {
				body := lokiJSON(fmt.Sprint("line ", i), time.Now())
				for range 2 {
					require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", body).Code)
				}
				bodies, bytes = bodies+1, bytes+len(body)
			}
			done.Go(func() { _ = r.writerOf(r.bus, prometheus.NewRegistry(), die).Run(ctx) })
			if step == "none" {
				defer done.Wait()
				defer cancel()
			} else {
				done.Wait()
				defer r.run(r.writer(nil))()
			}
			testkit.Eventually(t, time.Minute, r.holds(r.conn(), bodies))
			want := store.UsageRow{Time: time.Unix(0, 0).UTC(), Signal: "logs", Source: "loki", Requests: uint64(bodies), Rows: uint64(bodies), Bytes: uint64(bytes), Wire: uint64(bytes)}
			testkit.Eventually(t, time.Minute, func() error {
				got, err := r.metered()
				if err != nil {
					return err
				}
				u := got["logs/loki"]
				u.Time = u.Time.UTC()
				if len(got) != 1 || u != want {
					return fmt.Errorf("got %+v, want %+v", got, want)
				}
				return nil
			})
		})
	}
}

// TestMeterTellsWhatWasSetAside damages a message's rows: the meter has them as acknowledged and as set aside.
func TestMeterTellsWhatWasSetAside(t *testing.T) {
	r := newRig(t)
	at := time.Now()
	hour := seamark.HourOf(at)
	key := seamark.UsageKey{Hour: hour, Day: hour / 24, Kind: seamark.UsageIngest, Signal: seamark.Logs, Source: "loki"}
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON("one", at)).Code)
	good := r.lastMessage()
	bad := damage(t, good)
	frame, err := store.ParseFrame(bad)
	require.NoError(t, err)
	frame.Usage = store.CountUsage(nil, frame.Segments, key)
	r.publish("bad", store.AppendFrame(nil, &frame))
	defer r.run(r.writer(nil))()
	testkit.Eventually(t, time.Minute, func() error {
		got, err := r.metered()
		if u := got["logs/loki"]; err != nil || u.Rows != 2 || got["logs/"].SetAside != 1 {
			return fmt.Errorf("got %+v, %w", got, err)
		}
		return nil
	})
	rows, _ := r.counts(r.conn(), "logs", "body")
	require.Equal(t, uint64(1), rows)
}

// TestPublishUsageCountsOnce publishes the same lines twice, as after a lost answer.
func TestPublishUsageCountsOnce(t *testing.T) {
	r := newRig(t)
	defer r.run(r.writer(nil))()
	publish, at := ingest.PublishUsage(r.bus), time.Now()
	lines := []seamark.Usage{{
		UsageKey:    seamark.UsageKey{Hour: seamark.HourOf(at), Kind: seamark.UsageQuery, Source: "logql", Actor: "anna@example.com"},
		UsageCounts: seamark.UsageCounts{Requests: 3, Rows: 4, Bytes: 5, Micros: 6},
	}}
	for _, id := range []string{"1", "1", "2"} {
		require.NoError(t, publish(t.Context(), tenantID(r.number), id, at, lines))
	}
	testkit.Eventually(t, time.Minute, func() error {
		got, err := r.metered()
		if u := got["/logql"]; err != nil || u.Queries != 6 || u.ReadRows != 8 || u.ReadBytes != 10 || u.CPU != 12*time.Microsecond {
			return fmt.Errorf("got %+v, %w", got, err)
		}
		return nil
	})
}

// doubtful is a store that holds some rows of every block.
type doubtful struct {
	ingest.Blocks
	got uint64
}

func (d doubtful) Verify(_ context.Context, _ seamark.TenantID, b *store.Block) (bool, error) {
	return false, &store.DoubtError{Block: b.Table.String(), Want: 3, Got: d.got}
}

// TestErasedRowsOfSharedBlocksAreNoDoubt finds blocks of which a deleted tenant's rows are gone, and blocks with rows of others.
func TestErasedRowsOfSharedBlocksAreNoDoubt(t *testing.T) {
	for _, c := range []struct {
		table  store.Table
		got    uint64
		stored bool
	}{{store.TableUsage, 2, true}, {store.TableUsage, 4, false}, {store.TableLogs, 2, false}} {
		stored, err := ingest.SettleShared(doubtful{got: c.got}).Verify(t.Context(), "", &store.Block{Table: c.table})
		if stored != c.stored || (err == nil) != c.stored {
			t.Errorf("%d rows in %s: got %v, %v", c.got, c.table, stored, err)
		}
	}
}
