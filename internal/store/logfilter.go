package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"unsafe"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store/gram"
)

// Beside the logs stand filters, each of which tells what texts a run of a group's lines cannot hold (package gram), so that a
// word or an id that few lines have is found without reading the others. They are made from the blocks that are inserted, and
// inserted before them: whoever sees a line whose _f is 1 sees the filter that covers it. Storing one twice changes nothing.

// maxFilterSets bounds the memory of one block's filters, at 8 KiB each; those of a block with more are stored in parts.
const maxFilterSets = 1024

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

	// Of a segment.
	inflated []byte
	groups   []segmentGroup
	lines    []segmentLine
	comp     *compressor
}

// Inserts returns how many inserts Insert makes of a tenant's block: that of its filters counts, too.
func (s *Store) Inserts(tenant seamark.TenantID, table Table, rows uint64, crowded bool) int {
	if s.filters(tenant, table, rows, crowded) {
		return 2
	}
	return 1
}

// crowdedFilterRows is how many times FilterRows a block has at least that is one of many and gets filters: an insert costs the
// server what reading some ten thousand lines does, and while the inserts of small blocks are what it does all day, few searches
// make up for another one of each.
const crowdedFilterRows = 64

// filters reports whether a tenant's block of so many rows gets filters.
func (s *Store) filters(tenant seamark.TenantID, table Table, rows uint64, crowded bool) bool {
	if table != TableLogs {
		return false
	}
	least := uint64(s.filterRows(tenant))
	if crowded {
		least *= crowdedFilterRows
	}
	return least > 0 && rows >= least
}

// filterRows returns the least number of rows of a tenant's blocks with filters; 0 is none.
func (s *Store) filterRows(tenant seamark.TenantID) int {
	rows := 0
	if s.opts.FilterRowsOf != nil {
		rows = s.opts.FilterRowsOf(tenant)
	}
	switch {
	case rows >= seamark.NoLogFilters:
		return 0
	case rows > 0:
		return rows
	}
	return s.opts.FilterRows
}

// storeFilters stores the filters of a block of logs. It reports whether they cover it, which they do not where another build
// wrote it in a way that is not understood. The block is stored anyway.
func (s *Store) storeFilters(ctx context.Context, tenant seamark.TenantID, b *Block) bool {
	f, ok := s.filterPool.Get().(*logFilters)
	if !ok {
		f = &logFilters{sets: map[filterKey]*gram.Set{}, seen: map[string]groupLines{}, comp: newCompressor()}
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
		if err := f.read(&b.Segments[i]); err != nil {
			return fmt.Errorf("segment %d: %w", i, err)
		}
		f.add(func(group string, seen groupLines) uint8 { return s.runs.of(runKey{n, group}, seen) })
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

// read takes the columns of a segment of logs that filters are made of. What it takes is good until the next one.
func (f *logFilters) read(s *Segment) error {
	var err error
	if f.inflated, err = s.inflateInto(f.inflated); err != nil {
		return err
	}
	r := &nativeReader{text: unsafe.String(unsafe.SliceData(f.inflated), len(f.inflated)), rows: int(s.Rows)}
	if r.rows == 0 || r.rows > len(r.text) {
		return fmt.Errorf("%d rows do not fit into %d bytes", r.rows, len(r.text))
	}
	r.column("grp", typeLowCardinality)
	r.version()
	groups, keys, width := r.dictionary(r.rows)
	r.column("ts", "DateTime64(9, 'UTC')")
	times := r.take(8 * r.rows)
	r.column("fp", "UInt64")
	r.take(8 * r.rows)
	r.lowCardinality("level")
	r.column("trace_id", "FixedString(16)")
	r.take(16 * r.rows)
	r.column("span_id", "FixedString(8)")
	r.take(8 * r.rows)
	r.column("body", "String")
	if r.err != nil {
		return r.err
	}
	f.groups, f.lines = f.groups[:0], f.lines[:0]
	for _, name := range groups {
		f.groups = append(f.groups, segmentGroup{name: strings.Clone(name)}) // a key that outlives the segment
	}
	for i := range r.rows {
		key := littleEndian(keys[i*width : (i+1)*width])
		if key >= uint64(len(groups)) {
			return fmt.Errorf("key %d is outside a dictionary of %d", key, len(groups))
		}
		f.lines = append(f.lines, segmentLine{uint32(key), int64(littleEndian(times[8*i : 8*i+8])), r.string()})
	}
	return r.err
}

// segmentGroup is a group of a segment, with the filter that its last line went into.
type segmentGroup struct {
	name  string
	seen  groupLines
	run   uint8
	start int64
	set   *gram.Set
}

// segmentLine is a line of a segment. Its text is a part of the segment.
type segmentLine struct {
	group uint32
	time  int64
	body  string
}

// add adds the lines that were read to the filters of their groups and times.
func (f *logFilters) add(run func(group string, seen groupLines) uint8) {
	for i := range f.lines {
		l := &f.lines[i]
		f.groups[l.group].seen.add(groupLines{l.time, l.time, float64(len(l.body))})
	}
	for i := range f.groups {
		g := &f.groups[i]
		if g.seen.bytes == 0 && g.seen.to == 0 {
			continue // of a dictionary, and of no line
		}
		g.run = run(g.name, g.seen)
		seen := f.seen[g.name]
		seen.add(g.seen)
		f.seen[g.name] = seen
	}
	for i := range f.lines {
		l := &f.lines[i]
		g := &f.groups[l.group]
		if start := l.time &^ (1<<g.run - 1); g.set == nil || g.start != start {
			g.start, g.set = start, f.set(filterKey{g.name, start, g.run})
		}
		g.set.Add(l.body)
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
	clear(f.order)
	clear(f.groups)
	clear(f.lines)
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
