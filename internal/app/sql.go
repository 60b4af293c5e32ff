package app

import (
	"context"
	"io"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/sql"
)

// openSQL makes what answers SQL.
func (a *App) openSQL() error {
	var err error
	a.sql, err = sql.New(sql.Options{Engine: store.NewSQL(a.store), Limits: a.opts.SQL})
	return err
}

// sqlRoutes returns the routes of the SQL workspace.
func (a *App) sqlRoutes() []httpx.Route {
	return api.SQLRoutes(api.SQLOptions{Runner: sqlAPI{a.sql, a.turns}, StallTimeout: a.opts.Export.StallTimeout, Logger: a.log})
}

// sqlAPI shows the SQL workspace in the API's words. It implements api.SQLRunner.
type sqlAPI struct {
	runner *sql.Runner
	turns
}

func (s sqlAPI) OpenSQL(ctx context.Context, scope seamark.Scope, q api.SQLQuery) (io.ReadCloser, error) {
	prepared, err := s.runner.Prepare(scope, sql.Query{SQL: q.Query, Parameters: q.Parameters, Format: sqlFormat(q.Format)})
	if err != nil {
		return nil, err
	}
	ctx, done, err := s.begin(ctx, sqlWants(prepared))
	if err != nil {
		return nil, err
	}
	answer, err := prepared.Open(ctx)
	if err != nil {
		done()
		return nil, err
	}
	return newTurnedAnswer(ctx, answer, done), nil
}

// sqlWants says what a statement reads. Its range stands anywhere in its text, so the engine's index analysis tells how much it is.
func sqlWants(p *sql.Prepared) admit.Want {
	signals := p.Signals()
	if len(signals) == 0 {
		return light
	}
	return admit.Want{Signals: signals, Narrow: func(ctx context.Context) (admit.Estimate, error) {
		e := admit.Estimate{Narrowed: true}
		list, err := p.Estimate(ctx)
		for _, of := range list {
			e.Rows, e.Bytes = e.Rows+of.Rows, e.Bytes+of.Bytes
		}
		return e, err
	}}
}

func sqlFormat(name string) store.SQLFormat {
	switch name {
	case "ndjson":
		return store.SQLNDJSON
	case "csv":
		return store.SQLCSV
	case "arrow":
		return store.SQLArrow
	case "parquet":
		return store.SQLParquet
	}
	return store.SQLJSON
}

func (s sqlAPI) ExplainSQL(ctx context.Context, scope seamark.Scope, q api.SQLQuery) (*api.SQLPlan, error) {
	prepared, err := s.runner.Prepare(scope, sql.Query{SQL: q.Query, Parameters: q.Parameters})
	if err != nil {
		return nil, err
	}
	ctx, done, err := s.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	plan, err := prepared.Explain(ctx)
	if err != nil {
		return nil, err
	}
	shown := &api.SQLPlan{Plan: plan.Plan, Tables: make([]api.SQLTable, len(plan.Estimates))}
	for i, e := range plan.Estimates {
		shown.Tables[i] = api.SQLTable{Table: e.Table, Rows: e.Rows, Marks: e.Marks, Parts: e.Parts, Bytes: e.Bytes}
		shown.Rows, shown.Marks, shown.Parts, shown.Bytes = shown.Rows+e.Rows, shown.Marks+e.Marks, shown.Parts+e.Parts, shown.Bytes+e.Bytes
	}
	return shown, nil
}

// SQLViews implements api.SQLRunner.
func (s sqlAPI) SQLViews() []api.SQLView {
	var list []api.SQLView
	for _, v := range store.SQLViews() {
		shown := api.SQLView{Name: v.Name, Comment: v.Comment, Examples: v.Examples}
		for _, c := range v.Columns {
			shown.Columns = append(shown.Columns, api.SQLColumn{Name: c.Name, Type: c.Type, Comment: c.Comment})
		}
		list = append(list, shown)
	}
	return list
}
