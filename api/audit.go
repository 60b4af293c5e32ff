package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// AuditFilter selects requests to API servers. Is and Not hold values by field, of which the request's must be one, or
// none; Class is denied, failed, exec, secrets, writes or "". Empty fields select everything.
type AuditFilter struct {
	Range   seamark.TimeRange
	Class   string
	Is, Not map[string][]string
}

// AuditRecord is one request as its last audit record tells it.
type AuditRecord struct {
	Time         time.Time `json:"time"` // when the stage was reached
	AuditID      string    `json:"audit_id"`
	Stage        string    `json:"stage"`
	Cluster      string    `json:"cluster"`
	User         string    `json:"user"`
	Impersonated string    `json:"impersonated_user"`
	SourceIP     string    `json:"source_ip"`
	UserAgent    string    `json:"user_agent"`
	Verb         string    `json:"verb"`
	APIGroup     string    `json:"api_group"`
	Resource     string    `json:"resource"`
	Subresource  string    `json:"subresource"`
	Namespace    string    `json:"namespace"`
	Name         string    `json:"name"`
	URI          string    `json:"uri"`
	Code         string    `json:"code"` // empty while the request is under way
	Decision     string    `json:"decision"`
	Reason       string    `json:"reason"`
}

// AuditListQuery asks for requests.
type AuditListQuery struct {
	Filter AuditFilter
	After  *AuditPlace // the Next of the page before; nil begins
	Limit  int
}

// AuditPlace is a record's place in the order of a list.
type AuditPlace struct {
	Time time.Time
	ID   string // of the request
}

// AuditPage is a part of a list, newest first.
type AuditPage struct {
	Records []AuditRecord
	Next    *AuditPlace // nil at the list's end
}

// AuditClientsQuery asks who sends the most requests, by some fields; none are the searcher's own.
type AuditClientsQuery struct {
	Filter AuditFilter
	By     []string
	Order  string // requests, denied, failed or ""
	Limit  int
}

// AuditCount counts requests that are over.
type AuditCount struct {
	Requests uint64 `json:"requests"`
	Denied   uint64 `json:"denied"`
	Failed   uint64 `json:"failed"`
}

// AuditClient is a combination of values, by field, and its requests.
type AuditClient struct {
	Values map[string]string `json:"values"`
	AuditCount
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// AuditClients is the combinations with the most requests.
type AuditClients struct {
	Entries uint64        `json:"entries"` // how many there are; the list may be cut
	Total   AuditCount    `json:"total"`
	Items   []AuditClient `json:"items"`
}

// AuditListing is the LISTs that a client makes of a resource in a namespace. Times are seconds.
type AuditListing struct {
	Cluster   string    `json:"cluster"`
	Namespace string    `json:"namespace"` // empty for all
	User      string    `json:"user"`
	UserAgent string    `json:"user_agent"`
	APIGroup  string    `json:"api_group"`
	Resource  string    `json:"resource"`
	Count     uint64    `json:"count"`
	Unpaged   uint64    `json:"unpaged"`
	Uncached  uint64    `json:"uncached"`
	Total     float64   `json:"total"`
	Median    float64   `json:"median"`
	P95       float64   `json:"p95"`
	Slowest   float64   `json:"slowest"`
	MostItems uint64    `json:"most_items"`
	MostBytes uint64    `json:"most_bytes"`
	URI       string    `json:"uri"` // of the slowest
	Last      time.Time `json:"last"`
}

// AuditListings is the LISTs of the clients that cost most.
type AuditListings struct {
	Entries uint64         `json:"entries"`
	Items   []AuditListing `json:"items"`
}

// AuditObject names one object of a cluster.
type AuditObject struct{ Cluster, Namespace, APIGroup, Resource, Name string }

// AuditWrite is one write of an object and what it changed.
type AuditWrite struct {
	AuditRecord
	Known       string            `json:"known"` // state, first, patch or nothing
	Differences []AuditDifference `json:"differences"`
	Truncated   bool              `json:"differences_truncated"`
}

// AuditDifference is a place of an object that changed; null stands for what was not there.
type AuditDifference struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// AuditSearcher is what the audit routes need. A limit of 0 is the searcher's own. Errors are of kind Invalid for what is
// out of bounds.
type AuditSearcher interface {
	ListAudit(ctx context.Context, scope seamark.Scope, q AuditListQuery) (AuditPage, error)
	AuditClients(ctx context.Context, scope seamark.Scope, q AuditClientsQuery) (*AuditClients, error)
	AuditListings(ctx context.Context, scope seamark.Scope, f AuditFilter, order string, limit int) (*AuditListings, error)
	AuditWrites(ctx context.Context, scope seamark.Scope, r seamark.TimeRange, o AuditObject, limit int) (list []AuditWrite, truncated bool, err error)
}

// auditFields are the fields that a filter may name.
var auditFields = [...]string{
	"cluster", "namespace", "verb", "user", "impersonated_user", "source_ip", "user_agent", "resource", "api_group", "subresource", "name", "code", "decision",
}

const (
	// defaultAuditRange is what the routes show when the caller names no start; of one object's writes, which are rare, a day.
	defaultAuditRange  = time.Hour
	defaultWritesRange = day
)

// AuditRoutes returns the routes for the audit logs of API servers.
func AuditRoutes(searcher AuditSearcher, now func() time.Time) []httpx.Route {
	a := &auditAPI{searcher, now}
	route := func(path string, handler httpx.Handler) httpx.Route {
		return httpx.Route{Method: http.MethodGet, Path: "/api/v1/audit" + path, Permission: "data:read", HonoursScope: true, Handler: handler}
	}
	return []httpx.Route{route("", a.list), route("/clients", a.clients), route("/lists", a.lists), route("/writes", a.writes)}
}

type auditAPI struct {
	searcher AuditSearcher
	now      func() time.Time
}

func (a *auditAPI) list(w http.ResponseWriter, r *httpx.Request) error {
	var q AuditListQuery
	var err error
	if q.Filter, q.Limit, err = parseAuditFilter(r.URL.Query(), a.now()); err != nil {
		return err
	}
	after, err := r.PageAfter()
	if err != nil {
		return err
	}
	if q.After, err = auditAfter(after.After); err != nil {
		return err
	}
	page, err := a.searcher.ListAudit(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	answer := auditList{Items: orEmpty(page.Records), Truncated: page.Next != nil}
	if page.Next != nil {
		answer.NextCursor = after.Cursor(strconv.FormatInt(page.Next.Time.UnixNano(), 10) + " " + page.Next.ID)
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

// auditList is the answer of the route of requests.
type auditList struct {
	Items      []AuditRecord `json:"items"`
	Truncated  bool          `json:"truncated"`
	NextCursor string        `json:"next_cursor,omitempty"`
}

// auditAfter reads a cursor's position.
func auditAfter(position string) (*AuditPlace, error) {
	if position == "" {
		return nil, nil
	}
	at, id, _ := strings.Cut(position, " ")
	nano, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-page-cursor", "Parameter cursor is not one of this list.")
	}
	return &AuditPlace{Time: time.Unix(0, nano), ID: id}, nil
}

func (a *auditAPI) clients(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	q := AuditClientsQuery{Order: form.Get("order")}
	var err error
	if q.Filter, q.Limit, err = parseAuditFilter(form, a.now()); err != nil {
		return err
	}
	if by := form.Get("by"); by != "" {
		q.By = strings.Split(by, ",")
	}
	clients, err := a.searcher.AuditClients(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	clients.Items = orEmpty(clients.Items)
	return httpx.WriteJSON(w, http.StatusOK, clients)
}

func (a *auditAPI) lists(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	filter, limit, err := parseAuditFilter(form, a.now())
	if err != nil {
		return err
	}
	lists, err := a.searcher.AuditListings(r.Context(), r.Scope(), filter, form.Get("order"), limit)
	if err != nil {
		return err
	}
	lists.Items = orEmpty(lists.Items)
	return httpx.WriteJSON(w, http.StatusOK, lists)
}

func (a *auditAPI) writes(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	span, err := parseRange(form, a.now(), defaultWritesRange)
	if err != nil {
		return err
	}
	limit, err := parseItemLimit(form, "seamark-audit-limit")
	if err != nil {
		return err
	}
	list, truncated, err := a.searcher.AuditWrites(r.Context(), r.Scope(), span, AuditObject{
		Cluster: form.Get("cluster"), Namespace: form.Get("namespace"), APIGroup: form.Get("api_group"), Resource: form.Get("resource"), Name: form.Get("name"),
	}, limit)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Differences = orEmpty(list[i].Differences)
	}
	return httpx.WriteJSON(w, http.StatusOK, struct {
		Items     []AuditWrite `json:"items"`
		Truncated bool         `json:"truncated"`
	}{orEmpty(list), truncated})
}

func parseAuditFilter(form url.Values, now time.Time) (f AuditFilter, limit int, err error) {
	f = AuditFilter{Class: form.Get("class"), Is: map[string][]string{}, Not: map[string][]string{}}
	for _, field := range auditFields {
		setFilter(f.Is, field, form[field])
		setFilter(f.Not, field, form["not_"+field])
	}
	if f.Range, err = parseRange(form, now, defaultAuditRange); err != nil {
		return f, 0, err
	}
	limit, err = parseItemLimit(form, "seamark-audit-limit")
	return f, limit, err
}
