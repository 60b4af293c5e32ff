package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	streamPrefix   = "SEAMARK_"
	bucketStreams  = "KV_" + bucketPrefix
	deadStreamName = "SEAMARK_DEAD"
	deadTenant     = "Seamark-Tenant" // header of a dead letter
	writerBucket   = bucketPrefix + "writer"
)

// Messages purges a tenant's messages from all streams, and the markers that its deleted documents have left in the buckets.
//
// Of a stream that the writer reads only what is behind its checkpoint goes: a message that vanished from an open batch would
// have the batch stored again, other tenants' rows twice. What is ahead the writer drops in passing, and the next pass purges.
func (e *Eraser) Messages(ctx context.Context, id seamark.TenantID) ([]Erased, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	var list []Erased
	err := e.subjects(ctx, id, func(stream jetstream.Stream, subject string, count uint64) error {
		options := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSubject(subject)}
		name := stream.CachedInfo().Config.Name
		if strings.HasPrefix(name, bucketStreams) {
			last, err := stream.GetLastMsgForSubject(ctx, subject)
			if err != nil || last.Header.Get("KV-Operation") == "" {
				return ignoreAbsent(err) // a document: it is deleted first, so that every node hears of it
			}
		}
		checkpoint, written, err := e.checkpoint(ctx, name)
		if err != nil {
			return err
		}
		if written {
			options = append(options, jetstream.WithPurgeSequence(checkpoint+1))
		}
		if err := stream.Purge(ctx, options...); err != nil {
			return fmt.Errorf("purge %s from stream %s: %w", subject, name, err)
		}
		list = addErased(list, Erased{Place: name, Items: count})
		return nil
	})
	if err != nil {
		return list, unreachable(err)
	}
	dead, err := e.deadLetters(ctx, id, true)
	if dead > 0 {
		list = addErased(list, Erased{Place: deadStreamName, Items: dead})
	}
	return list, err
}

func ignoreAbsent(err error) error {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	return err
}

// Remaining counts what is left of a tenant in NATS: documents, messages and markers, by place.
func (e *Eraser) Remaining(ctx context.Context, id seamark.TenantID) (map[string]uint64, error) {
	left := map[string]uint64{}
	err := e.subjects(ctx, id, func(stream jetstream.Stream, _ string, count uint64) error {
		left[stream.CachedInfo().Config.Name] += count
		return nil
	})
	if err != nil {
		return nil, unreachable(err)
	}
	dead, err := e.deadLetters(ctx, id, false)
	if err != nil {
		return nil, err
	}
	if dead > 0 {
		left[deadStreamName] += dead
	}
	names := e.js.KeyValueStoreNames(ctx)
	for name := range names.Name() {
		if !strings.HasPrefix(name, bucketPrefix) || keptBuckets()[name] != "" {
			continue
		}
		kv, err := e.js.KeyValue(ctx, name)
		if err != nil {
			return nil, unreachable(err)
		}
		entries, err := readEntries(ctx, kv)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if v := judge(entry.Key(), entry.Value(), []string{string(id)}); v.touched() && keptBuckets()[name+":"+nounOf(entry.Key())] == "" {
				left[name]++
			}
		}
	}
	return left, names.Error()
}

// subjects calls fn with every subject of our streams that names a tenant.
func (e *Eraser) subjects(ctx context.Context, id seamark.TenantID, fn func(stream jetstream.Stream, subject string, count uint64) error) error {
	names := e.js.StreamNames(ctx)
	var streams []string
	for name := range names.Name() {
		if strings.HasPrefix(name, streamPrefix) || strings.HasPrefix(name, bucketStreams) {
			streams = append(streams, name)
		}
	}
	if err := names.Err(); err != nil {
		return err
	}
	slices.Sort(streams)
	for _, name := range streams {
		bucket, isBucket := strings.CutPrefix(name, "KV_")
		if isBucket && keptBuckets()[bucket] != "" {
			continue
		}
		stream, err := e.js.Stream(ctx, name)
		if err != nil {
			return err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(">"))
		if err != nil {
			return err
		}
		for subject, count := range info.State.Subjects {
			words := strings.Split(subject, ".")
			if !slices.Contains(words, string(id)) || isBucket && len(words) > 2 && keptBuckets()[bucket+":"+words[2]] != "" {
				continue
			}
			if err := fn(stream, subject, count); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkpoint returns up to where the writer needs no message of a stream any more: counts of patterns may wait to be stored behind
// its checkpoint. It returns false for a stream that is none of the writer's.
func (e *Eraser) checkpoint(ctx context.Context, stream string) (sequence uint64, written bool, err error) {
	words := strings.Split(strings.ToLower(strings.TrimPrefix(stream, streamPrefix)), "_")
	if len(words) != 2 || !strings.HasPrefix(stream, streamPrefix) {
		return 0, false, nil
	}
	if _, err := seamark.ParseSignal(words[0]); err != nil {
		return 0, false, nil //nolint:nilerr // a stream of another kind
	}
	kv, err := e.js.KeyValue(ctx, writerBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return 0, true, nil
	}
	if err != nil {
		return 0, true, err
	}
	entry, err := kv.Get(ctx, words[0]+"."+words[1])
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, true, nil
	}
	if err != nil {
		return 0, true, err
	}
	var doc struct {
		Sequence uint64 `json:"sequence"`
		Waiting  uint64 `json:"waiting"`
	}
	if err = json.Unmarshal(entry.Value(), &doc); doc.Waiting > 0 {
		doc.Sequence = min(doc.Sequence, doc.Waiting-1)
	}
	return doc.Sequence, true, err
}

// deadLetters counts a tenant's messages that were set aside, and deletes them when told so.
func (e *Eraser) deadLetters(ctx context.Context, id seamark.TenantID, remove bool) (uint64, error) {
	stream, err := e.js.Stream(ctx, deadStreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, unreachable(err)
	}
	state, count := stream.CachedInfo().State, uint64(0)
	for n := state.FirstSeq; n <= state.LastSeq && state.Msgs > 0; n++ {
		msg, err := stream.GetMsg(ctx, n)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return count, unreachable(err)
		}
		if msg.Header.Get(deadTenant) != string(id) {
			continue
		}
		count++
		if !remove {
			continue
		}
		if err := stream.DeleteMsg(ctx, n); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return count, unreachable(err)
		}
	}
	return count, nil
}
