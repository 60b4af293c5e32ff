package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestFaultsOfTheServer tells whose fault a refusal of ClickHouse is.
func TestFaultsOfTheServer(t *testing.T) {
	for code, want := range map[int32]seamark.Kind{
		codeTimeoutExceeded: seamark.Timeout, codeTooManyRows: seamark.Unprocessable, codeMemoryLimit: seamark.Unprocessable,
		codeQuotaExceeded: seamark.RateLimited, codeQueryCanceled: seamark.Canceled, codeCannotParseRegexp: seamark.Invalid,
		codeAborted: seamark.Unavailable, 62: seamark.Internal,
	} {
		err := queryError(t.Context(), fmt.Errorf("read: %w", &clickhouse.Exception{Code: code, Message: "secret words"}))
		if got := seamark.KindOf(err); got != want {
			t.Errorf("code %d is %v, want %v", code, got, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := seamark.KindOf(queryError(ctx, ctx.Err())); got != seamark.Canceled {
		t.Errorf("a cancelled query is %v", got)
	}
}
