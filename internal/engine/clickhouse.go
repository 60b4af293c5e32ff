package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ClickHouseOptions says where the embedded ClickHouse lives and how much it may take.
type ClickHouseOptions struct {
	// DataDir holds the engine's data, configuration and chosen ports. It belongs to one engine at a time. Required.
	DataDir string
	// LibraryPath is libchdb.so; empty means: lib/ beside the executable, else deploy/engine of a source checkout.
	LibraryPath string
	// TenantUsers is how many tenant users (t0001, t0002, ...) exist. A tenant numbered above it cannot log in until the
	// engine starts with more, for users cannot be added while it runs. Default 1000.
	TenantUsers int
	// TenantSecret is what the passwords of tenants' users are made from, where several engines have the same; empty makes one.
	TenantSecret string
	// AdminPassword is AdminUser's, where the engine stands in for a server; empty makes one.
	AdminPassword string
	// Threads bounds the threads of one query and, doubled, of all together. Default: the number of CPUs.
	Threads int
	// BackgroundMerges is the size of the merge pool. Too few lets parts pile up, too many starves queries. Default 2.
	BackgroundMerges int
	// MaxMemoryBytes bounds the engine's memory; a query over it fails instead of the machine. Default 1 GiB.
	MaxMemoryBytes int64
	// KeepFreeBytes is disk space the engine leaves to others; without it a full disk also wedges the bus. Default 4 % of the
	// disk, 512 MiB at most: less than what ingest leaves free, so that a queue can still be emptied into the tables.
	KeepFreeBytes int64
	// Ceilings are what no statement of a tenant exceeds. Default seamark.DefaultCeilings.
	Ceilings seamark.Ceilings
	// Prepare are statements that run right after each start, as the user with every right: what the engine forgets
	// when it ends.
	Prepare []string
	// MaxConcurrentQueries bounds all users together; more are refused. Default 128.
	MaxConcurrentQueries int
	// OOMScore is the child's oom_score_adj, -1000 to 1000: higher is killed earlier. Default 500, so that the kernel
	// takes the engine, which is back in a second, rather than the process that holds the acknowledgements.
	OOMScore int
	// OnState is told when the engine comes up and goes down, one call at a time. It must not block and must not call Stop.
	OnState func(up bool)
	// Log receives the engine's own warnings. Default slog.Default().
	Log *slog.Logger
}

func (o *ClickHouseOptions) validate() error {
	if o.DataDir == "" {
		return errors.New("engine: ClickHouseOptions.DataDir is empty")
	}
	if o.TenantUsers < 0 || o.Threads < 0 || o.BackgroundMerges < 0 || o.MaxMemoryBytes < 0 || o.KeepFreeBytes < 0 ||
		o.MaxConcurrentQueries < 0 {
		return errors.New("engine: ClickHouseOptions has a negative limit")
	}
	if o.OOMScore < -1000 || o.OOMScore > 1000 {
		return fmt.Errorf("engine: ClickHouseOptions.OOMScore is %d, not within -1000 to 1000", o.OOMScore)
	}
	setDefault(&o.TenantUsers, 1000)
	setDefault(&o.Threads, runtime.NumCPU())
	setDefault(&o.BackgroundMerges, 2)
	setDefault(&o.MaxMemoryBytes, 1<<30)
	setDefault(&o.MaxConcurrentQueries, 128)
	setDefault(&o.OOMScore, 500)
	setDefault(&o.Ceilings, seamark.DefaultCeilings(o.Threads))
	if err := o.Ceilings.Validate(); err != nil {
		return fmt.Errorf("engine: ClickHouseOptions.Ceilings: %w", err)
	}
	if o.OnState == nil {
		o.OnState = func(bool) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	var err error
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return fmt.Errorf("engine: resolve data folder: %w", err)
	}
	setDefault(&o.KeepFreeBytes, shareOfDisk(o.DataDir, 4, 512<<20))
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ClickHouse is a running embedded ClickHouse. A child that dies is started again on the same ports with the same
// passwords until Stop.
type ClickHouse struct {
	options       ClickHouseOptions
	library       string
	ports         ports
	adminPassword string
	tenantSecret  string
	probe         *http.Client

	stop context.CancelFunc // asks the supervisor to end the child and return
	done chan struct{}      // closed when the supervisor has returned

	mu  sync.Mutex // guards pid and up
	pid int
	up  bool
}

// StartClickHouse starts the engine and returns when it answers queries. ctx bounds the start alone. A missing library
// is a seamark.Error of kind Unavailable with the id seamark-engine-missing.
func StartClickHouse(ctx context.Context, options ClickHouseOptions) (*ClickHouse, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	library, err := findLibrary(options.LibraryPath)
	if err != nil {
		return nil, err
	}
	c := &ClickHouse{
		options:       options,
		library:       library,
		adminPassword: cmp.Or(options.AdminPassword, randomSecret()),
		tenantSecret:  cmp.Or(options.TenantSecret, randomSecret()),
		// The probe must not keep a connection: the engine waits for open connections when it ends.
		probe: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second},
	}
	for attempt := 1; ; attempt++ {
		if err := c.prepare(); err != nil {
			return nil, err
		}
		err := c.launch(ctx)
		if err == nil {
			return c, nil
		}
		// A port is free when it is chosen; until the child listens on it somebody else may.
		if attempt == startAttempts || ctx.Err() != nil || c.ports.free() {
			return nil, err
		}
		c.options.Log.Warn("ClickHouse engine lost a port to another process, others are chosen", "tcp", c.ports.TCP, "http", c.ports.HTTP, "error", err)
	}
}

// startAttempts bounds the starts that lose a port. Where more do, something takes every port there is.
const startAttempts = 3

// launch starts the supervisor and returns when its first child answers.
func (c *ClickHouse) launch(ctx context.Context) error {
	running, stop := context.WithCancel(context.Background())
	c.stop, c.done = stop, make(chan struct{})
	started := make(chan error, 1)
	go c.supervise(running, started)
	var err error
	select {
	case err = <-started:
	case <-ctx.Done():
		err = fmt.Errorf("start ClickHouse: %w", ctx.Err())
	}
	if err != nil {
		stop()
		<-c.done
	}
	return err
}

// prepare writes the configuration of this boot.
func (c *ClickHouse) prepare() error {
	if err := os.MkdirAll(c.dataPath(), 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	var err error
	if c.ports, err = choosePorts(filepath.Join(c.options.DataDir, "ports.json")); err != nil {
		return err
	}
	config, err := render("config", configTemplate, serverConfig{
		Data: c.dataPath() + "/", Users: c.usersPath(), Ports: c.ports,
		Threads: 2 * c.options.Threads, MaxMemoryBytes: c.options.MaxMemoryBytes, KeepFreeBytes: c.options.KeepFreeBytes,
		MaxConcurrent: c.options.MaxConcurrentQueries, BackgroundMerges: c.options.BackgroundMerges,
	})
	if err != nil {
		return err
	}
	most := &c.options.Ceilings
	users := usersConfig{
		AdminUser: AdminUser, AdminHash: passwordHash(c.adminPassword), Threads: c.options.Threads, Ceilings: ceilings(most), Locked: lockedSettings(),
		Statements: most.Statements, MemoryBytes: most.MemoryBytes, MinuteBytes: most.MinuteBytes, DayBytes: most.DayBytes,
	}
	for n := range c.options.TenantUsers {
		name := TenantUser(n + 1)
		users.Tenants = append(users.Tenants, tenantUser{Name: name, Hash: passwordHash(TenantPassword(c.tenantSecret, name))})
	}
	usersFile, err := render("users", usersTemplate, users)
	if err != nil {
		return err
	}
	if err := writePrivate(c.usersPath(), usersFile); err != nil {
		return err
	}
	return writePrivate(c.configPath(), config)
}

func (c *ClickHouse) dataPath() string   { return filepath.Join(c.options.DataDir, "data") }
func (c *ClickHouse) configPath() string { return filepath.Join(c.options.DataDir, "config.xml") }
func (c *ClickHouse) usersPath() string  { return filepath.Join(c.options.DataDir, "users.xml") }

// randomSecret returns 32 random bytes in hex.
func randomSecret() string {
	var secret [32]byte
	// crypto/rand.Read never fails: it ends the process where the system has no randomness.
	_, _ = rand.Read(secret[:])
	return hex.EncodeToString(secret[:])
}

// Addrs returns the host:port of the native TCP protocol and of HTTP. They do not change while the engine runs.
func (c *ClickHouse) Addrs() (tcp, http string) { return c.ports.tcpAddr(), c.ports.httpAddr() }

// AdminUser returns the user with every right; its password is AdminPassword.
func (c *ClickHouse) AdminUser() string { return AdminUser }

// AdminPassword returns the password of AdminUser, fresh per StartClickHouse unless told.
func (c *ClickHouse) AdminPassword() string { return c.adminPassword }

// TenantSecret returns the secret that TenantPassword derives the tenant users' passwords from, fresh per StartClickHouse unless told.
func (c *ClickHouse) TenantSecret() string { return c.tenantSecret }

// Pid returns the child's process id, or 0 while there is none.
func (c *ClickHouse) Pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

// Up reports whether the engine answers queries, as far as is known.
func (c *ClickHouse) Up() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

// Stop ends the engine and waits for it. The caller has closed its clients: the engine waits about 5 s for connections
// that are still open. When ctx ends first, the child is killed; its data is safe then too. Stop may be called again.
func (c *ClickHouse) Stop(ctx context.Context) error {
	c.stop()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	c.kill()
	<-c.done
	return fmt.Errorf("stop ClickHouse: killed: %w", ctx.Err())
}
