package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// errCodeWrongLastSequence is JetStream's API error for a compare-and-set that lost.
const errCodeWrongLastSequence = 10071

// ErrConflict says that somebody else changed a document first.
var ErrConflict = errors.New("the document was changed by somebody else")

// Docs keeps small JSON documents of type T in one KV bucket, changed by compare-and-set alone.
type Docs[T any] struct{ kv jetstream.KeyValue }

// OpenDocs opens a bucket, which it makes when it is missing.
func OpenDocs[T any](ctx context.Context, js jetstream.JetStream, bucket string, replicas int) (*Docs[T], error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: bucket, History: 1, Storage: jetstream.FileStorage, Replicas: replicas, MaxBytes: 64 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", bucket, err)
	}
	return &Docs[T]{kv: kv}, nil
}

// Find returns the document and its revision; revision 0 and the zero T when there is none. The caller must use the
// revision for its next Save: a stale read then loses there, never silently.
func (d *Docs[T]) Find(ctx context.Context, key string) (T, uint64, error) {
	var doc T
	entry, err := d.kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return doc, 0, nil
	case err != nil:
		return doc, 0, fmt.Errorf("find %s: %w", key, err)
	}
	if err := json.Unmarshal(entry.Value(), &doc); err != nil {
		return doc, 0, fmt.Errorf("read %s: %w", key, err)
	}
	return doc, entry.Revision(), nil
}

// Save writes the document if its revision is still the given one, and returns the new revision. It fails with
// ErrConflict when somebody else was first.
func (d *Docs[T]) Save(ctx context.Context, key string, doc T, revision uint64) (uint64, error) {
	body, err := json.Marshal(doc)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", key, err)
	}
	var next uint64
	if revision == 0 {
		next, err = d.kv.Create(ctx, key, body)
	} else {
		next, err = d.kv.Update(ctx, key, body, revision)
	}
	if err != nil {
		if errors.Is(err, jetstream.ErrKeyExists) || isConflict(err) {
			return 0, fmt.Errorf("save %s: %w", key, ErrConflict)
		}
		return 0, fmt.Errorf("save %s: %w", key, err)
	}
	return next, nil
}

func isConflict(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.ErrorCode == errCodeWrongLastSequence
}
