package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/hadedup"
	"github.com/seamarkhq/seamark/ingest/ledger"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// openLedger starts the book of what ingest refuses.
func (a *App) openLedger() (*ledger.Ledger, error) {
	l, err := ledger.New(ledger.Options{Publish: ingest.PublishDrops(a.bus), Logger: a.log, Registerer: a.registry, Now: a.opts.Now})
	if err != nil {
		return nil, err
	}
	a.background("drop ledger", l.Run)
	a.settles("drop ledger", time.Second, l.Flush)
	return l, nil
}

// electionBeat is how often the nodes tell each other which replicas send.
const electionBeat = 5 * time.Second

// openReplicas starts electing one of the Prometheus servers that scrape the same targets.
func (a *App) openReplicas(ctx context.Context) (*hadedup.Tracker, error) {
	docs, err := bus.OpenDocs[hadedup.Election](ctx, a.js, "seamark_replicas", a.opts.NATS.Replicas)
	if err != nil {
		return nil, err
	}
	t, err := hadedup.New(hadedup.Options{Docs: docs, Beat: electionBeat, FailAfter: a.opts.Ingest.ReplicaTimeout, MaxClusters: a.opts.Ingest.MaxReplicaClusters, Logger: a.log, Registerer: a.registry, Now: a.opts.Now})
	if err != nil {
		return nil, err
	}
	a.background("replica election", t.Run)
	a.settles("replica election", electionBeat, t.Sync)
	a.thaws("replica election", t.Sync)
	return t, nil
}

// tellRefused tells the owner's ledger of a request to an ingest route that failed.
func (a *App) tellRefused(r *httpx.Request, route *httpx.Route, status int, err *seamark.Error) {
	if route.Protocol == "" || a.ingester == nil || a.directory.State(r.Principal.Tenant) == tenant.Deleted { // its book is closed
		return
	}
	signal, perr := seamark.ParseSignal(route.Signal())
	if perr != nil {
		signal = 0
	}
	a.ingester.TellRefused(r.Principal, &seamark.Drop{
		Protocol: route.Protocol, Signal: signal, Reason: err.ID, Status: uint16(status), Rows: uint64(r.Refusal.Rows), Bytes: uint64(r.Refusal.Bytes),
		Detail: err.Message, Sample: r.Refusal.Sample,
	})
}
