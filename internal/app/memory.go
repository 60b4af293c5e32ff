package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logfilter"
	"github.com/seamarkhq/seamark/querier/samplecache"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

// logStorage is the store of logs with what is in memory of it: the streams and the filters of lines.
type logStorage struct {
	*seriesindex.Index
	filters *logfilter.Cache
}

// NarrowLogs implements logqlengine.Storage.
func (l logStorage) NarrowLogs(ctx context.Context, id seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	return l.filters.NarrowLogs(ctx, id, scope)
}

// openMemory makes what queries find in memory before they ask the store: the index of metric series and log streams, the
// cache of metric samples and the filters of log lines. The writers' word refreshes both.
func (a *App) openMemory() (*seriesindex.Index, *samplecache.Cache, error) {
	index, err := seriesindex.New(seriesindex.Options{
		Store: a.store, MaxBytes: a.opts.Query.SeriesIndexBytes, Refresh: seriesindex.DefaultRefresh, Answered: fromMemory,
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return nil, nil, err
	}
	a.defers("series index", func(context.Context) error { return index.Close() })
	samples, err := samplecache.New(samplecache.Options{
		Source: a.store, MaxBytes: a.opts.Query.SampleCacheBytes, Refresh: samplecache.DefaultRefresh, Grace: samplecache.DefaultGrace, Answered: fromMemory,
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return nil, nil, err
	}
	a.defers("sample cache", func(context.Context) error { return samples.Close() })
	for table, changed := range map[store.Table]func(seamark.TenantID){
		store.TableSeries: index.Changed, store.TableSamples: samples.Changed, store.TableHistograms: samples.Changed,
	} {
		if err := a.onStored(table, changed); err != nil {
			return nil, nil, err
		}
	}
	if a.filters, err = logfilter.New(logfilter.Options{Source: a.store, MaxBytes: a.opts.Query.LogFilterBytes, Answered: fromMemory, Registerer: a.registry}); err != nil {
		return nil, nil, err
	}
	a.forgetDeleted(index.Forget, samples.Forget, a.filters.Forget, a.forgetStore)
	return index, samples, nil
}

// fromMemory counts what a query has found in memory, so that the store was not asked for it.
func fromMemory(ctx context.Context, bytes uint64) {
	admit.From(ctx).Take(admit.Cost{CacheBytes: bytes})
}

// storedSubject begins the subjects on which a writer tells of blocks that it has stored; the table's name and the tenant's id
// follow.
const storedSubject = "seamark.stored."

// tellStored tells every querier of a block of a tenant. A word that is lost costs them seconds, not rows.
func (a *App) tellStored(id seamark.TenantID, table store.Table) {
	_ = a.nc.Publish(storedSubject+table.String()+"."+string(id), nil)
}

// onStored calls fn for each word of tellStored about a table, until the process stops.
func (a *App) onStored(table store.Table, fn func(seamark.TenantID)) error {
	prefix := storedSubject + table.String() + "."
	told, err := a.nc.Subscribe(prefix+"*", func(m *nats.Msg) {
		if id, err := seamark.ParseTenantID(strings.TrimPrefix(m.Subject, prefix)); err == nil {
			fn(id)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to stored %s: %w", table, err)
	}
	a.defers("subscription to stored "+table.String(), func(context.Context) error { return told.Unsubscribe() })
	return nil
}
