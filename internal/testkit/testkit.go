// Package testkit gives tests real engines (embedded NATS and ClickHouse), a fake clock, polling with a deadline and
// seeded randomness. Only _test.go files import it. A package that uses ClickHouse has a TestMain that calls Main.
package testkit

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/engine"
)

// startWithin bounds the start of an engine and stopWithin its end; both are for machines under heavy load.
const (
	startWithin = 2 * time.Minute
	stopWithin  = 30 * time.Second
)

// Main is the body of TestMain. In the process that the engine starts it serves as ClickHouse; in the test process it
// runs the tests, stops the engine that ClickHouse started, and exits.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		runtime.LockOSThread()
		os.Exit(engine.RunChild(os.Args[2:]))
	}
	shared.mu.Lock()
	shared.hasMain = true
	shared.mu.Unlock()
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "testkit:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// shared is the one engine of a test process. It is a global because only a global outlives a single test: a start per
// test would cost half a second and 200 MB each.
var shared sharedEngine

type sharedEngine struct {
	mu      sync.Mutex // guards all fields
	hasMain bool
	folder  string
	engine  *engine.ClickHouse
	err     error
}

// start starts the engine once; a failure is remembered, so that every test fails at once with its reason.
func (s *sharedEngine) start() (*engine.ClickHouse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine != nil || s.err != nil {
		return s.engine, s.err
	}
	if !s.hasMain {
		return nil, fmt.Errorf("this package has no `func TestMain(m *testing.M) { testkit.Main(m) }`, which the engine's process needs")
	}
	if s.folder, s.err = os.MkdirTemp("", "seamark-clickhouse-"); s.err != nil {
		return nil, s.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	s.engine, s.err = engine.StartClickHouse(ctx, engine.ClickHouseOptions{
		DataDir:       s.folder,
		TenantUsers:   200,
		KeepFreeBytes: 64 << 20,
		Log:           warnings(),
	})
	return s.engine, s.err
}

func (s *sharedEngine) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := s.engine.Stop(ctx); err != nil {
			return err
		}
	}
	if s.folder == "" {
		return nil
	}
	return os.RemoveAll(s.folder)
}

// ClickHouse returns the engine that all tests of the package share; the first call starts it. Tests keep apart by
// database, and native clients dial with engine.DialClickHouse. A missing library fails the test.
func ClickHouse(t testing.TB) *engine.ClickHouse {
	t.Helper()
	started, err := shared.start()
	if err != nil {
		t.Fatalf("ClickHouse for tests: %v", err)
	}
	return started
}

// OwnClickHouse returns an engine of the test's own, stopped at the test's end where the test has not stopped it: a second shard beside
// ClickHouse, or one that is to go away.
func OwnClickHouse(t testing.TB) *engine.ClickHouse {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	ch, err := engine.StartClickHouse(ctx, engine.ClickHouseOptions{DataDir: t.TempDir(), TenantUsers: 200, KeepFreeBytes: 64 << 20, Log: warnings()})
	if err != nil {
		t.Fatalf("ClickHouse for tests: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := ch.Stop(ctx); err != nil {
			t.Errorf("stop ClickHouse: %v", err)
		}
	})
	return ch
}

// NATS returns a server of the test's own, with an empty data folder, stopped at the test's end.
func NATS(t testing.TB) *engine.NATS {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	n, err := engine.StartNATS(ctx, engine.NATSOptions{DataDir: t.TempDir(), MaxStoreBytes: 1 << 30, Log: warnings()})
	if err != nil {
		t.Fatalf("NATS for tests: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Errorf("stop NATS: %v", err)
		}
	})
	return n
}

// JetStream returns a JetStream context on a NATS server of the test's own.
func JetStream(t testing.TB) jetstream.JetStream {
	t.Helper()
	nc, err := NATS(t).Connect()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("jetstream: %v", err)
	}
	return js
}

// warnings logs what an engine complains about to stderr, which `go test` shows for a failing package.
func warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
