package forward

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// deliver sends a part until the target has it, or has refused it for good often enough. The error is ctx's.
func (w *shardRun) deliver(ctx context.Context, p *part) error {
	finals := 0
	for attempt := 1; ; attempt++ {
		err := w.attempt(ctx, p)
		if err == nil {
			w.update(func(g *progress) {
				g.Delivered += uint64(len(p.records))
				g.Batches++
				g.Error, g.Attempts = "", 0
			})
			w.count("delivered", len(p.records))
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		reason := w.secrets.scrub(err.Error())
		refused, _ := errors.AsType[*refusal](err)
		if refused == nil {
			refused = &refusal{}
		}
		if refused.final {
			finals++
		}
		w.update(func(g *progress) { g.Error, g.ErrorAt, g.Attempts = reason, w.service.opts.Now().UTC(), attempt })
		if attempt == 1 {
			w.log.WarnContext(ctx, "a target does not take a batch; it is tried again", slog.String("batch", p.id), slog.String("error", reason))
		}
		if finals >= w.service.opts.Limits.MaxAttempts {
			w.giveUp(ctx, p, reason)
			return nil
		}
		if err := pause(ctx, max(w.backoff(attempt), refused.after)); err != nil {
			return err
		}
	}
}

// attempt sends a part once.
func (w *shardRun) attempt(ctx context.Context, p *part) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	began := w.service.opts.Now()
	err := w.sink.send(ctx, p)
	kind, outcome := w.doc.Definition.Target.kind(), "acknowledged"
	if refused, ok := errors.AsType[*refusal](err); ok && refused.final {
		outcome = "refused"
	} else if err != nil {
		outcome = "failed"
	}
	w.service.metrics.attempts.WithLabelValues(kind, outcome).Inc()
	w.service.metrics.seconds.WithLabelValues(kind).Observe(w.service.opts.Now().Sub(began).Seconds())
	return err
}

// giveUp goes on without a part that the target will never take. Its rows stay in the store.
func (w *shardRun) giveUp(ctx context.Context, p *part, reason string) {
	from, until := p.span()
	w.log.ErrorContext(ctx, "a batch is given up", slog.String("batch", p.id), slog.Int("rows", len(p.records)), slog.String("error", reason))
	w.update(func(g *progress) {
		g.bury(burial{At: w.service.opts.Now().UTC(), Batch: p.id, Rows: len(p.records), Reason: reason, From: from, Until: until})
		g.Attempts = 0
	})
	w.count("failed", len(p.records))
}

// backoff returns the pause after so many failures: it doubles, and a random half of it is left out, so that forwarders of one
// target do not come back together.
func (w *shardRun) backoff(attempt int) time.Duration {
	o := &w.service.opts
	const doublings = 20 // more would overflow
	d := min(o.Backoff<<min(attempt-1, doublings), o.MaxBackoff)
	return d/2 + rand.N(d/2+1)
}

// publicText is what a tenant is told of an error that came from no target: what is only for the operator stays in the log.
func publicText(err error) string {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		return e.Message
	}
	return "It cannot be read or sent; the server's log says why."
}
