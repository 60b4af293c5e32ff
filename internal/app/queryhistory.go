package app

import (
	"container/list"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

const (
	// historyTenants bounds the tenants whose ended queries a node remembers: those whose queries ended last.
	historyTenants = 1000
	// historyText is how much of a query's text is remembered.
	historyText = 512
)

// endedQuery is a query that has ended.
type endedQuery struct {
	id      string
	request admit.Request
	begun   time.Time
	ended   time.Time
	waited  time.Duration
	cost    admit.Cost
	fault   string // id of the error, "" when there was none
}

// queryHistory remembers each tenant's last queries in memory. It is safe for concurrent use.
type queryHistory struct {
	keep int // of one tenant

	mu      sync.Mutex // guards the following
	tenants map[seamark.TenantID]*list.Element
	recent  *list.List // of *tenantHistory, the tenant whose query ended last in front
}

type tenantHistory struct {
	tenant seamark.TenantID
	ring   []endedQuery
	next   int
}

func newQueryHistory(keep int) *queryHistory {
	return &queryHistory{keep: keep, tenants: map[seamark.TenantID]*list.Element{}, recent: list.New()}
}

// add remembers a query in the place of the tenant's oldest.
func (h *queryHistory) add(q endedQuery) {
	if h.keep == 0 {
		return
	}
	q.request.Text = cut(q.request.Text, historyText)
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.tenants[q.request.Tenant]
	if e == nil {
		e = h.recent.PushFront(&tenantHistory{tenant: q.request.Tenant})
		h.tenants[q.request.Tenant] = e
		if h.recent.Len() > historyTenants {
			h.dropLocked(h.recent.Back())
		}
	}
	h.recent.MoveToFront(e)
	t, _ := e.Value.(*tenantHistory)
	if len(t.ring) < h.keep {
		t.ring = append(t.ring, q)
		return
	}
	t.ring[t.next] = q
	t.next = (t.next + 1) % h.keep
}

func (h *queryHistory) dropLocked(e *list.Element) {
	t, _ := h.recent.Remove(e).(*tenantHistory)
	delete(h.tenants, t.tenant)
}

// forget lets go of a tenant.
func (h *queryHistory) forget(tenant seamark.TenantID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.tenants[tenant]; e != nil {
		h.dropLocked(e)
	}
}

// of returns a tenant's ended queries, or with the zero TenantID those of all, in no order.
func (h *queryHistory) of(tenant seamark.TenantID) []endedQuery {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []endedQuery
	for id, e := range h.tenants {
		if t, ok := e.Value.(*tenantHistory); ok && (tenant == "" || tenant == id) {
			found = append(found, t.ring...)
		}
	}
	return found
}
