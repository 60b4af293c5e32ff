package ingest

import (
	"fmt"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// normaliseEvents fills in the sender's cluster and the times that an event does not tell.
func normaliseEvents(p seamark.Principal, list []seamark.Event, now time.Time) {
	for i := range list {
		ev := &list[i]
		if ev.Cluster == "" {
			ev.Cluster = p.ClusterName
		}
		if ev.Last.IsZero() {
			ev.Last = now
		}
		if ev.First.IsZero() {
			ev.First = ev.Last
		}
	}
}

// writeEventLines writes each event also as a log line of the stream {signal="events"}, so that LogQL and log alerts see the
// history of updates that the events table collapses. It comes after the check of rows: an event that was refused has no line,
// and is counted once and under its own name.
func (in *Ingester) writeEventLines(p seamark.Principal, b *seamark.Batch) {
	if len(b.Events) == 0 {
		return
	}
	cat, limit := in.catalogs.of(p), in.limits(p).MaxLineBytes
	streams := map[string]uint32{}
	for i := range b.Events {
		ev := &b.Events[i]
		body := string(events.LogBody(nil, ev))
		if len(body) > limit {
			b.Rejected.Add(seamark.Logs, 1, lineBytesID, fmt.Sprintf(
				"An event has %d bytes as a log line; the limit is %d (--ingest.max-line-bytes). It is stored as an event alone.", len(body), limit))
			continue
		}
		ref, err := eventStream(cat, &b.Logs, streams, ev)
		if err != nil {
			continue // the event itself is stored; a cluster name that cannot be a label costs only its log line
		}
		b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: ev.Last.UnixNano(), Level: events.Level(ev), Body: body})
	}
}

func eventStream(cat *catalog, logs *seamark.LogRows, seen map[string]uint32, ev *seamark.Event) (uint32, error) {
	name := strings.Join([]string{ev.Cluster, ev.Namespace, ev.Type}, "\xff")
	if ref, ok := seen[name]; ok {
		return ref, nil
	}
	labels := []seamark.Label{
		{Name: "signal", Value: "events"}, {Name: serviceNameLabel, Value: "k8s-events"}, {Name: seamark.ClusterLabel, Value: ev.Cluster},
		{Name: "namespace", Value: ev.Namespace}, {Name: "type", Value: ev.Type},
	}
	series, err := cat.Create(FingerprintLabels(labels), seamark.LogStream, labels)
	if err != nil {
		return 0, err
	}
	seen[name] = logs.AddStream(series)
	return seen[name], nil
}
