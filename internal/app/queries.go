package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/quarantine"
)

// Nodes ask each other over core subjects: nothing is stored, and a node that is away is not waited for.
const (
	queriesSubject = "seamark.node.queries"
	// gatherWithin bounds a question to all nodes, gatherQuiet the wait for one more answer.
	gatherWithin = time.Second
	gatherQuiet  = 150 * time.Millisecond
	// shownText is how much of a query's text a list shows.
	shownText = 4096
)

// runningAPI shows the queries of all nodes in the API's words. It implements api.RunningQueries.
type runningAPI struct {
	directoryAPI
	node      string
	admission *admit.Admission
	history   *queryHistory
	nc        *nats.Conn // nil where this process is the only node
	log       *slog.Logger
	now       func() time.Time
}

// queryQuestion is what a node asks the others.
type queryQuestion struct {
	Asker  string
	Cancel string // id of the query to cancel, "" to list
	By     string // who cancels
	Tenant seamark.TenantID
	Filter api.QueryFilter
}

// queryReply is what each of them answers.
type queryReply struct {
	Node     string
	Canceled bool
	Items    []api.RunningQuery
}

// serveQueries answers the questions of other nodes.
func (r *runningAPI) serveQueries() (stop func() error, err error) {
	if r.nc == nil {
		return func() error { return nil }, nil
	}
	told, err := r.nc.Subscribe(queriesSubject, func(m *nats.Msg) {
		var q queryQuestion
		if json.Unmarshal(m.Data, &q) != nil || q.Asker == r.node {
			return
		}
		body, err := json.Marshal(r.answer(&q))
		if err == nil {
			err = m.Respond(body)
		}
		if err != nil {
			r.log.Warn("a question about queries is not answered", "node", q.Asker, "err", err)
		}
	})
	if err != nil {
		return nil, err
	}
	return told.Unsubscribe, nil
}

// answer answers for this node.
func (r *runningAPI) answer(q *queryQuestion) queryReply {
	if q.Cancel != "" {
		return queryReply{Node: r.node, Canceled: r.cancel(q.Tenant, q.Cancel, q.By)}
	}
	var items []api.RunningQuery
	if q.Filter.Done {
		for _, e := range r.history.of(q.Filter.Tenant) {
			items = append(items, r.shownEnded(&e))
		}
	} else {
		running := r.admission.ListAll
		if tenant := q.Filter.Tenant; tenant != "" {
			running = func() []admit.Info { return r.admission.List(tenant) }
		}
		for _, i := range running() {
			items = append(items, r.shown(&i))
		}
	}
	items = slices.DeleteFunc(items, func(item api.RunningQuery) bool {
		return q.Filter.Actor != "" && item.Actor != q.Filter.Actor || q.Filter.ID != "" && item.ID != q.Filter.ID
	})
	return queryReply{Node: r.node, Items: ordered(items, &q.Filter)}
}

// cancel cancels a query on this node; the zero TenantID is for operators.
func (r *runningAPI) cancel(tenant seamark.TenantID, id, by string) bool {
	if tenant != "" {
		return r.admission.CancelBy(tenant, id, by)
	}
	for _, i := range r.admission.ListAll() {
		if i.ID == id {
			return r.admission.CancelBy(i.Request.Tenant, id, by)
		}
	}
	return false
}

// ordered sorts and cuts a list.
func ordered(items []api.RunningQuery, f *api.QueryFilter) []api.RunningQuery {
	measure := map[string]func(q *api.RunningQuery) float64{
		"bytes": func(q *api.RunningQuery) float64 { return float64(q.Bytes) }, "rows": func(q *api.RunningQuery) float64 { return float64(q.Rows) },
		"cpu": func(q *api.RunningQuery) float64 { return q.CPU }, "duration": func(q *api.RunningQuery) float64 { return q.Ran },
	}[f.Sort]
	slices.SortFunc(items, func(a, b api.RunningQuery) int {
		if measure != nil {
			if c := cmp.Compare(measure(&b), measure(&a)); c != 0 {
				return c
			}
		}
		return cmp.Or(b.Begun.Compare(a.Begun), cmp.Compare(a.ID, b.ID))
	})
	return items[:min(len(items), f.Limit)]
}

func (r *runningAPI) shown(i *admit.Info) api.RunningQuery {
	q := r.describe(&i.Request, i.Cost)
	q.ID, q.State, q.Position, q.Over, q.Begun = i.ID, string(i.State), i.Position, i.Over, i.Begun.UTC()
	q.Waited, q.Ran, q.Expects = i.Waited.Seconds(), i.Ran.Seconds(), i.Estimate.Bytes
	return q
}

func (r *runningAPI) shownEnded(e *endedQuery) api.RunningQuery {
	q, ended := r.describe(&e.request, e.cost), e.ended.UTC()
	q.ID, q.State, q.Begun, q.Ended, q.Error = e.id, "done", e.begun.UTC(), &ended, e.fault
	q.Waited, q.Ran = e.waited.Seconds(), max(0, e.ended.Sub(e.begun)-e.waited).Seconds()
	return q
}

func (r *runningAPI) describe(q *admit.Request, c admit.Cost) api.RunningQuery {
	return api.RunningQuery{
		Tenant: q.Tenant, Language: q.Language, Query: cut(q.Text, shownText), Class: q.Class.String(), Actor: q.Actor, Source: q.Source, Job: q.Job, Node: r.node,
		Rows: c.Rows, Bytes: c.Bytes, CPU: float64(c.CPUMicros) / 1e6, Result: c.ResultBytes, Cached: c.CacheBytes,
	}
}

// cut shortens a text and leaves out half a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// ListQueries implements api.RunningQueries.
func (r *runningAPI) ListQueries(ctx context.Context, f api.QueryFilter) ([]api.RunningQuery, int, error) {
	replies, err := r.gather(ctx, &queryQuestion{Filter: f})
	if err != nil {
		return nil, 0, err
	}
	var items []api.RunningQuery
	for i := range replies {
		items = append(items, replies[i].Items...)
	}
	items = ordered(items, &f)
	for i := range items {
		if !f.Operator {
			items[i].Tenant = ""
			continue
		}
		q := &items[i] // an operator's: a tenant's literals, people and dashboards are its own
		q.Query, q.Actor, q.Source = quarantine.Shape(q.Language, q.Query), "", ""
	}
	return items, len(replies), nil
}

// CancelQuery implements api.RunningQueries.
func (r *runningAPI) CancelQuery(ctx context.Context, tenant seamark.TenantID, id, by string) error {
	replies, err := r.gather(ctx, &queryQuestion{Cancel: id, By: by, Tenant: tenant})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(replies, func(r queryReply) bool { return r.Canceled }) {
		return seamark.Errorf(seamark.NotFound, "seamark-query-unknown", "There is no such query, or it has ended.")
	}
	return nil
}

// gather asks all nodes and returns what was answered in time, this node's answer first. A question to cancel is over with the node
// that has the query.
func (r *runningAPI) gather(ctx context.Context, q *queryQuestion) ([]queryReply, error) {
	q.Asker = r.node
	replies := []queryReply{r.answer(q)}
	if r.nc == nil || replies[0].Canceled {
		return replies, nil
	}
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	inbox := r.nc.NewRespInbox()
	answers, err := r.nc.SubscribeSync(inbox)
	if err == nil {
		defer func() { _ = answers.Unsubscribe() }()
		err = r.nc.PublishRequest(queriesSubject, inbox, body)
	}
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Unavailable, "seamark-query-nodes", "The other nodes cannot be asked for their queries right now. Retry in some seconds.")
	}
	ctx, cancel := context.WithTimeout(ctx, gatherWithin)
	defer cancel()
	for {
		quiet, stop := context.WithTimeout(ctx, gatherQuiet)
		msg, err := answers.NextMsgWithContext(quiet)
		stop()
		if err != nil {
			return replies, nil //nolint:nilerr // nobody else answers in time
		}
		var one queryReply
		if json.Unmarshal(msg.Data, &one) == nil {
			replies = append(replies, one)
		}
		if one.Canceled {
			return replies, nil
		}
	}
}

// openQueries makes what shows and cancels queries, remembers those that have ended, and quarantines those that kill the engine.
func (a *App) openQueries(context.Context) error {
	nc := a.nc
	if a.opts.embedsNATS() {
		nc = nil // an embedded bus has one process that answers queries
	}
	a.running = &runningAPI{
		directoryAPI: directoryAPI{a.directory}, node: a.node, admission: a.admission, history: a.history, nc: nc, log: a.log, now: a.opts.Now,
	}
	stop, err := a.running.serveQueries()
	if err != nil {
		return err
	}
	a.defers("questions about queries", func(context.Context) error { return stop() })
	a.forgetDeleted(a.history.forget)
	return nil
}

// queryEnded remembers a query that has ended and what it says of itself: one that ended well is no killer, one whose engine met a
// fault of its own is.
func (a *App) queryEnded(ctx context.Context, q *admit.Query, err error) {
	now := a.opts.Now()
	e := endedQuery{id: q.ID, request: q.Request, begun: q.Begun, ended: now, waited: q.Waited(), cost: q.Cost()}
	if err != nil {
		e.fault = "seamark-internal"
		if known, ok := errors.AsType[*seamark.Error](err); ok {
			e.fault = known.ID
		}
	}
	a.history.add(e)
	a.meterOrigin(&e)
	a.judgeEnded(ctx, &e, err)
}
