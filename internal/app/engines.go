package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// SocketPath is where the embedded NATS of a data folder can be reached by processes of the same user.
func SocketPath(dataDir string) string { return filepath.Join(dataDir, "nats", "seamark.sock") }

// bucketReserve is the room for control-plane buckets and the dead-letter stream beside the shards' streams.
const bucketReserve = 3 << 30

// startNATS connects to the bus, starting the embedded server when no other is named.
func (a *App) startNATS(ctx context.Context) error {
	o := &a.opts
	a.patience = bus.NewPatience(o.StartTimeout, "--start-timeout", a.log)
	switch {
	case o.Link != nil && o.embedsNATS():
		nc, err := engine.DialSocket(o.Link.NATSSocket, nats.Name("seamark-"+a.node), nats.ErrorHandler(a.natsFault))
		if err != nil {
			return err
		}
		a.nc = nc
		a.defers("nats connection", func(context.Context) error { nc.Close(); return nil })
	case !o.embedsNATS():
		nc, err := a.connectNATS(ctx)
		if err != nil {
			return err
		}
		a.nc = nc
		a.defers("nats connection", func(context.Context) error { nc.Close(); return nil })
	default:
		streams := int64(o.Bus.Shards * o.ClickHouse.stores() * len(seamark.Signals()))
		server, err := engine.StartNATS(ctx, engine.NATSOptions{
			DataDir: filepath.Join(o.DataDir, "nats"), MaxStoreBytes: streams*o.Bus.MaxStreamBytes + o.Query.Jobs.StoreBytes + bucketReserve, Log: a.log.With("engine", "nats"),
		})
		if err != nil {
			return fmt.Errorf("start embedded NATS: %w", err)
		}
		a.natsServer = server
		a.defers("nats server", server.Stop)
		if err := server.ServeSocket(SocketPath(o.DataDir)); err != nil {
			return fmt.Errorf("serve the admin socket: %w", err)
		}
		if a.nc, err = server.Connect(nats.ErrorHandler(a.natsFault)); err != nil {
			return fmt.Errorf("connect to embedded NATS: %w", err)
		}
	}
	js, err := jetstream.New(a.nc)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	a.js = bus.Patient(js, a.patience)
	return nil
}

// connectNATS connects to the servers of --nats.url, which may be about to start, too.
func (a *App) connectNATS(ctx context.Context) (nc *nats.Conn, err error) {
	o := &a.opts.NATS
	options := []nats.Option{nats.MaxReconnects(-1), nats.Name("seamark-" + a.node), nats.RetryOnFailedConnect(false), nats.ErrorHandler(a.natsFault)}
	if o.CredsFile != "" {
		options = append(options, nats.UserCredentials(o.CredsFile))
	}
	err = a.patience.Wait(ctx, "a server", func(context.Context) error {
		nc, err = nats.Connect(o.URL, options...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("connect to --nats.url: %w", err)
	}
	return nc, nil
}

// natsFault logs what the NATS client reports beside its calls, such as a consumer that a restart took away.
func (a *App) natsFault(_ *nats.Conn, _ *nats.Subscription, err error) {
	a.log.Warn("nats", "err", err)
}

// openBus opens the shards' streams.
func (a *App) openBus(ctx context.Context) error {
	o := bus.DefaultOptions()
	o.Conn, o.JS, o.Logger, o.Registerer = a.nc, a.js, a.log, a.registry
	o.Stores, o.StoreOf = a.opts.ClickHouse.stores(), a.directory.StoreShard
	o.Shards, o.MaxStreamBytes, o.Replicas, o.DuplicateWindow = a.opts.Bus.Shards, a.opts.Bus.MaxStreamBytes, a.opts.NATS.Replicas, a.opts.Bus.DuplicateWindow
	b, err := bus.Open(ctx, o)
	if err != nil {
		return err
	}
	a.bus = b
	a.defers("bus", func(context.Context) error { b.Close(); return nil })
	return nil
}

// shards reads the DSNs of outside ClickHouse shards. Errors begin behind the name of --clickhouse.dsn.
func (c *ClickHouseOptions) shards() ([]store.Shard, error) {
	web := c.ShardHTTPAddrs()
	switch {
	case len(c.DSNs) > seamark.MaxStoreShards:
		return nil, fmt.Errorf("names %d shards; the limit is %d", len(c.DSNs), seamark.MaxStoreShards)
	case len(web) != len(c.DSNs):
		return nil, fmt.Errorf("names %d shards and --clickhouse.http-addrs those of %d: both are told once for each shard, in the same order", len(c.DSNs), len(web))
	}
	list, taken := make([]store.Shard, len(c.DSNs)), map[string]int{}
	for i, dsn := range c.DSNs {
		parsed, err := clickhouse.ParseDSN(dsn)
		if err != nil && len(c.DSNs) > 1 {
			return nil, fmt.Errorf("of shard %d is not a DSN such as clickhouse://user:password@host:9000", i+1)
		}
		if err != nil {
			return nil, errors.New("is not a DSN such as clickhouse://user:password@host:9000")
		}
		for _, addr := range slices.Concat(parsed.Addr, web[i]) {
			if other, twice := taken[addr]; twice && other != i {
				return nil, fmt.Errorf("and --clickhouse.http-addrs name %s for shard %d and for shard %d: each shard has servers of its own", addr, other+1, i+1)
			}
			taken[addr] = i
		}
		list[i] = store.Shard{
			NativeAddrs: parsed.Addr, HTTPAddrs: web[i], TLS: parsed.TLS, User: parsed.Auth.Username, Password: parsed.Auth.Password,
			TenantPassword: func(user string) string { return engine.TenantPassword(c.TenantSecret, user) },
		}
	}
	return list, nil
}

// ShardHTTPAddrs returns the HTTP addresses by shard. One shard has all that are told.
func (c *ClickHouseOptions) ShardHTTPAddrs() [][]string {
	if !c.outside() {
		return nil
	}
	list := make([][]string, len(c.HTTPAddrs))
	for i, addrs := range c.HTTPAddrs {
		list[i] = strings.Split(addrs, ",")
	}
	if len(c.DSNs) == 1 {
		return [][]string{slices.Concat(list...)}
	}
	return list
}

// outside reports whether ClickHouse is servers of its own, and not embedded.
func (c *ClickHouseOptions) outside() bool { return len(c.DSNs) > 0 }

// stores returns how many ClickHouse shards there are.
func (c *ClickHouseOptions) stores() int { return max(1, len(c.DSNs), c.told) }

// openStore connects to ClickHouse, starting the embedded engine when no other is named.
func (a *App) openStore(ctx context.Context) error {
	if err := a.openMeter(); err != nil {
		return err
	}
	o := &a.opts.ClickHouse
	a.shares = newShares(o.Ceilings.Threads, a.opts.Now)
	so := store.Options{
		Read: a.tellRead, Settings: a.statementSettings,
		Ceilings: func(seamark.TenantID) seamark.Ceilings { return o.Ceilings },
		ShardOf:  a.directory.StoreShard, Number: a.directory.Number, MaxTenantConns: a.opts.Query.MaxTenantConns, FilterRows: a.opts.Writer.LogFilterRows, FilterRowsOf: a.logFilterRows, Logger: a.log, Registerer: a.registry, Now: a.opts.Now,
	}
	switch {
	case o.outside():
		shards, err := o.shards()
		if err != nil {
			return err
		}
		so.Shards, so.CreateUsers = shards, o.TenantUsers == "sql"
	case a.opts.Link != nil:
		at := a.opts.Link.ClickHouse
		so.Shards = []store.Shard{{
			NativeAddrs: []string{at.Socket}, HTTPAddrs: []string{at.HTTP}, User: at.User, Password: at.Password,
			TenantPassword: func(user string) string { return engine.TenantPassword(at.TenantSecret, user) },
		}}
		so.Dial, so.Number = engine.SocketDial(at.Socket), a.embeddedNumber
		if err := a.hearEngineState(); err != nil {
			return err
		}
	default:
		var prepare []string
		if o.Workloads {
			prepare = store.WorkloadStatements(o.Ceilings.Threads, "")
		}
		ch, err := engine.StartClickHouse(ctx, engine.ClickHouseOptions{
			Prepare: prepare,
			DataDir: filepath.Join(a.opts.DataDir, "clickhouse"), LibraryPath: o.Library, TenantUsers: o.EmbeddedUsers,
			MaxMemoryBytes: o.MaxMemoryBytes, Ceilings: o.Ceilings, OnState: a.tellEngineState, Log: a.log.With("engine", "clickhouse"),
		})
		if err != nil {
			return fmt.Errorf("start embedded ClickHouse: %w", err)
		}
		a.clickhouse = ch
		a.defers("clickhouse engine", ch.Stop)
		tcp, http := ch.Addrs()
		so.Shards = []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}}
		so.Dial, so.Number = engine.DialClickHouse, a.embeddedNumber
	}
	s, err := store.Open(so)
	if err != nil {
		return err
	}
	a.store = s
	a.defers("store", func(context.Context) error { return s.Close() })
	a.background("reads", s.SettleReads)
	if o.Workloads && o.outside() {
		a.background("workloads", a.keepWorkloads)
	}
	return nil
}

// embeddedNumber refuses tenants that the embedded engine has no user for. Their log-in would not only fail: this engine's
// process ends on a refused log-in.
func (a *App) embeddedNumber(id seamark.TenantID) (seamark.TenantNumber, error) {
	n, err := a.directory.Number(id)
	if err == nil && int(n) > a.opts.ClickHouse.EmbeddedUsers {
		return 0, seamark.Errorf(seamark.Unavailable, "seamark-tenant-number",
			"This server's embedded engine serves %d tenants; the operator must raise --clickhouse.embedded-users and restart.", a.opts.ClickHouse.EmbeddedUsers)
	}
	return n, err
}

// prepareDataDir makes the data folder and locks it: two processes on one folder would write over each other.
func (a *App) prepareDataDir() error {
	if err := os.MkdirAll(a.opts.DataDir, 0o700); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	unlock, err := a.lockDataDir()
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	a.defers("data folder", func(context.Context) error { return unlock() })
	if err := a.guardDisk(); err != nil {
		return err
	}
	return a.loadNodeID()
}

// guardDisk watches the disk of a data folder that an engine writes to.
func (a *App) guardDisk() error {
	if a.opts.Link != nil || a.opts.Sandbox != nil || !a.opts.embedsNATS() && a.opts.ClickHouse.outside() {
		return nil
	}
	o := &a.opts.Disk
	guard, err := engine.OpenDiskGuard(engine.DiskOptions{
		Dir: a.opts.DataDir, MinFreePercent: o.MinFreePercent, MaxReserveBytes: o.MaxReserveBytes, BallastBytes: o.BallastBytes, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.disk = guard
	a.background("disk guard", guard.Run)
	return nil
}
