package logexport

import (
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// places counts the exports that run.
type places struct {
	limits Limits
	mu     sync.Mutex // guards taken and all
	taken  map[seamark.TenantID]int
	all    int
}

// take takes a place, which the returned function gives back, once.
func (p *places) take(tenant seamark.TenantID) (leave func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.taken[tenant] >= p.limits.MaxTenantConcurrent:
		return nil, seamark.Errorf(seamark.RateLimited, "seamark-export-concurrency",
			"%d of your exports run already, the limit of a tenant. Wait for one to end, or raise --export.max-tenant-concurrent.", p.taken[tenant])
	case p.all >= p.limits.MaxConcurrent:
		return nil, seamark.Errorf(seamark.RateLimited, "seamark-export-concurrency", "The server runs as many exports as it may. Retry later.")
	}
	p.taken[tenant]++
	p.all++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all--
		if p.taken[tenant]--; p.taken[tenant] == 0 {
			delete(p.taken, tenant)
		}
	}), nil
}
