package ingest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestRefusedSegmentIsSetAside puts a message whose rows the store refuses between good ones: its neighbours are stored, it is
// kept in the dead-letter stream, and once what is wrong with it is mended its replay stores it once.
func TestRefusedSegmentIsSetAside(t *testing.T) {
	r := newRig(t)
	id, cluster := tenantID(r.number), seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	shard, err := r.bus.ShardOf(id, cluster, seamark.Logs)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON("one", time.Now())).Code)
	stream := fmt.Sprintf("SEAMARK_LOGS_%d", shard.Number)
	s, err := r.js.Stream(t.Context(), stream)
	require.NoError(t, err)
	good, err := s.GetLastMsgForSubject(t.Context(), fmt.Sprintf("seamark.logs.%d.%s", shard.Number, id))
	require.NoError(t, err)
	bad := damage(t, good.Data)
	require.NoError(t, r.bus.Publish(t.Context(), &bus.Message{Tenant: id, Cluster: cluster, Signal: seamark.Logs, ID: "bad", Data: bad}))
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON("two", time.Now())).Code)
	defer r.run(r.writer(nil))()

	conn := r.conn()
	stored := func(want uint64) func() error {
		return func() error {
			if rows, _ := r.counts(conn, "logs", "body"); rows != want {
				return fmt.Errorf("got %d rows, want %d", rows, want)
			}
			return nil
		}
	}
	testkit.Eventually(t, time.Minute, stored(2))
	letters, err := bus.OpenDeadLetters(t.Context(), r.js)
	require.NoError(t, err)
	var found []bus.DeadLetter
	require.NoError(t, letters.List(t.Context(), 1, func(l bus.DeadLetter) error {
		found = append(found, l)
		return nil
	}))
	require.Len(t, found, 1)
	require.Equal(t, id, found[0].Tenant)
	require.Equal(t, shard, found[0].Shard)
	require.NotEmpty(t, found[0].Reason)
	frame, err := store.ParseFrame(found[0].Data)
	require.NoError(t, err)
	require.Equal(t, store.TableLogs, frame.Segments[0].Table)
	require.Equal(t, cluster, frame.Cluster)

	// The same segment once more comes back to the same place; a sound one is stored.
	require.NoError(t, letters.Replay(t.Context(), found[0].Number))
	require.Equal(t, http.StatusNoContent, r.push("/loki/api/v1/push", "application/json", lokiJSON("three", time.Now())).Code)
	testkit.Eventually(t, time.Minute, stored(3))
	var number uint64
	require.NoError(t, letters.List(t.Context(), 1, func(l bus.DeadLetter) error { number = l.Number; return nil }))
	require.Greater(t, number, found[0].Number)
	require.NoError(t, letters.Remove(t.Context(), number))

	sound, err := store.ParseFrame(good.Data)
	require.NoError(t, err)
	sound.Segments = sound.Segments[len(sound.Segments)-1:]
	require.NoError(t, r.bus.Bury(t.Context(), shard, &bus.DeadLetter{Sequence: 99, Tenant: id, Reason: "for the test", Data: store.AppendFrame(nil, &sound)}))
	require.NoError(t, letters.List(t.Context(), 1, func(l bus.DeadLetter) error { return letters.Replay(t.Context(), l.Number) }))
	testkit.Eventually(t, time.Minute, stored(4))

	require.NoError(t, r.bus.Bury(t.Context(), shard, &bus.DeadLetter{Sequence: 100, Segment: -1, Reason: "for the test", Data: []byte("rubbish")}))
	require.ErrorContains(t, letters.List(t.Context(), 1, func(l bus.DeadLetter) error { return letters.Replay(t.Context(), l.Number) }), "cannot be read")
}

// damage changes a byte of the rows of a message: its head stays readable, its checksum is wrong.
func damage(t *testing.T, data []byte) []byte {
	t.Helper()
	frame, err := store.ParseFrame(data)
	require.NoError(t, err)
	for i := range frame.Segments {
		if s := &frame.Segments[i]; s.Table == store.TableLogs {
			s.Payload = append([]byte(nil), s.Payload...)
			s.Payload[len(s.Payload)-3] ^= 0x40
			frame.Segments = frame.Segments[i : i+1]
			return store.AppendFrame(nil, &frame)
		}
	}
	t.Fatal("the message has no log rows")
	return nil
}
