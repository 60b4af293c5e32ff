package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func dropLine(at time.Time, reason string, n uint64) seamark.Drop {
	return seamark.Drop{
		Time: at.UTC().Truncate(time.Millisecond), Cluster: "prod", Token: "abcDEF012345", Protocol: "loki", Signal: seamark.Logs, Reason: reason,
		Status: 400, Requests: n, Rows: 10 * n, Bytes: 100 * n, Detail: fmt.Sprint("Detail ", n), Sample: fmt.Sprint("sample ", n),
	}
}

func TestListDropsGroupsByReason(t *testing.T) {
	s, now := open(t, 61), time.Now()
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	got, err := s.ListDrops(t.Context(), tenantA, store.DropsQuery{Range: hour, Limit: 10})
	require.NoError(t, err, "a tenant of whom nothing was ever refused")
	require.Empty(t, got)

	other := dropLine(now.Add(-2*time.Minute), "seamark-line-bytes", 5)
	other.Cluster, other.Token, other.Protocol, other.Signal, other.Status, other.Sample = "dev", "", "otlp", 0, 413, ""
	batch := &seamark.Batch{Drops: []seamark.Drop{
		dropLine(now.Add(-2*time.Hour), "seamark-line-bytes", 1000), // before the range
		dropLine(now.Add(-5*time.Minute), "seamark-line-bytes", 1), dropLine(now.Add(-4*time.Minute), "seamark-line-bytes", 2),
		dropLine(now.Add(-6*time.Minute), "seamark-line-bytes", 3), dropLine(now.Add(-7*time.Minute), "seamark-line-bytes", 4), other,
		dropLine(now.Add(-time.Minute), "seamark-quota-bytes", 7),
	}}
	insertBatch(t, s, 1, batch)
	got, err = s.ListDrops(t.Context(), tenantA, store.DropsQuery{Range: hour, Limit: 10})
	require.NoError(t, err)
	newest := batch.Drops[6]
	require.Equal(t, []store.DropReason{{
		Reason: "seamark-quota-bytes", First: newest.Time, Last: newest.Time, Requests: 7, Rows: 70, Bytes: 700, Statuses: []uint16{400},
		Clusters: []string{"prod"}, Tokens: []string{"abcDEF012345"}, Protocols: []string{"loki"}, Signals: []string{"logs"}, Detail: "Detail 7",
		Samples: []seamark.Drop{newest},
	}, {
		Reason: "seamark-line-bytes", First: batch.Drops[4].Time, Last: other.Time, Requests: 15, Rows: 150, Bytes: 1500, Statuses: []uint16{400, 413},
		Clusters: []string{"dev", "prod"}, Tokens: []string{"abcDEF012345"}, Protocols: []string{"loki", "otlp"}, Signals: []string{"logs"},
		Detail: "Detail 5", Samples: []seamark.Drop{batch.Drops[2], batch.Drops[1], batch.Drops[3]},
	}}, got)

	got, err = s.ListDrops(t.Context(), tenantA, store.DropsQuery{Range: hour, Limit: 1})
	require.NoError(t, err)
	require.Len(t, got, 1)
	got, err = s.ListDrops(t.Context(), tenantA, store.DropsQuery{Range: hour, Cluster: "dev", Limit: 10})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, uint64(5), got[0].Requests)
	require.Empty(t, got[0].Samples)
}

// TestListDropsTakesAnyText asks for every hostile text in every field.
func TestListDropsTakesAnyText(t *testing.T) {
	s, now := open(t, 62), time.Now()
	var all []seamark.Drop
	for i, text := range hostile {
		d := dropLine(now.Add(-time.Minute), "r"+text, uint64(i))
		d.Cluster, d.Token, d.Protocol, d.Sample = "c"+text, "t"+text, "p"+text, "s"+text
		all = append(all, d)
	}
	insertBatch(t, s, 1, &seamark.Batch{Drops: all})
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	for i, text := range hostile {
		for _, q := range []store.DropsQuery{{Cluster: "c" + text}, {Token: "t" + text}, {Protocol: "p" + text}, {Reason: "r" + text}} {
			q.Range, q.Limit = hour, 100
			got, err := s.ListDrops(t.Context(), tenantA, q)
			require.NoError(t, err)
			require.Len(t, got, 1, "%+v", q)
			require.Equal(t, []seamark.Drop{all[i]}, got[0].Samples, "%+v", q)
		}
	}
	got, err := s.ListDrops(t.Context(), tenantA, store.DropsQuery{Range: hour, Signal: "logs", Limit: 100})
	require.NoError(t, err)
	require.Len(t, got, len(hostile))
	got, err = s.ListDrops(t.Context(), tenantA, store.DropsQuery{Range: hour, Signal: "metrics", Limit: 100})
	require.NoError(t, err)
	require.Empty(t, got)
}
