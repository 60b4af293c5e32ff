// Package sql answers customers' SQL over the documented views: it checks a statement (package guard), binds the values of its
// parameters, and has the store run it as the tenant's own user of the engine. App serves it.
package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/sql/guard"
)

// Engine runs statements that were checked. *store.SQL implements it.
type Engine interface {
	Open(ctx context.Context, tenant seamark.TenantID, q store.SQLQuery) (*store.SQLAnswer, error)
	Estimate(ctx context.Context, tenant seamark.TenantID, q store.SQLQuery) ([]store.SQLEstimate, error)
	Explain(ctx context.Context, tenant seamark.TenantID, q store.SQLQuery) (*store.SQLPlan, error)
}

// Limits bound one query. What a tenant's plan allows less counts.
type Limits struct {
	Statement guard.Limits
	// Timeout is how long a query may run. Without it one that never ends holds its place for ever.
	Timeout time.Duration
	// MaxReadRows bounds the rows that are read from tables; 0 leaves it to the tenant's plan.
	MaxReadRows uint64
	// MaxRows and MaxBytes bound the answer: a query by mistake fills its reader's disk.
	MaxRows, MaxBytes uint64
}

// DefaultLimits are the limits of `seamark serve`.
func DefaultLimits() Limits {
	return Limits{Statement: guard.DefaultLimits(), Timeout: time.Minute, MaxRows: 5_000_000, MaxBytes: 1 << 30}
}

// Options is what a Runner needs.
type Options struct {
	Engine Engine
	Limits Limits
}

func (o *Options) validate() error {
	l := &o.Limits
	switch {
	case o.Engine == nil:
		return errors.New("sql: Engine is required")
	case l.Timeout <= 0 || l.MaxRows == 0 || l.MaxBytes == 0:
		return errors.New("sql: Timeout, MaxRows and MaxBytes must be positive")
	case l.Statement.MaxBytes <= 0 || l.Statement.MaxDepth <= 0 || l.Statement.MaxViews <= 0:
		return errors.New("sql: the limits of statements must be positive")
	}
	return nil
}

// Runner runs customers' statements. It is safe for concurrent use.
type Runner struct {
	opts  Options
	guard *guard.Guard
}

// New returns a runner.
func New(o Options) (*Runner, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	g, err := newGuard(o.Limits.Statement)
	if err != nil {
		return nil, err
	}
	return &Runner{opts: o, guard: g}, nil
}

func newGuard(limits guard.Limits) (*guard.Guard, error) {
	views := map[string][]string{}
	for _, v := range store.SQLViews() {
		for _, c := range v.Columns {
			views[v.Name] = append(views[v.Name], c.Name)
		}
	}
	g, err := guard.New(limits, views)
	if err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	return g, nil
}

// NewChecker returns what tells whether a statement would be let through to the engine, for those who keep statements and run none.
// The errors are of kind Invalid.
func NewChecker(limits guard.Limits) (func(statement string) error, error) {
	g, err := newGuard(limits)
	if err != nil {
		return nil, err
	}
	return func(statement string) error { _, err := g.Check(statement); return err }, nil
}

// Query is one statement of a customer.
type Query struct {
	SQL string
	// Parameters are the values of the statement's {name:Type}, in JSON.
	Parameters map[string]json.RawMessage
	Format     store.SQLFormat
}

// Prepared is a query that may run, once.
type Prepared struct {
	engine    Engine
	tenant    seamark.TenantID
	statement *guard.Statement
	query     store.SQLQuery
}

// Prepare checks a query and binds its values. It reads nothing.
func (r *Runner) Prepare(scope seamark.Scope, q Query) (*Prepared, error) {
	statement, err := r.guard.Check(q.SQL)
	if err != nil {
		return nil, err
	}
	values, err := bind(statement.Parameters, q.Parameters)
	if err != nil {
		return nil, err
	}
	l := &r.opts.Limits
	return &Prepared{engine: r.opts.Engine, tenant: scope.Tenant, statement: statement, query: store.SQLQuery{
		Statement: statement, Only: scope.Only, Parameters: values, Format: q.Format,
		Limits: store.SQLLimits{Timeout: l.Timeout, MaxReadRows: l.MaxReadRows, MaxRows: l.MaxRows, MaxBytes: l.MaxBytes},
	}}, nil
}

// Signals returns what the query reads of.
func (p *Prepared) Signals() []seamark.Signal {
	var list []seamark.Signal
	for _, name := range p.statement.Views {
		view, _ := store.FindSQLView(name)
		for _, signal := range view.Signals() {
			if !slices.Contains(list, signal) {
				list = append(list, signal)
			}
		}
	}
	return list
}

// Open runs the query and returns when its answer begins. Whoever opens an answer closes it. Reading it fails when the query does, in
// the middle of the answer too.
func (p *Prepared) Open(ctx context.Context) (*store.SQLAnswer, error) {
	answer, err := p.engine.Open(ctx, p.tenant, p.query)
	return answer, placed(p.statement, err)
}

// Estimate says what the query would read at most.
func (p *Prepared) Estimate(ctx context.Context) ([]store.SQLEstimate, error) {
	list, err := p.engine.Estimate(ctx, p.tenant, p.query)
	return list, placed(p.statement, err)
}

// Explain says what the query would read and how.
func (p *Prepared) Explain(ctx context.Context) (*store.SQLPlan, error) {
	plan, err := p.engine.Explain(ctx, p.tenant, p.query)
	return plan, placed(p.statement, err)
}

// placed says where in the customer's text stands what the engine complains about.
func placed(s *guard.Statement, err error) error {
	fault, ok := errors.AsType[*store.SQLFault](err)
	if !ok || fault.Name == "" {
		return err
	}
	line, column := s.Find(fault.Name)
	if line == 0 {
		return err
	}
	return seamark.Wrap(err, seamark.Invalid, "seamark-sql-invalid", "Line %d, column %d: %s", line, column, fault.Message)
}
