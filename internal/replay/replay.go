// Package replay remembers for a day what creations answered to an Idempotency-Key, in a JetStream KV bucket that all API
// nodes share. All that it stores is sealed: an answer may hold a token that is shown once, and a request's fingerprint lets
// guess what was in it. Package app hands it to the edge.
package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Bucket is the KV bucket of the answers.
const Bucket = "seamark_replays"

const (
	// lifetime is how long an answer is remembered, and lease how long a claim without one stands: a node that dies between
	// both must not keep its sender from trying again.
	lifetime = 24 * time.Hour
	lease    = 2 * time.Minute
	// maxValueBytes bounds one answer, sealed and in base64; maxBucketBytes bounds all. Without them creations fill the disk
	// of the control plane.
	maxValueBytes  = 256 << 10
	maxBucketBytes = 64 << 20
	// kvTimeout bounds one operation. Without it a bucket on a full disk, which answers nothing, holds its caller for ever.
	kvTimeout = 5 * time.Second
)

// Sealer seals and opens values; seal.Ring implements it.
type Sealer interface {
	Seal(ctx context.Context, at seal.Place, plain []byte) (string, error)
	Unseal(ctx context.Context, at seal.Place, sealed string) ([]byte, error)
}

// Options configures a Store. JS, Keys and Now are required.
type Options struct {
	JS       jetstream.JetStream
	Replicas int // of the bucket; 1 unless told
	Keys     Sealer
	Now      func() time.Time
}

func (o *Options) validate() error {
	if o.JS == nil || o.Keys == nil || o.Now == nil {
		return errors.New("replay: JS, Keys and Now are required")
	}
	return nil
}

// Store implements httpx.Replays.
type Store struct {
	kv   jetstream.KeyValue
	keys Sealer
	now  func() time.Time
}

// Open opens the bucket, which it makes when it is missing.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	kv, err := o.JS.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: Bucket, Description: "Seamark control plane: answers to idempotency keys", History: 1, TTL: lifetime,
		Storage: jetstream.FileStorage, Replicas: max(1, o.Replicas), MaxValueSize: maxValueBytes, MaxBytes: maxBucketBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", Bucket, err)
	}
	return &Store{kv: kv, keys: o.Keys, now: o.Now}, nil
}

// entry is what stands in the bucket.
type entry struct {
	Claimed time.Time `json:"claimed_at"`
	Sealed  string    `json:"sealed"` // of content
}

// content is what only the keys' owner reads.
type content struct {
	Fingerprint string        `json:"fingerprint"`
	Answer      *httpx.Answer `json:"answer,omitempty"` // none while the creation is under way
}

// keyOf returns the key in the bucket. It begins with the tenant, so that the purge of a deleted tenant finds it.
func keyOf(key *httpx.ReplayKey) string {
	if key.Tenant == "" {
		return "operator." + key.Name
	}
	return string(key.Tenant) + "." + key.Name
}

func place(key *httpx.ReplayKey) seal.Place {
	return seal.Place{Bucket: Bucket, Key: keyOf(key), Tenant: key.Tenant, Field: "answer"}
}

// Claim implements httpx.Replays.
func (s *Store) Claim(ctx context.Context, key *httpx.ReplayKey) (*httpx.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	value, err := s.encode(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	_, err = s.kv.Create(ctx, keyOf(key), value)
	switch {
	case err == nil:
		return nil, nil
	case !errors.Is(err, jetstream.ErrKeyExists):
		return nil, unreachable(err)
	}
	found, err := s.kv.Get(ctx, keyOf(key))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, busy() // given back just now
	}
	if err != nil {
		return nil, unreachable(err)
	}
	return s.judge(ctx, key, found, value)
}

// judge decides about a key that was used before. claim is what takes it over.
func (s *Store) judge(ctx context.Context, key *httpx.ReplayKey, found jetstream.KeyValueEntry, claim []byte) (*httpx.Answer, error) {
	claimed, before, err := s.decode(ctx, key, found.Value())
	switch {
	case err != nil:
		return nil, err
	case before.Fingerprint != key.Fingerprint:
		return nil, seamark.Errorf(seamark.Unprocessable, "seamark-idempotency-mismatch",
			"This Idempotency-Key was used within the last 24 hours with another request. Use a new key for a new request.")
	case before.Answer != nil:
		return before.Answer, nil
	case s.now().Sub(claimed) < lease:
		return nil, busy()
	}
	// Whoever claimed it is gone.
	if _, err := s.kv.Update(ctx, keyOf(key), claim, found.Revision()); err != nil {
		if api, ok := errors.AsType[*jetstream.APIError](err); ok && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
			return nil, busy()
		}
		return nil, unreachable(err)
	}
	return nil, nil
}

// Keep implements httpx.Replays.
func (s *Store) Keep(ctx context.Context, key *httpx.ReplayKey, answer *httpx.Answer) error {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	value, err := s.encode(ctx, key, answer)
	if err != nil {
		return err
	}
	if _, err := s.kv.Put(ctx, keyOf(key), value); err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	return nil
}

// Release implements httpx.Replays.
func (s *Store) Release(ctx context.Context, key *httpx.ReplayKey) error {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	if err := s.kv.Purge(ctx, keyOf(key)); err != nil {
		return fmt.Errorf("release a key: %w", err)
	}
	return nil
}

func (s *Store) encode(ctx context.Context, key *httpx.ReplayKey, answer *httpx.Answer) ([]byte, error) {
	plain, err := json.Marshal(content{key.Fingerprint, answer})
	if err != nil {
		return nil, err
	}
	sealed, err := s.keys.Seal(ctx, place(key), plain)
	if err != nil {
		return nil, err
	}
	return json.Marshal(entry{s.now().UTC(), sealed})
}

func (s *Store) decode(ctx context.Context, key *httpx.ReplayKey, value []byte) (claimed time.Time, c content, err error) {
	var e entry
	if err := json.Unmarshal(value, &e); err != nil {
		return time.Time{}, c, fmt.Errorf("read an answer: %w", err)
	}
	plain, err := s.keys.Unseal(ctx, place(key), e.Sealed)
	if err != nil {
		return time.Time{}, c, fmt.Errorf("open an answer: %w", err)
	}
	err = json.Unmarshal(plain, &c)
	return e.Claimed, c, err
}

func busy() error {
	err := seamark.Errorf(seamark.Conflict, "seamark-idempotency-busy",
		"A request with this Idempotency-Key is under way. Repeat it in a second to get its answer.")
	err.RetryAfter = time.Second
	return err
}

func unreachable(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-idempotency-unreachable",
		"The store of idempotency keys cannot be reached right now, so nothing was created. Repeat the request with the same key in some seconds.")
}
