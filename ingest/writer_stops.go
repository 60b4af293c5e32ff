package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// steadyRun is how long a shard runs before its next stop is a new mishap and no longer part of the last one. It is far longer
// than a shard that cannot work takes to find that out.
const steadyRun = time.Minute

// stubbornStops is the number of stops in a row, without a steady run between, that says that starting again does not help.
const stubbornStops = 3

// stops tells a shard that was interrupted, as by a process that stood still or a NATS that restarts, from one that cannot work.
type stops struct {
	log   *slog.Logger
	inRow int
}

// tell logs why the shard stopped after it had run for so long.
func (s *stops) tell(err error, ran time.Duration) {
	if ran >= steadyRun {
		s.inRow = 0
	}
	if s.inRow++; s.inRow < stubbornStops {
		s.log.Warn("the shard's writer was interrupted and starts again at its checkpoint; nothing acknowledged is lost", "err", err)
		return
	}
	s.log.Error("the shard's writer stops again and again: what was acknowledged waits in its stream and is not stored until that ends", "err", err, "stops", s.inRow)
}

// causeOf is why a run ended: where its context was canceled, what canceled it, such as a lost lease.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}
