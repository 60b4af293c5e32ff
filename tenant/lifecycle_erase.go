package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// removeAt deletes a key that still has the given revision; errTaken when it has another.
func (b *bucket) removeAt(ctx context.Context, key string, revision uint64) error {
	_, err := b.write(ctx, func(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
		return 0, kv.Delete(ctx, key, jetstream.LastRevision(revision))
	})
	return err
}

// Erased is what one pass over one place removed.
type Erased struct {
	Place string `json:"place"` // a bucket, a stream, a database
	Items uint64 `json:"items"` // documents, messages, rows
	Bytes uint64 `json:"bytes,omitempty"`
}

// keptBuckets are the buckets whose mention of a deleted tenant is no remainder of it, with the reason, which stands in the
// certificate.
func keptBuckets() map[string]string {
	return map[string]string{
		bucketPrefix + tenantsBucket + ":tenant": "the tombstone: id, number and times, so that nothing late is taken for another tenant's",
		certificateBucket:                        "this certificate",
		bucketPrefix + "writer":                  "open inserts of the writer, which end with the next batch",
		bucketPrefix + "quota":                   "the day's count of what nodes took in, which ends at midnight of UTC",
	}
}

// Eraser removes a tenant from NATS: every document and every message, in whichever bucket or stream. It knows no list of
// them, so that what is added later is found, too: it looks at keys, subjects and documents.
type Eraser struct {
	js jetstream.JetStream
}

// NewEraser returns an eraser of everything on js that is Seamark's.
func NewEraser(js jetstream.JetStream) *Eraser { return &Eraser{js: js} }

// Documents deletes a tenant's documents from all buckets, takes the tenant out of documents that others share, and deletes
// people who were members of no other. It returns what it removed, nothing when nothing was left.
func (e *Eraser) Documents(ctx context.Context, id seamark.TenantID) ([]Erased, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	var list []Erased
	ids := []string{string(id)}
	for range 2 { // people who go with their tenant have documents of their own: the second round finds them
		found, people, err := e.round(ctx, ids)
		if list = addErased(list, found...); err != nil {
			return list, err
		}
		ids = people
		if len(people) == 0 {
			break
		}
	}
	return list, nil
}

func (e *Eraser) round(ctx context.Context, ids []string) (list []Erased, people []string, err error) {
	names := e.js.KeyValueStoreNames(ctx)
	var buckets []string
	for name := range names.Name() {
		if strings.HasPrefix(name, bucketPrefix) && keptBuckets()[name] == "" {
			buckets = append(buckets, name)
		}
	}
	if err := names.Error(); err != nil {
		return nil, nil, unreachable(err)
	}
	slices.Sort(buckets)
	for _, name := range buckets {
		n, gone, err := e.bucket(ctx, name, ids)
		people = append(people, gone...)
		if n.Items > 0 {
			list = append(list, n)
		}
		if err != nil {
			return list, people, fmt.Errorf("erase from bucket %s: %w", name, err)
		}
	}
	return list, people, nil
}

// bucket erases from one bucket and returns the ids of the people it deleted.
func (e *Eraser) bucket(ctx context.Context, name string, ids []string) (n Erased, people []string, err error) {
	n.Place = name
	kv, err := e.js.KeyValue(ctx, name)
	if err != nil {
		return n, nil, err
	}
	entries, err := readEntries(ctx, kv)
	if err != nil {
		return n, nil, err
	}
	for _, entry := range entries {
		if keptBuckets()[name+":"+nounOf(entry.Key())] != "" {
			continue
		}
		verdict := judge(entry.Key(), entry.Value(), ids)
		if verdict.person != "" {
			people = append(people, verdict.person)
		}
		switch {
		case verdict.remove:
			err = kv.Delete(ctx, entry.Key(), jetstream.LastRevision(entry.Revision()))
		case verdict.rest != nil:
			_, err = kv.Update(ctx, entry.Key(), verdict.rest, entry.Revision())
		default:
			continue
		}
		if lostRace(err) { // somebody wrote it meanwhile: the next pass looks again
			err = nil
		}
		if err != nil {
			return n, people, unreachable(err)
		}
		n.Items++
		n.Bytes += uint64(len(entry.Value()) - len(verdict.rest))
	}
	return n, people, nil
}

func nounOf(key string) string {
	noun, _, _ := strings.Cut(key, ".")
	return noun
}

// readEntries returns the present documents of a bucket.
func readEntries(ctx context.Context, kv jetstream.KeyValue) ([]jetstream.KeyValueEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, unreachable(err)
	}
	defer func() { _ = watcher.Stop() }()
	var list []jetstream.KeyValueEntry
	for {
		select {
		case <-ctx.Done():
			return nil, unreachable(ctx.Err())
		case entry, ok := <-watcher.Updates():
			if !ok {
				return nil, unreachable(errors.New("the client closed the watcher"))
			}
			if entry == nil {
				return list, nil
			}
			list = append(list, entry)
		}
	}
}

// verdict is what becomes of a document.
type verdict struct {
	remove bool
	rest   []byte // the document without the tenant, when others share it
	person string // id of the person whose document goes
}

func (v *verdict) touched() bool { return v.remove || v.rest != nil }

// judge decides about a document. It goes when its key names one of ids, or its field tenant, user or owner is one; from
// others the parts that are about one of ids are taken.
func judge(key string, value []byte, ids []string) verdict {
	for _, part := range strings.Split(key, ".") {
		if slices.Contains(ids, part) {
			return verdict{remove: true}
		}
	}
	if !slices.ContainsFunc(ids, func(id string) bool { return strings.Contains(string(value), id) }) {
		return verdict{}
	}
	decoder := json.NewDecoder(strings.NewReader(string(value)))
	decoder.UseNumber()
	var doc any
	if decoder.Decode(&doc) != nil {
		return verdict{remove: true} // not one of ours that holds several tenants, and it names this one
	}
	if about(doc, ids) {
		return verdict{remove: true}
	}
	rest, left := strip(doc, ids)
	if person, ok := rest.(map[string]any); ok && left && strings.HasPrefix(key, "user.") {
		id, _ := person["id"].(string)
		if members, _ := person["memberships"].(map[string]any); len(members) == 0 && person["operator"] != true && id != "" {
			return verdict{remove: true, person: id}
		}
	}
	if !left {
		return verdict{} // the id stands in a text, as in a record of what happened
	}
	body, err := json.Marshal(rest)
	if err != nil {
		return verdict{}
	}
	return verdict{rest: body}
}

// about reports whether a value is an object that belongs to one of ids.
func about(value any, ids []string) bool {
	object, ok := value.(map[string]any)
	if !ok {
		return false
	}
	for _, field := range []string{"tenant", "tenant_id", "user", "user_id", "owner"} {
		if text, ok := object[field].(string); ok && slices.Contains(ids, text) {
			return true
		}
	}
	return false
}

// strip returns a value without the parts that are about one of ids, and whether there were any.
func strip(value any, ids []string) (any, bool) {
	stripped := false
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			first, _, _ := strings.Cut(key, ".")
			if slices.Contains(ids, first) || about(inner, ids) {
				delete(v, key)
				stripped = true
				continue
			}
			rest, changed := strip(inner, ids)
			if changed {
				v[key] = rest
				stripped = true
			}
		}
		return v, stripped
	case []any:
		kept := make([]any, 0, len(v))
		for _, inner := range v {
			text, isText := inner.(string)
			if isText && slices.Contains(ids, text) || about(inner, ids) {
				stripped = true
				continue
			}
			rest, changed := strip(inner, ids)
			stripped = stripped || changed
			kept = append(kept, rest)
		}
		return kept, stripped
	}
	return value, false
}

func addErased(list []Erased, more ...Erased) []Erased {
	for _, m := range more {
		i := slices.IndexFunc(list, func(e Erased) bool { return e.Place == m.Place })
		if i < 0 {
			list = append(list, m)
			continue
		}
		list[i].Items += m.Items
		list[i].Bytes += m.Bytes
	}
	return list
}
