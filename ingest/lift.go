package ingest

import (
	"unsafe"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// takesEvents returns what finds Kubernetes events among log records, for senders that may push events; nil for the others,
// whose events stay log lines.
func (r *request) takesEvents() func(raw []byte) bool {
	if !r.http.Principal.Signals.Has(seamark.Events) {
		return nil
	}
	return func(raw []byte) bool {
		ev, ok := events.FromRecord(raw)
		if !ok || r.batch.Reserve(seamark.EventBytes+len(raw)) != nil {
			return false
		}
		r.batch.Events = append(r.batch.Events, ev)
		return true
	}
}

// liftEvents makes events of the log lines that are one whole.
func (r *request) liftEvents() {
	take := r.takesEvents()
	if take == nil {
		return
	}
	l := &r.batch.Logs
	var keep []int
	lifted := false
	for i, body := range l.Body {
		if len(body) > 0 && body[0] == '{' && take(unsafe.Slice(unsafe.StringData(body), len(body))) {
			if !lifted {
				lifted, keep = true, upTo(i, l.Len())
			}
			continue
		}
		if lifted {
			keep = append(keep, i)
		}
	}
	if lifted {
		l.Select(keep)
	}
}

// keepScope refuses events that came as logs from a token without the events' scope.
func keepScope(who seamark.Principal, b *seamark.Batch) {
	if n := len(b.Events); n > 0 && !who.Signals.Has(seamark.Events) {
		b.Rejected.Add(seamark.Events, n, "seamark-scope-signal",
			"The logs carry Kubernetes events, which token "+who.CredentialID+" may not push. Create a token with the events' scope.")
		clear(b.Events)
		b.Events = b.Events[:0]
	}
}
