package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// UsageFilter selects what the meter counted inside Range, of one tenant or with the zero TenantID of all, grouped by By.
type UsageFilter struct {
	Tenant seamark.TenantID
	Range  seamark.TimeRange
	By     []string // of UsageColumns, in their order
	Limit  int
}

// UsageRow is one group. Texts that were not grouped by are empty.
type UsageRow struct {
	Time                                   time.Time // start of the month, day or hour
	Tenant, Cluster, Signal, Source, Actor string
	Requests, Rows, Bytes, WireBytes       uint64 // acknowledged
	SetAsideRows                           uint64
	Queries, ReadRows, ReadBytes           uint64
	CPUSeconds                             float64
	StoredRows, StoredBytes                float64 // means
	ActiveSeries, ActiveStreams            float64
}

// UsageLine compares the meter with the store for one signal's rows with times of one day; of events, of one week.
type UsageLine struct {
	Tenant      string       `json:"tenant,omitempty"`
	Day         string       `json:"day"`
	Signal      string       `json:"signal"`
	Metered     int64        `json:"metered_rows"`
	Stored      int64        `json:"stored_rows"`
	Difference  int64        `json:"difference"` // metered less stored; the reasons add up to it
	Reasons     UsageReasons `json:"reasons"`
	Unexplained int64        `json:"unexplained"`
}

// UsageReasons is why the meter and the store differ.
type UsageReasons struct {
	SetAside  int64 `json:"set_aside"`
	Expired   int64 `json:"expired"`
	Replaced  int64 `json:"replaced"`
	Unmetered int64 `json:"unmetered"`
	InFlight  int64 `json:"in_flight"`
}

// UsageReader is what the usage routes need of the meter.
type UsageReader interface {
	// ListUsage returns the groups by time and then by name, at most as many as the filter's limit.
	ListUsage(ctx context.Context, f UsageFilter) ([]UsageRow, error)
	// SummarizeUsage returns the month of a tenant, so far and as it is expected to end. The error is of kind NotFound.
	SummarizeUsage(ctx context.Context, tenant seamark.TenantID) (*UsageSummary, error)
	// ReconcileUsage compares the meter with the store, of one tenant or with the zero TenantID of all. Range is of rows' times.
	ReconcileUsage(ctx context.Context, tenant seamark.TenantID, r seamark.TimeRange) ([]UsageLine, error)
}

// Bounds of what is asked for at once.
const (
	// maxUsageRows bounds the rows of one answer. A larger one is refused and not cut: half of a bill is none.
	maxUsageRows = 20_000
	// maxUsageRange is a little more than the meter is kept.
	maxUsageRange = 3 * 366 * 24 * time.Hour
	// maxReconcileRange bounds comparisons, which are by day.
	maxReconcileRange = 100 * 24 * time.Hour
	// defaultReconcileRange is what is compared when the caller names no start.
	defaultReconcileRange = 7 * 24 * time.Hour
)

// UsageColumns lists what usage may be grouped by, in the order of answers. Operators see tenants, and neither their clusters' names
// nor their people.
func UsageColumns(operator bool) []string {
	if operator {
		return []string{"month", "day", "hour", "tenant", "signal", "source"}
	}
	return []string{"month", "day", "hour", "cluster", "signal", "source", "actor"}
}

// UsageRoutes returns the routes for usage: a tenant reads its own, an operator that of all.
func UsageRoutes(reader UsageReader, now func() time.Time) []httpx.Route {
	h := usageHandlers{reader, now}
	const own, all = "/api/v1/usage", "/api/v1/operator/usage"
	return []httpx.Route{
		{Method: http.MethodGet, Path: own, Permission: "tenant:read", Handler: h.own(h.list)},
		{Method: http.MethodGet, Path: own + "/summary", Permission: "tenant:read", Handler: h.own(h.summary)},
		{Method: http.MethodGet, Path: own + "/reconciliation", Permission: "tenant:read", Handler: h.own(h.reconcile)},
		{Method: http.MethodGet, Path: all, Permission: "tenants:read", Handler: h.any(h.list)},
		{Method: http.MethodGet, Path: all + "/summary", Permission: "tenants:read", Handler: h.any(h.summary)},
		{Method: http.MethodGet, Path: all + "/reconciliation", Permission: "tenants:read", Handler: h.any(h.reconcile)},
	}
}

type usageHandlers struct {
	reader UsageReader
	now    func() time.Time
}

// usageHandler answers for a tenant, or with the zero TenantID for all.
type usageHandler func(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID) error

// own answers for the caller's tenant, and for nobody when it has none: the zero TenantID would be all.
func (usageHandlers) own(handle usageHandler) httpx.Handler {
	return func(w http.ResponseWriter, r *httpx.Request) error {
		tenant := r.Tenant()
		if err := tenant.Validate(); err != nil {
			return err
		}
		return handle(w, r, tenant)
	}
}

// any answers for the tenant that the operator names, and else for all.
func (usageHandlers) any(handle usageHandler) httpx.Handler {
	return func(w http.ResponseWriter, r *httpx.Request) error {
		var tenant seamark.TenantID
		if text := r.URL.Query().Get("tenant"); text != "" {
			var err error
			if tenant, err = seamark.ParseTenantID(text); err != nil {
				return err
			}
		}
		return handle(w, r, tenant)
	}
}

func (h usageHandlers) list(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID) error {
	query := r.URL.Query()
	f := UsageFilter{Tenant: tenant, Limit: maxUsageRows + 1}
	var err error
	now := h.now().UTC()
	if f.Range, err = usageRange(query, now, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), maxUsageRange); err != nil {
		return err
	}
	if f.By, err = usageColumns(query, r.Principal.Operator); err != nil {
		return err
	}
	csv, err := wantsCSV(r)
	if err != nil {
		return err
	}
	rows, err := h.reader.ListUsage(r.Context(), f)
	if err != nil {
		return err
	}
	if len(rows) > maxUsageRows {
		return seamark.Errorf(seamark.Unprocessable, "seamark-usage-large",
			"The answer would have more than %d rows. Ask for a shorter range, or group by fewer columns than %s.", maxUsageRows, strings.Join(f.By, ","))
	}
	if csv {
		return writeUsageCSV(w, f.By, rows)
	}
	return writeUsageJSON(w, &f, rows)
}

func (h usageHandlers) summary(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID) error {
	if tenant == "" {
		return seamark.Errorf(seamark.Invalid, "seamark-usage-tenant", "Parameter tenant is missing; a summary is of one tenant.")
	}
	s, err := h.reader.SummarizeUsage(r.Context(), tenant)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, s)
}

func (h usageHandlers) reconcile(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID) error {
	now := h.now().UTC()
	span, err := usageRange(r.URL.Query(), now, now.Add(-defaultReconcileRange), maxReconcileRange)
	if err != nil {
		return err
	}
	lines, err := h.reader.ReconcileUsage(r.Context(), tenant, span)
	if err != nil {
		return err
	}
	answer := struct {
		Items       []UsageLine `json:"items"`
		Unexplained int64       `json:"unexplained"`
	}{Items: orEmpty(lines)}
	for i := range lines {
		answer.Unexplained += max(lines[i].Unexplained, -lines[i].Unexplained)
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

// usageRange reads start and end.
func usageRange(q url.Values, now, start time.Time, most time.Duration) (r seamark.TimeRange, err error) {
	if r.End, err = timeParameter(q, "end", now); err != nil {
		return r, err
	}
	if !r.End.After(start) {
		start = r.End.Add(-24 * time.Hour)
	}
	if r.Start, err = timeParameter(q, "start", start); err != nil {
		return r, err
	}
	if err := r.Validate(); err != nil {
		return r, err
	}
	if r.Duration() > most {
		return r, seamark.Errorf(seamark.Invalid, "seamark-usage-range", "The range is %s long; the limit is %s. Ask for a shorter one.",
			r.Duration().Round(time.Hour), most)
	}
	return r, nil
}

// usageColumns reads group_by, in the order of answers.
func usageColumns(q url.Values, operator bool) ([]string, error) {
	columns, text := UsageColumns(operator), q.Get("group_by")
	if !q.Has("group_by") {
		text = "day,signal"
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains(columns, name) {
			return nil, seamark.Errorf(seamark.Invalid, "seamark-usage-column", "Usage is not grouped by %.64q; use some of %s.", name, strings.Join(columns, ", "))
		}
		wanted[name] = true
	}
	if n := len(slices.DeleteFunc([]string{"month", "day", "hour"}, func(name string) bool { return !wanted[name] })); n > 1 {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-usage-column", "Usage is grouped by one of month, day and hour.")
	}
	return slices.DeleteFunc(columns, func(name string) bool { return !wanted[name] }), nil
}
