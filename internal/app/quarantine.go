package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/quarantine"
)

// victimsWithin is how long a query that lost its engine is remembered as one of those that were under way: its connection breaks
// some milliseconds before the supervisor hears of the child's end.
const victimsWithin = 3 * time.Second

// maxVictims bounds them.
const maxVictims = 1000

// victims are queries that have just lost their engine. It is safe for concurrent use.
type victims struct {
	mu   sync.Mutex // guards list
	list []victim
}

type victim struct {
	at time.Time
	quarantine.Suspect
}

func (v *victims) add(now time.Time, s quarantine.Suspect) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dropLocked(now)
	if len(v.list) < maxVictims {
		v.list = append(v.list, victim{now, s})
	}
}

func (v *victims) dropLocked(now time.Time) {
	gone := 0
	for gone < len(v.list) && now.Sub(v.list[gone].at) > victimsWithin {
		gone++
	}
	v.list = v.list[gone:]
}

// take returns the victims of the last moments and forgets them.
func (v *victims) take(now time.Time) (list []quarantine.Suspect) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dropLocked(now)
	for _, one := range v.list {
		list = append(list, one.Suspect)
	}
	v.list = nil
	return list
}

// openQuarantine makes what refuses queries that kill engines.
func (a *App) openQuarantine(ctx context.Context) error {
	k, err := quarantine.Open(ctx, quarantine.Options{JS: a.js, Replicas: a.opts.NATS.Replicas, Limits: a.opts.Query.Quarantine, Logger: a.log, Now: a.opts.Now})
	if err != nil {
		return err
	}
	a.quarantine = k
	a.background("quarantined queries", k.Run)
	a.engineWatched.Store(true)
	if a.opts.Link != nil {
		return a.strikeFallen(ctx)
	}
	return nil
}

// checkQuarantine refuses a query that is quarantined.
func (a *App) checkQuarantine(q *admit.Query) error {
	return a.quarantine.Check(quarantineQuery(&q.Request))
}

func quarantineQuery(r *admit.Request) quarantine.Query {
	return quarantine.Query{Tenant: r.Tenant, Language: r.Language, Text: r.Text, Actor: r.Actor}
}

// engineSubject is the subject on which the process of an embedded ClickHouse tells whether it is up.
const engineSubject = "seamark.engine"

// tellEngineState hears of the embedded engine, and tells the process that answers queries where that is another.
func (a *App) tellEngineState(up bool) {
	a.engineState(up)
	if a.opts.Reader != nil {
		_ = a.nc.Publish(engineSubject, strconv.AppendBool(nil, up))
	}
}

// hearEngineState hears of another process's embedded engine.
func (a *App) hearEngineState() error {
	a.engineUp.Store(true) // or this process would not have been started
	told, err := a.nc.Subscribe(engineSubject, func(m *nats.Msg) { a.engineState(string(m.Data) == "true") })
	if err != nil {
		return fmt.Errorf("subscribe to the engine's state: %w", err)
	}
	a.defers("subscription to the engine's state", func(context.Context) error { return told.Unsubscribe() })
	return nil
}

// engineState hears of the embedded engine. It is called while the engine starts, before there is anything to suspect, and must not
// block.
func (a *App) engineState(up bool) {
	a.engineUp.Store(up)
	if up || !a.engineWatched.Load() || !a.ready.Load() {
		return
	}
	suspects := a.victims.take(a.opts.Now())
	for _, i := range a.admission.ListAll() {
		if i.State == admit.StateRunning {
			suspects = append(suspects, quarantine.Suspect{Query: quarantineQuery(&i.Request), Ran: i.Ran, Bytes: i.Cost.Bytes})
		}
	}
	if len(suspects) == 0 {
		return
	}
	go a.tellDeath("The process of the embedded ClickHouse ended.", suspects)
}

// tellDeath strikes the suspects of a death.
func (a *App) tellDeath(reason string, suspects []quarantine.Suspect) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.quarantine.Died(ctx, reason, suspects); err != nil {
		a.log.ErrorContext(ctx, "queries that were under way when an engine failed are not on record", slog.Any("err", err))
	}
}

// judgeEnded draws the conclusions from how a query has ended.
func (a *App) judgeEnded(ctx context.Context, e *endedQuery, err error) {
	s := quarantine.Suspect{Query: quarantineQuery(&e.request), Ran: e.ended.Sub(e.begun) - e.waited, Bytes: e.cost.Bytes}
	_, isRuntime := errors.AsType[runtime.Error](err)
	switch {
	case err == nil:
		if err := a.quarantine.Acquit(context.WithoutCancel(ctx), &s); err != nil {
			a.log.WarnContext(ctx, "a query that ended well keeps its strike", slog.Any("err", err))
		}
	case isRuntime || errors.Is(err, promql.ErrPanic):
		a.log.ErrorContext(ctx, "a query's engine met a fault of its own", slog.String("tenant", string(e.request.Tenant)), slog.Any("err", err))
		go a.tellDeath("The engine of the query's language met a fault of its own.", []quarantine.Suspect{s})
	case (e.fault == "seamark-store-away" || e.fault == "seamark-internal") && a.engineUp.Load(): // else it came when the engine was gone
		a.victims.add(e.ended, s)
	}
}

// quarantineAPI shows quarantines in the API's words. It implements api.Quarantine.
type quarantineAPI struct{ *quarantine.Keeper }

// ListQuarantined implements api.Quarantine.
func (q quarantineAPI) ListQuarantined(_ context.Context, tenant seamark.TenantID) ([]api.QuarantinedQuery, error) {
	list := []api.QuarantinedQuery{}
	for _, e := range q.List(tenant) {
		one := api.QuarantinedQuery{
			ID: e.ID, Tenant: e.Tenant, Language: e.Language, Shape: quarantine.Shape(e.Language, e.Text), Query: e.Text, Actor: e.Actor, Until: e.Until,
		}
		for _, s := range e.Strikes {
			one.Strikes = append(one.Strikes, api.QuarantineStrike{Time: s.Time, Reason: s.Reason, Ran: s.Ran.Seconds(), Bytes: s.Bytes})
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b api.QuarantinedQuery) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// LiftQuarantine implements api.Quarantine.
func (q quarantineAPI) LiftQuarantine(ctx context.Context, tenant seamark.TenantID, id string) error {
	return q.Lift(ctx, tenant, id)
}
