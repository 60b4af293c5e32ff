package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// NATSOptions says where the embedded NATS server lives and how much it may take.
type NATSOptions struct {
	// DataDir holds the streams. It belongs to one server at a time. Required.
	DataDir string
	// MaxStoreBytes bounds all file streams together. Required: the server's own default is a share of the disk that is
	// free at boot, which shrinks as streams grow and can refuse to load them again.
	MaxStoreBytes int64
	// MaxMemoryBytes bounds all memory streams together. Default 64 MiB.
	MaxMemoryBytes int64
	// MaxPayloadBytes bounds one message. Default 8 MiB.
	MaxPayloadBytes int32
	// ServerName is the name in the server's own reports. Default "seamark".
	ServerName string
	// HealthInterval is how often the server's health is looked at. Default 2 s.
	HealthInterval time.Duration
	// MinFreeBytes is the disk space that must be free before a server with write errors is restarted: a restart on a
	// full disk only fails again. Default 5 % of the disk, 128 MiB at most.
	MinFreeBytes int64
	// Log receives the server's warnings and errors, and its notices at debug level. Default slog.Default().
	Log *slog.Logger
}

func (o *NATSOptions) validate() error {
	if o.DataDir == "" {
		return errors.New("engine: NATSOptions.DataDir is empty")
	}
	if o.MaxStoreBytes <= 0 {
		return errors.New("engine: NATSOptions.MaxStoreBytes must be positive")
	}
	if o.MaxMemoryBytes < 0 || o.MaxPayloadBytes < 0 || o.HealthInterval < 0 || o.MinFreeBytes < 0 {
		return errors.New("engine: NATSOptions has a negative limit")
	}
	setDefault(&o.MaxMemoryBytes, 64<<20)
	setDefault(&o.MaxPayloadBytes, 8<<20)
	setDefault(&o.ServerName, "seamark")
	setDefault(&o.HealthInterval, 2*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	var err error
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return fmt.Errorf("engine: resolve data folder: %w", err)
	}
	setDefault(&o.MinFreeBytes, shareOfDisk(o.DataDir, 5, 128<<20))
	return nil
}

// serverOptions turns o into nats-server's options. SyncAlways is not a choice: without it an acknowledged message lives
// in the page cache for up to two minutes.
func (o *NATSOptions) serverOptions() *server.Options {
	return &server.Options{
		ServerName:             o.ServerName,
		DontListen:             true,
		NoSigs:                 true,
		JetStream:              true,
		DisableJetStreamBanner: true,
		StoreDir:               o.DataDir,
		JetStreamMaxStore:      o.MaxStoreBytes,
		JetStreamMaxMemory:     o.MaxMemoryBytes,
		SyncAlways:             true,
		MaxPayload:             o.MaxPayloadBytes,
	}
}

// NATS is a running embedded NATS server with JetStream. It listens on no network; it may be replaced by a new server on
// the same data while it runs, which connections made by Connect and DialSocket survive by reconnecting.
type NATS struct {
	options NATSOptions

	stop context.CancelFunc // ends the health watch
	done chan struct{}      // closed when the health watch has returned

	mu       sync.Mutex // guards what follows
	server   *server.Server
	stopped  bool
	conns    []*nats.Conn
	restarts int
	socket   *socketServer
}

// natsReadyWithin bounds a start: streams are scanned after an unclean end.
const natsReadyWithin = 2 * time.Minute

// StartNATS starts the server and returns when it takes connections. ctx bounds the start alone.
func StartNATS(ctx context.Context, options NATSOptions) (*NATS, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(options.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	n := &NATS{options: options, done: make(chan struct{})}
	started, err := n.startServer(ctx)
	if err != nil {
		return nil, err
	}
	n.server = started
	running, stop := context.WithCancel(context.Background())
	n.stop = stop
	go n.watchHealth(running)
	return n, nil
}

// startServer starts one server on the data folder.
func (n *NATS) startServer(ctx context.Context) (*server.Server, error) {
	s, err := server.NewServer(n.options.serverOptions())
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	s.SetLoggerV2(natsLog{n.options.Log.With("engine", "nats")}, false, false, false)
	wait := natsReadyWithin
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	s.Start()
	if !s.ReadyForConnections(wait) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("start NATS: server with data in %s did not become ready", n.options.DataDir)
	}
	return s, nil
}

// natsURL is never dialled; it is an address so that nothing looks up a name.
const natsURL = "nats://127.0.0.1:4222"

// Connect opens an in-process connection that survives a restart of the server. opts are applied after our own, which
// reconnect for ever. Stop drains connections that are still open.
func (n *NATS) Connect(opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect(natsURL, append(clientOptions(inProcessDialer{n}), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to embedded NATS: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	live := n.conns[:0]
	for _, known := range n.conns {
		if !known.IsClosed() {
			live = append(live, known)
		}
	}
	live = append(live, nc)
	n.conns = live
	return nc, nil
}

// clientOptions are what every client of the embedded server needs.
func clientOptions(dialer nats.CustomDialer) []nats.Option {
	return []nats.Option{
		nats.SetCustomDialer(dialer),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(50 * time.Millisecond),
		nats.ReconnectJitter(50*time.Millisecond, 0),
		nats.IgnoreDiscoveredServers(),
	}
}

// inProcessDialer dials whichever server is the current one, so that a reconnect after a restart finds the new server.
type inProcessDialer struct{ nats *NATS }

// Dial implements nats.CustomDialer; the address is ignored.
func (d inProcessDialer) Dial(_, _ string) (net.Conn, error) {
	d.nats.mu.Lock()
	current := d.nats.server
	d.nats.mu.Unlock()
	if current == nil {
		return nil, errors.New("embedded NATS server is restarting or stopped")
	}
	return current.InProcessConn()
}

// Stop drains the connections made by Connect, closes the socket and shuts the server down. When ctx ends first,
// connections are closed without draining and the shutdown goes on behind. Stop may be called again, and must be when it
// failed.
func (n *NATS) Stop(ctx context.Context) error {
	n.stop()
	select {
	case <-n.done:
	case <-ctx.Done():
		return fmt.Errorf("stop NATS: a restart is in progress: %w", ctx.Err())
	}
	n.mu.Lock()
	n.stopped = true
	conns, socket := n.conns, n.socket
	n.conns, n.socket = nil, nil
	n.mu.Unlock()

	if socket != nil {
		socket.close()
	}
	err := drain(ctx, conns)
	n.mu.Lock()
	current := n.server
	n.server = nil
	n.mu.Unlock()
	if current == nil {
		return err
	}
	return errors.Join(err, shutdown(ctx, current))
}

// drain lets every connection finish what it has begun, all at the same time.
func drain(ctx context.Context, conns []*nats.Conn) error {
	waits := make([]<-chan nats.Status, 0, len(conns))
	for _, nc := range conns {
		closed := nc.StatusChanged(nats.CLOSED)
		if err := nc.Drain(); err != nil {
			nc.Close()
			continue
		}
		waits = append(waits, closed)
	}
	for _, closed := range waits {
		select {
		case <-closed:
		case <-ctx.Done():
			for _, nc := range conns {
				nc.Close()
			}
			return fmt.Errorf("drain NATS connections: %w", ctx.Err())
		}
	}
	return nil
}

// shutdown ends a server, flushing its stores.
func shutdown(ctx context.Context, s *server.Server) error {
	ended := make(chan struct{})
	go func() {
		s.Shutdown()
		s.WaitForShutdown()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shut down NATS: %w", ctx.Err())
	}
}
