package alerting

import (
	"context"
	"errors"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Sample is one value that a recording rule or an alert's state (ALERTS, ALERTS_FOR_STATE) produced.
type Sample struct {
	Labels    labels.Labels // with __name__
	TimeMilli int64         // milliseconds since 1970, UTC
	Value     float64       // stale markers keep their exact bits
}

// appendable turns what a rule appends into one Publish per evaluation. It implements storage.Appendable, which upstream
// is about to replace by AppendableV2; nothing outside this file knows either.
type appendable struct {
	tenant  seamark.TenantID
	publish func(context.Context, seamark.TenantID, []Sample) error
	note    func(context.Context, []Sample) // hears of what is published
}

// Appender implements storage.Appendable.
func (a *appendable) Appender(ctx context.Context) storage.Appender {
	return &appender{ctx: ctx, to: a}
}

// appender collects one evaluation's samples until Commit. Upstream uses it from one goroutine.
type appender struct {
	ctx   context.Context
	to    *appendable
	batch []Sample
}

var errNotStored = errors.New("only float samples of rules are stored; wrap the expression in histogram_quantile, histogram_avg or the like")

// Append implements storage.Appender.
func (a *appender) Append(_ storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	a.batch = append(a.batch, Sample{Labels: l, TimeMilli: t, Value: v})
	return 0, nil
}

// Commit publishes the samples; an error makes the rule unhealthy and is shown with it.
func (a *appender) Commit() error {
	if len(a.batch) == 0 {
		return nil
	}
	a.to.note(a.ctx, a.batch) // whether or not it is stored: rules after it in the group go by what this one found
	return a.to.publish(a.ctx, a.to.tenant, a.batch)
}

// Rollback implements storage.Appender.
func (a *appender) Rollback() error {
	a.batch = nil
	return nil
}

// SetOptions implements storage.Appender; the writer orders samples, so there is nothing to set.
func (a *appender) SetOptions(*storage.AppendOptions) {}

// AppendHistogram refuses native histograms, so that the rule's health says so.
func (a *appender) AppendHistogram(storage.SeriesRef, labels.Labels, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, errNotStored
}

// AppendHistogramSTZeroSample implements storage.Appender.
func (a *appender) AppendHistogramSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, errNotStored
}

// AppendExemplar implements storage.Appender.
func (a *appender) AppendExemplar(storage.SeriesRef, labels.Labels, exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, errNotStored
}

// UpdateMetadata implements storage.Appender.
func (a *appender) UpdateMetadata(storage.SeriesRef, labels.Labels, metadata.Metadata) (storage.SeriesRef, error) {
	return 0, nil
}

// AppendSTZeroSample implements storage.Appender.
func (a *appender) AppendSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64) (storage.SeriesRef, error) {
	return 0, errNotStored
}
