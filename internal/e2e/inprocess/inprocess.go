// Package inprocess starts Seamark with all roles and both engines inside a test's process, once per test binary, and
// makes tenants with every kind of token on it. Only _test.go files import it.
package inprocess

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/engine"
)

// startWithin bounds the start and stopWithin the end, for machines under heavy load.
const (
	startWithin = 2 * time.Minute
	stopWithin  = 40 * time.Second
)

// shared is the one server of a test process. It is a global because only a global outlives a single test: a start per
// test would cost seconds and 300 MB each.
var shared struct {
	mu     sync.Mutex // guards all fields
	folder string
	app    *app.App
	err    error
}

// Main is the body of TestMain. In the process that the engine starts it serves as ClickHouse; in the test process it
// runs the tests, stops the server that App started, and exits.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.ChildCommand {
		runtime.LockOSThread()
		os.Exit(engine.RunChild(os.Args[2:]))
	}
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop seamark:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// App returns the server that all tests of the package share. The first call starts it, with the options changed by
// change; later calls ignore change.
func App(t testing.TB, change func(*app.Options)) *app.App {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.app == nil && shared.err == nil {
		shared.app, shared.err = start(change)
	}
	if shared.err != nil {
		t.Fatalf("start seamark: %v", shared.err)
	}
	select {
	case err := <-shared.app.Failed():
		shared.err = fmt.Errorf("a part of it ended: %w", err)
		t.Fatal(shared.err)
	default:
	}
	return shared.app
}

func start(change func(*app.Options)) (*app.App, error) {
	var err error
	if shared.folder, err = os.MkdirTemp("", "seamark-e2e-"); err != nil {
		return nil, err
	}
	o := app.DefaultOptions()
	o.DataDir, o.HTTP.Listen, o.Admin.Listen = shared.folder, "127.0.0.1:0", "127.0.0.1:0"
	o.Writer.MaxBatchAge = 100 * time.Millisecond // tests wait for their own rows
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if change != nil {
		change(&o)
	}
	a, err := app.New(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	err = a.Start(ctx)
	return a, err
}

func stop() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.app != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := shared.app.Stop(ctx); err != nil {
			return err
		}
	}
	return os.RemoveAll(shared.folder)
}
