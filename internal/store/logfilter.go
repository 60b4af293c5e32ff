package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store/gram"
)

// Beside the logs stand filters, each of which tells what texts a run of a group's lines cannot hold (package gram), so that a
// word or an id that few lines have is found without reading the others. They are made from the blocks that are inserted, and
// inserted before them: whoever sees a line whose _f is 1 sees the filter that covers it. Storing one twice changes nothing.

// maxFilterSets bounds the memory of one block's filters, at 8 KiB each; those of a block with more are stored in parts.
const maxFilterSets = 4096

// filterKey names a filter of a block.
type filterKey struct {
	group string
	start int64
	bits  uint8
}

// logFilters makes the filters of a block. It keeps its buffers between blocks.
type logFilters struct {
	sets  map[filterKey]*gram.Set
	order []filterKey
	free  []*gram.Set
	raw   []byte
	seen  map[string]groupLines // of the block
	here  map[string]groupLines // of a segment
	runs  map[string]uint8
	comp  *compressor
}

// Inserts returns how many inserts Insert makes of a block: that of its filters counts, too.
func (s *Store) Inserts(b *Block) int {
	if s.filters(b) {
		return 2
	}
	return 1
}

// filters reports whether a block gets filters: small ones have none, as an insert costs the server as much as reading some
// thousand lines.
func (s *Store) filters(b *Block) bool {
	return b.Table == TableLogs && s.opts.FilterRows > 0 && b.Rows() >= uint64(s.opts.FilterRows)
}

// storeFilters stores the filters of a block of logs. It reports whether they cover it, which they do not where another build
// wrote it in a way that is not understood. The block is stored anyway.
func (s *Store) storeFilters(ctx context.Context, tenant seamark.TenantID, b *Block) bool {
	f, ok := s.filterPool.Get().(*logFilters)
	if !ok {
		f = &logFilters{sets: map[filterKey]*gram.Set{}, seen: map[string]groupLines{}, here: map[string]groupLines{}, runs: map[string]uint8{}, comp: newCompressor()}
	}
	defer s.filterPool.Put(f)
	defer f.reset()
	err := s.fillFilters(ctx, tenant, b, f)
	if err != nil {
		s.metrics.filterErrors.Inc()
		s.opts.Logger.Warn("log lines are stored without their filters; searching them reads them all", "tenant", tenant, "err", err)
	}
	return err == nil
}

func (s *Store) fillFilters(ctx context.Context, tenant seamark.TenantID, b *Block, f *logFilters) error {
	n, err := s.opts.Number(tenant)
	if err != nil {
		return err
	}
	for i := range b.Segments {
		lines, err := readLines(&b.Segments[i])
		if err != nil {
			return fmt.Errorf("segment %d: %w", i, err)
		}
		f.add(lines, func(group string, seen groupLines) uint8 { return s.runs.of(runKey{n, group}, seen) })
		if len(f.sets) < maxFilterSets {
			continue
		}
		if err := s.insertFilters(ctx, tenant, n, b, f); err != nil {
			return err
		}
	}
	return s.insertFilters(ctx, tenant, n, b, f)
}

func (s *Store) insertFilters(ctx context.Context, tenant seamark.TenantID, n seamark.TenantNumber, b *Block, f *logFilters) error {
	if len(f.order) == 0 {
		return nil
	}
	for _, key := range f.order {
		seen := f.seen[key.group]
		s.runs.learn(runKey{n, key.group}, f.sets[key], max(seen.from, key.start), min(seen.to, key.start+1<<key.bits))
	}
	f.raw = f.appendColumns(f.raw[:0], b.Day)
	segment := Segment{Table: TableLogFilters, Columns: 5, Day: b.Day, Rows: uint32(len(f.order)), Payload: f.comp.appendFrames(nil, f.raw)}
	err := s.Insert(ctx, tenant, &Block{Table: TableLogFilters, Day: b.Day, BatchID: b.BatchID, Attempt: b.Attempt, Segments: []Segment{segment}})
	f.reset()
	return err
}

// lines are the columns of a segment of logs that filters are made of.
type lines struct {
	groups []string
	times  []int64
	bodies []string
}

// readLines returns the columns of a segment of logs. Its strings share the segment's bytes.
func readLines(s *Segment) (*lines, error) {
	r, err := newNativeReader(s)
	if err != nil {
		return nil, err
	}
	l := &lines{groups: r.lowCardinality("grp"), times: make([]int64, r.rows), bodies: make([]string, r.rows)}
	r.column("ts", "DateTime64(9, 'UTC')")
	for i := range l.times {
		l.times[i] = int64(r.uint64())
	}
	r.column("fp", "UInt64")
	r.take(8 * r.rows)
	r.lowCardinality("level")
	r.column("trace_id", "FixedString(16)")
	r.take(16 * r.rows)
	r.column("span_id", "FixedString(8)")
	r.take(8 * r.rows)
	r.column("body", "String")
	for i := range l.bodies {
		l.bodies[i] = r.string()
	}
	return l, r.err
}

// add adds lines to the filters of their groups and times.
func (f *logFilters) add(l *lines, run func(group string, seen groupLines) uint8) {
	clear(f.here)
	for i, group := range l.groups {
		here, ok := f.here[group]
		if !ok {
			here = groupLines{from: l.times[i], to: l.times[i]}
		}
		f.here[group] = groupLines{min(here.from, l.times[i]), max(here.to, l.times[i]), here.bytes + float64(len(l.bodies[i]))}
	}
	for group, here := range f.here {
		f.runs[group] = run(group, here)
		if seen, ok := f.seen[group]; ok {
			here = groupLines{min(here.from, seen.from), max(here.to, seen.to), here.bytes + seen.bytes}
		}
		f.seen[group] = here
	}
	for i, group := range l.groups {
		run := f.runs[group]
		f.set(filterKey{group, l.times[i] &^ (1<<run - 1), run}).Add(l.bodies[i])
	}
}

func (f *logFilters) set(key filterKey) *gram.Set {
	if set := f.sets[key]; set != nil {
		return set
	}
	set := &gram.Set{}
	if n := len(f.free); n > 0 {
		set, f.free = f.free[n-1], f.free[:n-1]
	}
	f.sets[key] = set
	f.order = append(f.order, key)
	return set
}

// maxFreeSets is how many sets are kept for the next block.
const maxFreeSets = 256

func (f *logFilters) reset() {
	for _, key := range f.order {
		set := f.sets[key]
		*set = gram.Set{}
		if len(f.free) < maxFreeSets {
			f.free = append(f.free, set)
		}
	}
	clear(f.sets)
	clear(f.seen)
	clear(f.runs)
	clear(f.order)
	f.order = f.order[:0]
}

// appendColumns writes the columns of the table of filters, in the order of its table spec.
func (f *logFilters) appendColumns(b []byte, day int32) []byte {
	b = appendColumn(b, "day", "Date")
	for range f.order {
		b = binary.LittleEndian.AppendUint16(b, uint16(day))
	}
	var groups dict
	for _, key := range f.order {
		groups.add(key.group)
	}
	b = groups.appendLowCardinality(b, "grp")
	b = appendColumn(b, "start", "Int64")
	for _, key := range f.order {
		b = binary.LittleEndian.AppendUint64(b, uint64(key.start))
	}
	b = appendColumn(b, "bits", "UInt8")
	for _, key := range f.order {
		b = append(b, key.bits)
	}
	b = appendColumn(b, "grams", "AggregateFunction(groupBitmap, UInt16)")
	for _, key := range f.order {
		b = f.sets[key].AppendState(b)
	}
	return b
}
