package backup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seal"
)

const (
	bucketPrefix = "seamark_" // of all our buckets
	// beatKey is written every second to prove that a bucket is current; it says nothing.
	beatKey = "beat"

	tenantsBucket  = bucketPrefix + "tenants"
	usersBucket    = bucketPrefix + "users"
	sessionsBucket = bucketPrefix + "sessions"
	stateBucket    = bucketPrefix + "alertstate"
	// numberKey counts the tenants' numbers, which databases are named after.
	numberKey = "counter.number"
)

// LeftOut are the buckets that are no configuration, each with why a restore must not bring them back. A bucket that is not
// named here is in the backup, so that a new kind of document is never forgotten.
func LeftOut() map[string]string {
	return map[string]string{
		bucketPrefix + "writer":             "checkpoints and intents of the writer: they count messages of streams that another installation does not have",
		bucketPrefix + "leases":             "who does what at the moment",
		bucketPrefix + "alerting_shards":    "which replica evaluates which tenants at the moment",
		bucketPrefix + "keys":               "keys that sign sessions, which are not restored; a new one is made at the first sign-in",
		sessionsBucket:                      "signed-in people: a session that was ended since must not come back; people sign in again",
		bucketPrefix + "arrivals":           "when each cluster was last heard of",
		bucketPrefix + "replicas":           "which of several Prometheus replicas is elected",
		bucketPrefix + "quota":              "what was sent today and which nodes are alive",
		bucketPrefix + "forwarder_progress": "how far forwarders are in streams that another installation does not have; they begin with what the streams hold",
		bucketPrefix + "pipeline_stats":     "counters of pipelines",
		bucketPrefix + "pushgateway":        "pushed metrics, which are data",
		bucketPrefix + "transfers":          "exports of tenants, which lie on the disks of nodes that another installation does not have",
		bucketPrefix + "query_spending":     "what tenants' queries have read today",
		bucketPrefix + "query_jobs":         "queries in the background, whose results another installation does not have",
		bucketPrefix + "query_quarantine":   "queries that ended the database of this installation",
		bucketPrefix + "retention":          "what rounds of retention have deleted",
	}
}

// wanted reports whether a document belongs to a backup. Of the alerts' state only silences do: they are what people set.
// Without the notification log a restored alert is told once more, with an old one it might not be told at all.
func wanted(bucket, key string) bool {
	if key == beatKey {
		return false
	}
	if bucket == stateBucket {
		_, rest, _ := strings.Cut(key, ".")
		return strings.HasPrefix(rest, "silence.")
	}
	return true
}

// Bucket is a bucket as a backup describes it.
type Bucket struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Revision    uint64        `json:"revision"` // of its newest change when it was read
	TTL         time.Duration `json:"ttl,omitempty"`
	MarkerTTL   time.Duration `json:"marker_ttl,omitempty"`
	MaxBytes    int64         `json:"max_bytes,omitempty"`
	MaxValue    int32         `json:"max_value_bytes,omitempty"`
	Documents   int           `json:"documents"`
}

// config returns what makes the bucket where it is missing. The servers bring it to their own configuration when they start.
func (b *Bucket) config(replicas int) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{
		Bucket: b.Name, Description: b.Description, History: 1, TTL: b.TTL, LimitMarkerTTL: b.MarkerTTL, MaxBytes: b.MaxBytes, MaxValueSize: b.MaxValue,
		Storage: jetstream.FileStorage, Replicas: replicas,
	}
}

// Document is one document of a bucket.
type Document struct {
	Bucket   string `json:"bucket"`
	Key      string `json:"key"`
	Revision uint64 `json:"revision"`
	Value    []byte `json:"value"`
}

func compareDocuments(a, b Document) int {
	return cmp.Or(strings.Compare(a.Bucket, b.Bucket), strings.Compare(a.Key, b.Key))
}

// names lists our buckets that belong to a backup, sorted.
func names(ctx context.Context, js jetstream.JetStream) ([]string, error) {
	without := LeftOut()
	var list []string
	all := js.KeyValueStoreNames(ctx)
	for name := range all.Name() {
		if _, out := without[name]; !out && strings.HasPrefix(name, bucketPrefix) {
			list = append(list, name)
		}
	}
	if err := all.Error(); err != nil {
		return nil, fmt.Errorf("list the buckets: %w", err)
	}
	slices.Sort(list)
	return list, nil
}

// readBucket returns a bucket and its present documents, sorted by key.
func readBucket(ctx context.Context, js jetstream.JetStream, name string) (Bucket, []Document, error) {
	kv, err := js.KeyValue(ctx, name)
	if err != nil {
		return Bucket{}, nil, fmt.Errorf("open bucket %s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return Bucket{}, nil, fmt.Errorf("read bucket %s: %w", name, err)
	}
	defer func() { _ = watcher.Stop() }()
	var docs []Document
	silence := time.NewTimer(patience)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			return Bucket{}, nil, ctx.Err()
		case <-silence.C:
			return Bucket{}, nil, fmt.Errorf("read bucket %s: nothing came for %s", name, patience)
		case entry, ok := <-watcher.Updates():
			if !ok {
				return Bucket{}, nil, fmt.Errorf("read bucket %s: the client closed the watcher", name)
			}
			if entry == nil {
				slices.SortFunc(docs, compareDocuments)
				b, err := describe(ctx, kv)
				b.Documents = len(docs)
				return b, docs, err
			}
			silence.Reset(patience)
			if wanted(name, entry.Key()) {
				docs = append(docs, Document{Bucket: name, Key: entry.Key(), Revision: entry.Revision(), Value: entry.Value()})
			}
		}
	}
}

// patience is how long the store may be silent while it is read. Without it a lost connection hangs the command.
const patience = 30 * time.Second

func describe(ctx context.Context, kv jetstream.KeyValue) (Bucket, error) {
	status, err := kv.Status(ctx)
	if err != nil {
		return Bucket{}, fmt.Errorf("read status of bucket %s: %w", kv.Bucket(), err)
	}
	s, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return Bucket{}, fmt.Errorf("read status of bucket %s: unexpected %T", kv.Bucket(), status)
	}
	c := s.StreamInfo().Config
	return Bucket{
		Name: kv.Bucket(), Description: c.Description, Revision: s.StreamInfo().State.LastSeq, TTL: c.MaxAge, MarkerTTL: c.SubjectDeleteMarkerTTL,
		MaxBytes: c.MaxBytes, MaxValue: c.MaxMsgSize,
	}, nil
}

// readStore reads every bucket that belongs to a backup.
func readStore(ctx context.Context, js jetstream.JetStream) ([]Bucket, []Document, error) {
	list, err := names(ctx, js)
	if err != nil {
		return nil, nil, err
	}
	var buckets []Bucket
	var all []Document
	for _, name := range list {
		b, docs, err := readBucket(ctx, js, name)
		if err != nil {
			return nil, nil, err
		}
		buckets, all = append(buckets, b), append(all, docs...)
	}
	return buckets, all, nil
}

// passes is how often the store is read until two readings agree.
const passes = 20

// Collect returns the control plane's documents as they were at one moment: it reads the store until two readings in a row
// agree in every revision, so that at the end of the first, all of it was true at once.
func Collect(ctx context.Context, js jetstream.JetStream) ([]Bucket, []Document, error) {
	var last []Document
	for pass := range passes {
		buckets, docs, err := readStore(ctx, js)
		if err != nil {
			return nil, nil, err
		}
		if pass > 0 && slices.EqualFunc(last, docs, func(a, b Document) bool {
			return a.Bucket == b.Bucket && a.Key == b.Key && a.Revision == b.Revision
		}) {
			return buckets, docs, nil
		}
		last = docs
	}
	return nil, nil, fmt.Errorf("the control plane changed during each of %d readings; take the backup at a quieter moment", passes)
}

// ring returns the data keys among docs.
func ring(docs []Document) (*Document, bool) {
	at := slices.IndexFunc(docs, func(d Document) bool { return d.Bucket == seal.Bucket && d.Key == seal.RingKey })
	if at < 0 {
		return nil, false
	}
	return &docs[at], true
}
