package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// shardMark begins the name of the table beside the meter that says which shard a server is.
const shardMark = "shard_"

// identify makes sure that the servers have been this shard from the start. Tenants' records name shards by their place in a list, and
// whoever puts that into another order would have each tenant begin anew on the wrong server. It looks once in the life of a process,
// before anything is made there.
func (sh *shard) identify(ctx context.Context) error {
	sh.mu.Lock()
	known := sh.known
	sh.mu.Unlock()
	if known {
		return nil
	}
	db, mark := database(platformBit|sh.store.opts.Platform), shardMark+sh.number.String()
	var tables []string
	if err := sh.admin.QueryRow(ctx, "SELECT groupArray(name) FROM system.tables WHERE database = ?", db).Scan(&tables); err != nil {
		return fmt.Errorf("ask which shard a server is: %w", err)
	}
	other := slices.IndexFunc(tables, func(name string) bool { return strings.HasPrefix(name, shardMark) && name != mark })
	switch {
	case slices.Contains(tables, mark):
	case other >= 0:
		return sh.misplaced(strings.TrimPrefix(tables[other], shardMark))
	case sh.number > 0 && slices.Contains(tables, tableSpecs[TableUsage].name):
		return sh.misplaced("1") // its meter is of a time with one shard, which left no mark
	default:
		for _, sql := range []string{
			"CREATE DATABASE IF NOT EXISTS " + db,
			fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s.%s (at DateTime) ENGINE = Null COMMENT '%s1'", db, mark, commentPrefix),
		} {
			if err := sh.admin.Exec(ctx, sql); err != nil {
				return fmt.Errorf("mark a server as shard %s: %w", sh.number, err)
			}
		}
	}
	sh.mu.Lock()
	sh.known = true
	sh.mu.Unlock()
	return nil
}

func (sh *shard) misplaced(is string) error {
	return seamark.Wrap(fmt.Errorf("%s is ClickHouse shard %s and is named as shard %s: --clickhouse.dsn must name shards in the order in which they were added", strings.Join(sh.NativeAddrs, ","), is, sh.number),
		seamark.Unavailable, "seamark-store-order", "The server's ClickHouse shards are named in another order than before. Its operator must mend that; nothing is lost meanwhile.")
}
