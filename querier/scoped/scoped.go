// Package scoped is the one place where a restriction of a principal becomes part of what is read: it stands between the
// engines and the store and adds conditions that no query can take away. Each function narrows one engine's storage; package
// app puts it there for every request of a restricted principal (decision 0020). What cannot be narrowed is refused.
package scoped

import (
	"context"
	"regexp"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/audit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/promql"
)

// refused is the answer where a part of the tenant cannot be told apart from the rest.
func refused(what string, only *seamark.Restriction) error {
	return seamark.Errorf(seamark.Forbidden, "seamark-scope-unsupported",
		"Your access is restricted to %s, and %s cannot be answered for a part of a tenant.", only, what)
}

// Metrics narrows what PromQL reads. Samples, histograms and exemplars are read by the fingerprints of series that were
// found through it.
func Metrics(s promql.Store, only *seamark.Restriction) promql.Store {
	return metrics{store: s, only: only}
}

// metrics implements promql.Store. It embeds nothing, so that a new way to read must be thought of here.
type metrics struct {
	store promql.Store
	only  *seamark.Restriction
}

// with adds the restriction to the conditions of a query, whose own slice may be shared.
func (m metrics) with(matchers []store.MetricMatcher) []store.MetricMatcher {
	list := append(make([]store.MetricMatcher, 0, len(matchers)+2), matchers...)
	if len(m.only.Clusters) > 0 {
		list = append(list, store.MetricMatcher{Name: seamark.ClusterLabel, Op: store.MetricIn, Values: m.only.Clusters})
	}
	if len(m.only.Namespaces) > 0 {
		list = append(list, store.MetricMatcher{Name: seamark.NamespaceLabel, Op: store.MetricIn, Values: m.only.Namespaces})
	}
	return list
}

func (m metrics) ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	q.Matchers = m.with(q.Matchers)
	return m.store.ListMetricSeries(ctx, tenant, q)
}

// known refuses to read without naming series, and takes back the leave to read the others of a metric beside them.
func (m metrics) known(q *store.MetricSamplesQuery) error {
	if q.FPs == nil {
		return refused("a query for every series of a metric", m.only)
	}
	q.Whole = false
	return nil
}

func (m metrics) ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	if err := m.known(&q); err != nil {
		return nil, 0, err
	}
	return m.store.ListMetricSamples(ctx, tenant, q)
}

func (m metrics) ListMetricHistograms(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricHistograms, int, error) {
	if err := m.known(&q); err != nil {
		return nil, 0, err
	}
	return m.store.ListMetricHistograms(ctx, tenant, q)
}

func (m metrics) ListMetricExemplars(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricExemplar, error) {
	if err := m.known(&q); err != nil {
		return nil, err
	}
	return m.store.ListMetricExemplars(ctx, tenant, q)
}

func (m metrics) ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error) {
	q.Matchers = m.with(q.Matchers)
	return m.store.ListMetricLabelNames(ctx, tenant, q)
}

func (m metrics) ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error) {
	q.Matchers = m.with(q.Matchers)
	return m.store.ListMetricLabelValues(ctx, tenant, name, q)
}

// ListMetricMetadata implements promql.Store. A metric's help is told by whoever sends it, in any namespace.
func (m metrics) ListMetricMetadata(context.Context, seamark.TenantID, store.MetricMetadataQuery) ([]seamark.MetricMetadata, error) {
	return nil, refused("the metadata of metrics", m.only)
}

func (m metrics) CountCardinality(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error) {
	if len(q.Sets) == 0 {
		q.Sets = [][]store.MetricMatcher{nil} // every series is in the one set without conditions
	}
	sets := make([][]store.MetricMatcher, len(q.Sets))
	for i, set := range q.Sets {
		sets[i] = m.with(set)
	}
	q.Sets = sets
	return m.store.CountCardinality(ctx, tenant, q)
}

// LogMatchers is the restriction as conditions on the labels of log streams.
func LogMatchers(only *seamark.Restriction) []store.LogMatcher {
	var list []store.LogMatcher
	add := func(label string, names []string) {
		if len(names) > 0 {
			list = append(list, store.LogMatcher{Name: label, Op: store.LogMatches, Value: anyOf(names)})
		}
	}
	if only != nil {
		add(seamark.ClusterLabel, only.Clusters)
		add(seamark.NamespaceLabel, only.Namespaces)
	}
	return list
}

// anyOf is a regular expression that matches the names alone.
func anyOf(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return strings.Join(quoted, "|")
}

// Events narrows what is read of Kubernetes events. Events of objects without a namespace are outside of every list of
// namespaces.
func Events(s events.Store, only *seamark.Restriction) events.Store { return eventStore{s, only} }

// eventStore implements events.Store.
type eventStore struct {
	store events.Store
	only  *seamark.Restriction
}

func (e eventStore) ListEvents(ctx context.Context, tenant seamark.TenantID, q store.EventsQuery) ([]seamark.Event, error) {
	q.Only = e.only
	return e.store.ListEvents(ctx, tenant, q)
}

func (e eventStore) EventFacets(ctx context.Context, tenant seamark.TenantID, q store.EventFacetsQuery) (*store.EventFacets, error) {
	q.Only = e.only
	return e.store.EventFacets(ctx, tenant, q)
}

func (e eventStore) EventSeries(ctx context.Context, tenant seamark.TenantID, q store.EventSeriesQuery) (*store.EventSeriesList, error) {
	q.Only = e.only
	return e.store.EventSeries(ctx, tenant, q)
}

func (e eventStore) EventTrend(ctx context.Context, tenant seamark.TenantID, q store.EventTrendQuery) (*store.EventTrend, error) {
	q.Only = e.only
	return e.store.EventTrend(ctx, tenant, q)
}

func (e eventStore) EventOwners(ctx context.Context, tenant seamark.TenantID, q store.EventOwnersQuery) ([]store.EventOwner, error) {
	if !e.only.Allows(q.Cluster, q.Namespace) {
		return nil, nil
	}
	return e.store.EventOwners(ctx, tenant, q)
}

// Audit narrows what is read of audit logs. Requests for objects without a namespace are outside of every list of
// namespaces.
func Audit(s audit.Store, only *seamark.Restriction) audit.Store { return auditStore{s, only} }

// auditStore implements audit.Store.
type auditStore struct {
	store audit.Store
	only  *seamark.Restriction
}

func (a auditStore) with(f *store.AuditFilter) {
	list := append(make([]store.AuditCondition, 0, len(f.Conditions)+2), f.Conditions...)
	if len(a.only.Clusters) > 0 {
		list = append(list, store.AuditCondition{Field: store.AuditCluster, Values: a.only.Clusters})
	}
	if len(a.only.Namespaces) > 0 {
		list = append(list, store.AuditCondition{Field: store.AuditNamespace, Values: a.only.Namespaces})
	}
	f.Conditions = list
}

func (a auditStore) ListAudit(ctx context.Context, tenant seamark.TenantID, q store.AuditQuery) (store.AuditPage, error) {
	a.with(&q.AuditFilter)
	return a.store.ListAudit(ctx, tenant, q)
}

func (a auditStore) AuditClients(ctx context.Context, tenant seamark.TenantID, q store.AuditClientsQuery) (*store.AuditClients, error) {
	a.with(&q.AuditFilter)
	return a.store.AuditClients(ctx, tenant, q)
}

func (a auditStore) AuditLists(ctx context.Context, tenant seamark.TenantID, q store.AuditListsQuery) ([]store.AuditList, uint64, error) {
	a.with(&q.AuditFilter)
	return a.store.AuditLists(ctx, tenant, q)
}

func (a auditStore) AuditWrites(ctx context.Context, tenant seamark.TenantID, q store.AuditWritesQuery) ([]store.AuditWrite, bool, error) {
	a.with(&q.AuditFilter)
	return a.store.AuditWrites(ctx, tenant, q)
}
