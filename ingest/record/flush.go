package record

import (
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Flush appends the record to batch as one row and starts a new record, whatever it returns. The error is Invalid when cat refuses
// the record's labels: then no row was appended, and the caller counts the record in batch.Rejected and goes on (see
// Refused). Every other error, as of the batch's memory, ends the request.
func (b *Builder) Flush(cat seamark.Catalog, batch *seamark.Batch) error {
	defer b.Reset()
	ref, err := b.stream(cat, batch)
	if err != nil {
		return err
	}
	b.demote()
	row := b.ids
	row.Stream, row.Body, row.TimeNano, row.Level = ref, b.text(), b.nanos, b.level
	if b.timeRank == noRank {
		row.TimeNano = b.now
	}
	if !b.noDetection {
		if row.Level == seamark.LevelUnknown {
			row.Level = level.DetectLevel(row.Body)
		}
		if row.TraceID == [16]byte{} {
			row.TraceID, _ = level.FindTraceID(row.Body)
		}
	}
	b.markDropped()
	row.Attrs = b.attrs
	if err := batch.Reserve(seamark.LogRowBytes + seamark.LabelBytes*len(row.Attrs) + b.arena.takeUsed()); err != nil {
		return err
	}
	batch.Logs.Append(&row)
	return nil
}

// demote makes attributes of the fields in whose place the protocol told a body or a time.
func (b *Builder) demote() {
	if s := b.slots[bodySlot]; b.setBody && s.entry != nil && s.value != b.body {
		b.addAttr(s.entry.name, s.value)
	}
	if s := b.slots[timeSlot]; b.setTime && s.entry != nil {
		b.addAttr(s.entry.name, s.value)
	}
}

// text returns the line: what the protocol told, the best body field without the newline that container runtimes leave
// at its end, or the record's own JSON.
func (b *Builder) text() string {
	switch s := &b.slots[bodySlot]; {
	case b.setBody:
		return b.body
	case s.entry != nil:
		return strings.TrimSuffix(strings.TrimSuffix(s.value, "\n"), "\r")
	case b.hasBody:
		return ""
	case b.raw != nil:
		return b.arena.compact(b.raw)
	case len(b.fields) > 0:
		return b.arena.object(b.fields)
	}
	return ""
}

// markDropped says in an attribute how many were left out. It takes the place of the last one when there is no room.
func (b *Builder) markDropped() {
	if b.dropped == 0 {
		return
	}
	if len(b.attrs) >= b.maxAttrs {
		b.attrs = b.attrs[:b.maxAttrs-1]
		b.dropped++
	}
	b.attrs = append(b.attrs, seamark.Label{Name: droppedAttr, Value: strconv.Itoa(b.dropped)})
}
