package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The delivery log is a stream with one subject per tenant, so that the purge of a deleted tenant finds it. The server drops
// the oldest entry of a tenant for the newest.
const (
	deliveryStream   = "SEAMARK_DELIVERIES"
	deliverySubject  = "seamark.deliveries."
	maxDeliveryBytes = 256 << 20           // of all tenants; beyond it the oldest go
	maxDeliveryAge   = 30 * 24 * time.Hour // of an entry
	deliveryQueue    = 1024                // entries that wait to be written; beyond it they are counted and left out
	deliveryPatience = 5 * time.Second     // for one write
)

// deliveryLog writes and reads the delivery log. Writing never makes a notification wait. It is safe for concurrent use.
type deliveryLog struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	logger *slog.Logger
	lost   prometheus.Counter
	queue  chan *logEntry
}

type logEntry struct {
	subject string
	body    []byte
}

func openDeliveryLog(ctx context.Context, o *Options, m *metrics) (*deliveryLog, error) {
	s, err := o.JS.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: deliveryStream, Description: "Seamark: attempts to tell receivers of alerts", Subjects: []string{deliverySubject + "*"}, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: maxDeliveryBytes, MaxAge: maxDeliveryAge,
		MaxMsgsPerSubject: int64(o.Limits.DeliveriesKept), Replicas: o.Replicas, AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", deliveryStream, err)
	}
	return &deliveryLog{
		js: o.JS, stream: s, logger: o.Logger, lost: m.deliveriesLost, queue: make(chan *logEntry, deliveryQueue),
	}, nil
}

// record queues one entry.
func (l *deliveryLog) record(tenant seamark.TenantID, d *Delivery) {
	body, err := json.Marshal(d)
	if err != nil {
		l.lost.Inc()
		return
	}
	select {
	case l.queue <- &logEntry{deliverySubject + string(tenant), body}:
	default:
		l.lost.Inc()
	}
}

// run writes what is queued until ctx ends, and then what is left.
func (l *deliveryLog) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.drain(context.WithoutCancel(ctx))
			return
		case m := <-l.queue:
			l.write(ctx, m)
		}
	}
}

func (l *deliveryLog) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, deliveryPatience)
	defer cancel()
	for {
		select {
		case m := <-l.queue:
			l.write(ctx, m)
		default:
			return
		}
	}
}

func (l *deliveryLog) write(ctx context.Context, m *logEntry) {
	ctx, cancel := context.WithTimeout(ctx, deliveryPatience)
	defer cancel()
	if _, err := l.js.Publish(ctx, m.subject, m.body); err != nil {
		l.lost.Inc()
		l.logger.Warn("entry of the delivery log not written", "err", err)
	}
}

// DeliveryFilter narrows a list of deliveries; zero fields narrow nothing.
type DeliveryFilter struct {
	Receiver string
	Status   DeliveryStatus
	Limit    int // the newest so many; 0 is all that are kept
}

// ListDeliveries returns the tenant's last attempts to tell receivers, newest first.
func (s *Service) ListDeliveries(ctx context.Context, tenant seamark.TenantID, f DeliveryFilter) ([]Delivery, error) {
	all, err := s.deliveries.read(ctx, tenant)
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Unavailable, "seamark-alerting-store", "The delivery log cannot be read right now; try again in some seconds.")
	}
	list := make([]Delivery, 0, len(all))
	for _, d := range slices.Backward(all) {
		if f.Receiver != "" && d.Receiver != f.Receiver || f.Status != "" && d.Status != f.Status {
			continue
		}
		if list = append(list, d); len(list) == f.Limit {
			break
		}
	}
	return list, nil
}

// read returns all entries of a tenant, oldest first. It asks for one after the other: there are few, and no consumer is left
// behind.
func (l *deliveryLog) read(ctx context.Context, tenant seamark.TenantID) ([]Delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryPatience)
	defer cancel()
	var list []Delivery
	for next := uint64(1); ; {
		msg, err := l.stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(deliverySubject+string(tenant)))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		next = msg.Sequence + 1
		var d Delivery
		if json.Unmarshal(msg.Data, &d) == nil { // an entry of another version is left out
			d.Number = msg.Sequence
			list = append(list, d)
		}
	}
}

// cutText shortens a text to most bytes and leaves out half a character.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
