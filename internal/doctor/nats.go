package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/engine"
)

const (
	// minMajor and minMinor are the first NATS with atomic batches of messages (ADR-50), which group commit publishes.
	minMajor, minMinor = 2, 12
	// minPayload is the largest message of the queue.
	minPayload = 8 << 20
	// nearlyFull and full are shares of a bound.
	nearlyFull, full = 0.8, 0.95
)

// nats looks at each server of the queue, and at the streams through the first that answers.
func (e *exam) nats(ctx context.Context) {
	o := &e.o.NATS
	if o.URL == "" {
		e.embeddedNATS(ctx)
		return
	}
	var js jetstream.JetStream
	var open []*nats.Conn
	defer func() {
		for _, nc := range open {
			nc.Close()
		}
	}()
	clustered := false
	for one := range strings.SplitSeq(o.URL, ",") {
		nc := e.dialNATS(strings.TrimSpace(one))
		if nc == nil {
			continue
		}
		open = append(open, nc)
		clustered = clustered || nc.ConnectedClusterName() != ""
		if found := e.natsServer(ctx, nc, redacted(one)); js == nil {
			js = found
		}
	}
	e.monitors(ctx)
	if js == nil {
		return
	}
	if o.Replicas > 1 && !clustered {
		e.fail("nats", "Put three servers into one cluster, or set --nats.replicas 1.", "--nats.replicas is %d and the server is in no cluster", o.Replicas)
	}
	if o.Replicas == 1 && clustered {
		e.warn("nats", "Set --nats.replicas 3 for all processes.", "--nats.replicas is 1 on a cluster: what a server alone has is away when it is")
	}
	e.streams(ctx, js)
}

// embeddedNATS looks at the embedded server through its socket, if it runs.
func (e *exam) embeddedNATS(ctx context.Context) {
	if !e.running {
		return
	}
	nc, err := engine.DialSocket(e.o.Socket, nats.MaxReconnects(0), nats.RetryOnFailedConnect(false), nats.Timeout(e.o.Timeout))
	if err != nil {
		e.fail("nats", "Run this as the server's user, and look into the server's log.", "the embedded NATS does not answer: %v", err)
		return
	}
	defer nc.Close()
	if js := e.natsServer(ctx, nc, "the embedded server"); js != nil {
		e.streams(ctx, js)
	}
}

// dialNATS connects to one server as the product does; nil where that fails.
func (e *exam) dialNATS(address string) *nats.Conn {
	options := []nats.Option{nats.Name("seamark-doctor"), nats.Timeout(e.o.Timeout), nats.NoReconnect(), nats.IgnoreDiscoveredServers()}
	if e.o.NATS.CredsFile != "" {
		options = append(options, nats.UserCredentials(e.o.NATS.CredsFile))
	}
	nc, err := nats.Connect(address, options...)
	switch {
	case err == nil:
		return nc
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		e.fail("nats", "Correct the user in --nats.url or --nats.creds-file, or allow it on the server.", "%s refuses the user: %v", redacted(address), err)
	default:
		e.fail("nats", "Start it, or correct --nats.url and the network between.", "%s does not answer: %v", redacted(address), err)
	}
	return nil
}

// natsServer judges one server; nil where it has no streams for us.
func (e *exam) natsServer(ctx context.Context, nc *nats.Conn, name string) jetstream.JetStream {
	version := nc.ConnectedServerVersion()
	if !atLeast(version, minMajor, minMinor) {
		e.fail("nats", fmt.Sprintf("Upgrade it to %d.%d or newer.", minMajor, minMinor), "%s has version %s: no atomic batches", name, version)
		return nil
	}
	if most := nc.MaxPayload(); most < minPayload {
		e.fail("nats", fmt.Sprintf("Set max_payload: %d in its configuration.", minPayload), "%s takes messages of %s at most; pushes make some of %s", name, bytesText(most), bytesText(int64(minPayload)))
	}
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		e.fail("nats", "Report this.", "%s: %v", name, err)
		return nil
	}
	account, err := js.AccountInfo(ctx)
	if err != nil {
		e.fail("nats", "Enable JetStream on the server, and for this user's account; on a cluster, see that most of its servers are up.", "%s answers nothing about JetStream: %v", name, err)
		return nil
	}
	e.ok("nats", "%s has version %s with JetStream", name, version)
	if most := account.Limits.MaxStore; most > 0 {
		need := int64(e.o.NATS.Streams) * e.o.NATS.MaxStreamBytes * int64(e.o.NATS.Replicas)
		e.share("nats", "Raise the account's limit, or lower --bus.max-stream-bytes.", fmt.Sprintf("%s: streams of up to %s in an account of %s", name, bytesText(need), bytesText(most)), need, most)
	}
	return js
}

// share judges how much of a bound is taken.
func (e *exam) share(check, advice, text string, taken, most int64) {
	switch part := float64(taken) / float64(most); {
	case part > full:
		e.fail(check, advice, "%s: more than %d %%", text, int(full*100))
	case part > nearlyFull:
		e.warn(check, advice, "%s: more than %d %%", text, int(nearlyFull*100))
	}
}

// streams looks at all of Seamark's streams and buckets.
func (e *exam) streams(ctx context.Context, js jetstream.JetStream) {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	begin, count := e.o.Now(), 0
	var at, end time.Time
	var thin, lagging, odd []string
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		if at.IsZero() {
			at, end = info.TimeStamp, e.o.Now()
		}
		c := &info.Config
		if !strings.HasPrefix(c.Name, "SEAMARK_") && !strings.HasPrefix(c.Name, "KV_seamark") {
			continue
		}
		count++
		if c.Replicas != e.o.NATS.Replicas {
			thin = append(thin, fmt.Sprintf("%s (%d)", c.Name, c.Replicas))
		}
		if info.Cluster != nil && behind(info.Cluster) {
			lagging = append(lagging, c.Name)
		}
		if c.AllowAtomicPublish && c.Duplicates != e.o.NATS.DuplicateWindow {
			odd = append(odd, c.Name)
		}
		if c.MaxBytes > 0 {
			e.share("streams", "Look why the writer does not keep up (seamark_writer_queue_messages), or raise --bus.max-stream-bytes.",
				fmt.Sprintf("%s holds %s of %s", c.Name, bytesText(info.State.Bytes), bytesText(c.MaxBytes)), int64(info.State.Bytes), c.MaxBytes)
		}
	}
	if err := list.Err(); err != nil {
		e.fail("streams", "See that most servers of the cluster are up.", "streams cannot be listed: %v", err)
		return
	}
	if !at.IsZero() {
		took := end.Sub(begin)
		e.difference("NATS", at.Sub(begin.Add(took/2)), took)
	}
	e.judgeStreams(count, thin, lagging, odd)
}

func (e *exam) judgeStreams(count int, thin, lagging, odd []string) {
	o := &e.o.NATS
	if len(thin) > 0 {
		e.fail("streams", "Give all processes the same --nats.replicas; the next start changes the streams.", "not %d replicas have: %s", o.Replicas, some(thin))
	}
	if len(lagging) > 0 {
		e.warn("streams", "Bring the server back that is away, or wait until it has caught up, before another is stopped.", "replicas are away or behind of: %s", some(lagging))
	}
	if len(odd) > 0 {
		e.warn("streams", "Give all processes the same --bus.duplicate-window; the next start changes the streams.", "not --bus.duplicate-window %s have: %s", o.DuplicateWindow, some(odd))
	}
	if len(thin)+len(lagging)+len(odd) == 0 {
		e.ok("streams", "%d streams and buckets are as the settings say", count)
	}
}

// behind reports whether a stream would lose data or stand still if one more of its servers went.
func behind(c *jetstream.ClusterInfo) bool {
	for _, peer := range c.Replicas {
		if peer.Offline || !peer.Current {
			return true
		}
	}
	return false
}

// monitors asks the servers' monitoring addresses what no client is told.
func (e *exam) monitors(ctx context.Context) {
	if e.within && len(e.o.NATS.MonitorURLs) == 0 {
		return // a server is not told them, and would warn for ever
	}
	if len(e.o.NATS.MonitorURLs) == 0 {
		e.warn("nats", "Set sync_interval: always in the jetstream block of each server; name the monitoring addresses with --doctor.nats-monitor-urls to have it checked.",
			"whether the servers sync each message is not known: without it a power failure takes what was acknowledged")
		return
	}
	for _, address := range e.o.NATS.MonitorURLs {
		e.monitor(ctx, strings.TrimRight(address, "/"))
	}
}

// monitor asks one server.
func (e *exam) monitor(ctx context.Context, address string) {
	var jsz struct {
		Storage uint64 `json:"storage"`
		Config  struct {
			MaxStorage   int64         `json:"max_storage"`
			StoreDir     string        `json:"store_dir"`
			SyncInterval time.Duration `json:"sync_interval"`
			SyncAlways   bool          `json:"sync_always"`
		} `json:"config"`
	}
	if err := e.get(ctx, address+"/jsz", &jsz); err != nil {
		e.fail("nats", "Correct --doctor.nats-monitor-urls, or set http_port in the server's configuration.", "%s does not tell: %v", redacted(address), err)
		return
	}
	if !jsz.Config.SyncAlways {
		e.fail("nats", "Set sync_interval: always in the server's jetstream block and restart it.", "%s syncs every %s only: a power failure takes what was acknowledged since", redacted(address), jsz.Config.SyncInterval)
	} else {
		e.ok("nats", "%s syncs each message", redacted(address))
	}
	if jsz.Config.MaxStorage > 0 {
		e.share("nats", "Raise max_file_store, or give the server a larger disk.",
			fmt.Sprintf("%s holds %s of %s in %s", redacted(address), bytesText(jsz.Storage), bytesText(jsz.Config.MaxStorage), jsz.Config.StoreDir), int64(jsz.Storage), jsz.Config.MaxStorage)
	}
}

// get decodes the JSON that an address answers with.
func (e *exam) get(ctx context.Context, address string, out any) error {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// atLeast compares a version with the first two numbers of another.
func atLeast(version string, major, minor int) bool {
	var a, b int
	if _, err := fmt.Sscanf(version, "%d.%d", &a, &b); err != nil {
		return false
	}
	return a > major || a == major && b >= minor
}

// redacted is an address without its password.
func redacted(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return "an address that is no URL"
	}
	return u.Redacted()
}
