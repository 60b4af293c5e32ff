package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// QueryJob is a query that runs, or ran, in the background.
type QueryJob struct {
	ID       string         `json:"id"`
	State    string         `json:"state"` // queued, running, done, failed, cancelled or expired
	Language string         `json:"language"`
	Query    string         `json:"query"`
	Path     string         `json:"path"` // the route that it was sent to
	Actor    string         `json:"actor"`
	Created  time.Time      `json:"created_at"`
	Started  *time.Time     `json:"started_at,omitempty"`
	Finished *time.Time     `json:"finished_at,omitempty"`
	Expires  *time.Time     `json:"expires_at,omitempty"` // when its result is deleted
	Node     string         `json:"node,omitempty"`
	Attempt  int            `json:"attempt,omitempty"`
	Progress float64        `json:"progress"` // 0 to 1: bytes read of those expected
	Rows     uint64         `json:"rows"`
	Bytes    uint64         `json:"bytes"`
	CPU      float64        `json:"cpu_seconds"`
	Expects  uint64         `json:"estimate_bytes,omitempty"`
	Result   *QueryJobReply `json:"result,omitempty"` // of one that was answered
	Error    *QueryJobFault `json:"error,omitempty"`  // of one that failed or was cancelled
}

// QueryJobReply describes a kept answer.
type QueryJobReply struct {
	Status      int    `json:"status"` // of HTTP
	ContentType string `json:"content_type"`
	Bytes       int64  `json:"bytes"`
}

// QueryJobFault is why a job failed.
type QueryJobFault struct {
	ID     string `json:"id"`
	Detail string `json:"detail"`
}

// QueryJobs keeps queries in the background. What is not the scope's is NotFound: a job made by who could read more, or something
// else, than the reader.
type QueryJobs interface {
	// ListQueryJobs returns the jobs, the newest first; of one actor unless it is "".
	ListQueryJobs(ctx context.Context, scope seamark.Scope, actor string) ([]QueryJob, error)
	FindQueryJob(ctx context.Context, scope seamark.Scope, actor, id string) (QueryJob, error)
	// RemoveQueryJob cancels a job that waits or runs in somebody's name, and deletes one that has ended.
	RemoveQueryJob(ctx context.Context, tenant seamark.TenantID, id, by string) error
	// WriteResult writes what a job was answered; begin is called before the first byte.
	WriteResult(ctx context.Context, tenant seamark.TenantID, id string, w http.ResponseWriter, begin func(QueryJobReply)) error
	Permit(p seamark.Principal, permission string) error
}

// QueryJobRoutes returns the routes for queries in the background. They begin on the routes of the query languages, with the header
// Prefer: respond-async.
func QueryJobRoutes(jobs QueryJobs) []httpx.Route {
	h := jobHandlers{jobs}
	const all, one = "/api/v1/query-jobs", "/api/v1/query-jobs/:id"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: readOwnQueries, HonoursScope: true, Handler: h.list},
		{Method: http.MethodGet, Path: one, Permission: readOwnQueries, HonoursScope: true, Handler: h.find},
		{Method: http.MethodGet, Path: one + "/result", Permission: readOwnQueries, HonoursScope: true, Handler: h.result},
		{Method: http.MethodDelete, Path: one, Permission: readOwnQueries, HonoursScope: true, Action: "query_job.delete", Handler: h.remove},
	}
}

type jobHandlers struct{ jobs QueryJobs }

func (h jobHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.jobs.ListQueryJobs(r.Context(), r.Scope(), whose(h.jobs, r, readAll))
	if err != nil {
		return err
	}
	page, err := httpx.Paginate(r, newestLast(list), func(j *QueryJob) string { return j.ID })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

// newestLast turns a list of the newest first into the order of ids, which pages go by.
func newestLast(list []QueryJob) []QueryJob {
	turned := make([]QueryJob, len(list))
	for i := range list {
		turned[len(list)-1-i] = list[i]
	}
	return turned
}

func (h jobHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	job, err := h.jobs.FindQueryJob(r.Context(), r.Scope(), whose(h.jobs, r, readAll), r.Param("id"))
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, job)
}

func (h jobHandlers) result(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	if _, err := h.jobs.FindQueryJob(r.Context(), r.Scope(), whose(h.jobs, r, readAll), id); err != nil {
		return err
	}
	return h.jobs.WriteResult(r.Context(), r.Principal.Tenant, id, w, func(reply QueryJobReply) {
		if reply.ContentType != "" {
			w.Header().Set("Content-Type", reply.ContentType)
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(reply.Status)
	})
}

func (h jobHandlers) remove(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	job, err := h.jobs.FindQueryJob(r.Context(), r.Scope(), whose(h.jobs, r, readAll), id)
	if err != nil {
		return err
	}
	if may := whose(h.jobs, r, cancelAll); may != "" && may != job.Actor {
		return h.jobs.Permit(r.Principal, cancelAll)
	}
	if err := h.jobs.RemoveQueryJob(r.Context(), r.Principal.Tenant, id, actorOf(r.Principal)); err != nil {
		return err
	}
	r.Change.Object = "query_job/" + id
	w.WriteHeader(http.StatusNoContent)
	return nil
}
