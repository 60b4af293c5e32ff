package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/promql"
)

// openAdmission makes what decides when queries run.
func (a *App) openAdmission(ctx context.Context) error {
	o := &a.opts.Query
	a.sizes = newSizes(a.store, a.opts.Now, a.log)
	spending, err := bus.OpenDocs[admit.Spending](ctx, a.js, "seamark_query_spending", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	share, err := admit.NewShare(admit.ShareOptions{Node: a.node, Docs: spending, Logger: a.log, Now: a.opts.Now})
	if err != nil {
		return err
	}
	a.admission, err = admit.New(admit.Options{
		MaxConcurrent: o.MaxConcurrent, MaxScans: o.MaxScans, ScanBytes: uint64(o.ScanBytes), MaxInflightBytes: uint64(o.MaxInflightBytes),
		MaxQueued: o.MaxQueued, Patience: o.MaxWait, Off: !o.Admission,
		Limits: a.queryLimits, Estimate: a.sizes.estimate, Patiently: patience{idle: a.opts.Link != nil && a.opts.Link.Lifeline}.run, Nodes: share.Nodes, Registerer: a.registry, Now: a.opts.Now,
		Refuse: []func(*admit.Query) error{a.checkQuarantine}, Ended: []func(context.Context, *admit.Query, error){a.queryEnded},
	})
	if err != nil {
		return err
	}
	a.turns = turns{a.opts.Query.Timeout}
	if o.Admission {
		a.background("query budgets", func(ctx context.Context) error { return share.Run(ctx, a.admission) })
	}
	return nil
}

// queryLimits returns what a tenant's queries may take, and where each limit comes from.
func (a *App) queryLimits(id seamark.TenantID) (admit.Limits, func(field string) string) {
	allowance := a.directory.Allowance(id, "")
	return allowance.Tenant().Fill(a.opts.Quota), func(field string) string { return originsOf(&allowance)[field] }
}

// unadmitted are routes of query languages that read nothing, or that stay open for as long as somebody looks.
var unadmitted = []string{"/buildinfo", "/format_query", "/parse_query", "/tail"}

// admitted has each request of a query language's routes be one query: on the list of those that run, bounded, and answered with
// what it cost.
func (a *App) admitted(language string, routes []httpx.Route) []httpx.Route {
	for i := range routes {
		r := &routes[i]
		if r.Protocol != "" || strings.HasPrefix(path.Base(r.Path), ":") && r.Method != http.MethodGet || isUnadmitted(r.Path) {
			continue
		}
		r.Handler = a.query(language, r.Handler)
	}
	return routes
}

func isUnadmitted(route string) bool {
	for _, end := range unadmitted {
		if strings.HasSuffix(route, end) {
			return true
		}
	}
	return false
}

// query begins a query, runs its handler and ends it.
func (a *App) query(language string, handle httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *httpx.Request) error {
		class, source := classOf(r.Request)
		request := admit.Request{Tenant: r.Principal.Tenant, Class: class, Language: language, Text: textOf(r.Request), Actor: actorOf(r.Principal), Source: source, Streamed: isExport(r.Request)}
		if job := jobOf(r.Context()); job != nil {
			request.Class, request.Source, request.Job = admit.ExportQuery, "job:"+job.ID, job.ID
		}
		ctx, q := a.admission.Begin(r.Context(), request)
		if job, ok := w.(*jobWriter); ok {
			job.query.Store(q)
		}
		answer := newCostWriter(w, q)
		r.Request = r.WithContext(ctx)
		err := q.Outcome(q.Run(func() error { return handle(answer, r) }))
		answer.finish(err)
		a.admission.End(ctx, q, err)
		return err
	}
}

// actorOf names who asks: a login, or the key id of a token.
func actorOf(p seamark.Principal) string {
	if p.Login != "" {
		return p.Login
	}
	return p.CredentialID
}

// The headers by which senders say what a query is for. They can only tell among the classes of what people ask: rules are ours.
const (
	classHeader  = "Seamark-Query-Class"  // dashboard, adhoc or export
	sourceHeader = "Seamark-Query-Source" // such as dashboard:<uid>/<panel>
)

// maxSourceBytes bounds what is kept of a sender's words about itself.
const maxSourceBytes = 200

// classOf returns what a request is for: what our header says, or what Grafana's do.
func classOf(r *http.Request) (class admit.Class, source string) {
	class, source = admit.AdHocQuery, clipped(r.Header.Get(sourceHeader))
	if uid := r.Header.Get("X-Dashboard-Uid"); uid != "" {
		class = admit.DashboardQuery
		if source == "" {
			source = clipped("dashboard:" + uid + "/" + r.Header.Get("X-Panel-Id"))
		}
	}
	switch r.Header.Get(classHeader) {
	case admit.DashboardQuery.String():
		class = admit.DashboardQuery
	case admit.AdHocQuery.String():
		class = admit.AdHocQuery
	case admit.ExportQuery.String():
		class = admit.ExportQuery
	}
	if isExport(r) || isBacktest(r) {
		class = admit.ExportQuery
	}
	return class, source
}

func isExport(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/export") }

// isBacktest says that a request reads a long range by its nature.
func isBacktest(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/alerting/backtest") }

func clipped(s string) string {
	if len(s) > maxSourceBytes {
		s = s[:maxSourceBytes]
	}
	return strings.ToValidUTF8(s, "")
}

// maxPeekedBytes bounds the form that a query's text is looked up in; the API's own bound of forms is the same.
const maxPeekedBytes = 1 << 20

// textOf returns what a request asks, or its path where it asks in no language.
func textOf(r *http.Request) string {
	if r.Method == http.MethodPost {
		if text := textOfBody(r); text != "" {
			return text
		}
	}
	if text := r.URL.Query().Get("query"); text != "" {
		return text
	}
	if r.URL.RawQuery == "" {
		return r.URL.Path
	}
	return r.URL.Path + "?" + r.URL.RawQuery
}

// textOfBody returns the query of a form or of a JSON document. The handler reads the body by itself, with its own errors.
func textOfBody(r *http.Request) string {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	if kind != "application/x-www-form-urlencoded" && kind != "application/json" {
		return ""
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, maxPeekedBytes))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	r.Body = peeked{io.MultiReader(bytes.NewReader(head), rest), r.Body}
	if kind == "application/json" {
		var document struct {
			Query string `json:"query"`
		}
		_ = json.Unmarshal(head, &document) // the handler tells what is wrong with it
		return document.Query
	}
	form, _ := url.ParseQuery(string(head))
	return form.Get("query")
}

// peeked is a body whose beginning was read already.
type peeked struct {
	io.Reader
	io.Closer
}

// failing is where reading a body has failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// turns has queries of all languages wait for their place, and bounds their time.
type turns struct{ timeout time.Duration }

// begin waits for a place for the query that ctx works for and returns its context, whose time has begun with the wait. Unless it
// fails, done gives the place back.
func (t turns) begin(ctx context.Context, want admit.Want) (within context.Context, done func(), err error) {
	q, timeout := admit.From(ctx), t.timeout
	if job := jobOf(ctx); job != nil {
		timeout = job.Timeout
		ctx = promql.WithPatience(ctx, timeout)
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	if err := q.Enter(within, want); err != nil {
		cancel()
		return nil, nil, err
	}
	return within, func() { cancel(); q.Leave() }, nil
}

// wants returns what a query reads: signals of a range.
func wants(r seamark.TimeRange, signals ...seamark.Signal) admit.Want {
	return admit.Want{Signals: signals, Start: r.Start, End: r.End}
}

// light is a query that memory or small tables answer.
var light = admit.Want{Light: true}

// work runs what is a query of its own and no request: a rule.
func (a *App) work(ctx context.Context, r admit.Request, want admit.Want, run func(ctx context.Context) error) error {
	ctx, q := a.admission.Begin(ctx, r)
	err := q.Enter(ctx, want)
	if err == nil {
		err = q.Outcome(run(ctx))
	}
	a.admission.End(ctx, q, err)
	return err
}
