package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// docVersion stands in every document. A node that meets a higher one keeps what it knew and reports the key; fields
// added without a new version are ignored by older nodes.
const docVersion = 1

// document is a stored JSON document. validate is given the key without its noun, checks everything as if a customer had
// written it, and fills the fields that are derived from stored ones. A validated document never changes again.
type document interface {
	validate(key string) error
}

// row is one document with the KV revision it came from. Revision zero is older than every real one: it marks rows from
// the snapshot file or from a bucket that was made anew.
type row[D any] struct {
	doc      *D
	revision uint64
}

// table is all documents of one noun, in memory. Its keys in KV are `<noun>.<key>`. The watch and this node's own writes
// both feed it; revisions decide which is newer, so that a caller reads its own writes at once.
type table[D any] struct {
	noun   string
	bucket *bucket
	decode func(key string, value []byte) (*D, error)
	// aliasOf and groupOf name a second unique key and a set that a document belongs to; nil when the table needs none.
	aliasOf, groupOf func(*D) string
	// groupsOf is groupOf for documents that belong to several sets.
	groupsOf func(*D) []string
	// redact removes what must not reach the snapshot file; nil when everything may.
	redact func(D) D
	// changed is called after every change, with mu held.
	changed func()
	// tie, when set, keeps what documents of this table and another know of each other; it is called with mu held after the
	// indexes changed, with the document before and the one of now, each nil when there is none.
	tie func(old, doc *D)

	mu     *sync.RWMutex // the directory's: one lock guards all tables, so that a check sees one state of all of them
	rows   map[string]row[D]
	alias  map[string]*D
	groups map[string]map[string]*D
}

func newTable[D any, P interface {
	*D
	document
}](noun string, b *bucket, mu *sync.RWMutex, changed func()) *table[D] {
	return &table[D]{
		noun: noun, bucket: b, mu: mu, changed: changed, decode: decodeDocument[D, P],
		rows: map[string]row[D]{}, alias: map[string]*D{}, groups: map[string]map[string]*D{},
	}
}

// decodeDocument turns a stored value into a checked document.
func decodeDocument[D any, P interface {
	*D
	document
}](key string, value []byte) (*D, error) {
	if len(value) > maxValueBytes {
		return nil, fmt.Errorf("value has %d bytes, limit %d", len(value), maxValueBytes)
	}
	var head struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(value, &head); err != nil {
		return nil, fmt.Errorf("not a JSON document: %w", err)
	}
	if head.Version != docVersion {
		return nil, fmt.Errorf("document version %d is not %d", head.Version, docVersion)
	}
	doc := new(D)
	if err := json.Unmarshal(value, doc); err != nil {
		return nil, fmt.Errorf("not a document of this kind: %w", err)
	}
	if err := P(doc).validate(key); err != nil {
		return nil, err
	}
	return doc, nil
}

// findLocked returns the document under key, or nil. The caller holds mu, for reading at least.
func (t *table[D]) findLocked(key string) *D { return t.rows[key].doc }

// aliasLocked returns the document with the given second key, or nil. The caller holds mu, for reading at least.
func (t *table[D]) aliasLocked(alias string) *D { return t.alias[alias] }

func (t *table[D]) find(key string) (*D, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r := t.rows[key]
	return r.doc, r.revision
}

func (t *table[D]) findAlias(alias string) *D {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.alias[alias]
}

// list returns the documents of one group, in no order.
func (t *table[D]) list(group string) []*D {
	t.mu.RLock()
	defer t.mu.RUnlock()
	docs := make([]*D, 0, len(t.groups[group]))
	for _, doc := range t.groups[group] {
		docs = append(docs, doc)
	}
	return docs
}

// all returns every document, in no order.
func (t *table[D]) all() []*D {
	t.mu.RLock()
	defer t.mu.RUnlock()
	docs := make([]*D, 0, len(t.rows))
	for _, r := range t.rows {
		docs = append(docs, r.doc)
	}
	return docs
}

// keys returns every key, in no order.
func (t *table[D]) keys() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	keys := make([]string, 0, len(t.rows))
	for key := range t.rows {
		keys = append(keys, key)
	}
	return keys
}

// setLocked keeps the indexes in step with rows. A nil document removes the key.
func (t *table[D]) setLocked(key string, doc *D, revision uint64) {
	old := t.rows[key].doc
	if t.tie != nil {
		defer t.tie(old, doc)
	}
	if old != nil {
		if t.aliasOf != nil && t.alias[t.aliasOf(old)] == old {
			delete(t.alias, t.aliasOf(old))
		}
		for _, group := range t.groupsLocked(old) {
			delete(t.groups[group], key)
			if len(t.groups[group]) == 0 {
				delete(t.groups, group)
			}
		}
	}
	t.changed()
	if doc == nil {
		delete(t.rows, key)
		return
	}
	t.rows[key] = row[D]{doc: doc, revision: revision}
	if t.aliasOf != nil {
		t.alias[t.aliasOf(doc)] = doc
	}
	for _, group := range t.groupsLocked(doc) {
		if t.groups[group] == nil {
			t.groups[group] = map[string]*D{}
		}
		t.groups[group][key] = doc
	}
}

// groupsLocked names the sets that a document belongs to.
func (t *table[D]) groupsLocked(doc *D) []string {
	switch {
	case t.groupsOf != nil:
		return t.groupsOf(doc)
	case t.groupOf != nil:
		return []string{t.groupOf(doc)}
	}
	return nil
}

// apply takes a value that was written at revision, from the watch or from our own write. Older news are ignored. A value
// that does not decode changes nothing: the last good document stays.
func (t *table[D]) apply(key string, value []byte, revision uint64) error {
	if _, have := t.find(key); revision <= have && have > 0 {
		return nil
	}
	doc, err := t.decode(key, value)
	if err != nil {
		return err
	}
	t.set(key, doc, revision)
	return nil
}

func (t *table[D]) set(key string, doc *D, revision uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if have := t.rows[key].revision; revision > have || have == 0 {
		t.setLocked(key, doc, revision)
	}
}

// drop forgets a key that was deleted at revision.
func (t *table[D]) drop(key string, revision uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.rows[key]; ok && revision > r.revision {
		t.setLocked(key, nil, 0)
	}
}

// retain drops the rows that a complete replay up to revision did not hold: they were deleted while nobody watched.
func (t *table[D]) retain(seen map[string]bool, revision uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, r := range t.rows {
		if r.revision <= revision && !seen[t.noun+"."+key] {
			t.setLocked(key, nil, 0)
		}
	}
}

// forgetRevisions makes every row older than anything that comes, for a bucket that was made anew counts from one.
func (t *table[D]) forgetRevisions() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, r := range t.rows {
		r.revision = 0
		t.rows[key] = r
	}
}

// create writes a document under a key that must not exist, and applies it here; errTaken when the key exists.
func (t *table[D]) create(ctx context.Context, key string, doc *D) error {
	_, err := t.write(key, doc, func(name string, value []byte) (uint64, error) {
		return t.bucket.create(ctx, name, value)
	})
	return err
}

// mutate changes the document under key by compare-and-set and returns the new one; errAbsent when there is none. change
// gets a shallow copy, so it replaces slices and maps instead of editing them; it may run several times, and an error of
// its own ends the attempt unchanged.
func (t *table[D]) mutate(ctx context.Context, key string, change func(*D) error) (*D, error) {
	const attempts = 20
	doc, revision := t.find(key)
	for attempt := range attempts {
		if doc == nil || revision == 0 {
			var err error
			if doc, revision, err = t.fetch(ctx, key); err != nil {
				return nil, err
			}
		}
		t.mu.RLock()
		next := *doc // what ties it to others changes under the lock
		t.mu.RUnlock()
		if err := change(&next); err != nil {
			return nil, err
		}
		written, err := t.write(key, &next, func(name string, value []byte) (uint64, error) {
			return t.bucket.update(ctx, name, value, revision)
		})
		if !errors.Is(err, errTaken) {
			return written, err
		}
		if err := pause(ctx, rand.N(time.Duration(attempt+1)*4*time.Millisecond)); err != nil {
			return nil, unreachable(err)
		}
		doc = nil
	}
	return nil, seamark.Errorf(seamark.Conflict, "seamark-directory-contended",
		"Others kept changing this %s at the same time. Nothing was changed; try again.", t.noun)
}

// remove deletes a document everywhere; here it goes when the watch says so.
func (t *table[D]) remove(ctx context.Context, key string) error {
	return t.bucket.remove(ctx, t.noun+"."+key)
}

// removeChecked deletes the document under key everywhere, unless check refuses it as it is; errAbsent when there is none. The error
// is of kind Conflict when it was changed meanwhile.
func (t *table[D]) removeChecked(ctx context.Context, key string, check func(*D) error) error {
	doc, revision, err := t.fetch(ctx, key)
	if err != nil {
		return err
	}
	if err := check(doc); err != nil {
		return err
	}
	err = t.bucket.removeAt(ctx, t.noun+"."+key, revision)
	if errors.Is(err, errTaken) {
		return seamark.Errorf(seamark.Conflict, "seamark-directory-contended",
			"Others changed this %s at the same time. Nothing was deleted; look again.", t.noun)
	}
	if err != nil {
		return err
	}
	t.drop(key, revision+1) // so that the caller does not find it here before the watch says that it is gone
	return nil
}

// checkEach asks each of checks about a document; the first error counts.
func checkEach[D any](document D, checks []func(D) error) error {
	for _, check := range checks {
		if err := check(document); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads the newest document for a compare-and-set. Where the stored value is poison it returns the last good
// document with the poison's revision, so that a write can heal the key.
func (t *table[D]) fetch(ctx context.Context, key string) (*D, uint64, error) {
	value, revision, err := t.bucket.get(ctx, t.noun+"."+key)
	if err != nil {
		return nil, 0, err
	}
	doc, err := t.decode(key, value)
	if err == nil {
		return doc, revision, nil
	}
	if good, _ := t.find(key); good != nil {
		return good, revision, nil
	}
	return nil, 0, fmt.Errorf("read %s %q: %w", t.noun, key, err)
}

// refresh applies the stored document here, for a writer that just learned that another one was first.
func (t *table[D]) refresh(ctx context.Context, key string) error {
	doc, revision, err := t.fetch(ctx, key)
	if err != nil {
		return err
	}
	t.set(key, doc, revision)
	return nil
}

// write encodes doc, proves that every node will accept it, writes it with put and applies it here.
func (t *table[D]) write(key string, doc *D, put func(name string, value []byte) (uint64, error)) (*D, error) {
	value, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", t.noun, err)
	}
	checked, err := t.decode(key, value)
	if err != nil {
		return nil, fmt.Errorf("refuse to write a bad %s: %w", t.noun, err)
	}
	revision, err := put(t.noun+"."+key, value)
	if err != nil {
		return nil, err
	}
	t.set(key, checked, revision)
	return checked, nil
}

// dump returns the redacted documents for the snapshot file.
func (t *table[D]) dump() (map[string]json.RawMessage, error) {
	t.mu.RLock()
	docs := make(map[string]*D, len(t.rows))
	for key, r := range t.rows {
		docs[key] = r.doc
	}
	t.mu.RUnlock()
	values := make(map[string]json.RawMessage, len(docs))
	for key, doc := range docs {
		if t.redact != nil {
			clean := t.redact(*doc)
			doc = &clean
		}
		value, err := json.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", t.noun, err)
		}
		values[key] = value
	}
	return values, nil
}

// splitKey parts a KV key into noun and key.
func splitKey(name string) (noun, key string) {
	noun, key, _ = strings.Cut(name, ".")
	return noun, key
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
