package otlp

import (
	"github.com/seamarkhq/seamark/internal/seamark"
)

// target is a resource's target_info series and when its newest sample was taken.
type target struct {
	series      *seamark.Series // nil when the resource has nothing to tell
	newestMilli int64
}

// noteTarget remembers the current resource for appendTargets. Resources that stand several times in a request, as they
// do behind a batching collector, are one target.
func (d *metricsDecoder) noteTarget() error {
	key := mix(d.resourceHash, seedTarget)
	i, seen := d.targetAt[key]
	if !seen {
		var t target
		if t.series = d.req.Catalog.Find(key); t.series == nil {
			var err error
			t.series, err = d.createTarget(key)
			if rejected, ok := rejection(err); ok && rejected.ID != bodyFault {
				// The sender's own points are stored; the description of their resource is our addition, so its
				// refusal is told without counting a point.
				d.batch.Rejected.Add(seamark.Metrics, 0, rejected.ID, "target_info: "+rejected.Message)
			} else if err != nil {
				return err
			}
		}
		i = len(d.targets)
		d.targets = append(d.targets, t)
		d.targetAt[key] = i
	}
	d.targets[i].newestMilli = max(d.targets[i].newestMilli, d.newestMilli)
	return nil
}

// createTarget makes the target_info series; nil when the resource has no job and instance to join it by, or no other
// attribute.
func (d *metricsDecoder) createTarget(key uint64) (*seamark.Series, error) {
	if err := d.readResource(); err != nil {
		return nil, err
	}
	r := &d.resource
	if r.job() == "" && r.serviceInstance == "" {
		return nil, nil
	}
	d.attrs = append(d.attrs[:0], r.rest...)
	for _, a := range [...]rawAttr{
		{"k8s.cluster.name", r.cluster}, {"k8s.namespace.name", r.namespace}, {"k8s.pod.name", r.pod},
		{"k8s.container.name", r.container}, {"k8s.node.name", r.node},
	} {
		if a.value != "" {
			d.attrs = append(d.attrs, a)
		}
	}
	for i, name := range r.workloads {
		if name != "" {
			d.attrs = append(d.attrs, rawAttr{workloadKeys[i], name})
		}
	}
	if len(d.attrs) == 0 {
		return nil, nil
	}
	var err error
	if d.labels, err = d.appendAttrLabels(d.labels[:0], d.attrs); err != nil {
		return nil, err
	}
	d.labels = setLabel(r.setIdentity(d.labels), seamark.MetricNameLabel, "target_info")
	return d.req.Catalog.Create(key, seamark.MetricSeries, d.labels)
}

// appendTargets appends one target_info sample per resource.
func (d *metricsDecoder) appendTargets() {
	described := false
	for _, t := range d.targets {
		if t.series == nil {
			continue
		}
		d.batch.Samples.Append(d.batch.Samples.AddSeries(t.series), t.newestMilli, 1)
		if !described {
			described = true
			d.batch.Metadata = append(d.batch.Metadata, seamark.MetricMetadata{
				Metric: "target_info", Type: "gauge", Help: "Attributes of the resource that sent the metrics.",
			})
		}
	}
}
