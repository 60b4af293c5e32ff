package alerting

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The kinds of state, the second part of a state key: `<tenant>.<kind>.<id>`.
const (
	silenceState = "silence" // one MeshSilence, as Alertmanager's peers exchange it
	nflogState   = "nflog"   // one MeshEntry: what was said to one receiver about one group
	alertState   = "alert"   // one alertDoc
)

// resolvedRetention is how long an ended alert stays stored, so that a process that takes over still says that it ended.
const resolvedRetention = 15 * time.Minute

// alertDoc is an alert that was handed to Alertmanager. Upstream keeps alerts in memory alone and trusts Prometheus to
// send them again; here both are one process, and without this document an alert that ends during a takeover would never
// be called resolved.
type alertDoc struct {
	Labels       model.LabelSet `json:"labels"`
	Annotations  model.LabelSet `json:"annotations,omitempty"`
	StartsAt     time.Time      `json:"starts_at"`
	ResolvedAt   time.Time      `json:"resolved_at,omitzero"`
	GeneratorURL string         `json:"generator_url,omitempty"`
	// ValidFor is how long it counts as firing without news: four evaluations, of which a takeover needs three.
	ValidFor time.Duration `json:"valid_for"`
}

func (d *alertDoc) expires() time.Time {
	if d.ResolvedAt.IsZero() {
		return time.Time{}
	}
	return d.ResolvedAt.Add(resolvedRetention)
}

// restored returns the alert as the process that takes over holds it: a firing one is valid from now on, because the time
// without an evaluator says nothing about its cause.
func (d *alertDoc) restored(now time.Time) *alert.Alert {
	a := &alert.Alert{
		Alert: model.Alert{
			Labels: d.Labels, Annotations: d.Annotations, StartsAt: d.StartsAt, EndsAt: d.ResolvedAt, GeneratorURL: d.GeneratorURL,
		},
		UpdatedAt: now,
		Timeout:   true, // what the first evaluation says replaces it
	}
	if d.ResolvedAt.IsZero() {
		a.EndsAt = now.Add(d.ValidFor)
	}
	return a
}

// stateEntry is one stored piece of state.
type stateEntry struct {
	body     []byte
	revision uint64    // of the last write that is known to stand; 0 when it was never written
	expires  time.Time // zero: not before it is changed
}

// kind returns what a state key holds.
func kind(rest string) string {
	k, _, _ := strings.Cut(rest, ".")
	return k
}

func decodeAlert(body []byte) (alertDoc, error) {
	var doc alertDoc
	err := json.Unmarshal(body, &doc)
	if err == nil && len(doc.Labels) == 0 {
		err = errors.New("an alert without labels")
	}
	return doc, err
}

// decodeSilence reads what gossip would carry and returns its key and when it may be forgotten.
func decodeSilence(body []byte) (id string, expires time.Time, err error) {
	var s silencepb.MeshSilence
	if err := protodelim.UnmarshalFrom(bufio.NewReader(bytes.NewReader(body)), &s); err != nil {
		return "", time.Time{}, err
	}
	if s.Silence == nil || s.Silence.Id == "" {
		return "", time.Time{}, errors.New("a silence without an id")
	}
	return silenceState + "." + s.Silence.Id, s.ExpiresAt.AsTime(), nil
}

// decodeLogEntry is decodeSilence for the notification log.
func decodeLogEntry(body []byte) (id string, expires time.Time, err error) {
	var e nflogpb.MeshEntry
	if err := protodelim.UnmarshalFrom(bufio.NewReader(bytes.NewReader(body)), &e); err != nil {
		return "", time.Time{}, err
	}
	if e.Entry == nil || e.Entry.Receiver == nil {
		return "", time.Time{}, errors.New("a log entry without a receiver")
	}
	r := e.Entry.Receiver
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d", e.Entry.GroupKey, r.GroupName, r.Integration, r.Idx))
	return nflogState + "." + base64.RawURLEncoding.EncodeToString(sum[:]), e.ExpiresAt.AsTime(), nil
}

// decodeState checks a stored entry and returns when it may be forgotten.
func decodeState(rest string, body []byte) (time.Time, error) {
	switch kind(rest) {
	case silenceState:
		_, expires, err := decodeSilence(body)
		return expires, err
	case nflogState:
		_, expires, err := decodeLogEntry(body)
		return expires, err
	case alertState:
		doc, err := decodeAlert(body)
		return doc.expires(), err
	}
	return time.Time{}, fmt.Errorf("no state is called %q", rest)
}

// loadState reads the whole bucket once, by tenant. What cannot be read is left out and counted.
func loadState(ctx context.Context, kv jetstream.KeyValue, m *metrics, logger *slog.Logger) (map[seamark.TenantID]map[string]stateEntry, error) {
	watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read alert state: %w", err)
	}
	defer func() { _ = watcher.Stop() }()
	all := map[seamark.TenantID]map[string]stateEntry{}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case entry, ok := <-watcher.Updates():
			if !ok {
				return nil, fmt.Errorf("read alert state: %w", errWatchEnded)
			}
			if entry == nil {
				return all, nil
			}
			id, rest, _ := strings.Cut(entry.Key(), ".")
			tenant, err := seamark.ParseTenantID(id)
			var expires time.Time
			if err == nil {
				expires, err = decodeState(rest, entry.Value())
			}
			if err != nil {
				m.poisoned.WithLabelValues(kv.Bucket()).Inc()
				logger.Error("state cannot be read and is left out", "key", entry.Key(), "err", err)
				continue
			}
			if all[tenant] == nil {
				all[tenant] = map[string]stateEntry{}
			}
			all[tenant][rest] = stateEntry{body: entry.Value(), revision: entry.Revision(), expires: expires}
		}
	}
}
