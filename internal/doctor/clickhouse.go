package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/store"
)

// clickhouse looks at each server of the store.
func (e *exam) clickhouse(ctx context.Context) {
	o := &e.o.ClickHouse
	if len(o.Shards) == 0 {
		path, err := engine.FindLibrary(o.Library)
		if err != nil {
			e.fail("clickhouse", "Put lib/libchdb.so beside the executable, or name it with --clickhouse.library.", "%v", err)
			return
		}
		e.ok("clickhouse", "the embedded engine is %s", path)
		return
	}
	shardOf := map[string]int{} // by the servers' own ids
	for i := range o.Shards {
		for id, found := range e.shard(ctx, &o.Shards[i]) {
			if found.Shard > 0 && found.Shard != i+1 {
				e.fail("clickhouse", "Name shards in the order in which they were added; nothing is stored or found until then.",
					"shard %d of --clickhouse.dsn is %s, which has been shard %d", i+1, id, found.Shard)
			}
			if other, twice := shardOf[id]; twice {
				e.fail("clickhouse", "Name each shard's own servers, in the order in which they were named first.",
					"shards %d and %d of --clickhouse.dsn are one server, %s, under two addresses", other+1, i+1, id)
			}
			shardOf[id] = i
		}
	}
}

// shard looks at the servers of one shard, and returns those that answer by their ids.
func (e *exam) shard(ctx context.Context, s *ClickHouseShard) map[string]*store.Inspection {
	servers := map[string]*store.Inspection{}
	addresses, err := store.Servers(s.DSN)
	if err != nil {
		return servers // the settings have told
	}
	for _, addr := range addresses {
		if found := e.inspect(ctx, s.DSN, addr); found != nil {
			servers[found.ID] = found
		}
	}
	e.apart(servers)
	for _, addr := range s.HTTPAddrs {
		e.web(ctx, s.DSN, addr)
	}
	return servers
}

// inspect judges one server; nil where it does not answer.
func (e *exam) inspect(ctx context.Context, dsn, addr string) *store.Inspection {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	o := &e.o.ClickHouse
	found, err := store.Inspect(ctx, store.InspectOptions{DSN: dsn, Addr: addr, CreateUsers: o.CreateUsers, Workloads: o.Workloads, Now: e.o.Now})
	switch {
	case store.Refused(err):
		e.fail("clickhouse", "Correct user and password in --clickhouse.dsn.", "%s refuses the user of --clickhouse.dsn", addr)
		return nil
	case err != nil:
		e.fail("clickhouse", "Start it, or correct --clickhouse.dsn and the network between.", "%s does not answer: %v", addr, err)
		return nil
	}
	if len(found.Unknown) > 0 {
		e.fail("clickhouse", "Upgrade it: the version that Seamark is tested with stands in docs/performance.md.", "%s has version %s without the settings %s", addr, found.Version, some(found.Unknown))
	} else {
		e.ok("clickhouse", "%s has version %s", addr, found.Version)
	}
	e.difference("ClickHouse at "+addr, found.Ahead, found.Uncertain)
	e.privileges(addr, found)
	e.users(addr, found)
	if o.Workloads && len(found.Workloads) == 0 {
		e.warn("clickhouse", "A querier makes them at its start; without them heavy queries take threads from dashboards. --no-clickhouse.workloads goes without.", "%s has no workloads of Seamark", addr)
	}
	for _, d := range found.Disks {
		if d.Total > 0 {
			e.space(fmt.Sprintf("ClickHouse at %s, disk %s in %s", addr, d.Name, d.Path), int64(d.Total), int64(d.Free))
		}
	}
	return found
}

func (e *exam) privileges(addr string, found *store.Inspection) {
	if len(found.Lacking) == 0 {
		e.ok("clickhouse", "%s: the user of --clickhouse.dsn may do what it must", addr)
		return
	}
	e.fail("clickhouse", "GRANT it as an administrator.", "%s: the user of --clickhouse.dsn lacks %s", addr, some(found.Lacking))
}

// users looks at tenants' users, whose being there is whose work the settings say.
func (e *exam) users(addr string, found *store.Inspection) {
	made := e.o.ClickHouse.CreateUsers
	switch {
	case made && !found.MakesUsers:
		e.fail("clickhouse", "Add a local_directory or replicated to user_directories, or provision users and set --clickhouse.tenant-users provisioned.", "%s keeps no users that are made by SQL", addr)
	case !made && found.Users == 0:
		e.fail("clickhouse", "Make the users t0001, t0002, ... or set --clickhouse.tenant-users sql.", "%s has no tenants' users", addr)
	case len(found.Alone) > 0:
		e.warn("clickhouse", "Make these users; their tenants cannot query until then.", "%s has databases without a user: %s", addr, some(found.Alone))
	default:
		e.ok("clickhouse", "%s has %d users of tenants, and each tenant's database has its own", addr, found.Users)
	}
}

// apart finds servers that each have rows of their own. Seamark writes a block to one of the servers that are named, and reads from any.
func (e *exam) apart(servers map[string]*store.Inspection) {
	local := 0
	for _, one := range servers {
		local += one.Local
	}
	if len(servers) < 2 || local == 0 {
		return
	}
	e.fail("clickhouse", "Give each of them a --clickhouse.dsn of its own, which makes it a shard, or name servers that share their tables as those of ClickHouse Cloud do.",
		"a --clickhouse.dsn names %d servers with tables of their own: a row is found on the one that it was written to alone", len(servers))
}

// web asks a server's HTTP port, which inserts go to.
func (e *exam) web(ctx context.Context, dsn, addr string) {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	scheme := "http"
	if strings.Contains(dsn, "secure=true") {
		scheme = "https"
	}
	const advice = "Start it, or correct --clickhouse.http-addrs: inserts go there."
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+addr+"/ping", http.NoBody)
	if err != nil {
		e.fail("clickhouse", advice, "--clickhouse.http-addrs %s: %v", addr, err)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.fail("clickhouse", advice, "--clickhouse.http-addrs %s does not answer: %v", addr, err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64))
	if err != nil || strings.TrimSpace(string(text)) != "Ok." {
		e.fail("clickhouse", advice, "what answers on --clickhouse.http-addrs %s is no ClickHouse", addr)
		return
	}
	e.ok("clickhouse", "--clickhouse.http-addrs %s answers", addr)
}
