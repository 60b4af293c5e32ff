package seal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// bucketPrefix is that of all our buckets.
const bucketPrefix = "seamark_"

// errTaken says that somebody else wrote a key first.
var errTaken = errors.New("the key was written by somebody else")

// Report says what a pass over the store did.
type Report struct {
	Values   int      `json:"values"`   // sealed values that were found
	Resealed int      `json:"resealed"` // of them, those that were sealed anew
	Broken   []string `json:"broken"`   // bucket and key of values that do not open; they are left alone
	Retired  []string `json:"retired"`  // ids of data keys that nothing used any more
}

// Reseal seals every value of the store with the current data key, one document after the other by compare-and-set, while
// all nodes go on reading and writing. Data keys that nothing uses go when they were superseded long enough ago that no
// value sealed with them can still be on its way. It may run on several nodes at once and be repeated at any time.
func (r *Ring) Reseal(ctx context.Context) (Report, error) {
	report := Report{Broken: []string{}, Retired: []string{}}
	doc, _, err := r.find(ctx)
	if err != nil {
		return report, err
	}
	if _, err := r.learn(&doc); err != nil {
		return report, err
	}
	used := map[string]int{}
	err = r.visit(ctx, func(kv jetstream.KeyValue, entry jetstream.KeyValueEntry, pattern *regexp.Regexp) error {
		one, err := r.resealEntry(ctx, kv, entry, pattern)
		if err != nil {
			return fmt.Errorf("seal %s %s anew: %w", entry.Bucket(), entry.Key(), err)
		}
		report.Values += one.opened
		report.Resealed += one.resealed
		for id, n := range one.used {
			used[id] += n
		}
		if one.broken > 0 {
			report.Broken = append(report.Broken, entry.Bucket()+" "+entry.Key())
		}
		return nil
	})
	if err != nil {
		return report, err
	}
	// A value that does not open may name a key that would open it once the document is mended, so its key stays.
	report.Retired, err = r.retire(ctx, used)
	return report, err
}

// passed is what a pass found in one document.
type passed struct {
	opened, resealed, broken int
	used                     map[string]int // values by the id of the data key that seals them after the pass
}

// resealEntry seals the values of one document anew. A document that somebody else writes meanwhile is read again.
func (r *Ring) resealEntry(ctx context.Context, kv jetstream.KeyValue, entry jetstream.KeyValueEntry, pattern *regexp.Regexp) (passed, error) {
	for range attempts {
		p := passed{used: map[string]int{}}
		var failed error
		body := pattern.ReplaceAllFunc(entry.Value(), func(text []byte) []byte {
			fresh, err := r.resealValue(ctx, entry, string(text), &p)
			failed = errors.Join(failed, err)
			return []byte(fresh)
		})
		if failed != nil || p.resealed == 0 {
			return p, failed
		}
		err := update(ctx, kv, entry.Key(), body, entry.Revision())
		if !errors.Is(err, errTaken) {
			return p, err
		}
		get, cancel := context.WithTimeout(ctx, kvTimeout)
		entry, err = kv.Get(get, entry.Key())
		cancel()
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return passed{}, nil
		}
		if err != nil {
			return passed{}, err
		}
	}
	return passed{}, errors.New("others kept changing it at the same time; try again")
}

// resealValue returns the value sealed with the current key, or as it was.
func (r *Ring) resealValue(ctx context.Context, entry jetstream.KeyValueEntry, text string, p *passed) (string, error) {
	e, err := parseEnvelope(text)
	if err != nil {
		return text, nil //nolint:nilerr // text of the same form is no sealed value
	}
	at := Place{Bucket: entry.Bucket(), Key: entry.Key(), Field: e.field}
	if e.tenant != noTenant {
		at.Tenant = seamark.TenantID(e.tenant)
	}
	if r.known(e.key) == nil {
		p.broken++ // or a customer's text that looks like one: nothing says which
		return text, nil
	}
	plain, err := r.Unseal(ctx, at, text)
	if err != nil {
		p.broken++
		p.used[e.key]++
		return text, nil //nolint:nilerr // it is counted, and must not keep the others from being sealed anew
	}
	p.opened++
	fresh, err := r.Seal(ctx, at, plain)
	if err != nil {
		return text, err
	}
	next, err := parseEnvelope(fresh)
	if err != nil {
		return text, err
	}
	p.used[next.key]++
	if next.key == e.key {
		return text, nil
	}
	p.resealed++
	return fresh, nil
}

// retire removes data keys that no value uses and that were superseded before the grace began.
func (r *Ring) retire(ctx context.Context, used map[string]int) ([]string, error) {
	gone := []string{}
	err := r.change(ctx, func(doc *ringDoc) error {
		gone = gone[:0]
		doc.Keys = slices.DeleteFunc(slices.Clone(doc.Keys), func(k dataKey) bool {
			idle := k.ID != doc.Current && used[k.ID] == 0 && !k.Superseded.IsZero() && r.now().Sub(k.Superseded) >= grace
			if idle {
				gone = append(gone, k.ID)
			}
			return idle
		})
		if len(gone) == 0 {
			return errUnchanged
		}
		return nil
	})
	return gone, err
}

// Keys lists the data keys, oldest first, with how many values each seals.
func (r *Ring) Keys(ctx context.Context) ([]KeyInfo, error) {
	doc, _, err := r.find(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]int{}
	err = r.visit(ctx, func(_ jetstream.KeyValue, entry jetstream.KeyValueEntry, pattern *regexp.Regexp) error {
		for _, text := range pattern.FindAll(entry.Value(), -1) {
			if e, err := parseEnvelope(string(text)); err == nil {
				used[e.key]++
			}
		}
		return nil
	})
	list := make([]KeyInfo, len(doc.Keys))
	for i, k := range doc.Keys {
		list[i] = KeyInfo{ID: k.ID, Root: doc.Root, Created: k.Created, Superseded: k.Superseded, Current: k.ID == doc.Current, Values: used[k.ID]}
	}
	return list, err
}

// count counts the documents that are nothing without their sealed value.
func (r *Ring) count(ctx context.Context) (sealed int, err error) {
	err = r.visit(ctx, func(_ jetstream.KeyValue, entry jetstream.KeyValueEntry, _ *regexp.Regexp) error {
		if isSealedDocument(entry.Value()) {
			sealed++
		}
		return nil
	})
	return sealed, err
}

// isSealedDocument reports whether a document keeps a sealed value where ours do, in the field sealed. Customers' texts of the
// same form stand in other fields.
func isSealedDocument(body []byte) bool {
	var doc struct {
		Sealed string `json:"sealed"`
	}
	return json.Unmarshal(body, &doc) == nil && IsSealed(doc.Sealed)
}

// visit calls fn for every document of our buckets that may hold a sealed value.
func (r *Ring) visit(ctx context.Context, fn func(jetstream.KeyValue, jetstream.KeyValueEntry, *regexp.Regexp) error) error {
	names := r.js.KeyValueStoreNames(ctx)
	var buckets []string
	for name := range names.Name() {
		if strings.HasPrefix(name, bucketPrefix) && name != Bucket {
			buckets = append(buckets, name)
		}
	}
	if err := names.Error(); err != nil {
		return fmt.Errorf("list the buckets: %w", err)
	}
	pattern := envelopes()
	for _, name := range buckets {
		kv, err := r.js.KeyValue(ctx, name)
		if err != nil {
			return fmt.Errorf("open bucket %s: %w", name, err)
		}
		if err := visitBucket(ctx, kv, func(entry jetstream.KeyValueEntry) error {
			if !pattern.Match(entry.Value()) {
				return nil
			}
			return fn(kv, entry, pattern)
		}); err != nil {
			return err
		}
	}
	return nil
}

// visitBucket calls fn for the present value of each key.
func visitBucket(ctx context.Context, kv jetstream.KeyValue, fn func(jetstream.KeyValueEntry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", kv.Bucket(), err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return fmt.Errorf("read bucket %s: the client closed the watcher", kv.Bucket())
			case entry == nil:
				return nil
			}
			if err := fn(entry); err != nil {
				return err
			}
		}
	}
}

// update writes a key that must still have the given revision; errTaken when it has another.
func update(ctx context.Context, kv jetstream.KeyValue, key string, body []byte, revision uint64) error {
	const wrongLastSequenceReplicated jetstream.ErrorCode = 10164 // replicated streams report a lost race under a code of their own
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	_, err := kv.Update(ctx, key, body, revision)
	if api, ok := errors.AsType[*jetstream.APIError](err); ok &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequenceReplicated) ||
		errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return errTaken
	}
	return err
}

// Maintain finishes rotations until ctx ends: it seals anew what a node that lagged behind sealed with an old key, and
// retires keys. While there is one data key it only looks.
func (r *Ring) Maintain(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := r.maintain(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "secrets were not sealed anew; it is tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (r *Ring) maintain(ctx context.Context) error {
	doc, _, err := r.find(ctx)
	if err != nil || len(doc.Keys) == 1 {
		return err
	}
	report, err := r.Reseal(ctx)
	if err == nil && (report.Resealed > 0 || len(report.Retired) > 0) {
		r.log.InfoContext(ctx, "secrets sealed anew", slog.Int("resealed", report.Resealed), slog.Any("retired", report.Retired))
	}
	return err
}
