package quota

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Use is what a tenant or a cluster uses now, over all nodes.
type Use struct {
	BytesPerSecond      int64 // admitted, over the last seconds
	RowsPerSecond       int64
	AskedBytesPerSecond int64 // that senders tried, the refused included
	AskedRowsPerSecond  int64
	BytesToday          int64 // admitted since midnight UTC; some seconds old
	// ActiveSeries and ActiveStreams are those with a row within the last hour. Where several nodes take the same series they
	// are an estimate near the limit, and up to half of the limit the sum over the nodes, which counts such a series twice.
	ActiveSeries, ActiveStreams int64
}

// TenantUse is what a tenant uses, in all and by cluster.
type TenantUse struct {
	Tenant   Use
	Clusters map[seamark.ClusterID]Use
}

// readerPatience is how old a node's last word may be for its use to count as present. It is long against deadAfter because
// it compares two machines' clocks.
const readerPatience = time.Minute

// Reader tells current use from what the ingest nodes have published, in whatever process it is asked.
type Reader struct {
	presence Docs[Presence]
	usage    Docs[Usage]
	now      func() time.Time
}

// NewReader returns a reader of the documents that Limiters share.
func NewReader(presence Docs[Presence], usage Docs[Usage], now func() time.Time) *Reader {
	return &Reader{presence: presence, usage: usage, now: now}
}

// Find returns what a tenant uses; zero where it has sent nothing.
func (r *Reader) Find(ctx context.Context, tenant seamark.TenantID) (TenantUse, error) {
	stakes, today := map[string][]Stake{}, map[string]int64{}
	if err := r.read(ctx, string(tenant), stakes, today); err != nil {
		return TenantUse{}, err
	}
	use := TenantUse{Clusters: map[seamark.ClusterID]Use{}}
	for key := range stakes {
		use.set(key, useOf(stakes[key], today[key]))
	}
	for key := range today {
		if stakes[key] == nil {
			use.set(key, Use{BytesToday: today[key]})
		}
	}
	return use, nil
}

func (t *TenantUse) set(key string, u Use) {
	if _, cluster, ok := strings.Cut(key, "."); ok {
		t.Clusters[seamark.ClusterID(cluster)] = u
		return
	}
	t.Tenant = u
}

// read collects what stands under the tenant's keys in all slots.
func (r *Reader) read(ctx context.Context, tenant string, stakes map[string][]Stake, today map[string]int64) error {
	now := r.now()
	ours := func(key string) bool { return key == tenant || strings.HasPrefix(key, tenant+".") }
	for n := range maxSlots {
		p, revision, err := r.presence.Find(ctx, presenceKey(n))
		if err != nil {
			return fmt.Errorf("read presence: %w", err)
		}
		if revision == 0 {
			return nil
		}
		for key, s := range p.Scopes {
			if ours(key) && now.Sub(p.At) < readerPatience {
				stakes[key] = append(stakes[key], s)
			}
		}
		u, _, err := r.usage.Find(ctx, usageKey(n))
		if err != nil {
			return fmt.Errorf("read usage: %w", err)
		}
		for key, bytes := range u.Bytes {
			if ours(key) && u.Day == dayOf(now) {
				today[key] += bytes
			}
		}
	}
	return nil
}

func useOf(stakes []Stake, today int64) Use {
	u := Use{BytesToday: today}
	for i := range stakes {
		s := &stakes[i]
		u.BytesPerSecond += s.Taken[0]
		u.RowsPerSecond += s.Taken[1]
		u.AskedBytesPerSecond += s.Asked[0]
		u.AskedRowsPerSecond += s.Asked[1]
	}
	u.ActiveSeries, u.ActiveStreams = activeOf(stakes, series), activeOf(stakes, streams)
	return u
}

func activeOf(stakes []Stake, what kind) int64 {
	if len(stakes) == 1 {
		return stakes[0].Active[what]
	}
	most := int64(0)
	for i := range stakes {
		most = max(most, stakes[i].Active[what])
	}
	return max(most, union(sketch{}, stakes, what))
}
