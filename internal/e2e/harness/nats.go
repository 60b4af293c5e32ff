package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// NATS is a nats-server process.
type NATS struct {
	*Process
	URL, MonitorURL string
}

// StartNATS starts a nats-server in a process of its own, with its streams in dir.
func StartNATS(t testing.TB, dir string) *NATS {
	t.Helper()
	return StartNATSWith(t, &NATSOptions{Dir: dir})
}

// NATSOptions configure a nats-server as operators do.
type NATSOptions struct {
	Dir string
	// User and Password are wanted from clients, where set.
	User, Password string
	// Lazy syncs now and then instead of before each acknowledgement.
	Lazy bool
	// Name, Client, Monitor, Route and Routes make it a server of a cluster, with ports that it keeps over its restarts.
	Name                   string
	Client, Monitor, Route int
	Routes                 []string
}

// StartNATSWith starts a nats-server in a process of its own.
func StartNATSWith(t testing.TB, o *NATSOptions) *NATS {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	n := &NATS{}
	n.Process = again(t, natsRole, string(text), n)
	return n
}

// serverOptions turns o into nats-server's options.
func (o *NATSOptions) serverOptions() (*server.Options, error) {
	s := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT, JetStream: true, StoreDir: o.Dir,
		SyncAlways: !o.Lazy, JetStreamMaxStore: 64 << 30, MaxPayload: 8 << 20, NoSigs: true, Username: o.User, Password: o.Password,
	}
	if o.Name == "" {
		return s, nil
	}
	s.ServerName, s.Port, s.HTTPPort = o.Name, o.Client, o.Monitor
	s.Cluster = server.ClusterOpts{Name: "seamark-test", Host: "127.0.0.1", Port: o.Route}
	for _, route := range o.Routes {
		u, err := url.Parse(route)
		if err != nil {
			return nil, err
		}
		s.Routes = append(s.Routes, u)
	}
	return s, nil
}

// serveNATS serves until its standard input ends or it gets SIGTERM, as an orderly restart begins.
func serveNATS(text string) error {
	var o NATSOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	options, err := o.serverOptions()
	if err != nil {
		return err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return fmt.Errorf("nats-server did not start")
	}
	if err := json.NewEncoder(os.Stdout).Encode(NATS{URL: s.ClientURL(), MonitorURL: "http://" + s.MonitorAddr().String()}); err != nil {
		return err
	}
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// NATSCluster is nats-servers that replicate their streams.
type NATSCluster struct {
	t     testing.TB
	nodes []*NATS
	opts  []*NATSOptions
}

// StartNATSCluster starts a cluster and waits until it has a leader.
func StartNATSCluster(t testing.TB, size int) *NATSCluster {
	t.Helper()
	c := &NATSCluster{t: t}
	ports := freePorts(t, 3*size)
	var routes []string
	for i := range size {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[3*i+2]))
	}
	for i := range size {
		c.opts = append(c.opts, &NATSOptions{
			Dir: t.TempDir(), Name: fmt.Sprintf("n%d", i), Client: ports[3*i], Monitor: ports[3*i+1], Route: ports[3*i+2], Routes: routes,
		})
		c.nodes = append(c.nodes, StartNATSWith(t, c.opts[i]))
	}
	return c
}

// URL lists all servers, as --nats.url takes them.
func (c *NATSCluster) URL() string {
	var list []string
	for _, o := range c.opts {
		list = append(list, fmt.Sprintf("nats://127.0.0.1:%d", o.Client))
	}
	return strings.Join(list, ",")
}

// Monitors lists the servers' monitoring addresses.
func (c *NATSCluster) Monitors() []string {
	var list []string
	for _, o := range c.opts {
		list = append(list, fmt.Sprintf("http://127.0.0.1:%d", o.Monitor))
	}
	return list
}

// Node returns the process of a server.
func (c *NATSCluster) Node(i int) *Process { return c.nodes[i].Process }

// Restart starts a server that has ended, on its folder and its ports.
func (c *NATSCluster) Restart(i int) {
	c.t.Helper()
	c.nodes[i] = StartNATSWith(c.t, c.opts[i])
}

// Healthy fails until every server is in the cluster and has caught up with all streams that it has a copy of.
func (c *NATSCluster) Healthy(ctx context.Context) error {
	for _, address := range c.Monitors() {
		answer, err := Do(ctx, http.DefaultClient, &Request{Method: http.MethodGet, URL: address + "/healthz"})
		if err != nil {
			return err
		}
		if answer.Status != http.StatusOK {
			return fmt.Errorf("%s: %s", address, answer.Body)
		}
	}
	return nil
}

// freePorts returns ports that nobody listens on. All are held until all are known.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var held []net.Listener
	var ports []int
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held, ports = append(held, l), append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range held {
		_ = l.Close()
	}
	return ports
}
