package detect

import (
	"maps"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/alerting/insight"
)

// Alert is what is told to the tenant's Alertmanager.
type Alert struct {
	Labels, Annotations map[string]string
	Ended               bool
}

// The labels and annotations that detectors add.
const (
	KindLabel             = "detector_kind"
	ExplanationAnnotation = "explanation"
	ValueAnnotation       = "value"
	SummaryAnnotation     = "summary"
)

// Alerts returns the alerts that fire, and those that have ended, in the order of their labels.
func (d *Detector) Alerts(o *Outcome) []Alert {
	var list []Alert
	for _, key := range slices.Sorted(maps.Keys(o.State.Alerts)) {
		if a := o.State.Alerts[key]; a.Phase == insight.Firing {
			list = append(list, d.alert(a, false))
		}
	}
	for _, a := range o.Ended {
		list = append(list, d.alert(a, true))
	}
	return list
}

// AlertLabels returns the labels of an alert about what has the given ones.
func (d *Detector) AlertLabels(labels map[string]string) map[string]string {
	all := map[string]string{}
	for name, v := range labels {
		if !strings.HasPrefix(name, "__") {
			all[name] = v
		}
	}
	maps.Copy(all, d.Labels)
	all["alertname"], all[KindLabel] = d.Name, d.Kind
	return all
}

func (d *Detector) alert(a *Standing, ended bool) Alert {
	annotations := map[string]string{SummaryAnnotation: a.Explanation}
	maps.Copy(annotations, d.Annotations)
	annotations[ExplanationAnnotation] = a.Explanation
	if a.Value != "" {
		annotations[ValueAnnotation] = a.Value
	}
	return Alert{Labels: d.AlertLabels(a.Labels), Annotations: annotations, Ended: ended}
}
