package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/store"
)

// TestClickHouseShards reads the settings of one shard as ever, and of several by their order.
func TestClickHouseShards(t *testing.T) {
	const one, two = "clickhouse://u:p@a:9000,b:9000", "clickhouse://v:q@c:9000"
	for name, c := range map[string]struct {
		dsns, web []string
		want      []store.Shard
	}{
		"one shard of two servers": {[]string{one}, []string{"a:8123,b:8123"}, []store.Shard{
			{NativeAddrs: []string{"a:9000", "b:9000"}, HTTPAddrs: []string{"a:8123", "b:8123"}, User: "u", Password: "p"},
		}},
		"one shard, its servers told apart": {[]string{one}, []string{"a:8123", "b:8123"}, []store.Shard{
			{NativeAddrs: []string{"a:9000", "b:9000"}, HTTPAddrs: []string{"a:8123", "b:8123"}, User: "u", Password: "p"},
		}},
		"two shards": {[]string{one, two}, []string{"a:8123,b:8123", "c:8123"}, []store.Shard{
			{NativeAddrs: []string{"a:9000", "b:9000"}, HTTPAddrs: []string{"a:8123", "b:8123"}, User: "u", Password: "p"},
			{NativeAddrs: []string{"c:9000"}, HTTPAddrs: []string{"c:8123"}, User: "v", Password: "q"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (&ClickHouseOptions{DSNs: c.dsns, HTTPAddrs: c.web}).shards()
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i].TenantPassword = nil
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("want, got:\n%s", diff)
			}
		})
	}
}

// TestClickHouseShardsRefused names what is wrong, and where.
func TestClickHouseShardsRefused(t *testing.T) {
	const one, two = "clickhouse://u:p@a:9000", "clickhouse://u:p@b:9000"
	many, web := make([]string, 65), make([]string, 65)
	for i := range many {
		many[i], web[i] = fmt.Sprintf("clickhouse://u:p@s%d:9000", i), fmt.Sprintf("s%d:8123", i)
	}
	for name, c := range map[string]struct {
		dsns, web []string
		want      string
	}{
		"no HTTP addresses":       {[]string{one}, nil, "--clickhouse.dsn needs --clickhouse.http-addrs"},
		"fewer HTTP addresses":    {[]string{one, two}, []string{"a:8123,b:8123"}, "--clickhouse.dsn names 2 shards and --clickhouse.http-addrs those of 1"},
		"more HTTP addresses":     {[]string{one, two}, []string{"a:8123", "b:8123", "c:8123"}, "names 2 shards and --clickhouse.http-addrs those of 3"},
		"no DSN":                  {[]string{"http//a"}, []string{"a:8123"}, "--clickhouse.dsn is not a DSN such as"},
		"no DSN, of two":          {[]string{one, "nonsense"}, []string{"a:8123", "b:8123"}, "--clickhouse.dsn of shard 2 is not a DSN"},
		"a server twice":          {[]string{one, one}, []string{"a:8123", "b:8123"}, "name a:9000 for shard 1 and for shard 2"},
		"an HTTP address twice":   {[]string{one, two}, []string{"a:8123", "a:8123"}, "name a:8123 for shard 1 and for shard 2"},
		"more shards than can be": {many, web, "--clickhouse.dsn names 65 shards; the limit is 64"},
	} {
		t.Run(name, func(t *testing.T) {
			o := DefaultOptions()
			o.Roles, o.DataDir = AllRoles(), "data"
			o.ClickHouse.DSNs, o.ClickHouse.HTTPAddrs, o.ClickHouse.TenantSecret = c.dsns, c.web, "secret"
			if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
