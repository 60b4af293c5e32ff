package app

import (
	"context"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/sql"
	"github.com/seamarkhq/seamark/tenant"
)

// openSavedQueries makes the tenants' saved queries known to this process.
func (a *App) openSavedQueries(ctx context.Context) error {
	checkSQL, err := sql.NewChecker(sql.DefaultLimits().Statement)
	if err != nil {
		return err
	}
	queries, err := tenant.OpenSavedQueries(ctx, a.directory, func(language tenant.QueryLanguage, text string) error {
		if language == tenant.SQL {
			return checkSQL(text)
		}
		return checkQuery(language, text)
	})
	if err != nil {
		return err
	}
	a.savedQueries = queries
	a.defers("saved queries", queries.Close)
	return nil
}

// checkQuery tells what is wrong with a text in a language other than SQL, with the place where the language's parser knows one.
func checkQuery(language tenant.QueryLanguage, text string) error {
	text = withoutMacros(language, text)
	switch language {
	case tenant.PromQL:
		if _, err := promql.NewParser().ParseExpr(text); err != nil {
			return seamark.Errorf(seamark.Invalid, "seamark-saved-query-syntax", "The query is no PromQL: %s.", err)
		}
		return nil
	case tenant.LogQL:
		_, err := logql.Parse(text)
		return err
	case tenant.EventsQuery:
		return api.CheckEventQuery(text)
	case tenant.AuditQuery:
		return api.CheckAuditQuery(text)
	}
	return seamark.Errorf(seamark.Invalid, "seamark-saved-query-syntax", "The language %q is unknown.", language)
}

// grafanaMacros are what Grafana and the console put a duration or a number in for when a query runs, the longer of two names
// first (Grafana's global variables). The stand-ins are values of their kind.
func grafanaMacros() [][2]string {
	return [][2]string{
		{"$__rate_interval_ms", "1000"}, {"$__rate_interval", "1m"}, {"$__interval_ms", "1000"}, {"$__interval", "1m"},
		{"$__range_ms", "1000"}, {"$__range_s", "1000"}, {"$__range", "1m"}, {"$__auto", "1m"},
	}
}

// withoutMacros puts values in for Grafana's macros, so that the rest can be parsed. Spaces fill them up: what the parser says of
// places is of the text that was sent.
func withoutMacros(language tenant.QueryLanguage, text string) string {
	if language != tenant.PromQL && language != tenant.LogQL || !strings.Contains(text, "__") {
		return text
	}
	var pairs []string
	for _, m := range grafanaMacros() {
		braces := "${" + m[0][1:] + "}"
		pairs = append(pairs, m[0], m[1]+strings.Repeat(" ", len(m[0])-len(m[1])), braces, m[1]+strings.Repeat(" ", len(braces)-len(m[1])))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// savedQueryAPI shows saved queries in the API's words. It implements api.SavedQueries.
type savedQueryAPI struct{ queries *tenant.SavedQueries }

func savedQueryOf(q *tenant.SavedQuery) api.SavedQuery {
	out := api.SavedQuery{
		ID: q.ID, Owner: api.SavedQueryOwner(q.Owner), Created: q.Created, Updated: q.Updated,
		SavedQueryFields: api.SavedQueryFields{
			Name: q.Name, Description: q.Description, Language: string(q.Language), Query: q.Query, Tags: q.Tags, Visibility: string(q.Visibility),
			RangeSeconds: int64(q.Range / time.Second), StepSeconds: int64(q.Step / time.Second),
		},
	}
	if out.Tags == nil {
		out.Tags = []string{}
	}
	return out
}

func savedQuerySpecOf(f *api.SavedQueryFields, check api.SavedQueryCheck) tenant.SavedQuerySpec {
	return tenant.SavedQuerySpec{
		SavedQueryFields: tenant.SavedQueryFields{
			Name: f.Name, Description: f.Description, Language: tenant.QueryLanguage(f.Language), Query: f.Query, Tags: f.Tags,
			Visibility: tenant.Visibility(f.Visibility), Range: seconds(f.RangeSeconds), Step: seconds(f.StepSeconds),
		},
		Check: savedQueryCheckOf(check),
	}
}

// seconds keeps a number that no duration holds out of bounds, where the directory refuses it.
func seconds(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	return time.Duration(max(-1, min(n, most))) * time.Second
}

func savedQueryCheckOf(check api.SavedQueryCheck) func(tenant.SavedQuery) error {
	if check == nil {
		return nil
	}
	return func(old tenant.SavedQuery) error { return check(savedQueryOf(&old)) }
}

// ListSavedQueries implements api.SavedQueries.
func (s savedQueryAPI) ListSavedQueries(ctx context.Context, actor seamark.Principal) ([]api.SavedQuery, error) {
	found, err := s.queries.List(ctx, actor)
	return savedQueriesOf(found), err
}

func savedQueriesOf(found []tenant.SavedQuery) []api.SavedQuery {
	list := make([]api.SavedQuery, len(found))
	for i := range found {
		list[i] = savedQueryOf(&found[i])
	}
	return list
}

// FindSavedQuery implements api.SavedQueries.
func (s savedQueryAPI) FindSavedQuery(ctx context.Context, actor seamark.Principal, id string) (api.SavedQuery, error) {
	q, err := s.queries.Find(ctx, actor, id)
	return savedQueryOf(&q), err
}

// CreateSavedQuery implements api.SavedQueries.
func (s savedQueryAPI) CreateSavedQuery(ctx context.Context, actor seamark.Principal, f api.SavedQueryFields) (api.SavedQuery, error) {
	q, err := s.queries.Create(ctx, actor, savedQuerySpecOf(&f, nil))
	return savedQueryOf(&q), err
}

// UpdateSavedQuery implements api.SavedQueries.
func (s savedQueryAPI) UpdateSavedQuery(ctx context.Context, actor seamark.Principal, id string, f api.SavedQueryFields, check api.SavedQueryCheck) (api.SavedQuery, error) {
	q, err := s.queries.Update(ctx, actor, id, savedQuerySpecOf(&f, check))
	return savedQueryOf(&q), err
}

// DeleteSavedQuery implements api.SavedQueries.
func (s savedQueryAPI) DeleteSavedQuery(ctx context.Context, actor seamark.Principal, id string, check api.SavedQueryCheck) error {
	return s.queries.Delete(ctx, actor, id, savedQueryCheckOf(check))
}

// ofTenant returns what belongs into a tenant's export: private queries are their owners'.
func (s savedQueryAPI) ofTenant(ctx context.Context, id seamark.TenantID) ([]api.SavedQuery, error) {
	found, err := s.queries.OfTenant(ctx, id)
	return savedQueriesOf(found), err
}
