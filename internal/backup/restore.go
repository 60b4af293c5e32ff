package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seal"
)

// DefaultReserve is how many tenant numbers a restore skips unless told.
const DefaultReserve = 100

// RestoreOptions configures a restore. JS and Root are required.
type RestoreOptions struct {
	JS       jetstream.JetStream
	Replicas int // of buckets that are missing
	// Root is the root key of the store, which must be the backup's.
	Root seal.RootKey
	// Force replaces a control plane that is not empty.
	Force bool
	// Reserve is how many tenant numbers are skipped. A tenant that was made after the backup may have left a database
	// behind, and the next tenant must not be given it.
	Reserve uint32
}

// Report says what a restore did.
type Report struct {
	Created       time.Time      `json:"created"` // when the backup was made
	Buckets       []BucketReport `json:"buckets"`
	SessionsEnded int            `json:"sessions_ended"`
	LastNumber    uint32         `json:"last_tenant_number"` // the next tenant gets the one after it
}

// BucketReport says what a restore did to one bucket.
type BucketReport struct {
	Bucket    string `json:"bucket"`
	Written   int    `json:"written"`
	Unchanged int    `json:"unchanged"`
	Removed   int    `json:"removed"` // documents that the backup does not have
}

// NotEmptyError says that a restore would destroy what is there.
type NotEmptyError struct{ Documents map[string]int } // by bucket

// Error implements error.
func (e *NotEmptyError) Error() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(e.Documents)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, e.Documents[name]))
	}
	return "the control plane is not empty (" + strings.Join(parts, ", ") + " documents); nothing was changed. --force replaces all of it with the backup"
}

// Restore brings the control plane to the state in b: what the backup has is written, what it does not have is removed. All
// checks come before the first write. The data keys go first, the slugs' bucket last, so that a restore that is cut short
// leaves tenants that nobody can reach; it can be repeated with Force.
func Restore(ctx context.Context, b *Backup, o RestoreOptions) (*Report, error) {
	if ring, ok := ring(b.Documents); ok {
		if err := seal.CheckRing(ring.Value, o.Root); err != nil {
			return nil, fmt.Errorf("the backup's data keys: %w. To restore it, start an empty server with the backup's root key", err)
		}
	}
	_, present, err := readStore(ctx, o.JS)
	if err != nil {
		return nil, err
	}
	if ring, ok := ring(present); ok {
		if err := seal.CheckRing(ring.Value, o.Root); err != nil {
			return nil, fmt.Errorf("the server's data keys: %w", err)
		}
	}
	if occupied := occupied(present); len(occupied) > 0 && !o.Force {
		return nil, &NotEmptyError{Documents: occupied}
	}
	r := &restorer{options: o, present: map[string]map[string]Document{}, wanted: map[string]map[string]Document{}}
	for _, d := range present {
		put(r.present, d)
	}
	for _, d := range b.Documents {
		put(r.wanted, d)
	}
	report := &Report{Created: b.Header.Created}
	if report.LastNumber, err = r.raiseNumbers(); err != nil {
		return nil, err
	}
	if err := r.keepKeys(); err != nil {
		return nil, err
	}
	return report, r.run(ctx, b.Header.Buckets, report)
}

func put(to map[string]map[string]Document, d Document) {
	if to[d.Bucket] == nil {
		to[d.Bucket] = map[string]Document{}
	}
	to[d.Bucket][d.Key] = d
}

// occupied counts the documents that a first start does not make by itself: it makes data keys and the operator.
func occupied(present []Document) map[string]int {
	counts := map[string]int{}
	users := 0
	for _, d := range present {
		switch d.Bucket {
		case seal.Bucket:
		case usersBucket:
			var user struct {
				Login    string `json:"login"`
				Operator bool   `json:"operator"`
			}
			if users++; users > 1 || json.Unmarshal(d.Value, &user) != nil || user.Login != "operator" || !user.Operator {
				counts[d.Bucket]++
			}
		default:
			counts[d.Bucket]++
		}
	}
	return counts
}

// restorer holds both states, by bucket and key.
type restorer struct {
	options         RestoreOptions
	present, wanted map[string]map[string]Document
}

// counter is the document of tenant numbers.
type counter struct {
	Version int    `json:"v"`
	Last    uint32 `json:"last"`
}

// raiseNumbers makes the counter of tenant numbers pass every number that may have been given away.
func (r *restorer) raiseNumbers() (uint32, error) {
	was, err := readCounter(r.wanted)
	if err != nil {
		return 0, err
	}
	now, err := readCounter(r.present)
	if err != nil || was.Last == 0 && now.Last == 0 {
		return 0, err
	}
	last := max(was.Last+r.options.Reserve, now.Last)
	body, err := json.Marshal(counter{Version: max(was.Version, now.Version), Last: last})
	put(r.wanted, Document{Bucket: tenantsBucket, Key: numberKey, Value: body})
	return last, err
}

func readCounter(docs map[string]map[string]Document) (c counter, err error) {
	if doc := at(docs, tenantsBucket, numberKey); doc != nil {
		if err = json.Unmarshal(doc.Value, &c); err != nil {
			err = fmt.Errorf("read the counter of tenant numbers: %w", err)
		}
	}
	return c, err
}

func at(docs map[string]map[string]Document, bucket, key string) *Document {
	d, ok := docs[bucket][key]
	if !ok {
		return nil
	}
	return &d
}

// keepKeys keeps the data keys of both: those of the backup for what is restored, the server's own for what it seals.
func (r *restorer) keepKeys() error {
	mine, theirs := at(r.present, seal.Bucket, seal.RingKey), at(r.wanted, seal.Bucket, seal.RingKey)
	switch {
	case mine == nil:
		return nil
	case theirs == nil:
		put(r.wanted, *mine)
		return nil
	}
	merged, err := seal.MergeRings(mine.Value, theirs.Value)
	if err != nil {
		return fmt.Errorf("join the data keys: %w", err)
	}
	put(r.wanted, Document{Bucket: seal.Bucket, Key: seal.RingKey, Value: merged})
	return nil
}

// run writes bucket after bucket: data keys, everything else at once, tenants.
func (r *restorer) run(ctx context.Context, described []Bucket, report *Report) error {
	known := map[string]Bucket{}
	for _, b := range described {
		known[b.Name] = b
	}
	for name := range r.present {
		if _, ok := known[name]; !ok {
			known[name] = Bucket{Name: name}
		}
	}
	var middle []string
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if name != seal.Bucket && name != tenantsBucket {
			middle = append(middle, name)
		}
	}
	var err error
	if report.SessionsEnded, err = r.endSessions(ctx); err != nil {
		return err
	}
	for _, group := range [][]string{{seal.Bucket}, middle, {tenantsBucket}} {
		var mu sync.Mutex // guards report.Buckets and failed
		var failed error
		var writers sync.WaitGroup
		for _, name := range group {
			if _, ok := known[name]; !ok {
				continue
			}
			writers.Go(func() {
				one, err := r.bucket(ctx, known[name])
				mu.Lock()
				defer mu.Unlock()
				report.Buckets, failed = append(report.Buckets, one), errors.Join(failed, err)
			})
		}
		writers.Wait()
		if failed != nil {
			return fmt.Errorf("the restore was cut short; repeat it with --force: %w", failed)
		}
	}
	slices.SortFunc(report.Buckets, func(a, b BucketReport) int { return strings.Compare(a.Bucket, b.Bucket) })
	return nil
}

// bucket brings one bucket to the backup's state.
func (r *restorer) bucket(ctx context.Context, b Bucket) (BucketReport, error) {
	report := BucketReport{Bucket: b.Name}
	kv, err := r.options.JS.KeyValue(ctx, b.Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = r.options.JS.CreateKeyValue(ctx, b.config(max(r.options.Replicas, 1)))
	}
	if err != nil {
		return report, fmt.Errorf("open bucket %s: %w", b.Name, err)
	}
	want, have := r.wanted[b.Name], r.present[b.Name]
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if old, ok := have[key]; ok && bytes.Equal(old.Value, want[key].Value) {
			report.Unchanged++
			continue
		}
		if _, err := kv.Put(ctx, key, want[key].Value); err != nil {
			return report, fmt.Errorf("write %s %s: %w", b.Name, key, err)
		}
		report.Written++
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[key]; ok {
			continue
		}
		if err := kv.Delete(ctx, key); err != nil {
			return report, fmt.Errorf("remove %s %s: %w", b.Name, key, err)
		}
		report.Removed++
	}
	return report, nil
}

// endSessions removes every session: one that a restored person's old epoch would make good again must not live.
func (r *restorer) endSessions(ctx context.Context) (int, error) {
	kv, err := r.options.JS.KeyValue(ctx, sessionsBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("open bucket %s: %w", sessionsBucket, err)
	}
	_, live, err := readBucket(ctx, r.options.JS, sessionsBucket)
	if err != nil {
		return 0, err
	}
	for _, d := range live {
		if err := kv.Delete(ctx, d.Key); err != nil {
			return 0, fmt.Errorf("end a session: %w", err)
		}
	}
	return len(live), nil
}
