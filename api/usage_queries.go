package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// QueryUsage is what the queries of one member, dashboard or rule took.
type QueryUsage struct {
	Name    string  `json:"name"`
	Queries uint64  `json:"queries"`
	Rows    uint64  `json:"rows"`
	Bytes   uint64  `json:"bytes"`
	CPU     float64 `json:"cpu_seconds"`
}

// QueryUsageReader is what the route about usage by queries' origins needs of the meter.
type QueryUsageReader interface {
	// ListQueryUsage returns those that read most first, by `member`, `dashboard` or `rule`.
	ListQueryUsage(ctx context.Context, tenant seamark.TenantID, r seamark.TimeRange, by string, limit int) ([]QueryUsage, error)
}

// QueryUsageRoutes returns the route for usage by the origins of queries.
func QueryUsageRoutes(reader QueryUsageReader, now func() time.Time) []httpx.Route {
	h := queryUsageHandlers{reader, now}
	return []httpx.Route{{Method: http.MethodGet, Path: "/api/v1/usage/queries", Permission: "tenant:read", Handler: h.list}}
}

type queryUsageHandlers struct {
	reader QueryUsageReader
	now    func() time.Time
}

func (h queryUsageHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	query, now := r.URL.Query(), h.now().UTC()
	by := query.Get("group_by")
	if by == "" {
		by = "member"
	}
	if !slices.Contains([]string{"member", "dashboard", "rule"}, by) {
		return seamark.Errorf(seamark.Invalid, "seamark-usage-column", "Usage of queries is not grouped by %.64q; use member, dashboard or rule.", by)
	}
	span, err := usageRange(query, now, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), maxUsageRange)
	if err != nil {
		return err
	}
	limit := defaultQueries
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxQueries {
			return seamark.Errorf(seamark.Invalid, "seamark-page-limit", "Parameter limit is %.32q; use a number from 1 to %d.", text, maxQueries)
		}
	}
	list, err := h.reader.ListQueryUsage(r.Context(), r.Tenant(), span, by, limit)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, struct {
		GroupBy string       `json:"group_by"`
		Start   time.Time    `json:"start"`
		End     time.Time    `json:"end"`
		Items   []QueryUsage `json:"items"`
	}{by, span.Start.UTC(), span.End.UTC(), orEmpty(list)})
}
