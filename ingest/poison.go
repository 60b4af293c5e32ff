package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/store"
)

// poisonAttempts is how often an insert is tried that the store refuses for what it carries, before its segments are
// looked at one by one.
const poisonAttempts = 5

// errPoison says that the store refuses a block for what it carries.
var errPoison = errors.New("the store refuses the block's data")

// bury moves messages that cannot be read to the dead-letter stream before the checkpoint passes them.
func (w *shardWriter) bury(ctx context.Context, b *shardBatch) error {
	for _, d := range b.dead {
		letter := bus.DeadLetter{Shard: w.shard, Sequence: d.sequence, Segment: -1, Reason: d.reason, Data: d.data}
		if err := w.opts.Bus.Bury(ctx, w.shard, &letter); err != nil {
			return err
		}
		w.metrics.dead.Inc()
		w.log.Error("message cannot be read and was set aside", "sequence", d.sequence, "reason", d.reason)
	}
	return nil
}

// setAside finds the segments that the store refuses, keeps them in the dead-letter stream, and returns the plan without
// them. Nothing of a refused block is stored, so it may shrink; the intent says so before anything is inserted again.
// When no segment alone is refused the plan stays, and its insert is tried again.
func (w *shardWriter) setAside(ctx context.Context, b *shardBatch, plan []*planned) ([]*planned, error) {
	var bad []SegmentName
	for _, p := range plan {
		for i := range p.block.Segments {
			err := w.opts.Store.Probe(ctx, p.tenant, p.block, i)
			switch {
			case err == nil:
			case !store.Rejected(err):
				return nil, fmt.Errorf("probe segment: %w", err) // the shard starts again and comes back here
			default:
				if err := w.burySegment(ctx, p, i, err); err != nil {
					return nil, err
				}
				bad = append(bad, p.origins[i].name)
			}
		}
	}
	if len(bad) == 0 {
		return plan, nil
	}
	b.skip(bad)
	plan = b.plan(w.state.Intent, w.shard.Store)
	w.state.Intent.Skip, w.state.Intent.Blocks = append(w.state.Intent.Skip, bad...), intentBlocks(plan)
	return plan, w.save(ctx)
}

func (w *shardWriter) burySegment(ctx context.Context, p *planned, i int, cause error) error {
	o, segment := p.origins[i], p.block.Segments[i]
	frame := store.Frame{Tenant: p.tenant, Cluster: o.cluster, Signal: o.signal, ReceivedMs: o.receivedMs, Segments: []store.Segment{segment}}
	letter := bus.DeadLetter{
		Shard: w.shard, Sequence: o.name.Sequence, Segment: o.name.Segment, Tenant: p.tenant, Reason: cause.Error(), Data: store.AppendFrame(nil, &frame),
	}
	if err := w.opts.Bus.Bury(ctx, w.shard, &letter); err != nil {
		return err
	}
	w.metrics.dead.Inc()
	w.log.Error("the store refuses a segment, which was set aside", "tenant", p.tenant, "table", segment.Table.String(),
		"rows", segment.Rows, "sequence", o.name.Sequence, "err", cause)
	return nil
}
