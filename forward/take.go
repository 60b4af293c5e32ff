package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/store"
)

// take adds a message's rows to a batch. What cannot be read is counted as failed; the writer meets it, too, and buries it.
func (w *shardRun) take(ctx context.Context, b *batch, m *bus.Received) error {
	now := w.service.opts.Now()
	w.mu.Lock()
	if lost := w.waiting.pass(m.Sequence); len(lost) > 0 {
		w.gap(&w.progress, gap{From: time.Unix(lost[0].at, 0).UTC(), Until: time.Unix(lost[len(lost)-1].at, 0).UTC(), Messages: uint64(len(lost))})
		w.dirty = true
	}
	w.mu.Unlock()
	if b.empty() {
		b.first = m.Sequence
	}
	b.last, b.at = m.Sequence, now.UTC()
	frame, err := store.ParseFrame(m.Data)
	if err == nil && frame.Tenant != w.doc.Tenant {
		err = errors.New("the message belongs to another tenant")
	}
	if err != nil {
		w.fail(ctx, b, m.Sequence, 0, err)
		return nil
	}
	received := time.UnixMilli(frame.ReceivedMs)
	if b.received.IsZero() {
		b.received = received
	}
	for i := range frame.Segments {
		s := &frame.Segments[i]
		switch s.Table {
		case store.TableSeries:
			found, err := store.DecodeLogStreams(s)
			if err != nil {
				w.log.WarnContext(ctx, "a forwarder leaves out streams", slog.Uint64("sequence", m.Sequence), slog.Any("error", err))
				continue
			}
			w.streams.learn(found)
		case store.TableLogs:
			if err := w.takeLogs(ctx, b, m.Sequence, received, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail counts rows of a message that cannot be sent.
func (w *shardRun) fail(ctx context.Context, b *batch, sequence uint64, rows int, cause error) {
	w.log.WarnContext(ctx, "a forwarder leaves out rows", slog.Uint64("sequence", sequence), slog.Int("rows", rows), slog.Any("error", cause))
	b.failed = append(b.failed, burial{At: w.service.opts.Now().UTC(), Batch: fmt.Sprintf("%s.%d", w.shard, sequence), Rows: rows, Reason: publicText(cause)})
	w.count("failed", rows)
}

// takeLogs adds the rows of a segment that pass the filter.
func (w *shardRun) takeLogs(ctx context.Context, b *batch, sequence uint64, received time.Time, s *store.Segment) error {
	block, err := store.DecodeLogs(s)
	if err != nil {
		w.fail(ctx, b, sequence, int(s.Rows), err)
		return nil
	}
	selected, unknown, err := w.streams.of(ctx, sequence, block)
	if err != nil {
		return err
	}
	if unknown > 0 {
		w.fail(ctx, b, sequence, unknown, errUnlabelled())
	}
	if len(selected) == 0 {
		b.filtered += uint64(block.Len() - unknown)
		return nil
	}
	rows, err := w.filter.Apply(ctx, received, selected, block)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.fail(ctx, b, sequence, block.Len()-unknown, err)
		return nil
	}
	b.filtered += uint64(block.Len() - unknown - len(rows))
	b.add(rows)
	return nil
}

// count counts rows in the metrics.
func (w *shardRun) count(outcome string, rows int) {
	if rows > 0 {
		w.service.metrics.rows.WithLabelValues(w.doc.Definition.Target.kind(), outcome).Add(float64(rows))
	}
}
