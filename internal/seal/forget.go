package seal

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/nats-io/nats.go/jetstream"
)

// forget removes every document that is nothing without its sealed value, and the ring, whose root key is lost.
func (r *Ring) forget(ctx context.Context, root string) error {
	gone := 0
	err := r.visit(ctx, func(kv jetstream.KeyValue, entry jetstream.KeyValueEntry, _ *regexp.Regexp) error {
		if !isSealedDocument(entry.Value()) {
			return nil
		}
		gone++
		if err := kv.Delete(ctx, entry.Key(), jetstream.LastRevision(entry.Revision())); err != nil {
			return fmt.Errorf("remove %s %s: %w", entry.Bucket(), entry.Key(), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.kv.Delete(ctx, RingKey); err != nil {
		return fmt.Errorf("remove the data keys: %w", err)
	}
	r.log.WarnContext(ctx, "sealed secrets removed, their root key is lost", slog.String("root", root), slog.Int("documents", gone))
	return nil
}
