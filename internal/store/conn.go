package store

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Shard says where one ClickHouse shard is: servers that share their tables.
type Shard struct {
	// NativeAddrs and HTTPAddrs are host:port lists of the same servers: queries go over the native protocol, where a
	// cancel reaches the server, and inserts over HTTP, where encoded blocks pass through untouched.
	NativeAddrs, HTTPAddrs []string
	// User and Password belong to the user that creates databases and inserts.
	User, Password string
	TLS            *tls.Config
	// TenantPassword returns the password of a tenant's own ClickHouse user, which all of the tenant's reads run as.
	TenantPassword func(user string) string
}

// Options says where ClickHouse is and who its users are.
type Options struct {
	// Shards lists the ClickHouse shards, in an order that never changes: tenants' records name them by their place in it.
	Shards []Shard
	// ShardOf tells which shard has a tenant's database; nil is the first for all. What it says of a tenant never changes.
	ShardOf func(seamark.TenantID) (seamark.StoreShard, error)
	// Dial opens native connections; nil dials as usual. The embedded engine needs its own.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// CreateUsers makes tenants' users by SQL. The embedded engine has them from its users file instead.
	CreateUsers bool
	// Number resolves a tenant to its number from the directory in memory.
	Number func(seamark.TenantID) (seamark.TenantNumber, error)
	// Platform tells apart the databases of the tables that all tenants share, where several installations use one server; 0 is the
	// only one.
	Platform seamark.TenantNumber
	// Read, when set, is told what tenants' statements read, several times for each and from several goroutines. ctx is the
	// statement's.
	Read func(ctx context.Context, tenant seamark.TenantID, r Reads)
	// Settings, when set, returns ClickHouse's settings of a tenant's statement that is about to run: what the tenant's plan and
	// the query allow it. They stand beside those of the statement itself, which count where both have one. ctx is the statement's.
	Settings func(ctx context.Context, tenant seamark.TenantID) Settings
	// Ceilings returns what no statement of a tenant exceeds, whatever Settings says; nil is seamark.DefaultCeilings. The embedded
	// engine has the same in its users file. With CreateUsers a change is on the server before the tenant's next statement.
	Ceilings func(seamark.TenantID) seamark.Ceilings
	// MaxTenantConns bounds the native connections of one tenant; a tenant's further queries wait. Without it a tenant
	// takes all of the server's connections.
	MaxTenantConns int
	// FilterRows is the least number of rows of a block of logs that filters are made for; 0 makes none. A smaller block is
	// searched by reading it.
	FilterRows int
	// FilterRowsOf, when set, returns a tenant's own FilterRows, 0 for a tenant that has none of its own.
	FilterRowsOf func(seamark.TenantID) int
	Logger       *slog.Logger
	Registerer   prometheus.Registerer
	Now          func() time.Time
}

// maxStatementTime bounds a statement whose context and settings say nothing else.
const maxStatementTime = 2 * time.Hour

// DefaultFilterRows is a FilterRows at which an insert's filters cost less than they save.
const DefaultFilterRows = 256

func (o *Options) validate() error {
	switch {
	case len(o.Shards) == 0 || o.Number == nil:
		return errors.New("store: Shards and Number are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("store: Logger, Registerer and Now are required")
	case o.FilterRows < 0:
		return errors.New("store: FilterRows must not be negative")
	case o.MaxTenantConns < 1:
		return errors.New("store: MaxTenantConns must be at least 1")
	}
	for i := range o.Shards {
		if sh := &o.Shards[i]; len(sh.NativeAddrs) == 0 || len(sh.HTTPAddrs) == 0 || sh.TenantPassword == nil {
			return fmt.Errorf("store: shard %s: NativeAddrs, HTTPAddrs and TenantPassword are required", seamark.StoreShard(i))
		}
	}
	return nil
}

// Store is the client of an installation's ClickHouse shards. A tenant's database is whole on one of them, and so are the lines of
// its meter. It is safe for concurrent use.
type Store struct {
	opts       Options
	shards     []*shard
	metrics    metrics
	scratch    sync.Pool // *insertScratch
	filterPool sync.Pool // *logFilters
	runs       groupRuns
	process    string // tells apart what the server counts for this process and for others
}

// Open makes the connections lazily: a server that is away is an error of the first query, not of Open.
func Open(o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: o, metrics: newMetrics(o.Registerer), process: rand.Text()}
	for i := range o.Shards {
		sh, err := s.openShard(seamark.StoreShard(i))
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.shards = append(s.shards, sh)
	}
	return s, nil
}

// Shards returns how many shards there are.
func (s *Store) Shards() int { return len(s.shards) }

// Ping asks each shard for an answer, and returns those of them that give none with why.
func (s *Store) Ping(ctx context.Context) map[seamark.StoreShard]error {
	away := map[seamark.StoreShard]error{}
	var mu sync.Mutex // guards away
	_ = s.each(func(sh *shard) error {
		if err := sh.admin.Ping(ctx); err != nil {
			mu.Lock()
			defer mu.Unlock()
			away[sh.number] = err
		}
		return nil
	})
	return away
}

// Close closes all connections. Queries under way fail.
func (s *Store) Close() error {
	var err error
	for _, sh := range s.shards {
		err = errors.Join(err, sh.close())
	}
	return err
}

// query runs one read-only statement as the tenant's own user. Values reach it only as params, bound on the server as
// {name:Type}; sql is made of constants. The current database is the tenant's, so statements name tables alone.
func (s *Store) query(ctx context.Context, tenant seamark.TenantID, sql string, params clickhouse.Parameters) (driver.Rows, error) {
	c, err := s.conn(ctx, tenant)
	if err != nil {
		return nil, err
	}
	rows, err := c.Query(clickhouse.Context(ctx, clickhouse.WithParameters(params)), sql)
	if err != nil {
		return nil, queryError(ctx, err)
	}
	return rows, nil
}

// ClickHouse's error codes that mean something to the customer (src/Common/ErrorCodes.cpp).
const (
	codeTimeoutExceeded   = 159
	codeTooManyRows       = 158
	codeTooManyQueries    = 202
	codeQuotaExceeded     = 201
	codeMemoryLimit       = 241
	codeTooManyBytes      = 307
	codeQueryCanceled     = 394
	codeTooManyRowsBytes  = 396
	codeAborted           = 236 // it shuts down
	codeTooManyParts      = 252
	codeUnknownTable      = 60
	codeUnknownDatabase   = 81
	codeTableIsDropped    = 218
	codeCannotParseRegexp = 427
)

// queryError turns a driver error into one a customer may see. Nothing of the database's own text reaches them.
func queryError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*seamark.Error](err); ok {
		return err
	}
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok {
		switch ex.Code {
		case codeTimeoutExceeded:
			return seamark.Wrap(err, seamark.Timeout, "seamark-query-timeout", "The query ran out of its time. Ask for a shorter range or narrow the selector.")
		case codeTooManyRows, codeTooManyBytes, codeTooManyRowsBytes:
			return seamark.Wrap(err, seamark.Unprocessable, "seamark-query-bytes", "The query would read more than your limit. Ask for a shorter range or narrow the selector.")
		case codeMemoryLimit:
			return seamark.Wrap(err, seamark.Unprocessable, "seamark-query-memory", "The query needs more memory than your limit. Ask for a shorter range, a larger step or fewer series.")
		case codeTooManyQueries, codeQuotaExceeded:
			return seamark.Wrap(err, seamark.RateLimited, "seamark-query-concurrency", "Too many of your queries run at once. Retry shortly.")
		case codeQueryCanceled:
			return seamark.Wrap(err, seamark.Canceled, "seamark-query-canceled", "The query was cancelled.")
		case codeAborted:
			return storeAway(err)
		case codeCannotParseRegexp:
			return seamark.Wrap(err, seamark.Invalid, "seamark-query-regexp", "A regular expression of the query is not valid RE2.")
		}
		return seamark.Wrap(err, seamark.Internal, "seamark-store-query", "The store could not run the query.")
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return seamark.Wrap(err, seamark.Timeout, "seamark-query-timeout", "The query ran out of its time. Ask for a shorter range or narrow the selector.")
	case errors.Is(err, context.Canceled) || ctx.Err() != nil:
		return seamark.Wrap(err, seamark.Canceled, "seamark-query-canceled", "The query was cancelled.")
	}
	return storeAway(err)
}

func storeAway(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-store-away", "The store does not answer. Retry shortly.")
}
