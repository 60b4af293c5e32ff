package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Condition is how one ClickHouse shard does, as this process sees it.
type Condition struct {
	Shard   int // from 1
	Err     error
	Version string
	Uptime  time.Duration
	Disks   []Disk
	// Parts counts active parts of tables, MostParts those of the partition that has most (0 is not known), and Merges what runs of them.
	Parts, MostParts, Merges uint64
	// Memory is what the server has taken, of MemoryLimit; 0 is no limit.
	Memory, MemoryLimit uint64
}

// Conditions asks each shard how it does. What does not answer has its Err.
func (s *Store) Conditions(ctx context.Context) []Condition {
	list := make([]Condition, len(s.shards))
	_ = s.each(func(sh *shard) error {
		list[sh.number] = condition(ctx, sh.number.Number(), sh.admin)
		return nil
	})
	return list
}

// condition asks one server. Its questions read counters, so they cost the same however much is stored.
func condition(ctx context.Context, shard int, conn driver.Conn) Condition {
	c := Condition{Shard: shard}
	i := &inspector{conn: conn, found: &Inspection{}}
	for _, ask := range []func() error{
		func() error { return c.counters(ctx, conn) }, func() error { return c.fullest(ctx, conn) }, func() error { return i.disks(ctx) },
	} {
		if c.Err = ask(); c.Err != nil {
			break // the others would wait for the same server
		}
	}
	c.Disks = i.found.Disks
	return c
}

func (c *Condition) counters(ctx context.Context, conn driver.Conn) error {
	var uptime uint32
	var memory int64
	const sql = `SELECT version(), toUInt32(uptime()),
		(SELECT sum(value) FROM system.metrics WHERE metric = 'MemoryTracking'),
		(SELECT toUInt64(max(toUInt64OrZero(value))) FROM system.server_settings WHERE name = 'max_server_memory_usage'),
		(SELECT toUInt64(sum(value)) FROM system.metrics WHERE metric = 'PartsActive'),
		(SELECT toUInt64(sum(value)) FROM system.metrics WHERE metric = 'Merge')`
	if err := conn.QueryRow(ctx, sql).Scan(&c.Version, &uptime, &memory, &c.MemoryLimit, &c.Parts, &c.Merges); err != nil {
		return fmt.Errorf("ask for counters: %w", err)
	}
	c.Uptime, c.Memory = time.Duration(uptime)*time.Second, uint64(max(0, memory))
	return nil
}

// fullest asks for the partition with the most parts, which the embedded engine does not watch.
func (c *Condition) fullest(ctx context.Context, conn driver.Conn) error {
	const sql = "SELECT toUInt64(max(value)) FROM system.asynchronous_metrics WHERE metric = 'MaxPartCountForPartition'"
	err := conn.QueryRow(ctx, sql).Scan(&c.MostParts)
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok && ex.Code == codeUnknownTable {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask for the fullest partition: %w", err)
	}
	return nil
}
