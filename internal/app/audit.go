package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/audit"
)

// openAudit makes the search of audit logs.
func (a *App) openAudit() (err error) {
	a.audit, err = audit.New(audit.Options{Store: a.store, Limits: a.opts.Query.Audit})
	return err
}

// auditRoutes returns the routes for audit logs.
func (a *App) auditRoutes() []httpx.Route {
	return api.AuditRoutes(auditAPI{a.audit, a.turns}, a.opts.Now)
}

// auditAPI shows the search of audit logs in the API's words. It implements api.AuditSearcher.
type auditAPI struct {
	searcher *audit.Searcher
	turns
}

func (a auditAPI) ListAudit(ctx context.Context, scope seamark.Scope, q api.AuditListQuery) (page api.AuditPage, err error) {
	ctx, done, err := a.begin(ctx, wants(q.Filter.Range, seamark.Logs))
	if err != nil {
		return page, err
	}
	defer done()
	found, err := a.within(scope).List(ctx, scope.Tenant, audit.ListQuery{Filter: audit.Filter(q.Filter), After: (*store.AuditPlace)(q.After), Limit: q.Limit})
	for i := range found.Records {
		page.Records = append(page.Records, auditRecordOf(&found.Records[i]))
	}
	page.Next = (*api.AuditPlace)(found.Next)
	return page, err
}

func auditRecordOf(r *store.AuditRecord) api.AuditRecord {
	return api.AuditRecord{
		Time: r.Time.UTC(), AuditID: r.ID, Stage: r.Stage, Cluster: r.Field(store.AuditCluster), User: r.Field(store.AuditUser),
		Impersonated: r.Field(store.AuditImpersonated), SourceIP: r.Field(store.AuditSourceIP), UserAgent: r.Field(store.AuditUserAgent),
		Verb: r.Field(store.AuditVerb), APIGroup: r.Field(store.AuditAPIGroup), Resource: r.Field(store.AuditResource),
		Subresource: r.Field(store.AuditSubresource), Namespace: r.Field(store.AuditNamespace), Name: r.Field(store.AuditName), URI: r.URI,
		Code: r.Field(store.AuditCode), Decision: r.Field(store.AuditDecision), Reason: r.Reason,
	}
}

func (a auditAPI) AuditClients(ctx context.Context, scope seamark.Scope, q api.AuditClientsQuery) (*api.AuditClients, error) {
	ctx, done, err := a.begin(ctx, wants(q.Filter.Range, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	if len(q.By) == 0 {
		q.By = []string{store.AuditUser.String(), store.AuditVerb.String(), store.AuditResource.String()}
	}
	found, err := a.within(scope).Clients(ctx, scope.Tenant, audit.ClientsQuery{Filter: audit.Filter(q.Filter), By: q.By, Order: q.Order, Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	clients := &api.AuditClients{Entries: found.Entries, Total: api.AuditCount(found.Total), Items: make([]api.AuditClient, len(found.List))}
	for i, c := range found.List {
		values := make(map[string]string, len(q.By))
		for k, name := range q.By {
			values[name] = c.Values[k]
		}
		clients.Items[i] = api.AuditClient{Values: values, AuditCount: api.AuditCount(c.AuditCount), First: c.First.UTC(), Last: c.Last.UTC()}
	}
	return clients, nil
}

func (a auditAPI) AuditListings(ctx context.Context, scope seamark.Scope, f api.AuditFilter, order string, limit int) (*api.AuditListings, error) {
	ctx, done, err := a.begin(ctx, wants(f.Range, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	found, entries, err := a.within(scope).Lists(ctx, scope.Tenant, audit.Filter(f), order, limit)
	if err != nil {
		return nil, err
	}
	lists := &api.AuditListings{Entries: entries, Items: make([]api.AuditListing, len(found))}
	for i, l := range found {
		lists.Items[i] = api.AuditListing{
			Cluster: l.Cluster, Namespace: l.Namespace, User: l.User, UserAgent: l.UserAgent, APIGroup: l.APIGroup, Resource: l.Resource,
			Count: l.Count, Unpaged: l.Unpaged, Uncached: l.Uncached, Total: l.Total.Seconds(), Median: l.Median.Seconds(), P95: l.P95.Seconds(),
			Slowest: l.Slowest.Seconds(), MostItems: l.MostItems, MostBytes: l.MostBytes, URI: l.URI, Last: l.Last.UTC(),
		}
	}
	return lists, nil
}

func (a auditAPI) AuditWrites(ctx context.Context, scope seamark.Scope, r seamark.TimeRange, o api.AuditObject, limit int) (list []api.AuditWrite, truncated bool, err error) {
	ctx, done, err := a.begin(ctx, wants(r, seamark.Logs))
	if err != nil {
		return nil, false, err
	}
	defer done()
	found, truncated, err := a.within(scope).Writes(ctx, scope.Tenant, r, audit.Object(o), limit)
	for i := range found {
		w := api.AuditWrite{AuditRecord: auditRecordOf(&found[i].AuditRecord), Known: string(found[i].Known), Truncated: found[i].Truncated}
		for _, d := range found[i].Differences {
			w.Differences = append(w.Differences, api.AuditDifference(d))
		}
		list = append(list, w)
	}
	return list, truncated, err
}
