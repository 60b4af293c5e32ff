package store

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// encodeEvents writes events, one segment per week of their creation.
func (e *Encoder) encodeEvents(events []seamark.Event) error {
	week := func(ev *seamark.Event) int32 { return mondayOf(dayOf(eventCreated(ev).UnixMilli(), dayMillis)) }
	sorted := make([]*seamark.Event, len(events))
	for i := range events {
		sorted[i] = &events[i]
	}
	slices.SortStableFunc(sorted, func(a, b *seamark.Event) int { return cmp.Compare(week(a), week(b)) })
	for start := 0; start < len(sorted); {
		end, size := start, 0
		for end < len(sorted) && week(sorted[end]) == week(sorted[start]) && size < maxSegmentRawBytes {
			size += len(sorted[end].Message) + len(sorted[end].Object) + 128
			end++
		}
		e.raw = e.appendEvents(e.raw[:0], sorted[start:end])
		if err := e.emit(TableEvents, 14, week(sorted[start]), end-start); err != nil {
			return err
		}
		start = end
	}
	return nil
}

func (e *Encoder) appendEvents(b []byte, events []*seamark.Event) []byte {
	b = e.appendWords(b, "cluster", 0, events, func(ev *seamark.Event) string { return ev.Cluster })
	b = e.appendWords(b, "namespace", 1, events, func(ev *seamark.Event) string { return ev.Namespace })
	b = appendColumn(b, "uid", "UUID")
	for _, ev := range events {
		b = appendUUID(b, ev.UID)
	}
	b = appendTimes(b, "created", events, eventCreated)
	b = appendTimes(b, "last_ts", events, func(ev *seamark.Event) time.Time { return ev.Last })
	b = e.appendWords(b, "type", 2, events, func(ev *seamark.Event) string { return ev.Type })
	b = e.appendWords(b, "reason", 3, events, func(ev *seamark.Event) string { return ev.Reason })
	b = e.appendWords(b, "kind", 4, events, func(ev *seamark.Event) string { return ev.Kind })
	b = appendStrings(b, "object", events, func(ev *seamark.Event) string { return ev.Object })
	b = e.appendWords(b, "source", 5, events, func(ev *seamark.Event) string { return ev.Source })
	b = e.appendWords(b, "node", 6, events, func(ev *seamark.Event) string { return ev.Node })
	b = appendColumn(b, "cnt", "UInt32")
	for _, ev := range events {
		b = binary.LittleEndian.AppendUint32(b, ev.Count)
	}
	b = appendStrings(b, "message", events, func(ev *seamark.Event) string { return ev.Message })
	b = appendColumn(b, "ver", "UInt64")
	for _, ev := range events {
		b = binary.LittleEndian.AppendUint64(b, eventVersion(ev))
	}
	return b
}

// eventEra is how long an event is one row, a little less than rows are kept.
const eventEra = 28 * 24 * time.Hour

// eventCreated returns the time that is in the row's key and that retention goes by: when the event began, and for one that
// goes on for longer than rows are kept, when its current era did.
func eventCreated(ev *seamark.Event) time.Time {
	if age := ev.Last.Sub(ev.First); age >= eventEra {
		return ev.First.Add(age / eventEra * eventEra)
	}
	return ev.First
}

// eventVersion orders the updates of one event: by last occurrence, and by count within the same millisecond, since many
// senders know seconds only.
func eventVersion(ev *seamark.Event) uint64 {
	const countBits = 20
	return uint64(max(ev.Last.UnixMilli(), 0))<<countBits | uint64(min(ev.Count, 1<<countBits-1))
}

func (e *Encoder) appendWords(b []byte, name string, column int, events []*seamark.Event, of func(*seamark.Event) string) []byte {
	d := e.columns[column]
	d.reset()
	for _, ev := range events {
		d.add(of(ev))
	}
	return d.appendLowCardinality(b, name)
}

func appendStrings(b []byte, name string, events []*seamark.Event, of func(*seamark.Event) string) []byte {
	b = appendColumn(b, name, "String")
	for _, ev := range events {
		b = appendString(b, of(ev))
	}
	return b
}

func appendTimes(b []byte, name string, events []*seamark.Event, of func(*seamark.Event) time.Time) []byte {
	b = appendColumn(b, name, "DateTime64(3, 'UTC')")
	for _, ev := range events {
		b = binary.LittleEndian.AppendUint64(b, uint64(of(ev).UnixMilli()))
	}
	return b
}

// appendUUID writes a UUID as ClickHouse does: two little-endian halves. Text that is no UUID is hashed to one, so that
// a sender with ids of its own still has its updates collapse.
func appendUUID(b []byte, text string) []byte {
	var raw [16]byte
	plain := strings.ReplaceAll(text, "-", "")
	if len(plain) != 2*len(raw) || !decodeHex(raw[:], plain) {
		h := fnv.New128a()
		_, _ = h.Write([]byte(text))
		copy(raw[:], h.Sum(nil))
	}
	b = binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(raw[:8]))
	return binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(raw[8:]))
}

func decodeHex(dst []byte, text string) bool {
	_, err := hex.Decode(dst, []byte(text))
	return err == nil
}
