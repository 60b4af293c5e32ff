package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// openChanges opens the change log.
func (a *App) openChanges(ctx context.Context) error {
	l, err := tenant.OpenChangeLog(ctx, tenant.ChangeLogOptions{
		JS: a.js, Replicas: a.opts.NATS.Replicas, Retention: a.opts.Tenants.ChangeRetention, Now: a.opts.Now,
		Living: func(id seamark.TenantID) bool {
			_, err := a.directory.FindTenant(context.Background(), id)
			return err == nil
		},
	})
	if err != nil {
		return err
	}
	a.changes = l
	return nil
}

// operatorTenants begins the paths of operators' routes for one tenant.
const operatorTenants = "/api/v1/tenants/:id"

// tellChanged puts a request to a changing route on record. A change that was made cannot be undone because its record
// could not be written: that is an error in our log and a counter to alert on.
func (a *App) tellChanged(r *httpx.Request, route *httpx.Route, status int, err *seamark.Error) {
	who := r.Principal
	if who.Kind == 0 {
		who = r.Change.Principal
	}
	c := tenant.Change{
		Tenant: who.Tenant, Actor: tenant.ActorOf(who), Action: route.ChangeAction(), Object: r.ChangeObject(route), Result: tenant.ChangeDone,
		Status: status, ClientIP: r.ClientIP(), RequestID: r.ID,
	}
	if c.Actor.Login == "" {
		c.Actor.Login = r.Change.Login
	}
	switch {
	case r.Change.Tenant != "":
		c.Tenant = r.Change.Tenant
	case who.Operator && strings.HasPrefix(route.Path, operatorTenants):
		c.Tenant, _ = seamark.ParseTenantID(r.Param("id"))
	}
	if err != nil {
		c.Result = err.ID
	}
	if err == nil && !r.Change.Private {
		found, derr := tenant.Compare(r.Change.Before, r.Change.After)
		if derr != nil {
			a.log.ErrorContext(r.Context(), "the documents of a change cannot be compared", slog.String("action", c.Action), slog.Any("err", derr))
		}
		c.Differences, c.DifferencesTruncated = found.List, found.Truncated
	}
	for digest, doc := range map[*string]any{&c.Before: r.Change.Before, &c.After: r.Change.After} {
		if doc == nil {
			continue
		}
		text, derr := tenant.Digest(doc)
		if derr != nil {
			a.log.ErrorContext(r.Context(), "the document of a change has no digest", slog.String("action", c.Action), slog.Any("err", derr))
		}
		*digest = text
	}
	if rerr := a.changes.Record(r.Context(), c); rerr != nil {
		a.lostChanges.Inc()
		a.log.ErrorContext(r.Context(), "a change is not on record", slog.String("action", c.Action), slog.String("object", tenant.MaskTokens(c.Object)),
			slog.String("tenant", string(c.Tenant)), slog.String("result", c.Result), slog.String("request_id", c.RequestID), slog.Any("err", rerr))
	}
}

// changeAPI shows the change log in the API's words.
type changeAPI struct{ *tenant.ChangeLog }

// ListChanges implements api.ChangeReader.
func (c changeAPI) ListChanges(ctx context.Context, q api.ChangeQuery) (api.ChangePage, error) {
	page, err := c.List(ctx, tenant.ChangeQuery{
		Tenant: q.Tenant, About: q.About, Actor: q.Actor, Action: q.Action, Object: q.Object, Result: q.Result,
		Since: q.Since, Until: q.Until, Limit: q.Limit, Backlog: q.Before,
	})
	if err != nil {
		return api.ChangePage{}, err
	}
	out := api.ChangePage{Items: make([]api.Change, len(page.Records)), Next: page.Next}
	for i := range page.Records {
		r := &page.Records[i]
		differences := make([]api.ChangeDifference, len(r.Differences))
		for j, d := range r.Differences {
			differences[j] = api.ChangeDifference{Path: d.Path, Before: jsonText(d.Before), After: jsonText(d.After)}
		}
		out.Items[i] = api.Change{
			Number: r.Number, Time: r.Time, Tenant: string(r.Tenant), Actor: api.ChangeActor(r.Actor), Action: r.Action, Object: r.Object,
			Before: r.Before, After: r.After, Result: r.Result, Status: r.Status, ClientIP: r.ClientIP, RequestID: r.RequestID,
			Differences: differences, DifferencesTruncated: r.DifferencesTruncated,
			Suppressed: r.Suppressed, Previous: r.Previous, Hash: r.Hash,
		}
	}
	return out, nil
}

// jsonText returns JSON as text, nil where there is none.
func jsonText(value json.RawMessage) *string {
	if value == nil {
		return nil
	}
	return new(string(value))
}

// VerifyChanges implements api.ChangeReader.
func (c changeAPI) VerifyChanges(ctx context.Context, id seamark.TenantID) (api.ChangeProof, error) {
	p, err := c.Verify(ctx, id)
	return api.ChangeProof{Records: p.Records, First: p.First, Last: p.Last, Head: p.Head, Fault: p.Fault}, err
}
