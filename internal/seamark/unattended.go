package seamark

import (
	"context"
	"time"
)

type unattendedKey struct{}

// Unattended returns a context of reads that come by the clock and from nobody who looks on, as those of rules do: what answers from
// memory brings itself up to date when such a read comes, and not ahead of the next one.
func Unattended(ctx context.Context) context.Context {
	return context.WithValue(ctx, unattendedKey{}, true)
}

// IsUnattended reports whether ctx is one of Unattended.
func IsUnattended(ctx context.Context) bool {
	is, _ := ctx.Value(unattendedKey{}).(bool)
	return is
}

// Patience returns how many times as long as a person's reads those of ctx wait for memory to be brought up to date, before they
// are the store's: nobody minds, and a busy store has less to do.
func Patience(ctx context.Context) time.Duration {
	if IsUnattended(ctx) {
		return 10
	}
	return 1
}
