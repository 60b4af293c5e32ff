package propagation_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

const (
	// Each node gets that many pushes, queries of stored lines and queries of nothing stored a second. They are what two cores and
	// one disk can do beside the nodes' own work.
	pushesPerSecond, queriesPerSecond, checksPerSecond = 20, 5, 50
	// maxLoad bounds the time of the load, whatever becomes of the test.
	maxLoad = 3 * time.Minute
)

// load is a steady load on all nodes, of a tenant that nothing is changed of.
type load struct {
	sent, refused atomic.Int64
	mu            sync.Mutex // guards odd
	odd           map[string]int
	wait          sync.WaitGroup
	begun         time.Time
	cancel        context.CancelFunc
}

func (f *fleet) startLoad(t *testing.T) *load {
	t.Helper()
	made, err := f.directory.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "load"})
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := f.directory.CreateCluster(t.Context(), made.ID, tenant.ClusterSpec{Name: "load"})
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[seamark.CredentialKind]string{}
	for kind, spec := range map[seamark.CredentialKind]tenant.TokenSpec{
		seamark.IngestToken: {Kind: seamark.IngestToken, Cluster: cluster.ID}, seamark.QueryToken: {Kind: seamark.QueryToken},
	} {
		if _, secrets[kind], err = f.directory.CreateToken(t.Context(), made.ID, spec); err != nil {
			t.Fatal(err)
		}
	}
	l := &load{odd: map[string]int{}, begun: time.Now()}
	var ctx context.Context
	ctx, l.cancel = context.WithTimeout(t.Context(), maxLoad)
	for _, node := range f.nodes {
		l.repeat(ctx, pushesPerSecond, http.StatusNoContent, func() (int, error) {
			return f.push(node, secrets[seamark.IngestToken], lineBody("load", 5, 80))
		})
		l.repeat(ctx, queriesPerSecond, http.StatusOK, func() (int, error) {
			return f.ask(node, secrets[seamark.QueryToken], "/loki/api/v1/query_range?query=%7Bapp%3D%22load%22%7D&limit=10")
		})
		l.repeat(ctx, checksPerSecond, http.StatusOK, func() (int, error) {
			return f.ask(node, secrets[seamark.QueryToken], "/prometheus/api/v1/query?query=1")
		})
	}
	return l
}

// repeat sends requests at a pace, as far as they are answered in time.
func (l *load) repeat(ctx context.Context, perSecond, want int, send func() (int, error)) {
	const lanes = 4
	for lane := range lanes {
		l.wait.Go(func() {
			tick := time.NewTicker(lanes * time.Second / time.Duration(perSecond))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				status, err := send()
				l.sent.Add(1)
				if err != nil || status != want {
					l.refused.Add(1)
					l.mu.Lock()
					l.odd[fmt.Sprintf("lane %d: status %d %v", lane, status, err)]++
					l.mu.Unlock()
				}
			}
		})
	}
}

// stop ends the load. All of it must have been answered well: changes of one tenant do not touch another.
func (l *load) stop(t *testing.T) {
	t.Helper()
	l.cancel()
	l.wait.Wait()
	t.Logf("load: %d requests, %.0f a second", l.sent.Load(), float64(l.sent.Load())/time.Since(l.begun).Seconds())
	if l.sent.Load() < 100 {
		t.Errorf("there were %d requests of load; the figures are of idle nodes", l.sent.Load())
	}
	if l.refused.Load() > 0 {
		t.Errorf("%d requests of another tenant were not answered well: %v", l.refused.Load(), l.odd)
	}
}
