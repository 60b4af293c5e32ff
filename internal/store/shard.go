package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// shard is one ClickHouse shard: its connections, and what this process has seen of the databases there.
type shard struct {
	Shard
	store  *Store
	number seamark.StoreShard
	admin  driver.Conn   // native: DDL, verification, kills
	insert driver.Conn   // HTTP: encoded blocks
	broken chan struct{} // has one while a ledger is open

	mu      sync.Mutex // guards what follows
	tenants map[seamark.TenantNumber]driver.Conn
	ledgers map[seamark.TenantNumber]*ledger
	walls   map[seamark.TenantNumber]seamark.Ceilings // of users made by SQL, as this process has set them last
	missing map[tenantTable]time.Time                 // tables that were not there, until when that is believed
	ready   map[tenantTable]bool                      // databases whose schema this process has seen complete
	known   bool                                      // these servers have been this shard from the start

	unsettled []*SQLAnswer // whose statements may have read more than they could tell
}

func (s *Store) openShard(number seamark.StoreShard) (*shard, error) {
	o, sh := &s.opts, &shard{
		Shard: s.opts.Shards[number], store: s, number: number, broken: make(chan struct{}, 1), tenants: map[seamark.TenantNumber]driver.Conn{},
		ledgers: map[seamark.TenantNumber]*ledger{}, walls: map[seamark.TenantNumber]seamark.Ceilings{}, missing: map[tenantTable]time.Time{}, ready: map[tenantTable]bool{},
	}
	auth := clickhouse.Auth{Username: sh.User, Password: sh.Password}
	var err error
	if sh.admin, err = clickhouse.Open(&clickhouse.Options{
		Addr: sh.NativeAddrs, Auth: auth, TLS: sh.TLS, DialContext: o.Dial, MaxOpenConns: 8, MaxIdleConns: 2, DialTimeout: 5 * time.Second,
		ConnMaxLifetime: 10 * time.Minute,
	}); err != nil {
		return nil, fmt.Errorf("open native connection: %w", err)
	}
	if sh.insert, err = clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: sh.HTTPAddrs, Auth: auth, TLS: sh.TLS, MaxOpenConns: 16, MaxIdleConns: 8,
		DialTimeout: 5 * time.Second, ConnMaxLifetime: 10 * time.Minute, ReadTimeout: insertTimeout,
		Compression:   &clickhouse.Compression{Method: clickhouse.CompressionNone},
		TransportFunc: func(t *http.Transport) (http.RoundTripper, error) { return framedBody{t}, nil },
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("open http connection: %w", err), sh.admin.Close())
	}
	return sh, nil
}

func (sh *shard) close() error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	err := errors.Join(sh.admin.Close(), sh.insert.Close())
	for _, c := range sh.tenants {
		err = errors.Join(err, c.Close())
	}
	clear(sh.tenants)
	return err
}

// locate returns the shard that has a tenant's database, and the tenant's number. All that is done for a tenant goes by it.
func (s *Store) locate(tenant seamark.TenantID) (*shard, seamark.TenantNumber, error) {
	n, err := s.opts.Number(tenant)
	if err != nil {
		return nil, 0, err
	}
	sh, err := s.shardOf(tenant)
	return sh, n, err
}

// shardOf returns the shard that has, or had, what is a tenant's.
func (s *Store) shardOf(tenant seamark.TenantID) (*shard, error) {
	if s.opts.ShardOf == nil {
		return s.shards[0], nil
	}
	number, err := s.opts.ShardOf(tenant)
	if err != nil {
		return nil, err
	}
	return s.shard(number)
}

// shard returns one of the shards. A tenant whose shard this process was not told of must never be looked for on another.
func (s *Store) shard(number seamark.StoreShard) (*shard, error) {
	if number < 0 || int(number) >= len(s.shards) {
		return nil, seamark.UnknownStoreShard(number, len(s.shards))
	}
	return s.shards[number], nil
}

// each calls fn with all shards side by side, and returns the errors of all.
func (s *Store) each(fn func(sh *shard) error) error {
	if len(s.shards) == 1 {
		return fn(s.shards[0])
	}
	faults := make([]error, len(s.shards))
	var work errgroup.Group
	for i, sh := range s.shards {
		work.Go(func() error {
			if err := fn(sh); err != nil {
				faults[i] = fmt.Errorf("ClickHouse shard %s: %w", sh.number, err)
			}
			return nil
		})
	}
	_ = work.Wait() // faults has them all
	return errors.Join(faults...)
}

// ensured is locate, and the tenant's database exists on return.
func (s *Store) ensured(ctx context.Context, tenant seamark.TenantID) (*shard, seamark.TenantNumber, error) {
	sh, n, err := s.locate(tenant)
	if err == nil {
		err = sh.ensureTable(ctx, n, TableLogs)
	}
	return sh, n, err
}

// conn returns the tenant's own connection pool. The tenant's database exists on return.
func (s *Store) conn(ctx context.Context, tenant seamark.TenantID) (tenantConn, error) {
	sh, n, err := s.ensured(ctx, tenant)
	if err != nil {
		return tenantConn{}, err
	}
	if err := sh.ensureWall(ctx, tenant, n); err != nil {
		return tenantConn{}, queryError(ctx, err)
	}
	return sh.conn(tenant, n)
}

func (sh *shard) conn(tenant seamark.TenantID, n seamark.TenantNumber) (tenantConn, error) {
	o, user := &sh.store.opts, database(n)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	l := sh.ledgers[n]
	if l == nil {
		l = &ledger{tenant: tenant, key: user + "/" + sh.store.process, opened: time.Now()}
		sh.ledgers[n] = l
	}
	c, ok := sh.tenants[n]
	if !ok {
		var err error
		if c, err = clickhouse.Open(&clickhouse.Options{
			Addr: sh.NativeAddrs, TLS: sh.TLS, DialContext: o.Dial, DialTimeout: 5 * time.Second,
			Auth:         clickhouse.Auth{Username: user, Password: sh.TenantPassword(user), Database: user},
			MaxOpenConns: o.MaxTenantConns, MaxIdleConns: 2, ConnMaxLifetime: 10 * time.Minute,
			// Statements end by their contexts and by max_execution_time. The driver's five minutes would end an export.
			ReadTimeout: maxStatementTime,
			Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		}); err != nil {
			return tenantConn{}, fmt.Errorf("open connection of %s: %w", user, err)
		}
		sh.tenants[n] = c
	}
	return tenantConn{Conn: c, tenant: tenant, db: user, shard: sh, ledger: l}, nil
}
