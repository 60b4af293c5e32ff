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

// SavedQuery is a query that somebody keeps.
type SavedQuery struct {
	ID string `json:"id"`
	SavedQueryFields
	Owner   SavedQueryOwner `json:"owner"`
	Created time.Time       `json:"created_at"`
	Updated time.Time       `json:"updated_at"`
}

// SavedQueryOwner is who made a saved query.
type SavedQueryOwner struct {
	Kind  string `json:"kind"` // `member`, `key` or `token`
	ID    string `json:"id"`
	Login string `json:"login,omitempty"` // of a member who is still one
}

// SavedQueryFields are what a caller decides about a saved query.
type SavedQueryFields struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Language     string   `json:"language"` // `promql`, `logql`, `events`, `audit` or `sql`
	Query        string   `json:"query"`
	RangeSeconds int64    `json:"range_seconds,omitempty"`
	StepSeconds  int64    `json:"step_seconds,omitempty"`
	Tags         []string `json:"tags"`
	Visibility   string   `json:"visibility"` // `private` or `tenant`
}

// SavedQueryCheck sees a stored query before it is changed or deleted; its error ends that.
type SavedQueryCheck func(SavedQuery) error

// SavedQueries keeps saved queries. What the actor may not see is NotFound.
type SavedQueries interface {
	// ListSavedQueries returns what the actor may see, sorted by id.
	ListSavedQueries(ctx context.Context, actor seamark.Principal) ([]SavedQuery, error)
	FindSavedQuery(ctx context.Context, actor seamark.Principal, id string) (SavedQuery, error)
	CreateSavedQuery(ctx context.Context, actor seamark.Principal, f SavedQueryFields) (SavedQuery, error)
	UpdateSavedQuery(ctx context.Context, actor seamark.Principal, id string, f SavedQueryFields, check SavedQueryCheck) (SavedQuery, error)
	DeleteSavedQuery(ctx context.Context, actor seamark.Principal, id string, check SavedQueryCheck) error
}

// privateQuery is the visibility of a query that is its owner's alone.
const privateQuery = "private"

type savedQueryHandlers struct{ queries SavedQueries }

// SavedQueryRoutes returns the routes for saved queries. Who may read may also keep private ones, so that the store decides about
// queries:write, by what a query's visibility is and becomes.
func SavedQueryRoutes(queries SavedQueries) []httpx.Route {
	h := savedQueryHandlers{queries}
	const all, one, read = "/api/v1/saved-queries", "/api/v1/saved-queries/:id", "queries:read"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, HonoursScope: true, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: read, HonoursScope: true, Action: "saved_query.create", Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, HonoursScope: true, Handler: h.find},
		{Method: http.MethodPut, Path: one, Permission: read, HonoursScope: true, Action: "saved_query.update", Handler: h.update},
		{Method: http.MethodDelete, Path: one, Permission: read, HonoursScope: true, Action: "saved_query.delete", Handler: h.delete},
	}
}

// list answers what passes the parameters language, tag and q.
func (h savedQueryHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	if language := form.Get("language"); language != "" && !slices.Contains([]string{"promql", "logql", "events", "audit", "sql"}, language) {
		return seamark.Errorf(seamark.Invalid, "seamark-saved-query-filter", "Parameter language is %q; use promql, logql, events, audit or sql.", clipText(language))
	}
	found, err := h.queries.ListSavedQueries(r.Context(), r.Principal)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(q SavedQuery) bool { return !q.passes(form) })
	page, err := httpx.Paginate(r, found, func(q *SavedQuery) string { return q.ID })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

// passes reports whether a query is one that a list's parameters ask for. Each tag must be one of its own; the text stands in its
// name, description or query, in any case of letters.
func (q *SavedQuery) passes(form url.Values) bool {
	if language := form.Get("language"); language != "" && q.Language != language {
		return false
	}
	for _, tag := range form["tag"] {
		if tag != "" && !slices.Contains(q.Tags, tag) {
			return false
		}
	}
	text := strings.ToLower(form.Get("q"))
	return text == "" || slices.ContainsFunc([]string{q.Name, q.Description, q.Query}, func(field string) bool {
		return strings.Contains(strings.ToLower(field), text)
	})
}

func (h savedQueryHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	q, err := h.queries.FindSavedQuery(r.Context(), r.Principal, r.Param("id"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, q)
}

// savedQueryBody is a new saved query, or what one becomes.
type savedQueryBody struct {
	Name         string   `json:"name"`
	Description  string   `json:"description,omitempty"`
	Language     string   `json:"language"`
	Query        string   `json:"query"`
	RangeSeconds int64    `json:"range_seconds,omitempty"`
	StepSeconds  int64    `json:"step_seconds,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Visibility   string   `json:"visibility,omitempty"` // private unless told
}

func readSavedQuery(r *httpx.Request) (SavedQueryFields, error) {
	var in savedQueryBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return SavedQueryFields{}, err
	}
	if in.Visibility == "" {
		in.Visibility = privateQuery
	}
	return SavedQueryFields(in), nil
}

func (h savedQueryHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	in, err := readSavedQuery(r)
	if err != nil {
		return err
	}
	q, err := h.queries.CreateSavedQuery(r.Context(), r.Principal, in)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "saved_query/"+q.ID, q
	r.Change.Private = q.Visibility == privateQuery
	return writeTagged(w, r, http.StatusCreated, q)
}

// checkQuery is checkChange; the log of changes is not told the text of a query that its owner alone sees.
func checkQuery(w http.ResponseWriter, r *httpx.Request) func(SavedQuery) error {
	check := checkChange[SavedQuery](w, r)
	return func(old SavedQuery) error {
		r.Change.Private = old.Visibility == privateQuery
		return check(old)
	}
}

func (h savedQueryHandlers) update(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	r.Change.Object = "saved_query/" + id
	in, err := readSavedQuery(r)
	if err != nil {
		return err
	}
	q, err := h.queries.UpdateSavedQuery(r.Context(), r.Principal, id, in, checkQuery(w, r))
	if err != nil {
		return err
	}
	r.Change.After = q
	r.Change.Private = r.Change.Private || q.Visibility == privateQuery
	return writeTagged(w, r, http.StatusOK, q)
}

func (h savedQueryHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	r.Change.Object = "saved_query/" + id
	if err := h.queries.DeleteSavedQuery(r.Context(), r.Principal, id, checkQuery(w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// CheckEventQuery tells what is wrong with the text of a saved query of events: parameters of `GET /api/v1/events` that filter, as
// they stand in a URL. The error is of kind Invalid.
func CheckEventQuery(text string) error { return checkFilterQuery(text, eventFields[:], "q") }

// CheckAuditQuery is CheckEventQuery for audit records, `GET /api/v1/audit`.
func CheckAuditQuery(text string) error { return checkFilterQuery(text, auditFields[:], "class") }

// checkFilterQuery accepts the fields, the fields with not_ before them, and the other names.
func checkFilterQuery(text string, fields []string, others ...string) error {
	position := 1
	for part := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if _, valueErr := url.QueryUnescape(value); err != nil || valueErr != nil || strings.Contains(part, ";") {
			return seamark.Errorf(seamark.Invalid, "seamark-saved-query-filter", "At position %d, %q is no parameter of a URL; write name=value with %%XX for what is special.", position, clipText(part))
		}
		field := strings.TrimPrefix(plain, "not_")
		if part != "" && !slices.Contains(fields, field) && !slices.Contains(others, plain) {
			return seamark.Errorf(seamark.Invalid, "seamark-saved-query-filter", "At position %d, %q is no filter; use %s, each also with not_ before it, or %s.",
				position, clipText(plain), strings.Join(fields, ", "), strings.Join(others, ", "))
		}
		position += len(part) + 1
	}
	return nil
}
