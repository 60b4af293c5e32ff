package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/seamarkhq/seamark/internal/child"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// readerName is the process of the roles that read, in its folder's name, its log and its metrics.
const readerName = "reader"

// readerRoles are the roles whose work is queries. They share what is in memory of the store, so they are one process.
func readerRoles() []Role { return []Role{RoleQuerier, RoleAlerting} }

// ReaderOptions has the roles that read run as a process of its own: a query that takes all memory or all processors then takes them from
// other queries, and ingest has its own heap and comes first on the processors.
type ReaderOptions struct {
	// Command is the executable and its arguments, which must lead to Link.Apply with the same options as this process's.
	Command []string
	// Stderr takes the process's log.
	Stderr io.Writer
	// RealTime is the part of the processors up to which this process runs before all others, where the system allows it; 0 is never.
	RealTime float64
}

// readerOOMScore has the kernel take the reader before the process that holds acknowledgements, and the engine after both.
const readerOOMScore = 300

// readerProcess is the process of the roles that read.
type readerProcess struct {
	process *child.Process
	front   *child.Proxy
	admin   *child.Proxy
	routes  []httpx.Route // of the first start; the others have the same
	up      atomic.Bool
	pids    chan int // of the last start, until followed has it
	log     *slog.Logger
}

// readerHello is what the reader says of itself.
type readerHello struct {
	PID    int
	Routes []passedRoute
}

// passedRoute is what has to be known of a route that is answered elsewhere.
type passedRoute struct {
	Method, Path string
	Dialect      httpx.Dialect
}

// startReader starts the process of the roles that read.
func (a *App) startReader(ctx context.Context) error {
	folder := filepath.Join(a.opts.DataDir, readerName)
	if path := filepath.Join(folder, frontSocket); len(path) > maxSocketPath {
		return fmt.Errorf("--data-dir: the socket %s has %d bytes; the system takes %d. Choose a shorter folder, or --no-query.process", path, len(path), maxSocketPath)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	clickhouse, err := a.linkClickHouse(folder)
	if err != nil {
		return err
	}
	link := &Link{
		Folder: folder, Node: a.node + "-" + readerName, ClickHouse: clickhouse, ExportDir: cmp.Or(a.opts.Tenants.TransferDir, filepath.Join(a.opts.DataDir, "exports")),
		RootKeyFile: a.opts.Keys.Source(a.opts.DataDir, a.opts.NATS.URL).File,
	}
	if a.natsServer != nil {
		link.NATSSocket = SocketPath(a.opts.DataDir)
	}
	log := a.log.With("process", readerName)
	if _, err = child.NewLifeline(0); err != nil {
		log.Debug("heavy queries have a low priority, and do not run idle", "err", err)
	}
	link.Lifeline = err == nil
	r := &readerProcess{pids: make(chan int, 1), log: log, front: child.NewProxy(filepath.Join(folder, frontSocket), log), admin: child.NewProxy(filepath.Join(folder, adminSocket), log)}
	restarts := prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_reader_restarts_total", Help: "Ends of the process that answers queries and evaluates rules. It is started again at once."})
	up := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "seamark_reader_up", Help: "Whether the process that answers queries and evaluates rules is ready."}, func() float64 {
		if r.up.Load() {
			return 1
		}
		return 0
	})
	a.registry.MustRegister(restarts, up)
	r.process, err = child.Start(ctx, child.Options{
		Command: a.opts.Reader.Command, Hello: link, Started: r.started, Stderr: a.opts.Reader.Stderr, Logger: log,
		Ended: func(error) {
			link.Fallen = true // of all that come after: notes that a process has left in order are empty
			r.up.Store(false)
			restarts.Inc()
			r.front.Forget()
			r.admin.Forget()
		},
		OOMScore: readerOOMScore, StopWithin: a.opts.DrainTimeout,
	})
	if err != nil {
		return err
	}
	a.reader = r
	if link.Lifeline {
		a.background("lifeline of the reader", r.followed)
	}
	a.defers(readerName, func(ctx context.Context) error { r.up.Store(false); return r.process.Stop(ctx) })
	return nil
}

// followed sees to the idle threads of each start until ctx ends. The process cannot do so itself: all of it may wait for such a thread.
func (r *readerProcess) followed(ctx context.Context) error {
	for {
		select {
		case pid := <-r.pids:
			l, err := child.NewLifeline(pid)
			if err != nil {
				r.log.Warn("heavy queries may hold up others while all processors are taken", "err", err)
				continue
			}
			l.Follow(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// started hears of a process that is ready.
func (r *readerProcess) started(text json.RawMessage) error {
	var hello readerHello
	if err := json.Unmarshal(text, &hello); err != nil {
		return fmt.Errorf("the reader says %q: %w", text, err)
	}
	if r.routes == nil {
		for _, p := range hello.Routes {
			r.routes = append(r.routes, httpx.Route{Method: p.Method, Path: p.Path, Dialect: p.Dialect})
		}
	}
	select {
	case <-r.pids:
	default:
	}
	r.pids <- hello.PID
	r.up.Store(true)
	return nil
}

// pass hands a request to the reader.
func (r *readerProcess) pass(w http.ResponseWriter, req *http.Request, clientIP string) error {
	if err := r.front.Pass(w, req, clientIP); err != nil {
		e := seamark.Wrap(err, seamark.Unavailable, "seamark-reader-away", "The process that answers queries is starting again. What is sent is stored meanwhile. Retry shortly.")
		e.RetryAfter = time.Second
		return e
	}
	return nil
}

// checkReady asks whether the reader is ready, and says what it says.
func (r *readerProcess) checkReady(ctx context.Context) (warning string, err error) {
	status, text, err := r.ask(ctx, "/readyz")
	switch {
	case err != nil || !r.up.Load():
		return "", errors.New("the process that answers queries is starting again")
	case status != http.StatusOK:
		return "", fmt.Errorf("the process that answers queries: %s", bytes.TrimSpace(text))
	}
	return strings.TrimPrefix(string(text), readyText), nil
}

func (r *readerProcess) ask(ctx context.Context, path string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+readerName+path, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	answer, err := r.admin.Client().Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// readerGatherWithin bounds how long the metrics of this process wait for the reader's.
const readerGatherWithin = 2 * time.Second

// processLabel tells the reader's metrics from this process's.
const processLabel = "process"

// Gather implements prometheus.Gatherer with the reader's metrics, and with none while it is away: seamark_reader_up says so.
func (r *readerProcess) Gather() ([]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readerGatherWithin)
	defer cancel()
	_, body, err := r.ask(ctx, "/metrics")
	if err != nil {
		return nil, nil //nolint:nilerr // a process that is away has no metrics
	}
	return labelled(body)
}

// labelled reads metrics in the text format and labels each as the reader's.
func labelled(text []byte) (list []*dto.MetricFamily, err error) {
	decoder := expfmt.NewDecoder(bytes.NewReader(text), expfmt.NewFormat(expfmt.TypeTextPlain))
	name, value := processLabel, readerName
	for {
		f := &dto.MetricFamily{}
		if err := decoder.Decode(f); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("metrics of the reader: %w", err)
		}
		for _, m := range f.GetMetric() {
			m.Label = append(m.Label, &dto.LabelPair{Name: &name, Value: &value})
			slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
		}
		list = append(list, f)
	}
}

// gatherer returns what /metrics shows.
func (a *App) gatherer() prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		if !a.ready.Load() || a.reader == nil {
			return a.registry.Gather()
		}
		return prometheus.Gatherers{a.registry, a.reader}.Gather()
	})
}

// Hello returns what the process that has started this one has to know of it.
func (a *App) Hello() any {
	hello := readerHello{PID: os.Getpid()}
	for _, r := range a.edge.Routes() {
		hello.Routes = append(hello.Routes, passedRoute{r.Method, r.Path, r.Dialect})
	}
	return hello
}
