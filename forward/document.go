package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The buckets.
const (
	definitionsBucket = "seamark_forwarders"
	// progressBucket holds positions in streams, which another installation does not have.
	progressBucket = "seamark_forwarder_progress"

	docVersion = 1
	// maxDocumentBytes bounds a stored forwarder, secrets included.
	maxDocumentBytes = 256 << 10
	kvTimeout        = 5 * time.Second
)

// document is a forwarder as it is stored, under its tenant and its name.
type document struct {
	Version    int              `json:"v"`
	ID         string           `json:"id"` // of this forwarder for ever: one that is made again under its name begins anew
	Tenant     seamark.TenantID `json:"tenant"`
	Definition Definition       `json:"definition"`       // without the values of secrets
	Sealed     string           `json:"sealed,omitempty"` // those, see safe
}

func documentKey(tenant seamark.TenantID, name string) string { return string(tenant) + "." + name }

func (d *document) key() string { return documentKey(d.Tenant, d.Definition.Name) }

func decodeDocument(key string, body []byte) (*document, error) {
	doc := &document{}
	if err := json.Unmarshal(body, doc); err != nil {
		return nil, fmt.Errorf("read forwarder %s: %w", key, err)
	}
	if err := doc.Tenant.Validate(); err != nil || doc.Version != docVersion || doc.key() != key || doc.ID == "" {
		return nil, fmt.Errorf("forwarder %s is none: version %d, stored for %s", key, doc.Version, doc.key())
	}
	if err := doc.Definition.Target.normalise(); err != nil {
		return nil, fmt.Errorf("forwarder %s: %w", key, err)
	}
	return doc, nil
}

// book keeps the forwarders' documents.
type book struct {
	kv  jetstream.KeyValue
	log *slog.Logger

	mu      sync.Mutex // guards known and changed
	known   map[string]*document
	changed chan struct{} // closed and replaced with every change of known
}

func openBucket(ctx context.Context, js jetstream.JetStream, name, description string, replicas int) (jetstream.KeyValue, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: name, Description: description, History: 1, MaxBytes: 64 << 20, MaxValueSize: maxDocumentBytes, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", name, err)
	}
	return kv, nil
}

func openBook(ctx context.Context, js jetstream.JetStream, replicas int, log *slog.Logger) (*book, error) {
	kv, err := openBucket(ctx, js, definitionsBucket, "Seamark control plane: forwarders", replicas)
	return &book{kv: kv, log: log, known: map[string]*document{}, changed: make(chan struct{})}, err
}

func away(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-forwarder-store", "The store of forwarders does not answer, so nothing was changed. Retry shortly.")
}

// find returns a tenant's forwarder and its revision in KV; NotFound when there is none.
func (b *book) find(ctx context.Context, tenant seamark.TenantID, name string) (*document, uint64, error) {
	missing := seamark.Errorf(seamark.NotFound, "seamark-forwarder-missing", "There is no forwarder %.80q.", name)
	if !nameForm().MatchString(name) {
		return nil, 0, missing
	}
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	key := documentKey(tenant, name)
	entry, err := b.kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, 0, missing
	case err != nil:
		return nil, 0, away(err)
	}
	doc, err := decodeDocument(key, entry.Value())
	return doc, entry.Revision(), err
}

// list returns a tenant's forwarders by name.
func (b *book) list(ctx context.Context, tenant seamark.TenantID) ([]*document, error) {
	if err := tenant.Validate(); err != nil {
		return nil, err // a wildcard would list everybody's
	}
	var list []*document
	err := each(ctx, b.kv, string(tenant)+".*", func(entry jetstream.KeyValueEntry) error {
		doc, err := decodeDocument(entry.Key(), entry.Value())
		if err != nil {
			b.log.ErrorContext(ctx, "a stored forwarder cannot be read", slog.Any("error", err))
			return nil
		}
		list = append(list, doc)
		return nil
	})
	return list, err
}

// each calls fn with the values of the keys that match.
func each(ctx context.Context, kv jetstream.KeyValue, keys string, fn func(jetstream.KeyValueEntry) error) error {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	watcher, err := kv.Watch(ctx, keys, jetstream.IgnoreDeletes())
	if err != nil {
		return away(err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return away(ctx.Err())
		case entry, ok := <-watcher.Updates():
			if !ok {
				return away(errWatchEnded)
			}
			if entry == nil {
				return nil
			}
			if err := fn(entry); err != nil {
				return err
			}
		}
	}
}

var errWatchEnded = errors.New("the watch ended")

// save writes a document by compare-and-set; revision 0 says that there must be none.
func (b *book) save(ctx context.Context, doc *document, revision uint64) error {
	body, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encode forwarder: %w", err)
	}
	if len(body) > maxDocumentBytes {
		return seamark.Errorf(seamark.TooLarge, "seamark-forwarder-large", "The forwarder takes %d bytes; the limit is %d. Shorten its filter or its secrets.", len(body), maxDocumentBytes)
	}
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	if revision == 0 {
		_, err = b.kv.Create(ctx, doc.key(), body)
	} else {
		_, err = b.kv.Update(ctx, doc.key(), body, revision)
	}
	switch {
	case isTaken(err):
		return changedMeanwhile(doc.Definition.Name)
	case err != nil:
		return away(err)
	}
	return nil
}

func changedMeanwhile(name string) error {
	return seamark.Errorf(seamark.Conflict, "seamark-forwarder-changed",
		"The forwarder %q was changed since it was read. Read it again and repeat the change on its new revision.", name)
}

// isTaken reports whether a compare-and-set lost.
func isTaken(err error) bool {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return true
	}
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

// follow keeps known current until ctx ends.
func (b *book) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if err := b.watch(ctx); err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "forwarders are not watched; it is tried again", slog.Any("error", err))
		}
		_ = pause(ctx, time.Second)
	}
}

func (b *book) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := b.kv.WatchAll(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Stop() }()
	first := map[string]*document{} // until the state of the beginning is whole
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return errWatchEnded
			case entry == nil:
				b.replace(first)
				first = nil
			default:
				b.take(ctx, first, entry)
			}
		}
	}
}

// take notes one change, in first while that is not nil.
func (b *book) take(ctx context.Context, first map[string]*document, entry jetstream.KeyValueEntry) {
	var doc *document
	if entry.Operation() == jetstream.KeyValuePut {
		var err error
		if doc, err = decodeDocument(entry.Key(), entry.Value()); err != nil {
			b.log.ErrorContext(ctx, "a stored forwarder cannot be read; it goes on as it was", slog.Any("error", err))
			return
		}
	}
	if first != nil {
		if doc != nil {
			first[entry.Key()] = doc
		}
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known[entry.Key()] = doc; doc == nil {
		delete(b.known, entry.Key())
	}
	b.tellLocked()
}

func (b *book) replace(known map[string]*document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known = known
	b.tellLocked()
}

func (b *book) tellLocked() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// of returns the known forwarders of a slot, and a channel that is closed with the next change of any.
func (b *book) of(slot int) (list []*document, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, doc := range b.known {
		if slotOf(doc.ID) == slot {
			list = append(list, doc)
		}
	}
	return list, b.changed
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
