package seamark

import "time"

// UsageKind says what a line of the meter counts. Its value is stable: it stands in bus messages.
type UsageKind uint8

// The kinds. Counters add up over time. Samples are taken again and again: their mean over the samples is what was held.
const (
	UsageIngest   UsageKind = iota + 1 // counter: acknowledged rows and the bytes they came in
	UsageQuery                         // counter: queries and what they read
	UsageStored                        // sample: rows and bytes on the disk
	UsageActive                        // sample: active series of metrics, active streams of logs, as rows
	UsageSetAside                      // counter: acknowledged rows that the store refused; they are in the dead-letter stream
	UsageOrigin                        // counter: what UsageQuery counts, by the dashboard or rule that asked; it adds nothing to that
	usageKindCount
)

var usageKindNames = [usageKindCount]string{"", "ingest", "query", "stored", "active", "set_aside", "origin"}

// String returns the kind as it stands in the store.
func (k UsageKind) String() string {
	if k >= usageKindCount {
		return ""
	}
	return usageKindNames[k]
}

// UsageKey is what usage is counted by, beside the tenant.
type UsageKey struct {
	Hour    int32 // hours since 1970, UTC, when it was counted
	Day     int32 // of the partition that the rows went to, in days since 1970; 0 for what is no row
	Kind    UsageKind
	Signal  Signal // 0 where it is of none
	Cluster string // name, "" for what is of no cluster
	Source  string // protocol of ingest, language of queries, table of what is stored; of an origin dashboard or rule
	Actor   string // login of a person or key id of a token that queried, name of an origin; "" elsewhere
}

// UsageCounts is what was counted. All of it adds up.
type UsageCounts struct {
	Requests  uint64 // requests, queries or samples
	Rows      uint64 // stored, read, or held when the samples were taken
	Bytes     uint64 // of inflated bodies, read, or held
	WireBytes uint64 // of bodies as they were sent
	Micros    uint64 // microseconds of the store's CPU time
}

// Add adds other to c.
func (c *UsageCounts) Add(other *UsageCounts) {
	c.Requests += other.Requests
	c.Rows += other.Rows
	c.Bytes += other.Bytes
	c.WireBytes += other.WireBytes
	c.Micros += other.Micros
}

// Usage is one line of a tenant's meter.
type Usage struct {
	UsageKey
	UsageCounts
}

// HourOf returns the hour that t lies in, in hours since 1970, UTC.
func HourOf(t time.Time) int32 {
	const perHour = int64(time.Hour / time.Second)
	return int32(t.Unix() / perHour)
}
