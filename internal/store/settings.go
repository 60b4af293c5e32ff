package store

import (
	"context"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Settings are ClickHouse's settings of a statement, by name.
type Settings = clickhouse.Settings

// settingMaxTime is ClickHouse's limit of a statement's seconds.
const settingMaxTime = "max_execution_time"

// timeGrace is how much longer than its context a statement may run on the server, so that it is the context that ends it and its
// error the one that is told.
const timeGrace = 5 * time.Second

type settingsKey struct{}

// withSettings returns a context whose statements as a tenant have the settings beside those of the Settings hook and those that
// ctx has already; of two values of a name the later counts. The driver's own WithSettings would replace what is there, and what
// it has set on a context is not read for tenants' statements.
func withSettings(ctx context.Context, more Settings) context.Context {
	return context.WithValue(ctx, settingsKey{}, merged(settingsOf(ctx), more))
}

func settingsOf(ctx context.Context) Settings {
	s, _ := ctx.Value(settingsKey{}).(Settings)
	return s
}

// merged returns a new map of both; more counts where both have a name.
func merged(s, more Settings) Settings {
	all := make(Settings, len(s)+len(more)+1)
	for name, value := range s {
		all[name] = value
	}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// bounded returns ctx with the settings for the driver, none above its ceiling: a plan may allow more than the server does. The
// driver overwrites max_execution_time by what a context's deadline leaves, so a smaller one of the settings needs a context that
// does not show its deadline; it still ends by it.
func bounded(ctx context.Context, s Settings, most map[string]int64) context.Context {
	for name, ceiling := range most {
		switch value, set := whole(s[name]); {
		case !set:
		case value == 0 && name != settingThreadsNicety, value > ceiling:
			s[name] = ceiling
		}
	}
	limit := time.Duration(most[settingMaxTime]) * time.Second
	if value, set := whole(s[settingMaxTime]); set {
		limit = time.Duration(value) * time.Second
	}
	if deadline, ends := ctx.Deadline(); ends && time.Until(deadline)+timeGrace > limit {
		s[settingMaxTime] = int64(limit / time.Second)
		ctx = undated{ctx}
	}
	return clickhouse.Context(ctx, clickhouse.WithSettings(s))
}

// whole reads a setting's value that is a whole number. A negative one, of what counts in unsigned numbers, is 0, which is no limit.
func whole(value any) (n int64, ok bool) {
	switch v := value.(type) {
	case int:
		return max(0, int64(v)), true
	case int64:
		return max(0, v), true
	case uint64:
		return int64(min(v, math.MaxInt64)), true
	}
	return 0, false
}

// undated is a context that ends when its parent does and does not say when that will be.
type undated struct{ context.Context }

// Deadline implements context.Context.
func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }
