package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Drop is one refusal: a request, or rows of a request whose neighbours were kept.
type Drop struct {
	Tenant      seamark.TenantID
	Cluster     seamark.ClusterID // "" when the credential has none
	ClusterName string
	Token       string // key id of the credential, never the secret
	Protocol    string // as in the metrics of ingest: loki, otlp, remotewrite, ...
	Signal      seamark.Signal
	Reason      string // stable id, e.g. seamark-label-name
	Status      int    // that the sender saw
	Rows        int    // 0 where nobody has counted them, as in a body that cannot be read
	Bytes       int    // of the body, or of the rows where those are known
	Detail      string // a sentence that names the first offender and the limit
	Sample      string // the offender as it was sent, or the start of it; the ledger redacts it
}

// Publish stores drops as rows of a tenant, durably. Called again with the same drops it stores them once. The drops are
// the ledger's again when it returns.
type Publish func(ctx context.Context, tenant seamark.TenantID, cluster seamark.ClusterID, drops []seamark.Drop) error

// Options configures a Ledger.
type Options struct {
	Publish    Publish
	Flush      time.Duration // how often counts are published; 5 s unless told
	Timeout    time.Duration // of one flush; 10 s unless told
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *Options) validate() error {
	if o.Flush == 0 {
		o.Flush = 5 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	switch {
	case o.Publish == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("ledger: Publish, Logger, Registerer and Now are required")
	case o.Flush < 0 || o.Timeout < 0:
		return errors.New("ledger: Flush and Timeout must be positive")
	}
	return nil
}

const (
	// maxLines bounds the different lines of one tenant between two flushes. What does not fit is counted in a line of its
	// own; without it a sender that thinks of a new token or protocol for every request fills the memory of ingest.
	maxLines = 256
	// maxSamples is how many samples a tenant gets per reason in samplePeriod. They are for people: more would only cost.
	maxSamples   = 3
	samplePeriod = time.Minute
	// maxDetailBytes bounds a sentence, which may quote the sender.
	maxDetailBytes = 1024
)

// otherReason is the reason of the line that takes what does not fit.
const otherReason = "other"

// Ledger gathers drops. It is safe for concurrent use.
type Ledger struct {
	opts    Options
	metrics metrics

	mu    sync.Mutex // guards books and since
	books map[seamark.TenantID]*book
	since time.Time // when the gathering began

	flushing sync.Mutex // guards unsent
	unsent   []page     // gathered and not acknowledged yet, the same rows in every attempt
}

// book is what one tenant has lost since the last flush.
type book struct {
	lines   map[line]*entry
	samples map[string]*samples // by reason
}

// line is what drops are counted by.
type line struct {
	cluster     seamark.ClusterID
	clusterName string
	token       string
	protocol    string
	signal      seamark.Signal
	reason      string
	status      int
}

type entry struct {
	requests, rows, bytes uint64
	detail, sample        string
}

// samples counts the samples of one reason in one minute.
type samples struct {
	from time.Time
	n    int
}

// page is the drops of one cluster of a tenant, ready to be published.
type page struct {
	tenant  seamark.TenantID
	cluster seamark.ClusterID
	drops   []seamark.Drop
}

// New returns a ledger. Run publishes what it gathers.
func New(o Options) (*Ledger, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Ledger{opts: o, metrics: newMetrics(o.Registerer), books: map[seamark.TenantID]*book{}, since: o.Now()}, nil
}

// Record counts one refusal. What it keeps of d's texts it copies. A drop without a tenant is counted in the metrics alone.
func (l *Ledger) Record(d Drop) {
	l.metrics.requests.WithLabelValues(d.Protocol, d.Reason, strconv.Itoa(d.Status)).Inc()
	l.metrics.rows.WithLabelValues(d.Protocol, d.Reason).Add(float64(max(0, d.Rows)))
	if d.Tenant == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.books[d.Tenant]
	if b == nil {
		b = &book{lines: map[line]*entry{}, samples: map[string]*samples{}}
		l.books[d.Tenant] = b
	}
	e := b.entry(&d)
	e.requests++
	e.rows += uint64(max(0, d.Rows))
	e.bytes += uint64(max(0, d.Bytes))
	if e.sample == "" && d.Sample != "" && b.wantsSample(d.Reason, l.opts.Now()) {
		e.sample = Redact(d.Sample)
	}
}

// entry returns the line that d counts in.
func (b *book) entry(d *Drop) *entry {
	key := line{d.Cluster, d.ClusterName, d.Token, d.Protocol, d.Signal, d.Reason, d.Status}
	if e := b.lines[key]; e != nil {
		return e
	}
	if len(b.lines) >= maxLines {
		key = line{reason: otherReason}
		if e := b.lines[key]; e != nil {
			return e
		}
		e := &entry{detail: fmt.Sprintf("More than %d different combinations of cluster, token, protocol and reason; the others are counted here.", maxLines)}
		b.lines[key] = e
		return e
	}
	key.clusterName, key.token = strings.Clone(key.clusterName), strings.Clone(key.token)
	key.protocol, key.reason = strings.Clone(key.protocol), strings.Clone(key.reason)
	e := &entry{detail: clip(d.Detail, maxDetailBytes)}
	b.lines[key] = e
	return e
}

// wantsSample reports whether another sample of reason may be kept, and counts it.
func (b *book) wantsSample(reason string, now time.Time) bool {
	s := b.samples[reason]
	if s == nil {
		s = &samples{from: now}
		b.samples[strings.Clone(reason)] = s
	}
	if age := now.Sub(s.from); age >= samplePeriod || age < 0 {
		s.from, s.n = now, 0
	}
	s.n++
	return s.n <= maxSamples
}

// clip copies the start of a text, at a rune boundary.
func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most-len("...")] + "..."
	}
	return strings.Clone(strings.ToValidUTF8(s, ""))
}
