package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/jobs"
)

// backgroundPaths are the ends of the routes that take Prefer: respond-async: those whose one answer may take long.
var backgroundPaths = []string{
	"/api/v1/query", "/api/v1/query_range", "/loki/api/v1/query", "/loki/api/v1/query_range", "/api/v1/events", "/api/v1/audit", "/api/v1/sql",
}

// jobsPath is where background jobs are.
const jobsPath = "/api/v1/query-jobs/"

// openJobs makes what runs queries in the background. It comes when the routes are known, which it sends requests to.
func (a *App) openJobs(ctx context.Context) error {
	o := &a.opts.Query.Jobs
	keeper, err := jobs.Open(ctx, jobs.Options{
		JS: a.js, Replicas: a.opts.NATS.Replicas, Node: a.node, Concurrent: o.Concurrent, StoreBytes: o.StoreBytes, Limits: a.jobLimits,
		Stand:   func(ctx context.Context, job *jobs.Job) error { _, err := a.jobOwner(ctx, job); return err },
		Perform: a.performJob, Beat: jobs.DefaultBeat, Lost: jobs.DefaultLost, Logger: a.log, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.jobs = keeper
	return nil
}

// runJobs begins to run background jobs, now that their routes are known.
func (a *App) runJobs() {
	if a.jobs != nil {
		a.background("background jobs", a.jobs.Run)
	}
}

// jobLimits returns what a tenant's background jobs may take.
func (a *App) jobLimits(id seamark.TenantID) jobs.Limits {
	l, _ := a.queryLimits(id)
	limits := a.opts.Query.Jobs.Limits
	for _, f := range []struct {
		quota int64
		set   func(int64)
	}{
		{l.QueryJobSeconds, func(n int64) { limits.Timeout = time.Duration(n) * time.Second }},
		{l.QueryJobQueued, func(n int64) { limits.MaxQueued = int(n) }},
		{l.QueryJobKept, func(n int64) { limits.MaxKept = int(n) }},
		{l.QueryJobKeepSeconds, func(n int64) { limits.Keep = time.Duration(n) * time.Second }},
		{l.QueryJobResultBytes, func(n int64) { limits.MaxResultBytes = n }},
	} {
		if f.quota > 0 {
			f.set(f.quota)
		}
	}
	return limits
}

type jobKey struct{}

// runningJob is a background job that runs here.
type runningJob struct {
	ID      string
	Timeout time.Duration
}

// jobOf returns the background job that ctx works for, or nil.
func jobOf(ctx context.Context) *runningJob {
	job, _ := ctx.Value(jobKey{}).(*runningJob)
	return job
}

// asynchronous has the routes whose answer may take long be sent to the background on demand, and has their refusals for cost say so.
func (a *App) asynchronous(language string, routes []httpx.Route) []httpx.Route {
	for i := range routes {
		if !slices.ContainsFunc(backgroundPaths, func(end string) bool { return strings.HasSuffix(routes[i].Path, end) }) || strings.Contains(routes[i].Path, ":") {
			continue
		}
		route := routes[i]
		handle := route.Handler
		a.jobRoutes[route.Method+" "+route.Path] = route
		routes[i].Handler = func(w http.ResponseWriter, r *httpx.Request) error {
			w.Header().Add("Vary", "Prefer")
			if prefersAsync(r.Header) {
				return a.startJob(w, r, language)
			}
			return a.offerJob(r, handle(w, r))
		}
	}
	return routes
}

// prefersAsync reads the header Prefer (RFC 7240).
func prefersAsync(h http.Header) bool {
	for _, line := range h.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
				return true
			}
		}
	}
	return false
}

// offered are the refusals that a background job may be spared.
var offered = []string{
	"seamark-query-estimate", "seamark-query-bytes", "seamark-query-rows", "seamark-query-seconds", "seamark-query-result", "seamark-query-timeout",
}

// offerJob adds to a refusal for cost that the background is open to the query, and what it may take there.
func (a *App) offerJob(r *httpx.Request, err error) error {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || !slices.Contains(offered, e.ID) {
		return err
	}
	l := a.jobLimits(r.Principal.Tenant)
	all, _ := a.queryLimits(r.Principal.Tenant)
	reads := ""
	if all.QueryJobBytes > 0 {
		reads = "read up to " + admit.Size(float64(all.QueryJobBytes)) + " and "
	}
	told := *e
	told.Message = fmt.Sprintf("%s Or send it again with the header Prefer: respond-async: a background job may %srun for %s, and its result is kept for you.",
		e.Message, reads, humanTime(l.Timeout))
	return &told
}

// humanTime writes whole hours and minutes as such.
func humanTime(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// maxJobBody bounds the form that a job keeps; the keeper's own bound is of all of its request.
const maxJobBody = 32 << 10

// startJob queues a request.
func (a *App) startJob(w http.ResponseWriter, r *httpx.Request, language string) error {
	request := jobs.Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"), Accept: r.Header.Get("Accept"), Language: language,
		Text: cut(textOf(r.Request), shownText),
	}
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxJobBody+1))
		if err != nil {
			return seamark.Wrap(err, seamark.Invalid, "seamark-body-short", "The body could not be read to its end.")
		}
		request.Body = body
	}
	owner := jobs.Owner{Kind: r.Principal.Kind, Credential: r.Principal.CredentialID, Login: r.Principal.Login, Scope: r.Principal.Only.String()}
	job, err := a.jobs.Start(r.Context(), r.Principal.Tenant, owner, request)
	if err != nil {
		return err
	}
	w.Header().Set("Location", jobsPath+job.ID)
	w.Header().Set("Preference-Applied", "respond-async")
	w.Header().Set("Retry-After", "1")
	return httpx.WriteJSON(w, http.StatusAccepted, shownJob(&job))
}

// jobOwner proves that who made a job may still run it, with the scope that they had, and returns the principal.
func (a *App) jobOwner(ctx context.Context, job *jobs.Job) (seamark.Principal, error) {
	p, err := a.directory.Standing(ctx, job.Tenant, job.Owner.Kind, job.Owner.Credential)
	if err != nil {
		return p, err
	}
	route, ok := a.jobRoutes[job.Request.Method+" "+job.Request.Path]
	if !ok {
		return p, seamark.Errorf(seamark.NotFound, "seamark-route-unknown", "There is nothing at %s.", job.Request.Path)
	}
	if err := a.directory.Permit(p, route.Permission); err != nil {
		return p, err
	}
	if p.Only.String() != job.Owner.Scope {
		return p, seamark.Errorf(seamark.Forbidden, "seamark-credential-moved", "What the credential may read was changed. Begin again.")
	}
	return p, nil
}

// performJob sends a job's request to its route and keeps the answer, a refusal too.
func (a *App) performJob(ctx context.Context, job *jobs.Job, result *jobs.Result) error {
	p, err := a.jobOwner(ctx, job)
	if err != nil {
		return err
	}
	route := a.jobRoutes[job.Request.Method+" "+job.Request.Path]
	ctx = context.WithValue(ctx, jobKey{}, &runningJob{job.ID, a.jobLimits(job.Tenant).Timeout})
	sent, err := http.NewRequestWithContext(ctx, job.Request.Method, job.Request.Path+"?"+job.Request.Query, bytes.NewReader(job.Request.Body))
	if err != nil {
		return err
	}
	if job.Request.ContentType != "" {
		sent.Header.Set("Content-Type", job.Request.ContentType)
	}
	if job.Request.Accept != "" {
		sent.Header.Set("Accept", job.Request.Accept)
	}
	r := httpx.Background(sent, p, func() error { _, err := a.jobOwner(ctx, job); return err })
	w := &jobWriter{result: result, header: http.Header{}}
	result.Watch(w.measure)
	if err := route.Handler(w, r); err != nil {
		if w.begun || ctx.Err() != nil || w.err != nil {
			return errors.Join(w.err, err)
		}
		result.Refused(err)
		status, contentType, body := route.Dialect.ErrorAnswer(r, err)
		result.Head(status, contentType)
		_, err = result.Write(body)
		return err
	}
	w.WriteHeader(http.StatusOK)
	return w.err
}

// jobWriter takes a handler's answer for a job.
type jobWriter struct {
	result *jobs.Result
	header http.Header
	begun  bool
	err    error
	query  atomic.Pointer[admit.Query] // of the handler, once it has begun
}

// Header implements http.ResponseWriter.
func (w *jobWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *jobWriter) WriteHeader(status int) {
	if !w.begun && status >= http.StatusOK {
		w.begun = true
		w.result.Head(status, w.header.Get("Content-Type"))
	}
}

// Write implements http.ResponseWriter.
func (w *jobWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	n, err := w.result.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// FlushError implements what http.ResponseController looks for. Nobody waits for what is not yet kept.
func (w *jobWriter) FlushError() error { return w.err }

// measure tells what the job's query has taken.
func (w *jobWriter) measure() jobs.Progress {
	q := w.query.Load()
	if q == nil {
		return jobs.Progress{}
	}
	cost := q.Cost()
	return jobs.Progress{Rows: cost.Rows, Bytes: cost.Bytes, CPUMicros: cost.CPUMicros, EstimateBytes: q.Estimate().Bytes}
}
