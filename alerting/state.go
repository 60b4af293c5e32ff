package alerting

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
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
	// Rule says that a rule raised it, whose silence means its end.
	Rule bool `json:"rule,omitempty"`
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

// epochMark begins the body of an entry that names its writer's epoch. No body of an older build begins so.
const epochMark = 0

// sealEpoch puts the epoch of its writer before a body.
func sealEpoch(epoch uint64, body []byte) []byte {
	sealed := make([]byte, 0, 1+binary.MaxVarintLen64+len(body))
	sealed = binary.AppendUvarint(append(sealed, epochMark), epoch)
	return append(sealed, body...)
}

// openEpoch is its inverse. What older builds wrote has no epoch, which is before all others.
func openEpoch(sealed []byte) (epoch uint64, body []byte) {
	if len(sealed) == 0 || sealed[0] != epochMark {
		return 0, sealed
	}
	epoch, n := binary.Uvarint(sealed[1:])
	if n <= 0 {
		return 0, sealed
	}
	return epoch, sealed[1+n:]
}

// loadState reads the bucket once, for the tenants of some shards. What cannot be read is left out and counted.
func (s *Service) loadState(ctx context.Context, list []*tenure) (map[seamark.TenantID]map[string]stateEntry, error) {
	held := map[int]*tenure{}
	for _, t := range list {
		held[t.shard] = t
	}
	watcher, err := s.state.WatchAll(ctx, jetstream.IgnoreDeletes())
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
			switch {
			case !ok:
				return nil, fmt.Errorf("read alert state: %w", errWatchEnded)
			case entry == nil:
				return all, nil
			case strings.HasPrefix(entry.Key(), fencePrefix):
			default:
				s.takeState(all, held, entry)
			}
		}
	}
}

// takeState adds one entry to what a takeover begins with.
func (s *Service) takeState(all map[seamark.TenantID]map[string]stateEntry, held map[int]*tenure, entry jetstream.KeyValueEntry) {
	id, rest, _ := strings.Cut(entry.Key(), ".")
	tenant, err := seamark.ParseTenantID(id)
	t := held[shardOf(tenant)]
	if err == nil && t == nil {
		return // another process's
	}
	epoch, body := openEpoch(entry.Value())
	var expires time.Time
	if err == nil {
		expires, err = decodeState(rest, body)
	}
	if err != nil {
		s.metrics.poisoned.WithLabelValues(s.state.Bucket()).Inc()
		s.opts.Logger.Error("state cannot be read and is left out", "key", entry.Key(), "err", err)
		return
	}
	if t.tooLate(rest, epoch, entry.Revision()) {
		s.metrics.voided.Inc()
		s.opts.Logger.Warn("state was written by a process that had lost the tenant, and is void", "key", entry.Key(), "epoch", epoch, "now", t.epoch)
		return
	}
	if all[tenant] == nil {
		all[tenant] = map[string]stateEntry{}
	}
	all[tenant][rest] = stateEntry{body: body, revision: entry.Revision(), expires: expires}
}
