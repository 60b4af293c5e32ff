package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
)

// subject names what an alert is about: the detector, and the labels that tell it from its others.
func (l *look) subject(labels map[string]string) string { return subject(l.d.Name, labels) }

func subject(name string, labels map[string]string) string {
	var parts []string
	for _, known := range []string{"pod", "workload", "deployment", "service", "job", "container", "persistentvolumeclaim", "device", "mountpoint", "node", "instance", "namespace", "cluster"} {
		if v := labels[known]; v != "" {
			parts = append(parts, known+" "+v)
		}
	}
	if len(parts) == 0 {
		for name, v := range labels {
			if name != "__name__" {
				parts = append(parts, name+" "+v)
			}
		}
		slices.Sort(parts)
	}
	const most = 4
	parts = parts[:min(len(parts), most)]
	if len(parts) == 0 {
		return name
	}
	return name + " of " + strings.Join(parts, ", ")
}

// explainAnomaly says in words why a value is none that is usual.
func (l *look) explainAnomaly(a *Standing, b *insight.Baseline, at time.Time, v float64) string {
	unit, usual, band := insight.Unit(l.d.Unit), b.Usual(at), b.Band(at, l.d.deviations())
	side, edge := "above", band.High
	if v < band.Mid {
		side, edge = "below", band.Low
	}
	const negligible = 1e-6
	if usual.Scale < negligible*max(v-usual.Mid, usual.Mid-v) {
		return l.explainConstant(a, b, at, v)
	}
	text := fmt.Sprintf("%s is %s, usually %s%s (%s of history); %s the band's edge of %s", l.subject(a.Labels), unit.Words(v),
		unit.Range(usual.Low, usual.High), b.Season.When(at), b.Span(), side, unit.Words(edge))
	if lasts := at.Sub(a.Since); lasts >= time.Minute {
		text += " for " + insight.Duration(lasts)
	}
	return text + fmt.Sprintf(", %.3g standard deviations from the usual %s.", max(v-usual.Mid, usual.Mid-v)/usual.Scale, unit.Words(usual.Mid))
}

// explainConstant is explainAnomaly for a series that hardly ever had another value.
func (l *look) explainConstant(a *Standing, b *insight.Baseline, at time.Time, v float64) string {
	unit := insight.Unit(l.d.Unit)
	text := fmt.Sprintf("%s is %s, usually %s%s (%s of history)", l.subject(a.Labels), unit.Words(v), unit.Words(b.Usual(at).Mid), b.Season.When(at), b.Span())
	if lasts := at.Sub(a.Since); lasts >= time.Minute {
		text += ", for " + insight.Duration(lasts) + " now"
	}
	return text + "."
}

// explainForecast says where a series is going and how sure that is.
func (l *look) explainForecast(a *Standing, f *insight.Forecast, t *insight.Target) string {
	unit := insight.Unit(l.d.Unit)
	verb, trend := "reaches", "rises"
	if f.PerHour < 0 {
		trend = "falls"
	}
	if t.Below {
		verb = "falls to"
	}
	name, threshold := l.subject(a.Labels), unit.Words(t.Threshold)
	if f.Past {
		return fmt.Sprintf("%s is %s and past %s already.", name, unit.Words(f.Now), threshold)
	}
	text := fmt.Sprintf("%s is %s and %s by %s an hour (last %s)", name, unit.Words(f.Now), trend, unit.Words(max(f.PerHour, -f.PerHour)), insight.Duration(f.Window))
	if f.Seasonal {
		text += ", the usual course of the day considered"
	}
	text += fmt.Sprintf("; it %s %s in about %s", verb, threshold, insight.Duration(f.In))
	if f.Soonest < f.In && f.Latest > f.In {
		text += fmt.Sprintf(" (%s to %s)", insight.Duration(f.Soonest), insight.Duration(f.Latest))
	}
	return text + fmt.Sprintf("; in %s it is expected to be %s (confidence %g %%).", insight.Duration(t.Horizon), unit.Range(f.Low, f.High), 100*l.d.Confidence)
}
