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
	rows      []Row // those of the records
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

// batch is the rows of a run of a shard's messages. They share the messages' memory and the labels of their streams; as JSON,
// which may be many times that, only one part of them stands in memory.
type batch struct {
	first, last uint64    // messages; last is 0 while there is none
	received    time.Time // when ingest took the first one
	at          time.Time // when the last one was read
	filtered    uint64    // rows that the filter left out
	failed      []burial  // rows that cannot be sent
	rows        []Row
	bytes       int // about what the rows are as JSON
}

func (b *batch) empty() bool { return b.last == 0 }

// full reports whether the batch must be sent before another message is read.
func (b *batch) full(l *Batching) bool { return len(b.rows) >= l.MaxRows || b.bytes >= l.MaxBytes }

func (b *batch) add(rows []Row) {
	for i := range rows {
		b.bytes += rows[i].size()
	}
	b.rows = append(b.rows, rows...)
}

// size returns about what the row is as JSON.
func (r *Row) size() int {
	const frame, pair = 64, 6 // names, the time and brackets; quotes, colon and comma
	n := frame + len(r.Line)
	for _, labels := range [][]seamark.Label{r.Labels, r.Metadata, r.Parsed} {
		for i := range labels {
			n += len(labels[i].Name) + len(labels[i].Value) + pair
		}
	}
	return n
}

func batchID(shard bus.Shard, stream time.Time, first, last uint64) string {
	return fmt.Sprintf("%s.%x.%d-%d", shard, stream.Unix(), first, last)
}

// cutter makes the parts of a batch one after the other, always cut at the same rows.
type cutter struct {
	batch         *batch
	id, forwarder string
	limits        *Batching
	json          func(out []byte, r *Row) []byte
	key           string // label
	next, number  int    // row, part
}

// part returns the next part, false after the last. A row that is over the limit goes alone.
func (c *cutter) part() (*part, bool) {
	rows, from := c.batch.rows, c.next
	if from == len(rows) {
		return nil, false
	}
	var text []byte
	var ends []int
	for c.next < len(rows) && c.next-from < c.limits.MaxRows {
		text = c.json(text, &rows[c.next])
		if len(text)+c.next-from+1 > c.limits.MaxBytes && c.next > from {
			break
		}
		ends = append(ends, len(text))
		c.next++
	}
	p := &part{
		id: fmt.Sprintf("%s.%d", c.id, c.number), forwarder: c.forwarder, received: c.batch.received, rows: rows[from:c.next], records: make([]record, len(ends)),
	}
	c.number++
	start := 0
	for i, end := range ends {
		r := &p.rows[i]
		p.records[i] = record{json: text[start:end:end], time: r.Time, cluster: r.label(seamark.ClusterLabel)}
		if c.key != "" {
			p.records[i].key = r.label(c.key)
		}
		start = end
	}
	return p, true
}
