package store

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options says where ClickHouse is and who its users are.
type Options struct {
	// NativeAddrs and HTTPAddrs are host:port lists of the same servers: queries go over the native protocol, where a
	// cancel reaches the server, and inserts over HTTP, where encoded blocks pass through untouched.
	NativeAddrs, HTTPAddrs []string
	// User and Password belong to the user that creates databases and inserts.
	User, Password string
	TLS            *tls.Config
	// Dial opens native connections; nil dials as usual. The embedded engine needs its own.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// TenantPassword returns the password of a tenant's own ClickHouse user, which all of the tenant's reads run as.
	TenantPassword func(user string) string
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
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// maxStatementTime bounds a statement whose context and settings say nothing else.
const maxStatementTime = 2 * time.Hour

// DefaultFilterRows is a FilterRows at which an insert's filters cost less than they save.
const DefaultFilterRows = 256

func (o *Options) validate() error {
	switch {
	case len(o.NativeAddrs) == 0 || len(o.HTTPAddrs) == 0:
		return errors.New("store: NativeAddrs and HTTPAddrs are required")
	case o.TenantPassword == nil || o.Number == nil:
		return errors.New("store: TenantPassword and Number are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("store: Logger, Registerer and Now are required")
	case o.FilterRows < 0:
		return errors.New("store: FilterRows must not be negative")
	case o.MaxTenantConns < 1:
		return errors.New("store: MaxTenantConns must be at least 1")
	}
	return nil
}

// Store is the client of one ClickHouse server or cluster. It is safe for concurrent use.
type Store struct {
	opts       Options
	admin      driver.Conn // native: DDL, verification, kills
	insert     driver.Conn // HTTP: encoded blocks
	metrics    metrics
	scratch    sync.Pool // *insertScratch
	filterPool sync.Pool // *logFilters
	runs       groupRuns
	process    string        // tells apart what the server counts for this process and for others
	broken     chan struct{} // has one while a ledger is open

	mu      sync.Mutex // guards what follows
	tenants map[seamark.TenantNumber]driver.Conn
	ledgers map[seamark.TenantNumber]*ledger
	walls   map[seamark.TenantNumber]seamark.Ceilings // of users made by SQL, as this process has set them last
	missing map[tenantTable]time.Time                 // tables that were not there, until when that is believed
	ready   map[tenantTable]bool                      // databases whose schema this process has seen complete

	unsettled []*SQLAnswer // whose statements may have read more than they could tell
}

// Open makes the connections lazily: a server that is away is an error of the first query, not of Open.
func Open(o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: o, metrics: newMetrics(o.Registerer), tenants: map[seamark.TenantNumber]driver.Conn{}, walls: map[seamark.TenantNumber]seamark.Ceilings{}, ledgers: map[seamark.TenantNumber]*ledger{}, process: rand.Text(), broken: make(chan struct{}, 1), ready: map[tenantTable]bool{}, missing: map[tenantTable]time.Time{}}
	auth := clickhouse.Auth{Username: o.User, Password: o.Password}
	var err error
	if s.admin, err = clickhouse.Open(&clickhouse.Options{
		Addr: o.NativeAddrs, Auth: auth, TLS: o.TLS, DialContext: o.Dial, MaxOpenConns: 8, MaxIdleConns: 2, DialTimeout: 5 * time.Second,
		ConnMaxLifetime: 10 * time.Minute,
	}); err != nil {
		return nil, fmt.Errorf("open native connection: %w", err)
	}
	if s.insert, err = clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: o.HTTPAddrs, Auth: auth, TLS: o.TLS, MaxOpenConns: 16, MaxIdleConns: 8,
		DialTimeout: 5 * time.Second, ConnMaxLifetime: 10 * time.Minute, ReadTimeout: insertTimeout,
		Compression:   &clickhouse.Compression{Method: clickhouse.CompressionNone},
		TransportFunc: func(t *http.Transport) (http.RoundTripper, error) { return framedBody{t}, nil },
	}); err != nil {
		return nil, fmt.Errorf("open http connection: %w", err)
	}
	return s, nil
}

// Ping asks the server for an answer.
func (s *Store) Ping(ctx context.Context) error { return s.admin.Ping(ctx) }

// Close closes all connections. Queries under way fail.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.admin.Close(), s.insert.Close())
	for _, c := range s.tenants {
		err = errors.Join(err, c.Close())
	}
	clear(s.tenants)
	return err
}

// conn returns the tenant's own connection pool and database. The tenant's database exists on return.
func (s *Store) conn(ctx context.Context, tenant seamark.TenantID) (driver.Conn, string, error) {
	n, err := s.EnsureTenant(ctx, tenant)
	if err != nil {
		return nil, "", err
	}
	if err := s.ensureWall(ctx, tenant, n); err != nil {
		return nil, "", queryError(ctx, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.tenants[n]; ok {
		return c, database(n), nil
	}
	user := database(n)
	c, err := clickhouse.Open(&clickhouse.Options{
		Addr: s.opts.NativeAddrs, TLS: s.opts.TLS, DialContext: s.opts.Dial, DialTimeout: 5 * time.Second,
		Auth:         clickhouse.Auth{Username: user, Password: s.opts.TenantPassword(user), Database: user},
		MaxOpenConns: s.opts.MaxTenantConns, MaxIdleConns: 2, ConnMaxLifetime: 10 * time.Minute,
		// Statements end by their contexts and by max_execution_time. The driver's five minutes would end an export.
		ReadTimeout: maxStatementTime,
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	})
	if err != nil {
		return nil, "", fmt.Errorf("open connection of %s: %w", user, err)
	}
	l := s.ledgers[n]
	if l == nil {
		l = &ledger{tenant: tenant, key: user + "/" + s.process, opened: time.Now()}
		s.ledgers[n] = l
	}
	c = tenantConn{Conn: c, tenant: tenant, store: s, ledger: l}
	s.tenants[n] = c
	return c, user, nil
}

// query runs one read-only statement as the tenant's own user. Values reach it only as params, bound on the server as
// {name:Type}; sql is made of constants. The current database is the tenant's, so statements name tables alone.
func (s *Store) query(ctx context.Context, tenant seamark.TenantID, sql string, params clickhouse.Parameters) (driver.Rows, error) {
	c, _, err := s.conn(ctx, tenant)
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
