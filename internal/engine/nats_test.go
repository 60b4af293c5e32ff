package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func startNATS(t *testing.T, folder string) *engine.NATS {
	t.Helper()
	n, err := engine.StartNATS(t.Context(), engine.NATSOptions{
		DataDir: folder, MaxStoreBytes: 256 << 20, MinFreeBytes: 1, HealthInterval: 20 * time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { stopNATS(t, n) })
	return n
}

func stopNATS(t *testing.T, n *engine.NATS) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// stream connects and makes sure of the stream LINES.
func stream(t *testing.T, n *engine.NATS) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	nc, err := n.Connect()
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{
		Name: "LINES", Subjects: []string{"lines"}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		t.Fatal(err)
	}
	return js, s
}

func count(t *testing.T, s jetstream.Stream) uint64 {
	t.Helper()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

func TestNATSKeepsAcknowledgedMessagesOverRestarts(t *testing.T) {
	folder := t.TempDir()
	for cycle := range uint64(3) {
		n := startNATS(t, folder)
		js, s := stream(t, n)
		if got := count(t, s); got != cycle*50 {
			t.Fatalf("cycle %d: got %d messages, want %d", cycle, got, cycle*50)
		}
		for i := range 50 {
			if _, err := js.Publish(t.Context(), "lines", fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		stopNATS(t, n)
	}
}

func TestNATSSyncsEveryWriteAndListensNowhere(t *testing.T) {
	n := startNATS(t, t.TempDir())
	stream(t, n)
	varz, err := n.Server().Varz(nil)
	if err != nil {
		t.Fatal(err)
	}
	if config := varz.JetStream.Config; !config.SyncAlways || config.MaxStore != 256<<20 {
		t.Errorf("got sync_always=%v max_store=%d, want true and %d", config.SyncAlways, config.MaxStore, 256<<20)
	}
	if addr := n.Server().Addr(); addr != nil {
		t.Errorf("the server listens on %v", addr)
	}
	if addr := n.Server().MonitorAddr(); addr != nil {
		t.Errorf("the server's monitoring listens on %v", addr)
	}
}

func TestNATSPayloadLimit(t *testing.T) {
	nc, err := startNATS(t, t.TempDir()).Connect()
	if err != nil {
		t.Fatal(err)
	}
	if got := nc.MaxPayload(); got != 8<<20 {
		t.Errorf("got %d, want 8 MiB", got)
	}
}

func TestNATSStopDrainsConnections(t *testing.T) {
	n := startNATS(t, t.TempDir())
	nc, err := n.Connect()
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan struct{}, 1)
	if _, err := nc.Subscribe("x", func(*nats.Msg) { handled <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("x", nil); err != nil {
		t.Fatal(err)
	}
	stopNATS(t, n)
	if !nc.IsClosed() || len(handled) != 1 {
		t.Errorf("got closed=%v handled=%d, want a message handled before the end", nc.IsClosed(), len(handled))
	}
	if _, err := n.Connect(); err == nil {
		t.Error("connect after stop: got no error")
	}
	stopNATS(t, n)
}

func TestNATSOptionsAreChecked(t *testing.T) {
	for name, options := range map[string]engine.NATSOptions{
		"no folder":    {MaxStoreBytes: 1 << 20},
		"no max store": {DataDir: t.TempDir()},
		"negative":     {DataDir: t.TempDir(), MaxStoreBytes: 1 << 20, MaxPayloadBytes: -1},
	} {
		if n, err := engine.StartNATS(t.Context(), options); err == nil {
			stopNATS(t, n)
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestNATSHealsAfterWriteErrors makes writes fail with a file size limit, which the store meets as it meets a full disk:
// the stream stays broken after the cause is gone, until the supervisor restarts the server under the live connection.
func TestNATSHealsAfterWriteErrors(t *testing.T) {
	folder := t.TempDir()
	n := startNATS(t, folder)
	js, s := stream(t, n)
	var stored uint64
	for range 20 {
		if _, err := js.Publish(t.Context(), "lines", make([]byte, 1024)); err != nil {
			t.Fatal(err)
		}
		stored++
	}
	testkit.Eventually(t, time.Minute, n.Health)

	lift := limitFileSize(t, 256<<10)
	testkit.Eventually(t, time.Minute, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := js.Publish(ctx, "lines", make([]byte, 16<<10)); err != nil {
			return nil
		}
		stored++
		return errors.New("publishing still works")
	})
	lift()
	testkit.Eventually(t, time.Minute, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.Publish(ctx, "lines", []byte("after"))
		return err
	})
	if got := n.Restarts(); got == 0 {
		t.Error("got no restart")
	}
	// Timed out publishes may have been stored too; what was acknowledged must be there.
	if got := count(t, s); got < stored+1 {
		t.Errorf("got %d messages, want at least the %d acknowledged", got, stored+1)
	}
}

// TestNATSHealsEachTime breaks the store again and again. Restarts that helped do not make the next one wait longer: with
// the pause doubled each time the last one would come after forty seconds.
func TestNATSHealsEachTime(t *testing.T) {
	n := startNATS(t, t.TempDir())
	js, _ := stream(t, n)
	publish := func(size int) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.Publish(ctx, "lines", make([]byte, size))
		return err
	}
	for range testkit.Rounds(t, 4) {
		testkit.Eventually(t, time.Minute, func() error { return errors.Join(n.Health(), publish(1)) })
		before := n.Restarts()
		lift := limitFileSize(t, 256<<10)
		testkit.Eventually(t, time.Minute, func() error {
			if publish(16<<10) == nil {
				return errors.New("publishing still works")
			}
			return nil
		})
		lift()
		testkit.Eventually(t, 20*time.Second, func() error {
			if n.Restarts() == before {
				return errors.New("not restarted")
			}
			return publish(1)
		})
	}
}

// TestNATSHealsWithoutASecondLook breaks the store again before the supervisor has seen that its restart helped.
func TestNATSHealsWithoutASecondLook(t *testing.T) {
	n, err := engine.StartNATS(t.Context(), engine.NATSOptions{
		DataDir: t.TempDir(), MaxStoreBytes: 256 << 20, MinFreeBytes: 1, HealthInterval: time.Second, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopNATS(t, n) })
	js, _ := stream(t, n)
	publish := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := js.Publish(ctx, "lines", make([]byte, 16<<10))
		return err
	}
	for range 2 {
		lift := limitFileSize(t, 256<<10)
		testkit.Eventually(t, time.Minute, func() error {
			if publish() == nil {
				return errors.New("publishing still works")
			}
			return nil
		})
		lift()
		testkit.Eventually(t, 15*time.Second, publish)
	}
}

// ghosts is a log handler that shows the server another stream's folder without a stream at each look that finds one, as a node
// does that makes its streams on a slow disk.
type ghosts struct {
	slog.Handler
	folder string
	seen   atomic.Int32
}

// Enabled implements slog.Handler.
func (g *ghosts) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (g *ghosts) WithAttrs([]slog.Attr) slog.Handler { return g }

// Handle implements slog.Handler.
func (g *ghosts) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "embedded NATS server may be unhealthy" {
		return nil
	}
	n := g.seen.Add(1)
	return os.Rename(g.ghost(n-1), g.ghost(n))
}

func (g *ghosts) ghost(n int32) string { return filepath.Join(g.folder, fmt.Sprint("GHOST_", n)) }

// TestNATSIsNotRestartedWhileStreamsAreMade lets each look find a fault that the look before did not.
func TestNATSIsNotRestartedWhileStreamsAreMade(t *testing.T) {
	folder := t.TempDir()
	g := &ghosts{Handler: slog.DiscardHandler, folder: filepath.Join(folder, "jetstream", "$G", "streams")}
	n, err := engine.StartNATS(t.Context(), engine.NATSOptions{
		DataDir: folder, MaxStoreBytes: 256 << 20, MinFreeBytes: 1, HealthInterval: 20 * time.Millisecond, Log: slog.New(g),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopNATS(t, n) })
	if err := os.MkdirAll(g.ghost(0), 0o700); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, func() error {
		if seen := g.seen.Load(); seen < 10 {
			return fmt.Errorf("%d looks found a fault: %w", seen, n.Health())
		}
		return nil
	})
	if got := n.Restarts(); got != 0 {
		t.Errorf("the server was restarted %d times for faults that went by themselves", got)
	}
}

// limitFileSize makes writes beyond most bytes of a file fail for the whole process, until lift.
func limitFileSize(t *testing.T, most uint64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	lift = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(lift)
	return lift
}

func TestNATSSocketReachesTheSameStreams(t *testing.T) {
	folder := t.TempDir()
	n := startNATS(t, folder)
	stream(t, n)
	path := filepath.Join(folder, "nats.sock")
	if err := n.ServeSocket("nats.sock"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v, want mode 0600", info, err)
	}
	nc, err := engine.DialSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "lines", make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if s, err := js.Stream(t.Context(), "LINES"); err != nil || count(t, s) != 1 {
		t.Fatalf("got %v, want the message of the socket's client", err)
	}
	if err := n.ServeSocket("second.sock"); err == nil {
		t.Error("second socket: got no error")
	}
	stopNATS(t, n)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}

	// A socket that a killed process left is replaced, and the client finds the new server by itself.
	if err := syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0); err != nil {
		t.Fatal(err)
	}
	again := startNATS(t, folder)
	if err := again.ServeSocket(path); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, func() error {
		_, err := js.Publish(t.Context(), "lines", []byte("x"))
		return err
	})
}

func TestNATSSocketStaysInTheDataFolder(t *testing.T) {
	n := startNATS(t, t.TempDir())
	for _, path := range []string{"../nats.sock", filepath.Join(t.TempDir(), "nats.sock"), "."} {
		if err := n.ServeSocket(path); err == nil {
			t.Errorf("%s: got no error", path)
		}
	}
}
