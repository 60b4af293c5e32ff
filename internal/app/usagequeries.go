package app

import (
	"context"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// meterOrigin counts a query that has ended by the dashboard or the rule that asked it.
func (a *App) meterOrigin(e *endedQuery) {
	source, name, ok := strings.Cut(e.request.Source, ":")
	if a.meter == nil || !ok || name == "" || source != "dashboard" && source != "rule" {
		return
	}
	a.meter.Origin(e.request.Tenant, source, name, seamark.UsageCounts{Requests: 1, Rows: e.cost.Rows, Bytes: e.cost.Bytes, Micros: e.cost.CPUMicros})
}

// ListQueryUsage implements api.QueryUsageReader.
func (u usageAPI) ListQueryUsage(ctx context.Context, tenant seamark.TenantID, r seamark.TimeRange, by string, limit int) ([]api.QueryUsage, error) {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	if by == "member" {
		by = ""
	}
	found, err := u.ListOrigins(ctx, store.OriginQuery{Tenant: tenant, Range: r, Source: by, Limit: limit})
	list := make([]api.QueryUsage, len(found))
	for i, o := range found {
		list[i] = api.QueryUsage{Name: o.Name, Queries: o.Queries, Rows: o.Rows, Bytes: o.Bytes, CPU: (time.Duration(o.Micros) * time.Microsecond).Seconds()}
	}
	return list, err
}
