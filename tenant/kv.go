package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// bucketPrefix keeps our buckets apart from those of other roles and products on a shared NATS.
const bucketPrefix = "seamark_"

// The buckets.
const (
	tenantsBucket  = "tenants"
	clustersBucket = "clusters"
	tokensBucket   = "tokens"
	usersBucket    = "users"
	sessionsBucket = "sessions"
	keysBucket     = "keys"
	arrivalsBucket = "arrivals"
)

// kvTimeout bounds one KV operation. Without it a bucket on a full disk, which answers nothing at all, holds its caller
// for as long as the caller's own deadline allows.
const kvTimeout = 5 * time.Second

// maxValueBytes bounds one document, on the server and again when it arrives. Without it one poisoned value takes a
// node's memory.
const maxValueBytes = 64 << 10

// errTaken says that a compare-and-set lost: the key exists, or has another revision by now.
var errTaken = errors.New("the key was written by somebody else")

// errAbsent says that a key has no value.
var errAbsent = errors.New("the key has no value")

// bucket is one KV bucket. All contact with JetStream goes through it.
type bucket struct {
	name   string
	js     jetstream.JetStream
	config jetstream.KeyValueConfig
	handle atomic.Pointer[kvHandle] // nil until the bucket was opened once
}

type kvHandle struct{ jetstream.KeyValue }

// bucketState is what tells a bucket from another one of the same name.
type bucketState struct {
	created time.Time
	lastSeq uint64
}

// open creates the bucket or brings it to our configuration. The client bounds each request; how long a start tries again is up to
// the JetStream that Options holds.
func (b *bucket) open(ctx context.Context) (bucketState, error) {
	kv, err := b.js.CreateOrUpdateKeyValue(ctx, b.config)
	if err != nil {
		return bucketState{}, fmt.Errorf("open bucket %s: %w", b.config.Bucket, err)
	}
	state, err := b.look(ctx)
	if err != nil {
		return bucketState{}, err
	}
	b.handle.Store(&kvHandle{kv})
	return state, nil
}

// look asks the bucket how far it is. Its leader answers, so what was acknowledged before is in.
func (b *bucket) look(ctx context.Context) (bucketState, error) {
	stream, err := b.js.Stream(ctx, "KV_"+b.config.Bucket)
	if err != nil {
		return bucketState{}, fmt.Errorf("read status of bucket %s: %w", b.config.Bucket, err)
	}
	info := stream.CachedInfo()
	return bucketState{created: info.Created, lastSeq: info.State.LastSeq}, nil
}

// watch follows every key, starting with the current value of each, until stop is called. The client may be blocked on
// handing over an entry then, so stop drains the channel until the client closes it.
func (b *bucket) watch(ctx context.Context) (updates <-chan jetstream.KeyValueEntry, stop func(), err error) {
	kv, err := b.opened()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx) // the client ends the consumer with this context, so it must not have a deadline
	late := time.AfterFunc(kvTimeout, cancel)
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("watch bucket %s: %w", b.config.Bucket, err)
	}
	stop = func() {
		cancel()
		go func() {
			for range watcher.Updates() {
			}
		}()
	}
	if !late.Stop() {
		stop()
		return nil, nil, fmt.Errorf("watch bucket %s: not answered within %s", b.config.Bucket, kvTimeout)
	}
	return watcher.Updates(), stop, nil
}

// get reads a key for a compare-and-set. The value may be stale, so nobody authorises anything from it.
func (b *bucket) get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	kv, err := b.opened()
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	entry, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, errAbsent
	}
	if err != nil {
		return nil, 0, unreachable(err)
	}
	return entry.Value(), entry.Revision(), nil
}

// create writes a key that must not exist; errTaken when it does.
func (b *bucket) create(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	return b.write(ctx, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return kv.Create(ctx, key, value)
	})
}

// update writes a key that must still have the given revision; errTaken when it has another.
func (b *bucket) update(ctx context.Context, key string, value []byte, expected uint64) (revision uint64, err error) {
	return b.write(ctx, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return kv.Update(ctx, key, value, expected)
	})
}

// put writes a key whatever it holds.
func (b *bucket) put(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	return b.write(ctx, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return kv.Put(ctx, key, value)
	})
}

// remove deletes a key; deleting an absent one is no error.
func (b *bucket) remove(ctx context.Context, key string) error {
	_, err := b.write(ctx, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return 0, kv.Delete(ctx, key)
	})
	return err
}

func (b *bucket) write(ctx context.Context, op func(context.Context, jetstream.KeyValue) (uint64, error)) (uint64, error) {
	kv, err := b.opened()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	revision, err := op(ctx, kv)
	switch {
	case err == nil:
		return revision, nil
	case lostRace(err):
		return 0, errTaken
	}
	return 0, unreachable(err)
}

// lostRace recognises a failed compare-and-set. Replicated streams report it under a code of their own, which
// jetstream's Create lets through untranslated when it writes over a deleted key.
func lostRace(err error) bool {
	const wrongLastSequenceReplicated jetstream.ErrorCode = 10164
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return true
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequenceReplicated)
}

func (b *bucket) opened() (jetstream.KeyValue, error) {
	h := b.handle.Load()
	if h == nil {
		return nil, unreachable(errors.New("bucket " + b.name + " was not opened yet"))
	}
	return h.KeyValue, nil
}

// unreachable hides a JetStream failure. A write that timed out may have happened, hence the message.
func unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return seamark.Wrap(err, seamark.Canceled, "seamark-directory-canceled", "The request was canceled by its caller.")
	}
	return seamark.Wrap(err, seamark.Unavailable, "seamark-directory-unreachable",
		"The control plane cannot reach its store right now. Retry in some seconds, and look whether the change is there already.")
}
