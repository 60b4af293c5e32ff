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
	Number     uint64      `json:"number"`
	Time       time.Time   `json:"time"`
	Tenant     string      `json:"tenant"` // whose thing was changed; empty for the installation's
	Actor      ChangeActor `json:"actor"`
	Action     string      `json:"action"`
	Object     string      `json:"object"`
	Before     string      `json:"before"` // digests; empty where there is none
	After      string      `json:"after"`
	Result     string      `json:"result"`
	Status     int         `json:"status"` // 0 where no request was answered
	ClientIP   string      `json:"client_ip"`
	RequestID  string      `json:"request_id"`
	Suppressed uint64      `json:"suppressed"` // refusals before this one that were only counted
	Previous   string      `json:"previous"`   // digest of the record before
	Hash       string      `json:"hash"`       // digest of this one
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
	Cursor                        uint64
}

// ChangePage is a page of records, newest first.
type ChangePage struct {
	Items []Change `json:"items"`
	Next  string   `json:"next"` // the cursor of the next page; empty when there is none
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
			page, err := reader.ListChanges(r.Context(), q)
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, page)
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

const maxChangeLimit = 1000

func parseChangeQuery(p seamark.Principal, in url.Values) (q ChangeQuery, err error) {
	q = ChangeQuery{Tenant: p.Tenant, Actor: in.Get("actor"), Action: in.Get("action"), Object: in.Get("object"), Result: in.Get("result"), Limit: 100}
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
	if text := in.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxChangeLimit {
			return q, seamark.Errorf(seamark.Invalid, "seamark-change-parameter", "The parameter limit must be 1 to %d.", maxChangeLimit)
		}
	}
	if text := in.Get("cursor"); text != "" {
		if q.Cursor, err = strconv.ParseUint(text, 36, 64); err != nil || q.Cursor == 0 {
			return q, seamark.Errorf(seamark.Invalid, "seamark-change-cursor", "The cursor is not one of this list. Begin without one.")
		}
	}
	return q, nil
}

// FormatChangeCursor writes a cursor as the API shows it; "" for 0, which is none.
func FormatChangeCursor(sequence uint64) string {
	if sequence == 0 {
		return ""
	}
	return strconv.FormatUint(sequence, 36)
}
