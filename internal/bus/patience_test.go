package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
)

// The first server of a cluster has no leader for its streams until the second is there, as when all are started at once.
func TestPatientWaitsForTheCluster(t *testing.T) {
	const size = 3
	ports := freePorts(t, size)
	first := startServer(t, 0, ports)
	nc, err := nats.Connect(first.ClientURL(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	plain, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	log := &record{told: make(chan string, 1000)}
	patience := bus.NewPatience(time.Minute, "--start-timeout", slog.New(slog.NewTextHandler(log, nil)))
	patience.SetTry(time.Second)
	js := bus.Patient(plain, patience)
	config := jetstream.KeyValueConfig{Bucket: "seamark_test", Replicas: size, Storage: jetstream.FileStorage}
	type made struct {
		kv  jetstream.KeyValue
		err error
	}
	done := make(chan made, 1)
	go func() {
		kv, err := js.CreateOrUpdateKeyValue(t.Context(), config)
		done <- made{kv, err}
	}()
	select {
	case line := <-log.told:
		if !strings.Contains(line, `for="bucket seamark_test"`) {
			t.Errorf("the log says %q; want the bucket's name", line)
		}
	case m := <-done:
		t.Fatalf("a third of a cluster made the bucket, or did not wait: %v", m.err)
	}
	for i := 1; i < size; i++ {
		startServer(t, i, ports)
	}
	m := <-done
	if m.err != nil {
		t.Fatal(m.err)
	}
	status, err := m.kv.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := status.(*jetstream.KeyValueBucketStatus).StreamInfo().Config.Replicas; got != size {
		t.Errorf("the bucket has %d replicas; want %d", got, size)
	}
}

func TestPatienceEnds(t *testing.T) {
	cases := []struct {
		name    string
		timeout time.Duration
		err     error
		tries   int // 0: several
		says    []string
	}{
		{"with its time", 350 * time.Millisecond, nats.ErrNoResponders, 0, []string{"stream SEAMARK_X", "--start-timeout (350ms)", "no responders"}},
		{"before the first try", 0, nats.ErrNoResponders, 1, []string{"no responders"}},
		{"on a fault that stays", time.Hour, &jetstream.APIError{Code: 400, ErrorCode: 10074, Description: "replicas > 1 not supported in non-clustered mode"}, 1, []string{"replicas > 1"}},
		{"on a user that is refused", time.Hour, nats.ErrAuthorization, 1, []string{"authorization violation"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // its pauses count, not how fast the machine is
				tries := 0
				err := bus.NewPatience(c.timeout, "--start-timeout", slog.New(slog.DiscardHandler)).Wait(t.Context(), "stream SEAMARK_X", func(context.Context) error {
					tries++
					return c.err
				})
				if !errors.Is(err, c.err) || c.tries > 0 && tries != c.tries || c.tries == 0 && tries < 2 {
					t.Errorf("%d tries, error %v; want %d (0: several) and %v", tries, err, c.tries, c.err)
				}
				for _, want := range c.says {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the error is %q; want %q in it", err, want)
					}
				}
			})
		})
	}
}

// A bucket that another process is having made is there for the cluster before a server answers for it.
func TestPatientHandsOutBucketsThatAnswer(t *testing.T) {
	slow := &slowBucket{silent: 2}
	js := bus.Patient(&madeElsewhere{kv: slow}, bus.NewPatience(time.Minute, "--start-timeout", slog.New(slog.DiscardHandler)))
	if _, err := js.CreateOrUpdateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "seamark_test"}); err != nil || slow.silent != 0 {
		t.Errorf("handed out with %d reads left that nobody answers, error %v; want none", slow.silent, err)
	}
}

// madeElsewhere is a JetStream whose bucket is there.
type madeElsewhere struct {
	jetstream.JetStream
	kv jetstream.KeyValue
}

// CreateOrUpdateKeyValue implements jetstream.KeyValueManager.
func (m *madeElsewhere) CreateOrUpdateKeyValue(context.Context, jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	return m.kv, nil
}

// slowBucket is an empty bucket that leaves reads without an answer.
type slowBucket struct {
	jetstream.KeyValue
	silent int
}

// Get implements jetstream.KeyValue.
func (s *slowBucket) Get(context.Context, string) (jetstream.KeyValueEntry, error) {
	if s.silent > 0 {
		s.silent--
		return nil, nats.ErrNoResponders
	}
	return nil, jetstream.ErrKeyNotFound
}

func TestPatienceEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := bus.NewPatience(time.Hour, "--start-timeout", slog.New(slog.DiscardHandler)).Wait(ctx, "bucket x", func(context.Context) error {
		cancel()
		return nats.ErrTimeout
	})
	if !errors.Is(err, nats.ErrTimeout) {
		t.Errorf("error %v; want what the last try said", err)
	}
}

// record hands each line of a log on.
type record struct{ told chan string }

// Write implements io.Writer.
func (r *record) Write(line []byte) (int, error) {
	select {
	case r.told <- string(line):
	default:
	}
	return len(line), nil
}

var _ io.Writer = (*record)(nil)

// startServer starts one server of a cluster in this process.
func startServer(t *testing.T, number int, routes []int) *server.Server {
	t.Helper()
	o := &server.Options{
		ServerName: fmt.Sprintf("n%d", number), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		Cluster: server.ClusterOpts{Name: "patience", Host: "127.0.0.1", Port: routes[number]},
	}
	for _, port := range routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	go s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatalf("server %d takes no connections", number)
	}
	return s
}

// freePorts returns ports that nobody listens on, below those that the system hands out: one of these may be another test's before it
// is listened on again. All are held until all are known.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	const least, most = 20_000, 30_000
	var held []net.Listener
	for tries := 0; len(ports) < n; tries++ {
		port := least + rand.IntN(most-least)
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			if tries == 100 {
				t.Fatalf("none of 100 ports between %d and %d is free: %v", least, most, err)
			}
			continue
		}
		held, ports = append(held, l), append(ports, port)
	}
	for _, l := range held {
		_ = l.Close()
	}
	return ports
}
