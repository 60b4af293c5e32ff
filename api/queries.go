package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// RunningQuery is a query that waits, runs or has ended not long ago.
type RunningQuery struct {
	ID       string           `json:"id"`
	Tenant   seamark.TenantID `json:"tenant,omitempty"` // for operators
	State    string           `json:"state"`            // queued, running or done
	Language string           `json:"language"`
	Query    string           `json:"query"` // as it was sent, cut; for operators without its literals
	Class    string           `json:"class"`
	Actor    string           `json:"actor,omitempty"`  // login or id of a credential; not for operators
	Source   string           `json:"source,omitempty"` // the dashboard, rule or background job; not for operators
	Job      string           `json:"job,omitempty"`
	Node     string           `json:"node"`
	Position int              `json:"position,omitempty"` // among the tenant's that wait on the node, from 1 on
	Over     bool             `json:"over_budget"`        // it waits behind others, because its tenant has read too much

	Begun   time.Time  `json:"begun_at"`
	Ended   *time.Time `json:"ended_at,omitempty"`
	Waited  float64    `json:"waited_seconds"`
	Ran     float64    `json:"running_seconds"`
	Rows    uint64     `json:"rows"`
	Bytes   uint64     `json:"bytes"`
	CPU     float64    `json:"cpu_seconds"`
	Result  uint64     `json:"result_bytes"`
	Cached  uint64     `json:"cache_bytes"`
	Expects uint64     `json:"estimate_bytes,omitempty"` // what it reads at most; absent when that is not known
	Error   string     `json:"error,omitempty"`          // stable id, of one that has ended with an error
}

// QueryFilter selects queries of one tenant, or for operators with the zero TenantID those of all.
type QueryFilter struct {
	Operator bool // who asks: of queries an operator sees neither literals nor people
	Tenant   seamark.TenantID
	Actor    string // "" is everybody
	ID       string // "" is all
	Done     bool   // those that have ended instead of those that wait or run
	Sort     string // of QuerySorts
	Limit    int
}

// QuerySorts are the orders of lists of queries: by time with the newest first, by all others with the most first.
func QuerySorts() []string { return []string{"time", "bytes", "rows", "cpu", "duration"} }

// RunningQueries shows and cancels queries on all nodes.
type RunningQueries interface {
	// ListQueries returns what the nodes that answer in time have, in the filter's order, and how many nodes answered.
	ListQueries(ctx context.Context, f QueryFilter) (list []RunningQuery, nodes int, err error)
	// CancelQuery cancels a query wherever it runs. The error is of kind NotFound.
	CancelQuery(ctx context.Context, tenant seamark.TenantID, id, by string) error
	// Permit returns nil when p may do what permission names.
	Permit(p seamark.Principal, permission string) error
}

// Everybody who may read data sees and ends their own queries and background jobs. readAll is what it takes to see those of others,
// and cancelAll to end them.
const (
	readOwnQueries = "queries:own"
	readAll        = "queries:read"
	cancelAll      = "queries:cancel"
)

const (
	defaultQueries = 100
	maxQueries     = 1000
)

// RunningQueryRoutes returns the routes for queries that wait, run or have ended.
func RunningQueryRoutes(queries RunningQueries) []httpx.Route {
	h := runningHandlers{queries}
	const all, one, operator = "/api/v1/queries", "/api/v1/queries/:id", "/api/v1/operator/queries"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: readOwnQueries, HonoursScope: true, Handler: h.list},
		{Method: http.MethodGet, Path: one, Permission: readOwnQueries, HonoursScope: true, Handler: h.find},
		{Method: http.MethodDelete, Path: one, Permission: readOwnQueries, HonoursScope: true, Action: "query.cancel", Handler: h.cancel},
		{Method: http.MethodGet, Path: operator, Permission: "tenants:read", Handler: h.listAll},
		{Method: http.MethodDelete, Path: operator + "/:id", Permission: "tenants:write", Action: "query.cancel", Handler: h.cancelAny},
	}
}

type runningHandlers struct{ queries RunningQueries }

// permitter decides what a principal may do.
type permitter interface {
	Permit(p seamark.Principal, permission string) error
}

// whose returns the actor that a request is bound to, "" when it may act on everybody's: who is restricted to a part of the tenant
// would learn of the other part from others' queries.
func whose(p permitter, r *httpx.Request, permission string) string {
	if !r.Principal.Restricted() && p.Permit(r.Principal, permission) == nil {
		return ""
	}
	return actorOf(r.Principal)
}

// actorOf names a principal as the meter does.
func actorOf(p seamark.Principal) string {
	if p.Login != "" {
		return p.Login
	}
	return p.CredentialID
}

func readQueryFilter(q url.Values) (f QueryFilter, err error) {
	switch state := q.Get("state"); state {
	case "", "active":
	case "done":
		f.Done = true
	default:
		return f, seamark.Errorf(seamark.Invalid, "seamark-query-filter", "Parameter state is %.32q; use active or done.", state)
	}
	if f.Sort = q.Get("sort"); f.Sort == "" {
		f.Sort = "time"
	}
	if !slices.Contains(QuerySorts(), f.Sort) {
		return f, seamark.Errorf(seamark.Invalid, "seamark-query-filter", "Parameter sort is %.32q; use time, bytes, rows, cpu or duration.", f.Sort)
	}
	f.Limit = defaultQueries
	if text := q.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > maxQueries {
			return f, seamark.Errorf(seamark.Invalid, "seamark-page-limit", "Parameter limit is %.32q; use a number from 1 to %d.", text, maxQueries)
		}
	}
	return f, nil
}

func (h runningHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	f, err := readQueryFilter(r.URL.Query())
	if err != nil {
		return err
	}
	f.Tenant, f.Actor = r.Principal.Tenant, whose(h.queries, r, readAll)
	return h.write(w, r, f)
}

func (h runningHandlers) write(w http.ResponseWriter, r *httpx.Request, f QueryFilter) error {
	list, nodes, err := h.queries.ListQueries(r.Context(), f)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, struct {
		Items []RunningQuery `json:"items"`
		Nodes int            `json:"nodes"`
	}{orEmpty(list), nodes})
}

// one finds a query that waits or runs, else one that has ended.
func (h runningHandlers) one(ctx context.Context, f QueryFilter) (RunningQuery, error) {
	f.Sort, f.Limit = "time", 1
	for _, f.Done = range []bool{false, true} {
		list, _, err := h.queries.ListQueries(ctx, f)
		if err != nil || len(list) > 0 {
			return first(list), err
		}
	}
	return RunningQuery{}, unknownQuery()
}

func first(list []RunningQuery) (q RunningQuery) {
	if len(list) > 0 {
		q = list[0]
	}
	return q
}

func unknownQuery() error {
	return seamark.Errorf(seamark.NotFound, "seamark-query-unknown", "There is no such query, or it has ended.")
}

func (h runningHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	q, err := h.one(r.Context(), QueryFilter{Tenant: r.Principal.Tenant, Actor: whose(h.queries, r, readAll), ID: r.Param("id")})
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, q)
}

func (h runningHandlers) cancel(w http.ResponseWriter, r *httpx.Request) error {
	id, seen := r.Param("id"), whose(h.queries, r, readAll)
	if may := whose(h.queries, r, cancelAll); may != "" {
		q, err := h.one(r.Context(), QueryFilter{Tenant: r.Principal.Tenant, Actor: seen, ID: id})
		if err != nil {
			return err
		}
		if q.Actor != may {
			return h.queries.Permit(r.Principal, cancelAll) // it shows what is not the caller's own
		}
	}
	if err := h.queries.CancelQuery(r.Context(), r.Principal.Tenant, id, actorOf(r.Principal)); err != nil {
		return err
	}
	r.Change.Object = "query/" + id
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// operatorFilter reads a filter of all tenants or one.
func operatorFilter(q url.Values) (f QueryFilter, err error) {
	if f, err = readQueryFilter(q); err != nil {
		return f, err
	}
	f.Operator = true
	if text := q.Get("tenant"); text != "" {
		f.Tenant, err = seamark.ParseTenantID(text)
	}
	return f, err
}

func (h runningHandlers) listAll(w http.ResponseWriter, r *httpx.Request) error {
	f, err := operatorFilter(r.URL.Query())
	if err != nil {
		return err
	}
	return h.write(w, r, f)
}

func (h runningHandlers) cancelAny(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	if err := h.queries.CancelQuery(r.Context(), "", id, "an operator"); err != nil {
		return err
	}
	r.Change.Object = "query/" + id
	w.WriteHeader(http.StatusNoContent)
	return nil
}
