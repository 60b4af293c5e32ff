package seamark

import (
	"fmt"
	"strconv"
)

// StoreShard is one of an installation's ClickHouse shards, by its place in their list. A tenant's database is whole on one of them,
// for ever. The zero value is the first, which is all that small installations have. People count them from 1.
type StoreShard int

// MaxStoreShards bounds the shards of an installation. Without it a slip of the pen in a request makes a tenant that no process can
// ever serve.
const MaxStoreShards = 64

// StoreShardOf returns the shard that people call number.
func StoreShardOf(number int) StoreShard { return StoreShard(number - 1) }

// Number returns the number that people call the shard by.
func (s StoreShard) Number() int { return int(s) + 1 }

// String returns that number as text.
func (s StoreShard) String() string { return strconv.Itoa(s.Number()) }

// UnknownStoreShard is the error of a process that is to reach a shard and was told of fewer.
func UnknownStoreShard(shard StoreShard, known int) *Error {
	return Wrap(fmt.Errorf("the tenant's record names ClickHouse shard %s; this process has %d --clickhouse.dsn", shard, known), Unavailable, "seamark-store-shard",
		"The data of this tenant is on ClickHouse shard %s, which this server was not told of: it knows %d. Its operator must name every shard to every process.", shard, known)
}
