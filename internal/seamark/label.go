package seamark

import (
	"slices"
	"strings"
	"sync/atomic"
)

// Label is one name and value.
type Label struct{ Name, Value string }

// SortLabels sorts labels by name, the order that every stored label set has.
func SortLabels(labels []Label) {
	if slices.IsSortedFunc(labels, compareLabels) {
		return
	}
	slices.SortFunc(labels, compareLabels)
}

func compareLabels(a, b Label) int { return strings.Compare(a.Name, b.Name) }

// MetricNameLabel is the label that carries a metric's name in Prometheus' data model.
const MetricNameLabel = "__name__"

// ClusterLabel carries the name of the cluster that sent the data. It is added from the token where the sender set none.
const ClusterLabel = "cluster"

// SeriesKind tells metric series from log streams. Its value is stable: it stands in the store.
type SeriesKind uint8

// The kinds.
const (
	MetricSeries SeriesKind = 1
	LogStream    SeriesKind = 2
)

// Series is one interned label set: a metric series or a log stream. Apart from its marks it never changes after it was
// made, so batches of concurrent requests share it.
type Series struct {
	Kind SeriesKind
	FP   uint64 // fingerprint: xxhash64 of the sorted labels, see FingerprintLabels in package ingest
	// Name is the metric's name, or the stream's group ("namespace/workload"), the first part of its table's sort key.
	Name   string
	Labels []Label // sorted, normalised, without empty values; for metrics including __name__

	ackedDay  atomic.Int32
	seenEpoch atomic.Uint32
}

// Acked reports whether the bus has acknowledged this series' row for the given day (days since 1970, UTC).
func (s *Series) Acked(day int32) bool { return s.ackedDay.Load() == day }

// MarkAcked remembers that the bus holds this series' row for day. It is called only after the acknowledgement, so that
// a message without the row can never overtake the message with it.
func (s *Series) MarkAcked(day int32) { s.ackedDay.Store(day) }

// Seen reports whether this series has been counted as active in the given epoch, an interval of package quota's.
func (s *Series) Seen(epoch uint32) bool { return s.seenEpoch.Load() == epoch }

// MarkSeen remembers that this series was counted in epoch, so that its other rows in it cost no look-up.
func (s *Series) MarkSeen(epoch uint32) { s.seenEpoch.Store(epoch) }

// Label returns the value of the named label, "" when it has none.
func (s *Series) Label(name string) string {
	for i := range s.Labels {
		if s.Labels[i].Name == name {
			return s.Labels[i].Value
		}
	}
	return ""
}

// Catalog interns the label sets of one cluster. Decoders are its callers: they hash the label bytes as the sender wrote
// them and parse labels only when the hash is new. Implementations are safe for concurrent use.
type Catalog interface {
	// Find returns the series that was created under key, or nil.
	Find(key uint64) *Series
	// Create normalises and checks labels (names and values may alias the request; Create copies what it keeps), interns
	// the series and remembers it under key. Labels may be unsorted and may be changed by Create. The error is a
	// *Error of kind Invalid whose message names the label and the limit; nothing is remembered then.
	Create(key uint64, kind SeriesKind, labels []Label) (*Series, error)
}
