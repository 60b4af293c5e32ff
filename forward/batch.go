package forward

import (
	"bytes"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Row is one line that passed a forwarder's filter, in the columns of an export.
type Row struct {
	Time                     int64 // nanoseconds since 1970
	Line                     string
	Labels, Metadata, Parsed []seamark.Label
}

func (r *Row) label(name string) string {
	for _, labels := range [][]seamark.Label{r.Labels, r.Metadata, r.Parsed} {
		for i := range labels {
			if labels[i].Name == name {
				return labels[i].Value
			}
		}
	}
	return ""
}

// record is a row as targets take it.
type record struct {
	json         []byte // an object, without the end of the line
	key, cluster string
	time         int64
}

// part is what a target takes at once: a batch, or a piece of one that is over the forwarder's limits. A target says that it
// has all of it or is sent all of it again, under the same id.
type part struct {
	// id tells parts from each other: signal, shard and when its stream was made, first and last message, number in the batch.
	id        string
	forwarder string
	received  time.Time // when the first message of the batch was; the same in a repeat
	records   []record
	rows      []Row // those of the records, for Parquet alone
}

func (p *part) ndjson() []byte {
	size := 0
	for i := range p.records {
		size += len(p.records[i].json) + 1
	}
	var out bytes.Buffer
	out.Grow(size)
	for i := range p.records {
		out.Write(p.records[i].json)
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// span returns the range of the rows' own times.
func (p *part) span() (from, until time.Time) {
	for i := range p.records {
		at := time.Unix(0, p.records[i].time).UTC()
		if i == 0 || at.Before(from) {
			from = at
		}
		if i == 0 || at.After(until) {
			until = at
		}
	}
	return from, until
}

// batch is the rows of a run of a shard's messages.
type batch struct {
	first, last uint64    // messages; last is 0 while there is none
	received    time.Time // when ingest took the first one
	at          time.Time // when the stream took the last one
	filtered    uint64    // rows that the filter left out
	failed      []burial  // rows that cannot be sent
	records     []record
	rows        []Row
	bytes       int
}

func (b *batch) empty() bool { return b.last == 0 }

// full reports whether the batch must be sent before another message is read.
func (b *batch) full(l *Batching) bool { return len(b.records) >= l.MaxRows || b.bytes >= l.MaxBytes }

func batchID(shard bus.Shard, stream time.Time, first, last uint64) string {
	return fmt.Sprintf("%s.%x.%d-%d", shard, stream.Unix(), first, last)
}

// parts cuts the batch where it is over the limits, always at the same rows.
func (b *batch) parts(id, forwarder string, l *Batching) []part {
	var list []part
	from, size := 0, 0
	cut := func(to int) {
		if to == from {
			return
		}
		p := part{id: fmt.Sprintf("%s.%d", id, len(list)), forwarder: forwarder, received: b.received, records: b.records[from:to]}
		if b.rows != nil {
			p.rows = b.rows[from:to]
		}
		list = append(list, p)
		from, size = to, 0
	}
	for i := range b.records {
		if n := len(b.records[i].json) + 1; i-from == l.MaxRows || size+n > l.MaxBytes {
			cut(i)
		}
		size += len(b.records[i].json) + 1
	}
	cut(len(b.records))
	return list
}
