package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// This file writes and reads the meter's lines as they travel with the rows that they count: in the same message, in a
// compact form of ours of about 40 bytes. The writer adds the lines of a batch up and stores the sums, so that the store
// gets a row per batch and not one per request, in the same intent as the rows.

// usageColumns is how many columns a stored segment has. A segment of the compact form has none.
const usageColumns = 13

// hourSeconds is one hour in seconds.
const hourSeconds = 3600

// appendUsage writes lines in the compact form: per line the fields as varints, texts with their length.
func appendUsage(dst []byte, lines []seamark.Usage) []byte {
	for i := range lines {
		u := &lines[i]
		dst = append(dst, byte(u.Kind), byte(u.Signal))
		dst = binary.AppendVarint(dst, int64(u.Hour))
		dst = binary.AppendVarint(dst, int64(u.Day))
		dst = appendString(dst, u.Cluster)
		dst = appendString(dst, u.Source)
		dst = appendString(dst, u.Actor)
		for _, n := range [...]uint64{u.Requests, u.Rows, u.Bytes, u.WireBytes, u.Micros} {
			dst = binary.AppendUvarint(dst, n)
		}
	}
	return dst
}

var errUsage = errors.New("lines of the meter end early or hold what none has")

// parseUsage reads what appendUsage wrote.
func parseUsage(data []byte, lines int) ([]seamark.Usage, error) {
	if lines > len(data) {
		return nil, errUsage
	}
	list := make([]seamark.Usage, lines)
	r := usageReader{rest: data}
	for i := range list {
		u := &list[i]
		u.Kind, u.Signal = seamark.UsageKind(r.byte()), seamark.Signal(r.byte())
		u.Hour, u.Day = int32(r.varint()), int32(r.varint())
		u.Cluster, u.Source, u.Actor = r.text(), r.text(), r.text()
		for _, n := range [...]*uint64{&u.Requests, &u.Rows, &u.Bytes, &u.WireBytes, &u.Micros} {
			*n = r.uvarint()
		}
		if u.Kind.String() == "" || u.Hour < 0 || u.Day < 0 {
			return nil, errUsage
		}
	}
	if r.failed || len(r.rest) > 0 {
		return nil, errUsage
	}
	return list, nil
}

// usageReader takes fields from the front of its bytes. After a failure it returns zeros.
type usageReader struct {
	rest   []byte
	failed bool
}

func (r *usageReader) fail() {
	r.rest, r.failed = nil, true
}

func (r *usageReader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *usageReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *usageReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *usageReader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// UsageTally adds up the lines of many messages. The zero value is empty. It is not safe for concurrent use.
type UsageTally struct {
	counts map[tenantUsage]*seamark.UsageCounts
}

type tenantUsage struct {
	tenant seamark.TenantID
	key    seamark.UsageKey
}

// Add takes one line of a tenant's.
func (t *UsageTally) Add(tenant seamark.TenantID, u *seamark.Usage) {
	if t.counts == nil {
		t.counts = map[tenantUsage]*seamark.UsageCounts{}
	}
	key := tenantUsage{tenant, u.UsageKey}
	if have := t.counts[key]; have != nil {
		have.Add(&u.UsageCounts)
		return
	}
	counts := u.UsageCounts
	t.counts[key] = &counts
}

// Segments returns the sums as segments of TableUsage, in an order and with rows that are the same for the same lines.
func (t *UsageTally) Segments() []Segment {
	keys := slices.SortedFunc(maps.Keys(t.counts), compareUsage)
	var list []Segment
	comp := newCompressor()
	for len(keys) > 0 {
		week := usageWeek(keys[0].key.Hour)
		n := slices.IndexFunc(keys, func(k tenantUsage) bool { return usageWeek(k.key.Hour) != week })
		if n < 0 {
			n = len(keys)
		}
		list = append(list, Segment{
			Table: TableUsage, Columns: usageColumns, Day: week, Rows: uint32(n), Payload: comp.appendFrames(nil, t.appendRows(nil, keys[:n])),
		})
		keys = keys[n:]
	}
	return list
}

// usageWeek returns the partition of an hour's rows.
func usageWeek(hour int32) int32 { return mondayOf(hour / 24) }

func compareUsage(a, b tenantUsage) int {
	return cmp.Or(cmp.Compare(usageWeek(a.key.Hour), usageWeek(b.key.Hour)), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.key.Hour, b.key.Hour),
		cmp.Compare(a.key.Kind, b.key.Kind), cmp.Compare(a.key.Cluster, b.key.Cluster), cmp.Compare(a.key.Signal, b.key.Signal),
		cmp.Compare(a.key.Source, b.key.Source), cmp.Compare(a.key.Actor, b.key.Actor), cmp.Compare(a.key.Day, b.key.Day))
}

// usageSignal returns a signal as it is stored; "" for none.
func usageSignal(s seamark.Signal) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

// appendRows writes the columns of the usage table.
func (t *UsageTally) appendRows(b []byte, keys []tenantUsage) []byte {
	words := func(name string, of func(k *tenantUsage) string) {
		d := dict{}
		for i := range keys {
			d.add(of(&keys[i]))
		}
		b = d.appendLowCardinality(b, name)
	}
	b = appendColumn(b, "ts", "DateTime('UTC')")
	for i := range keys {
		b = binary.LittleEndian.AppendUint32(b, uint32(keys[i].key.Hour)*hourSeconds)
	}
	words("tenant", func(k *tenantUsage) string { return string(k.tenant) })
	words("kind", func(k *tenantUsage) string { return k.key.Kind.String() })
	words("cluster", func(k *tenantUsage) string { return k.key.Cluster })
	words("signal", func(k *tenantUsage) string { return usageSignal(k.key.Signal) })
	words("source", func(k *tenantUsage) string { return k.key.Source })
	words("actor", func(k *tenantUsage) string { return k.key.Actor })
	b = appendColumn(b, "day", "Date")
	for i := range keys {
		b = binary.LittleEndian.AppendUint16(b, uint16(keys[i].key.Day))
	}
	for _, column := range []struct {
		name string
		of   func(c *seamark.UsageCounts) uint64
	}{
		{"requests", func(c *seamark.UsageCounts) uint64 { return c.Requests }},
		{"rows", func(c *seamark.UsageCounts) uint64 { return c.Rows }},
		{"bytes", func(c *seamark.UsageCounts) uint64 { return c.Bytes }},
		{"wire", func(c *seamark.UsageCounts) uint64 { return c.WireBytes }},
		{"micros", func(c *seamark.UsageCounts) uint64 { return c.Micros }},
	} {
		b = appendColumn(b, column.name, "UInt64")
		for i := range keys {
			b = binary.LittleEndian.AppendUint64(b, column.of(t.counts[keys[i]]))
		}
	}
	return b
}

// usageSignals tells the signal of the tables whose rows are counted. Rows of other tables go with them.
var usageSignals = [tableCount]seamark.Signal{
	TableLogs: seamark.Logs, TableSamples: seamark.Metrics, TableHistograms: seamark.Metrics, TableEvents: seamark.Events, TableSpans: seamark.Traces,
}

// CountUsage appends to lines what the segments add to a tenant's tables: a line per signal and partition, whose key is
// otherwise that of like.
func CountUsage(lines []seamark.Usage, segments []Segment, like seamark.UsageKey) []seamark.Usage {
	for i := range segments {
		signal := usageSignals[segments[i].Table]
		if signal == 0 {
			continue
		}
		key := like
		key.Signal, key.Day = signal, max(segments[i].Day, 0)
		at := slices.IndexFunc(lines, func(u seamark.Usage) bool { return u.UsageKey == key })
		if at < 0 {
			at = len(lines)
			lines = append(lines, seamark.Usage{UsageKey: key})
		}
		lines[at].Rows += uint64(segments[i].Rows)
	}
	return lines
}
