package ingest

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// shardBatch gathers consecutive messages of a shard into the blocks of one round of inserts.
type shardBatch struct {
	from, to uint64
	rows     uint64
	bytes    int
	opened   time.Time // arrival of the first message here
	oldest   int64     // milliseconds since 1970 when ingest took the oldest message
	dead     []deadMessage
	skipped  []SegmentName // that are in the dead-letter stream
	blocks   map[blockKey]*planned
	usage    store.UsageTally // of all messages that can be read
	sums     []byte           // digests of all messages, eight bytes each
	last     uint64           // digest of the last one
	late     bool             // these are counts whose messages' other rows are stored

	largestRows  uint64 // of one block
	largestBytes int
}

type blockKey struct {
	tenant seamark.TenantID
	table  store.Table
	day    int32
}

// deadMessage is one that no build of ours wrote, or that the disk damaged. It is kept apart, so that the shard moves on.
type deadMessage struct {
	sequence uint64
	data     []byte
	reason   string
}

// add takes one message, which must follow the last one.
func (b *shardBatch) add(m bus.Received, now time.Time) {
	if b.blocks == nil {
		b.blocks, b.from, b.opened = map[blockKey]*planned{}, m.Sequence, now
	}
	b.to, b.last = m.Sequence, xxhash.Sum64(m.Data)
	b.sums = binary.LittleEndian.AppendUint64(b.sums, b.last)
	b.bytes += len(m.Data)
	frame, err := store.ParseFrame(m.Data)
	if err != nil {
		b.dead = append(b.dead, deadMessage{m.Sequence, m.Data, err.Error()})
		return
	}
	if b.oldest == 0 || frame.ReceivedMs < b.oldest {
		b.oldest = frame.ReceivedMs
	}
	for i := range frame.Usage {
		b.usage.Add(frame.Tenant, &frame.Usage[i])
	}
	for i := range frame.Segments {
		b.gather(frame.Tenant, frame.Segments[i], origin{SegmentName{m.Sequence, i}, frame.Cluster, frame.Signal, frame.ReceivedMs})
	}
}

// gather adds a segment to its block.
func (b *shardBatch) gather(tenant seamark.TenantID, seg store.Segment, o origin) {
	key := blockKey{tenant, seg.Table, seg.Day}
	p := b.blocks[key]
	if p == nil {
		p = &planned{tenant: tenant, block: &store.Block{Table: seg.Table, Day: seg.Day}}
		b.blocks[key] = p
	}
	p.block.Segments, p.origins = append(p.block.Segments, seg), append(p.origins, o)
	p.rows, p.bytes = p.rows+uint64(seg.Rows), p.bytes+len(seg.Payload)
	b.rows, b.largestRows, b.largestBytes = b.rows+uint64(seg.Rows), max(b.largestRows, p.rows), max(b.largestBytes, p.bytes)
}

// digest is of all messages of the batch.
func (b *shardBatch) digest() uint64 { return xxhash.Sum64(b.sums) }

func (b *shardBatch) empty() bool { return b.blocks == nil }

// planned is one insert of a batch.
type planned struct {
	tenant  seamark.TenantID
	block   *store.Block
	origins []origin // of the block's segments
	rows    uint64
	bytes   int // of the segments' payloads
}

// origin is where a segment came from, for the dead-letter stream.
type origin struct {
	name       SegmentName
	cluster    seamark.ClusterID
	signal     seamark.Signal
	receivedMs int64
}

// platformTenant is the tenant of the blocks of shared tables in intents and logs. No tenant has this id.
const platformTenant = seamark.TenantID("00000000000000000000000000")

// usageSegment numbers the segments of the meter, which are made of a whole batch, in the names of segments: the first has this
// number, the next one less.
const usageSegment = -2

// skip takes the named segments out of the batch. The meter tells of them, because their rows were acknowledged.
func (b *shardBatch) skip(names []SegmentName) {
	b.skipped = append(b.skipped, names...)
	for key, p := range b.blocks {
		segments, origins := p.block.Segments[:0], p.origins[:0]
		for i, o := range p.origins {
			if slices.Contains(names, o.name) {
				b.countSetAside(key.tenant, &p.block.Segments[i], o)
				continue
			}
			segments, origins = append(segments, p.block.Segments[i]), append(origins, o)
		}
		if p.block.Segments, p.origins = segments, origins; len(segments) == 0 {
			delete(b.blocks, key)
		}
	}
}

func (b *shardBatch) countSetAside(tenant seamark.TenantID, segment *store.Segment, o origin) {
	hour := seamark.HourOf(time.UnixMilli(o.receivedMs))
	for _, u := range store.CountUsage(nil, []store.Segment{*segment}, seamark.UsageKey{Kind: seamark.UsageSetAside, Hour: hour}) {
		b.usage.Add(tenant, &u)
	}
}

// planUsage returns the inserts of the meter: what the batch's messages count, in sums.
func (b *shardBatch) planUsage(to seamark.StoreShard) []*planned {
	segments := b.usage.Segments()
	list := make([]*planned, 0, len(segments))
	for i, segment := range segments {
		name := SegmentName{b.to, usageSegment - i}
		if slices.Contains(b.skipped, name) {
			continue
		}
		list = append(list, &planned{
			tenant: platformTenant, block: &store.Block{Table: segment.Table, Shard: to, Day: segment.Day, Segments: []store.Segment{segment}},
			origins: []origin{{name, noCluster, seamark.Logs, b.oldest}}, rows: uint64(segment.Rows), bytes: len(segment.Payload),
		})
	}
	return list
}

// plan returns the inserts of an intent for the batch, series before the rows that use them and the meter after all that it
// counts, in an order that is the same for the same messages. Rows go to their tenants' shard of the store, and the meter to that of the
// stream, which is the same: nothing of a batch waits for another shard.
func (b *shardBatch) plan(i *Intent, to seamark.StoreShard) []*planned {
	list := b.planUsage(to)
	for key, p := range b.blocks {
		if i.Portion != rowsAlone || key.table != store.TablePatterns {
			list = append(list, p)
		}
	}
	for _, p := range list {
		p.block.BatchID = i.BatchID
	}
	slices.SortFunc(list, func(x, y *planned) int {
		return cmp.Or(cmp.Compare(rank(x.block.Table), rank(y.block.Table)), cmp.Compare(x.tenant, y.tenant),
			cmp.Compare(x.block.Table, y.block.Table), cmp.Compare(x.block.Day, y.block.Day))
	})
	return list
}

// rank is 0 for tables that other tables' rows refer to. The meter's is the highest: it tells of segments that the store refused,
// so its block must not be stored before all others are.
func rank(t store.Table) int {
	switch {
	case t == store.TableSeries:
		return 0
	case t.Shared():
		return 2
	}
	return 1
}
