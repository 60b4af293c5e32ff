package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Change is one record of the change log. It is not a record of Kubernetes' audit log, which tenants push and search
// under /api/v1/audit.
type Change struct {
	Number               uint64             `json:"number"`
	Time                 time.Time          `json:"time"`
	Tenant               string             `json:"tenant"` // whose thing was changed; empty for the installation's
	Actor                ChangeActor        `json:"actor"`
	Action               string             `json:"action"`
	Object               string             `json:"object"`
	Before               string             `json:"before"` // digests; empty where there is none
	After                string             `json:"after"`
	Differences          []ChangeDifference `json:"differences"`           // empty where none is known
	DifferencesTruncated bool               `json:"differences_truncated"` // there are more of them
	Result               string             `json:"result"`
	Status               int                `json:"status"` // 0 where no request was answered
	ClientIP             string             `json:"client_ip"`
	RequestID            string             `json:"request_id"`
	Suppressed           uint64             `json:"suppressed"` // refusals before this one that were only counted
	Previous             string             `json:"previous"`   // digest of the record before
	Hash                 string             `json:"hash"`       // digest of this one
}

// ChangeDifference is one place of a document that was changed. Before and After are JSON as text, nil where the place was not
// there.
type ChangeDifference struct {
	Path   string  `json:"path"`
	Before *string `json:"before"`
	After  *string `json:"after"`
}

// ChangeActor is who made a change.
type ChangeActor struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Login string `json:"login"`
}

// ChangeQuery selects records of the change log.
type ChangeQuery struct {
	Tenant                        seamark.TenantID // whose chain; "" is the installation's
	About                         seamark.TenantID // of the installation's chain, what concerns this tenant
	Actor, Action, Object, Result string
	Since, Until                  time.Time
	Limit                         int
	Before                        uint64 // where the page before ended; 0 begins at the newest
}

// ChangePage is a page of records, newest first. Next is where the next page begins, 0 when there is none.
type ChangePage struct {
	Items []Change
	Next  uint64
}

// ChangeProof says whether a chain of records is whole.
type ChangeProof struct {
	Records uint64 `json:"records"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Head    string `json:"head"`
	Fault   string `json:"fault"`
}

// ChangeReader reads the change log.
type ChangeReader interface {
	ListChanges(ctx context.Context, q ChangeQuery) (ChangePage, error)
	// VerifyChanges reads the whole chain of a tenant, or the installation's for "".
	VerifyChanges(ctx context.Context, tenant seamark.TenantID) (ChangeProof, error)
}

// ChangeRoutes returns the routes of the change log. Tenants read their own chain; operators read the installation's.
func ChangeRoutes(reader ChangeReader) []httpx.Route {
	const path, read = "/api/v1/changes", "changes:read"
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			q, err := parseChangeQuery(r.Principal, r.URL.Query())
			if err != nil {
				return err
			}
			page, err := r.Page(httpx.DefaultPageEntries, httpx.MaxPageEntries)
			if err != nil {
				return err
			}
			q.Limit = page.Limit
			if page.After != "" {
				if q.Before, err = strconv.ParseUint(page.After, 36, 64); err != nil {
					return seamark.Errorf(seamark.Invalid, "seamark-change-cursor", "The cursor is not one of this list. Begin without one.")
				}
			}
			found, err := reader.ListChanges(r.Context(), q)
			if err != nil {
				return err
			}
			list := httpx.List[Change]{Items: found.Items}
			if found.Next > 0 {
				list.NextCursor = page.Cursor(strconv.FormatUint(found.Next, 36))
			}
			return httpx.WriteJSON(w, http.StatusOK, list)
		}},
		{Method: http.MethodGet, Path: path + "/proof", Permission: read, Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			proof, err := reader.VerifyChanges(r.Context(), r.Tenant())
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, proof)
		}},
	}
}

func parseChangeQuery(p seamark.Principal, in url.Values) (q ChangeQuery, err error) {
	q = ChangeQuery{Tenant: p.Tenant, Actor: in.Get("actor"), Action: in.Get("action"), Object: in.Get("object"), Result: in.Get("result")}
	if about := in.Get("tenant"); about != "" {
		if !p.Operator {
			return q, seamark.Errorf(seamark.Invalid, "seamark-change-parameter", "The parameter tenant is for operators; you see your own tenant's changes.")
		}
		if q.About, err = seamark.ParseTenantID(about); err != nil {
			return q, err
		}
	}
	for name, into := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if text := in.Get(name); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return q, seamark.Errorf(seamark.Invalid, "seamark-change-parameter", "The parameter %s is no time of RFC 3339, such as 2026-01-02T15:04:05Z.", name)
			}
		}
	}
	return q, nil
}
