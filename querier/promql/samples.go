package promql

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Samples is where samples and native histograms are read from instead of the store: a cache of them.
type Samples interface {
	ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error)
	ListMetricHistograms(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricHistograms, rowsRead int, err error)
}

// WithSamples returns s with its samples and histograms read from samples.
func WithSamples(s Store, samples Samples) Store { return sampledStore{s, samples} }

type sampledStore struct {
	Store
	samples Samples
}

// ListMetricSamples implements Store.
func (s sampledStore) ListMetricSamples(ctx context.Context, id seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error) {
	return s.samples.ListMetricSamples(ctx, id, q)
}

// ListMetricHistograms implements Store.
func (s sampledStore) ListMetricHistograms(ctx context.Context, id seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricHistograms, rowsRead int, err error) {
	return s.samples.ListMetricHistograms(ctx, id, q)
}
