package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// BoardOptions configures a Board. JS and Bucket are required.
type BoardOptions struct {
	JS          jetstream.JetStream
	Bucket      string
	Description string
	Replicas    int
	// TTL is how long a document stays that nobody writes; 0 keeps it.
	TTL time.Duration
	// Changed, when set, is told of each document that somebody wrote or deleted. It must return at once.
	Changed func(key string)
}

// maxBoardBytes bounds a board, and with it the memory of each process that has it open.
const maxBoardBytes = 64 << 20

// Board keeps small JSON documents of type T in a KV bucket, and all of them in the memory of every process that has it open.
// Reads are from memory, a moment behind other processes' writes and never behind this one's. Writes are by compare-and-set.
// It is safe for concurrent use.
type Board[T any] struct {
	kv      jetstream.KeyValue
	changed func(string)

	mu     sync.RWMutex // guards the fields below
	docs   map[string]Posted[T]
	loaded bool
}

// Posted is a document as a board holds it.
type Posted[T any] struct {
	Doc      T
	Revision uint64
	Seen     time.Time // when this process first saw the revision, on its monotonic clock
	deleted  bool      // kept for its revision, until the watch has come as far
}

// OpenBoard opens a board, whose bucket it makes when it is missing. It knows no document before Run.
func OpenBoard[T any](ctx context.Context, o BoardOptions) (*Board[T], error) {
	kv, err := o.JS.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: o.Bucket, Description: o.Description, History: 1, Storage: jetstream.FileStorage, Replicas: max(1, o.Replicas), MaxBytes: maxBoardBytes, TTL: o.TTL,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", o.Bucket, err)
	}
	changed := o.Changed
	if changed == nil {
		changed = func(string) {}
	}
	return &Board[T]{kv: kv, changed: changed, docs: map[string]Posted[T]{}}, nil
}

// boardPause is how long a board waits before it watches again.
const boardPause = time.Second

// Run follows the bucket until ctx ends. A watch that breaks begins anew.
func (b *Board[T]) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		b.follow(ctx)
		timer := time.NewTimer(boardPause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// follow applies one watch until it breaks. What the watch does not name in the beginning is gone.
func (b *Board[T]) follow(ctx context.Context) {
	watcher, err := b.kv.WatchAll(ctx)
	if err != nil {
		return
	}
	defer func() { _ = watcher.Stop() }()
	seen, replayed := map[string]bool{}, false
	for {
		select {
		case <-ctx.Done():
			return
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return
			case entry == nil:
				b.endReplay(seen)
				replayed = true
			default:
				if !replayed {
					seen[entry.Key()] = true
				}
				b.apply(entry)
			}
		}
	}
}

func (b *Board[T]) endReplay(seen map[string]bool) {
	var gone []string
	b.mu.Lock()
	b.loaded = true
	for key, p := range b.docs {
		if !seen[key] || p.deleted {
			delete(b.docs, key)
			gone = append(gone, key)
		}
	}
	b.mu.Unlock()
	for _, key := range gone {
		b.changed(key)
	}
}

func (b *Board[T]) apply(entry jetstream.KeyValueEntry) {
	p := Posted[T]{Revision: entry.Revision()}
	if entry.Operation() != jetstream.KeyValuePut {
		b.remove(entry.Key(), p.Revision, false)
		return
	}
	if json.Unmarshal(entry.Value(), &p.Doc) != nil {
		return // of a newer build, or damaged: what was known before stays
	}
	b.post(entry.Key(), p)
}

// remove takes a document that is known up to a revision. mark keeps the revision until the watch has come as far.
func (b *Board[T]) remove(key string, revision uint64, mark bool) {
	b.mu.Lock()
	p, known := b.docs[key]
	known = known && p.Revision <= revision
	switch {
	case known && mark:
		p.deleted = true
		b.docs[key] = p
	case known:
		delete(b.docs, key)
	}
	b.mu.Unlock()
	if known {
		b.changed(key)
	}
}

// post takes a document unless a newer one is known.
func (b *Board[T]) post(key string, p Posted[T]) {
	p.Seen = time.Now()
	b.mu.Lock()
	newer := p.Revision > b.docs[key].Revision
	if newer {
		b.docs[key] = p
	}
	b.mu.Unlock()
	if newer {
		b.changed(key)
	}
}

// Loaded reports that the whole bucket was read since Run.
func (b *Board[T]) Loaded() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.loaded
}

// Find returns a document from memory.
func (b *Board[T]) Find(key string) (Posted[T], bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p, ok := b.docs[key]
	return p, ok && !p.deleted
}

// Empty reports that no document is known. It is for callers that ask before every request.
func (b *Board[T]) Empty() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.docs) == 0
}

// List returns all documents from memory, by key.
func (b *Board[T]) List() map[string]Posted[T] {
	b.mu.RLock()
	defer b.mu.RUnlock()
	list := maps.Clone(b.docs)
	maps.DeleteFunc(list, func(_ string, p Posted[T]) bool { return p.deleted })
	return list
}

// Fetch returns a document from the bucket; revision 0 when there is none.
func (b *Board[T]) Fetch(ctx context.Context, key string) (Posted[T], error) {
	doc, revision, err := (&Docs[T]{kv: b.kv}).Find(ctx, key)
	if err != nil || revision == 0 {
		return Posted[T]{}, err
	}
	p := Posted[T]{Doc: doc, Revision: revision}
	b.post(key, p)
	return p, nil
}

// Save writes a document if its revision is still the given one, 0 for one that is not there, and returns the new revision.
// It fails with ErrConflict when somebody else was first.
func (b *Board[T]) Save(ctx context.Context, key string, doc T, revision uint64) (uint64, error) {
	next, err := (&Docs[T]{kv: b.kv}).Save(ctx, key, doc, revision)
	if err != nil {
		return 0, err
	}
	b.post(key, Posted[T]{Doc: doc, Revision: next})
	return next, nil
}

// Delete deletes a document if its revision is still the given one. It fails with ErrConflict when somebody else was first.
func (b *Board[T]) Delete(ctx context.Context, key string, revision uint64) error {
	err := b.kv.Delete(ctx, key, jetstream.LastRevision(revision))
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		if isConflict(err) {
			return fmt.Errorf("delete %s: %w", key, ErrConflict)
		}
		return fmt.Errorf("delete %s: %w", key, err)
	}
	b.remove(key, revision, true)
	return nil
}
