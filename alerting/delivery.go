package alerting

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"github.com/seamarkhq/seamark/alerting/receivers"
)

// DeliveryStatus is how an attempt to tell a receiver ended.
type DeliveryStatus string

// The ends of an attempt.
const (
	DeliverySent    DeliveryStatus = "sent"
	DeliveryFailed  DeliveryStatus = "failed"
	DeliveryBlocked DeliveryStatus = "blocked" // the guard refused the address
)

// Delivery is one attempt to tell a receiver of a group of alerts, as the delivery log keeps it. Nothing in it is secret.
type Delivery struct {
	Number      uint64         `json:"-"` // rises with every attempt; the log gives it
	Time        time.Time      `json:"time"`
	Receiver    string         `json:"receiver"`
	Integration string         `json:"integration"` // such as slack[0]
	GroupKey    string         `json:"group_key"`   // cut at maxGroupKeyBytes
	Alerts      int            `json:"alerts"`
	Attempt     int            `json:"attempt"` // counted from the group's last notification on
	Status      DeliveryStatus `json:"status"`
	Code        int            `json:"code,omitempty"`  // what the service answered: an HTTP status, an SMTP code
	Error       string         `json:"error,omitempty"` // why it failed
	Retry       bool           `json:"retry,omitempty"` // the same message is tried again
	Duration    time.Duration  `json:"duration"`
	Test        bool           `json:"test,omitempty"` // somebody tried the receiver
}

// maxGroupKeyBytes bounds what is kept of a group's key, which holds values of labels.
const maxGroupKeyBytes = 512

// told is what an attempt came to.
func told(err error) (status DeliveryStatus, code int, reason string) {
	if err == nil {
		return DeliverySent, 0, ""
	}
	f, ok := errors.AsType[*receivers.Failure](err)
	if !ok {
		return DeliveryFailed, 0, "the message could not be made"
	}
	if f.Blocked {
		return DeliveryBlocked, 0, f.Error()
	}
	return DeliveryFailed, f.Status, f.Error()
}

// attempts counts the attempts of each group since it was told last. It is safe for concurrent use.
type attempts struct {
	mu     sync.Mutex // guards counts
	counts map[notify.Key]int
}

// next returns the number of an attempt that begins.
func (a *attempts) next(key notify.Key) int {
	const most = 10_000 // groups that fail at once; beyond it counting begins anew
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.counts) >= most {
		clear(a.counts)
	}
	a.counts[key]++
	return a.counts[key]
}

func (a *attempts) done(key notify.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.counts, key)
}

var errNotLeading = errors.New("this process no longer evaluates the tenant")

// counted wraps an integration: nothing is sent once the tenant's shard is lost, and every attempt is counted and logged.
func (m *alertmanager) counted(receiver string, i receivers.Integration) notify.Notifier {
	tries := &attempts{counts: map[notify.Key]int{}}
	return notifierFunc(func(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
		if !m.may() {
			return false, errNotLeading
		}
		key, _ := notify.ExtractGroupKey(ctx)
		d := Delivery{
			Time: m.journal.now(), Receiver: receiver, Integration: i.Name(), GroupKey: cutText(key.String(), maxGroupKeyBytes),
			Alerts: len(alerts), Attempt: tries.next(key),
		}
		begun := time.Now()
		retry, err := i.Notifier.Notify(ctx, alerts...)
		d.Duration, d.Retry = time.Since(begun), retry && err != nil
		d.Status, d.Code, d.Error = told(err)
		if !d.Retry {
			tries.done(key)
		}
		m.outcomes.WithLabelValues(string(d.Status)).Inc()
		m.deliveries.record(m.journal.tenant, &d)
		return retry, err
	})
}

type notifierFunc func(context.Context, ...*alert.Alert) (bool, error)

// Notify implements notify.Notifier.
func (f notifierFunc) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	return f(ctx, alerts...)
}

// receiverOptions returns what the receivers of a configuration share. Limits of services and evidence outlive it.
func (m *alertmanager) receiverOptions(doc *configDoc, tmpl *receivers.Template) *receivers.Options {
	return &receivers.Options{
		Guard: m.guard, Template: tmpl, Pace: m.pace, Evidence: m.evidence, Redact: doc.redact, Logger: m.logger, Now: m.journal.now, May: m.may,
	}
}
