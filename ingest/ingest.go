package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/ledger"
	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Publisher is what ingest needs of the bus. Publish returns after the stream has acknowledged; it has copied the
// message's data by then.
type Publisher interface {
	Publish(ctx context.Context, m *bus.Message) error
}

// Replicas elects one of the replicas that push the same series.
type Replicas interface {
	// Admit reports whether what the replica of the cluster pushes is stored.
	Admit(ctx context.Context, tenant seamark.TenantID, cluster, replica string) (bool, error)
}

// Quota holds tenants and clusters to what they may send; package quota has the one of the product.
type Quota interface {
	// Check refuses a sender that is over a limit already, before its body is read.
	Check(p seamark.Principal, signal seamark.Signal) error
	// Admit charges a request, or refuses it whole.
	Admit(p seamark.Principal, signal seamark.Signal, bytes, rows int) error
	// AdmitSeries moves the rows of series over a limit to b.Rejected.
	AdmitSeries(p seamark.Principal, b *seamark.Batch)
	// Refund gives back what Admit charged.
	Refund(p seamark.Principal, bytes, rows int)
	// Limits returns the limits of one request.
	Limits(p seamark.Principal) seamark.Limits
}

// Pipelines changes log records as their tenant wants it; package pipeline has the one of the product.
type Pipelines interface {
	Apply(ctx context.Context, p seamark.Principal, cat seamark.Catalog, b *seamark.Batch) error
}

// Ledger is told of every refusal.
type Ledger interface{ Record(d ledger.Drop) }

// Options configures ingest.
type Options struct {
	Bus Publisher
	// Limits bounds one request where Quota says nothing else.
	Limits seamark.Limits
	// Quota, Pipelines and Ledger may be nil: then nothing is limited, changed or told.
	Quota     Quota
	Pipelines Pipelines
	Ledger    Ledger
	// Patterns, when set, finds the templates of log lines, which are counted as the lines are stored.
	Patterns Patterns
	// MaxInflightBytes bounds the bodies of all requests under way, compressed and inflated together.
	MaxInflightBytes int64
	// MaxInflightWait is how long a request waits for its share before it is told to come back.
	MaxInflightWait time.Duration
	// MaxSeriesPerCluster bounds the label sets remembered per cluster, at about 1 KiB each. Beyond it the oldest are
	// forgotten, which costs series rows and no data.
	MaxSeriesPerCluster int
	// DiskFull, when set, reports that the disk under the queue is as full as it may be. Requests are then told to come back
	// before their bodies are read.
	DiskFull func() bool
	// Groups keeps what batch jobs push with the Pushgateway's protocol; nil has no such routes. PushTTL is how long a group
	// lives whose push does not tell; 0 is for ever, as the Pushgateway has it.
	Groups     pushgateway.Groups
	PushTTL    time.Duration
	PushLimits pushgateway.Limits
	// HECQueryToken lets Splunk's senders put the token into the URL, where logs of proxies keep it.
	HECQueryToken bool
	// ElasticsearchVersion is the version that agents of Elasticsearch are told; "" tells the default. Some refuse a server
	// that is older than they are.
	ElasticsearchVersion string
	// Replicas, when set, chooses between Prometheus servers that scrape the same targets.
	Replicas Replicas
	// Arrived is told of every acknowledged request, for "when did each signal last arrive".
	Arrived    func(tenant seamark.TenantID, cluster seamark.ClusterID, signal seamark.Signal, at time.Time)
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// DefaultOptions returns the options of one node without its connections.
func DefaultOptions() Options {
	return Options{
		Limits: seamark.DefaultLimits(), PushLimits: pushgateway.DefaultLimits(), MaxInflightBytes: 48 << 20, MaxInflightWait: 2 * time.Second, MaxSeriesPerCluster: 1_000_000,
	}
}

func (o *Options) validate() error {
	switch {
	case o.Bus == nil || o.Arrived == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("ingest: Bus, Arrived, Logger, Registerer and Now are required")
	case o.MaxSeriesPerCluster < 1 || o.MaxInflightWait <= 0:
		return errors.New("ingest: MaxSeriesPerCluster and MaxInflightWait must be positive")
	case o.Limits.MaxBodyBytes <= 0 || o.Limits.MaxInflatedBytes <= 0 || o.MaxInflightBytes < o.Limits.MaxBodyBytes+o.Limits.MaxInflatedBytes:
		return fmt.Errorf("ingest: MaxInflightBytes (%d) must hold one request of the largest body (%d) and its inflated form (%d)",
			o.MaxInflightBytes, o.Limits.MaxBodyBytes, o.Limits.MaxInflatedBytes)
	}
	return nil
}

// Ingester admits batches: it checks them, encodes them for the store and publishes them durably.
type Ingester struct {
	opts     Options
	catalogs *catalogs
	budget   *budget
	metadata *recent
	encoders sync.Pool // *store.Encoder
	frames   sync.Pool // *[]byte
	metrics  metrics
}

// New returns an Ingester.
func New(o Options) (*Ingester, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	in := &Ingester{
		opts: o, budget: newBudget(o.MaxInflightBytes, o.MaxInflightWait), metadata: newRecent(),
		encoders: sync.Pool{New: func() any { return store.NewEncoder() }},
		frames:   sync.Pool{New: func() any { return new([]byte) }},
		metrics:  newMetrics(o.Registerer),
	}
	in.catalogs = newCatalogs(in.limits, o.MaxSeriesPerCluster)
	return in, nil
}

// Catalog returns the catalogue of p's cluster, which decoders intern label sets in.
func (in *Ingester) Catalog(p seamark.Principal) seamark.Catalog { return in.catalogs.of(p) }

// Push stores what is good in b durably and returns after the acknowledgement; rows over a limit move to
// b.Rejected. id identifies the request: pushing it again within the duplicate window stores nothing. An error means that
// nothing was promised, and that pushing again is safe.
func (in *Ingester) Push(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error {
	if err := p.Tenant.Validate(); err != nil {
		return err
	}
	if err := in.checkDisk(); err != nil {
		return err
	}
	now := in.opts.Now()
	arrived, err := in.prepare(ctx, p, b, now)
	if err != nil {
		return err
	}
	if err := in.store(ctx, p, signal, id, b, now); err != nil {
		return err
	}
	for _, signal := range arrived {
		in.opts.Arrived(p.Tenant, p.Cluster, signal, now)
	}
	in.metrics.rows.WithLabelValues(signal.String()).Add(float64(b.Rows()))
	in.tellRejected(p, signal, b)
	return nil
}

// prepare applies the limits of single rows and the tenant's pipelines, once however often the batch is pushed. It returns the
// signals that have arrived with it; what a pipeline drops has arrived, what can never be taken has not.
func (in *Ingester) prepare(ctx context.Context, p seamark.Principal, b *seamark.Batch, now time.Time) ([]seamark.Signal, error) {
	signals := signalsOf(b)
	if b.Prepared {
		return signals, nil
	}
	normaliseEvents(p, b.Events, now)
	in.checkRows(p, b, now)
	in.writeEventLines(p, b)
	if b.Rows() == 0 && len(b.Metadata) == 0 {
		signals = nil
	}
	if in.opts.Pipelines != nil && b.Logs.Len() > 0 {
		if err := in.opts.Pipelines.Apply(ctx, p, in.catalogs.of(p), b); err != nil {
			return nil, err
		}
	}
	b.Prepared = true
	return signals, nil
}

// store charges the quota and publishes.
func (in *Ingester) store(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch, now time.Time) error { //nolint:revive // one caller, and each argument is another thing
	refund := func() {}
	if q := in.opts.Quota; q != nil && p.Kind == seamark.IngestToken && b.Rows() > 0 { // what the platform writes itself is no sender's
		q.AdmitSeries(p, b)
		if err := overQuota(b); err != nil {
			return err
		}
		bytes, rows := cmp.Or(b.Source.BodyBytes, b.DataBytes()), b.Rows()
		if err := q.Admit(p, signal, bytes, rows); err != nil {
			return err
		}
		refund = func() { q.Refund(p, bytes, rows) }
	}
	told := in.thinMetadata(p, b, now)
	if b.Rows() == 0 && len(b.Metadata) == 0 && len(b.Exemplars) == 0 {
		return nil
	}
	if err := in.publish(ctx, p, signal, id, b, now); err != nil {
		refund()
		return err
	}
	in.metadata.add(p, told)
	return nil
}

// isQuotaReason tells refusals that end when the tenant's limit is raised or its other series end.
func isQuotaReason(reason string) bool {
	return reason == "seamark-series-limit" || reason == "seamark-streams-limit"
}

// overQuota is the error of a request that is refused whole by limits of series. Its sender is told to come back, which is safe
// because nothing of it is stored. Where a part is stored the rest is refused for good: under the name of the request, the bus
// would take its repeat for the same and drop it.
func overQuota(b *seamark.Batch) error {
	if b.Rows() > 0 || len(b.Rejected.Reasons) == 0 || b.Source.Status == 0 {
		return nil // a protocol without answers has nobody to tell to come back: the ledger tells of the rows
	}
	for _, r := range b.Rejected.Reasons {
		if !isQuotaReason(r.Reason) {
			return nil
		}
	}
	first := b.Rejected.Reasons[0]
	err := seamark.Errorf(seamark.RateLimited, first.Reason, "%s", first.Detail)
	err.RetryAfter = seriesRetryAfter
	return err
}

// seriesRetryAfter is long against a request and short against the hour in which a series ends.
const seriesRetryAfter = time.Minute

// tellRejected counts the rows that were refused while their neighbours were kept, and tells their owner's ledger.
func (in *Ingester) tellRejected(p seamark.Principal, signal seamark.Signal, b *seamark.Batch) {
	for _, r := range b.Rejected.Reasons {
		in.metrics.rejected.WithLabelValues(signal.String(), r.Reason).Add(float64(r.Count))
		if in.opts.Ledger != nil {
			in.opts.Ledger.Record(ledger.Drop{
				Tenant: p.Tenant, Cluster: p.Cluster, ClusterName: p.ClusterName, Token: p.CredentialID, Protocol: b.Source.Protocol, Signal: signal,
				Reason: r.Reason, Status: b.Source.Status, Rows: r.Count, Detail: r.Detail,
			})
		}
	}
}

// limits returns the limits of one request of p.
func (in *Ingester) limits(p seamark.Principal) seamark.Limits {
	if in.opts.Quota != nil {
		return in.opts.Quota.Limits(p)
	}
	return in.opts.Limits
}

// MaxAttrs is how many attributes a row of p's tenant and cluster may have.
func (in *Ingester) MaxAttrs(p seamark.Principal) int { return in.limits(p).MaxAttrs }

// thinMetadata drops what was stored within the hour: remote write 2.0 repeats the metadata of every series with every
// request. It returns what to remember of the rest once it is stored.
func (in *Ingester) thinMetadata(p seamark.Principal, b *seamark.Batch, now time.Time) []uint64 {
	if len(b.Metadata) == 0 {
		return nil
	}
	seen, hour := in.metadata.seen(p), strconv.FormatInt(now.Unix()/3600, 10)
	told := make([]uint64, 0, len(b.Metadata))
	b.Metadata = slices.DeleteFunc(b.Metadata, func(m seamark.MetricMetadata) bool {
		id := xxhash.Sum64String(strings.Join([]string{hour, m.Metric, m.Type, m.Help, m.Unit}, "\xff"))
		if seen(id) {
			return true
		}
		told = append(told, id)
		return false
	})
	return told
}

// checkSender refuses a request before its body is read, when it could not be stored.
func (in *Ingester) checkSender(p seamark.Principal, signal seamark.Signal) error {
	if err := in.checkDisk(); err != nil {
		return err
	}
	if in.opts.Quota == nil {
		return nil
	}
	return in.opts.Quota.Check(p, signal)
}

// checkDisk refuses what the disk has no room for, before anything is spent on it.
func (in *Ingester) checkDisk() error {
	if in.opts.DiskFull == nil || !in.opts.DiskFull() {
		return nil
	}
	err := seamark.Errorf(seamark.Unavailable, "seamark-disk-full",
		"The server's disk is as full as it may be (--disk.min-free-percent), so nothing is taken. Keep the data and retry.")
	err.RetryAfter = diskRetryAfter
	return err
}

// diskRetryAfter is shorter than agents' buffers last and longer than a disk takes to fill again.
const diskRetryAfter = 10 * time.Second

func (in *Ingester) publish(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch, now time.Time) error { //nolint:revive // one caller, and each argument is another thing
	enc, _ := in.encoders.Get().(*store.Encoder)
	defer in.encoders.Put(enc)
	if in.opts.Patterns != nil && b.Logs.Len() > 0 {
		in.opts.Patterns.Mine(p.Tenant, &b.Logs, now)
	}
	encoded, err := enc.Encode(b, now)
	if err != nil {
		return fmt.Errorf("encode batch: %w", err)
	}
	buf, _ := in.frames.Get().(*[]byte)
	defer in.frames.Put(buf)
	send := func(id string, segments []store.Segment, usage []seamark.Usage) error {
		*buf = store.AppendFrame((*buf)[:0], &store.Frame{
			Tenant: p.Tenant, Cluster: p.Cluster, Signal: signal, ReceivedMs: now.UnixMilli(), Segments: segments, Usage: usage,
		})
		return in.opts.Bus.Publish(ctx, &bus.Message{Tenant: p.Tenant, Cluster: p.Cluster, Signal: signal, ID: id, Data: *buf})
	}
	meter := newMeter(p, signal, b, now)
	first := 0
	for _, part := range partsOf(encoded.Segments) {
		name := ""
		if part.number >= 0 {
			meter.count(&part)
			name = id + "." + strconv.Itoa(part.number)
			if !b.Source.Named {
				name += "." + strconv.FormatUint(part.sum(), 36)
			}
		}
		segments, counts := withPatterns(&part, first, encoded.Patterns)
		if err := send(name, segments, part.usage); err != nil {
			return err
		}
		for i := range counts {
			if err := send(name+".p"+strconv.Itoa(i), counts[i:i+1], nil); err != nil {
				return err
			}
		}
		first += len(part.segments)
	}
	encoded.Ack()
	return nil
}

// maxFrameBytes is what a bus message holds of rows, and of series beside them; twice as much is below the server's
// payload limit of 8 MiB. maxFrameSegments is what the frame's count byte holds.
const (
	maxFrameBytes    = 3500 << 10
	maxFrameSegments = 120
)

// part is one message of a request.
type part struct {
	number   int // names the message; -1 for one that may be stored twice
	segments []store.Segment
	usage    []seamark.Usage // that the segments are; no part of the name, since an attempt and its repeat may come in different hours
}

// sum is over the part's rows. It stands in the message's name, so that a name means the same rows in an attempt and in its
// repeat also when a pipeline or a limit was changed between the two: a part that is another now is stored, never dropped as a
// repeat of what it was.
func (p *part) sum() uint64 {
	h := xxhash.New()
	for i := range p.segments {
		if p.segments[i].Table.Exact() { // rows of the other tables carry the time of the attempt, and replace each other
			_, _ = h.Write(p.segments[i].Payload)
		}
	}
	return h.Sum64()
}

// partsOf divides a request into messages. They go one after the other, series before the rows that refer to them. How
// the rows are divided depends on the rows alone, because which series a request has to tell changes between an attempt and
// its repeat. Series of a large request go ahead in messages without a name, because storing them twice changes nothing.
func partsOf(segments []store.Segment) []part {
	split := 0
	for split < len(segments) && segments[split].Table == store.TableSeries {
		split++
	}
	series, rows := segments[:split], segments[split:]
	var parts []part
	number := 0
	if first := frameful(rows); len(rows) > 0 && len(series) > 0 && frameful(series) == len(series) {
		parts = append(parts, part{number: 0, segments: segments[:split+first]}) // they stand side by side, so both fit one message
		rows, series, number = rows[first:], nil, 1
	}
	for len(series) > 0 {
		n := frameful(series)
		parts = append(parts, part{number: -1, segments: series[:n]})
		series = series[n:]
	}
	for ; len(rows) > 0; number++ {
		n := frameful(rows)
		parts = append(parts, part{number: number, segments: rows[:n]})
		rows = rows[n:]
	}
	return parts
}

// frameful returns how many of the segments go into one message.
func frameful(segments []store.Segment) int {
	size := 0
	for i := range segments {
		size += len(segments[i].Payload)
		if i > 0 && (size > maxFrameBytes || i == maxFrameSegments) {
			return i
		}
	}
	return len(segments)
}
