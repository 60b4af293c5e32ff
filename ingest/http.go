package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/ingest/esbulk"
	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/ingest/influx"
	"github.com/seamarkhq/seamark/ingest/jsonlog"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// front answers the ingest routes: it reads a body under the limits, has its protocol's decoder turn it into a batch,
// pushes it, and answers in the protocol's own way.
type front struct {
	ingester *Ingester
	inflater *inflate.Inflater
	requests sync.Pool // *request
	loki     *lokipush.Decoder
	remote   *remotewrite.Decoder
	otlp     *otlp.Decoder
	datadog  *datadog.Decoder
	influx   *influx.Decoder

	bulk   *esbulk.Decoder
	json   *jsonlog.Decoder
	hec    *hec.Decoder
	acks   *hec.AckIDs
	audits *recent
	pushes *pushgateway.Service // nil without a store for groups

	oldRemote, oldLoki *protocol // that meet on one path
}

// request is one push on its way; its memory is kept between requests.
type request struct {
	http     *httpx.Request
	raw      []byte
	body     []byte
	batch    seamark.Batch
	catalog  seamark.Catalog
	media    string
	encoding string // Content-Encoding, or the protocol's default
	otlp     otlp.Encoding
	written  remotewrite.Written
	faults   influx.Faults
	scale    influx.Precision
	ids      []uint64 // of audit events
	items    []esbulk.Item
	mapping  *record.Mapping
	hec      hec.Outcome
	push     pushgateway.Push
	now      time.Time // when the request came, and the time of rows that carry none
}

// protocol is what differs between the routes.
type protocol struct {
	name    string
	signal  seamark.Signal // of the whole request; 0 when its rows tell, and the token's scope is checked by them
	dialect httpx.Dialect
	// queryToken names the query parameter that may carry the token, "" when none may.
	queryToken string
	// refusal is the status with which a part of a request is refused; 0 is 400.
	refusal int
	// foreign protocols are another product's API as a whole, see httpx.Route.
	foreign bool
	// untimed protocols let a sender leave the time out. Two requests without it may be equal and yet two.
	untimed bool
	// prepare checks the headers before the body is read. It may set headers that every answer carries.
	prepare func(w http.ResponseWriter, r *request) error
	decode  func(r *request) error
	// admit, when set, says whether a decoded request is to be stored; one that is not is answered all the same.
	admit func(r *request) (bool, error)
	// answer writes the response to a request whose good rows are stored.
	answer func(w http.ResponseWriter, r *request) error
}

// Routes returns the ingest routes.
func Routes(in *Ingester) ([]httpx.Route, error) {
	f, err := newFront(in)
	if err != nil {
		return nil, err
	}
	t := &routeTable{front: f}
	t.post(f.lokiPush(), "/loki/api/v1/push")
	t.post(f.remoteWrite(), "/api/v1/push", "/api/v1/write", "/prometheus/api/v1/write")
	t.postEither(f.oldPush, anySignal, "/api/prom/push")
	t.post(f.otlpLogs(), "/v1/logs", "/otlp/v1/logs")
	t.post(f.otlpMetrics(), "/v1/metrics", "/otlp/v1/metrics")
	t.post(f.otlpTraces(), "/v1/traces", "/otlp/v1/traces")
	t.post(f.kubernetesEvents(), "/api/v1/push/events")
	kubeEventer := f.kubeEventer()
	t.post(kubeEventer, "/api/v1/push/kube-eventer")
	t.add(kubeEventer, http.MethodGet, "/api/v1/push/kube-eventer") // kube-eventer's default method is GET with a body
	t.post(f.kubernetesAudit(), "/api/v1/push/audit")
	t.post(f.jsonLogs(), "/api/v1/push/logs")
	if err := f.elasticsearchRoutes(t); err != nil {
		return nil, err
	}
	f.hecRoutes(t)
	f.pushgatewayRoutes(t)
	f.datadogRoutes(t)
	f.influxRoutes(t)
	return t.routes, nil
}

func newFront(in *Ingester) (*front, error) {
	inflater, err := inflate.New(inflate.Options{})
	if err != nil {
		return nil, err
	}
	remote, err := remotewrite.NewWith(remotewrite.Options{PredictedSeries: predictedSeries})
	if err != nil {
		return nil, err
	}
	f := &front{
		ingester: in, inflater: inflater, requests: sync.Pool{New: func() any { return new(request) }},
		loki: lokipush.New(), remote: remote, otlp: otlp.New(), datadog: datadog.New(), influx: influx.New(),
		bulk: esbulk.New(), json: jsonlog.New(), audits: newRecent(),
		hec: hec.New(), acks: hec.NewAckIDs(in.opts.Now()),
	}
	if in.opts.Groups != nil {
		f.pushes, err = pushgateway.New(pushgateway.Options{
			Groups: in.opts.Groups, Catalog: in.Catalog, Push: in.PushAs(seamark.Source{Protocol: "pushgateway", Status: http.StatusBadRequest}), Limits: in.opts.PushLimits, Now: in.opts.Now,
			DefaultTTL: func(seamark.TenantID) time.Duration { return in.opts.PushTTL },
		})
		if err != nil {
			return nil, err
		}
	}
	f.oldRemote, f.oldLoki = f.remoteWrite(), f.lokiPush()
	f.oldRemote.signal, f.oldLoki.signal = 0, 0 // the route does not tell which it is, so the scope is checked with the rows
	return f, nil
}

// predictedSeries is what remote write remembers of the order in which series come, about 30 bytes each.
const predictedSeries = 1 << 19

// anySignal is the permission of routes whose requests tell their signals only in the body.
const anySignal = "ingest:any"

// routeTable collects the routes.
type routeTable struct {
	front  *front
	routes []httpx.Route
}

func (t *routeTable) post(p *protocol, paths ...string) { t.add(p, http.MethodPost, paths...) }

func (t *routeTable) add(p *protocol, method string, paths ...string) {
	permission := anySignal
	if p.signal != 0 {
		permission = "ingest:" + p.signal.String()
	}
	t.handle(t.route(p, method, permission, t.front.handler(func(*httpx.Request) *protocol { return p })), paths...)
}

// postEither adds paths on which several protocols meet; choose tells them apart, and every protocol has the first's dialect.
func (t *routeTable) postEither(choose func(r *httpx.Request) *protocol, permission string, paths ...string) {
	plain := &protocol{name: "push", dialect: httpx.Plain}
	t.handle(t.route(plain, http.MethodPost, permission, t.front.handler(choose)), paths...)
}

// reply adds paths that are answered without a body to read: what senders ask before and beside their pushes.
func (t *routeTable) reply(p *protocol, method string, h httpx.Handler, paths ...string) {
	t.handle(t.route(p, method, anySignal, h), paths...)
}

func (*routeTable) route(p *protocol, method, permission string, h httpx.Handler) httpx.Route {
	return httpx.Route{Method: method, Permission: permission, Dialect: p.dialect, Protocol: p.name, QueryToken: p.queryToken, Foreign: p.foreign, Handler: h}
}

func (t *routeTable) handle(r httpx.Route, paths ...string) {
	for _, path := range paths {
		r.Path = path
		t.routes = append(t.routes, r)
	}
}

func (f *front) handler(choose func(r *httpx.Request) *protocol) httpx.Handler {
	return func(w http.ResponseWriter, hr *httpx.Request) error {
		p := choose(hr)
		r, _ := f.requests.Get().(*request)
		r.http, r.catalog, r.now = hr, f.ingester.Catalog(hr.Principal), f.ingester.opts.Now()
		defer f.put(r)
		if err := p.prepare(w, r); err != nil {
			return err
		}
		if err := f.ingester.checkSender(hr.Principal, p.signal); err != nil {
			return err
		}
		memory := f.ingester.budget.claim(hr.Context())
		defer memory.release()
		defer r.dropLarge(memory)
		body := newPacedBody(w, hr.Body)
		if err := f.read(p, r, body, memory); err != nil {
			return err
		}
		r.batch.Claim = memory
		if err := f.take(p, r); err != nil {
			hr.Refusal = httpx.Refusal{Rows: r.batch.Rows() + r.batch.Rejected.Rows(), Bytes: len(r.body), Sample: string(r.body[:min(len(r.body), maxSampleBytes)])}
			return err
		}
		hr.Refusal.Accounted = true // what the answer refuses was told with its rows
		return p.answer(w, r)
	}
}

// maxSampleBytes is what the ledger is shown of a refused body; it shows less.
const maxSampleBytes = 512

// take decodes and stores a request whose body has been read.
func (f *front) take(p *protocol, r *request) error {
	r.batch.Source = seamark.Source{Protocol: p.name, BodyBytes: len(r.body), WireBytes: len(r.raw), Status: cmp.Or(p.refusal, http.StatusBadRequest)}
	if err := p.decode(r); err != nil {
		return err
	}
	return f.store(p, r)
}

// store pushes the request's rows, if they are to be stored.
func (f *front) store(p *protocol, r *request) error {
	who := r.http.Principal
	if err := checkScope(p, who, &r.batch); err != nil {
		return err
	}
	if p.admit != nil {
		if admitted, err := p.admit(r); err != nil || !admitted {
			return err
		}
	}
	// The push outlives a sender that hangs up: its data is here, and taking it spares the retry.
	ctx := context.WithoutCancel(r.http.Context())
	id := r.id()
	if p.untimed && timedHere(&r.batch, r.now) {
		if r.batch.Source.Named = r.http.Header.Get(idempotencyHeader) != ""; !r.batch.Source.Named {
			id = rand.Text()
		}
	}
	return f.ingester.Push(ctx, who, mainSignal(p, &r.batch), id, &r.batch)
}

// checkScope refuses signals that the token is not made for, where the route could not tell them.
func checkScope(p *protocol, who seamark.Principal, b *seamark.Batch) error {
	if p.signal != 0 {
		if p.signal == seamark.Logs {
			keepScope(who, b)
		}
		return nil
	}
	for _, signal := range signalsOf(b) {
		if !who.Signals.Has(signal) {
			return seamark.Errorf(seamark.Forbidden, "seamark-scope-signal",
				"The request carries %s, which token %s may not push. Create a token for that signal.", signal, who.CredentialID)
		}
	}
	return nil
}

// signalsOf lists the signals of a batch's rows.
func signalsOf(b *seamark.Batch) []seamark.Signal {
	list := make([]seamark.Signal, 0, len(seamark.Signals()))
	if b.Samples.Len() > 0 || b.Histograms.Len() > 0 || len(b.Metadata) > 0 {
		list = append(list, seamark.Metrics)
	}
	if b.Logs.Len() > 0 {
		list = append(list, seamark.Logs)
	}
	if len(b.Events) > 0 {
		list = append(list, seamark.Events)
	}
	if len(b.Spans) > 0 {
		list = append(list, seamark.Traces)
	}
	return list
}

// mainSignal returns the signal whose queue a request takes.
func mainSignal(p *protocol, b *seamark.Batch) seamark.Signal {
	if p.signal != 0 {
		return p.signal
	}
	if list := signalsOf(b); len(list) > 0 {
		return list[0]
	}
	return seamark.Logs
}

// maxKeptBytes is what a pooled request keeps of its buffers; more is left to the collector.
const maxKeptBytes = 1 << 20

func (f *front) put(r *request) {
	r.batch.Reset()
	clear(r.items)
	r.ids, r.items, r.mapping, r.hec, r.push = nil, r.items[:0], nil, hec.Outcome{}, pushgateway.Push{}
	r.http, r.catalog, r.written, r.faults = nil, nil, remotewrite.Written{}, influx.Faults{}
	f.requests.Put(r)
}

// dropLarge lets go of what is too large to keep. It comes before the budget takes the memory back.
func (r *request) dropLarge(memory *claim) {
	if memory.rows > maxKeptBytes {
		r.batch = seamark.Batch{}
	}
	if cap(r.raw) > maxKeptBytes {
		r.raw = nil
	}
	if cap(r.body) > maxKeptBytes {
		r.body, r.batch = nil, seamark.Batch{}
	}
}

// maxAttrs is how many attributes a row of the request's tenant and cluster may have.
func (f *front) maxAttrs(r *request) int { return f.ingester.MaxAttrs(r.http.Principal) }

// idempotencyHeader names a request for its repeats (draft-ietf-httpapi-idempotency-key-header).
const idempotencyHeader = "Idempotency-Key"

// timedHere reports whether a row has the time of the request's arrival because its sender told none.
func timedHere(b *seamark.Batch, now time.Time) bool {
	return slices.Contains(b.Logs.TimeNano, now.UnixNano()) || slices.Contains(b.Samples.TimeMilli, now.UnixMilli())
}

// id identifies the request by its content, so that a sender's retry is recognised whatever it changes around it.
func (r *request) id() string {
	h := sha256.New()
	for _, part := range []string{
		string(r.http.Principal.Tenant), string(r.http.Principal.Cluster), r.http.URL.Path, r.http.URL.RawQuery, r.encoding,
		r.http.Header.Get(idempotencyHeader),
	} {
		_, _ = io.WriteString(h, part)
		_, _ = h.Write([]byte{0})
	}
	_, _ = h.Write(r.raw)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// read fills r.raw with the body as sent and r.body with its inflated form.
func (f *front) read(p *protocol, r *request, body io.Reader, memory *claim) error {
	limits := &f.ingester.opts.Limits
	if r.http.ContentLength > limits.MaxBodyBytes {
		return tooLarge(r.http.ContentLength, limits.MaxBodyBytes)
	}
	var err error
	if r.raw, err = readAll(r.raw[:0], body, r.http.ContentLength, limits.MaxBodyBytes, memory); err != nil {
		return err
	}
	if size, known := inflate.DeclaredSize(r.raw, r.encoding); known && size <= limits.MaxInflatedBytes && size > int64(cap(r.body)) {
		if err := memory.grow(size); err != nil {
			return err
		}
		r.body = make([]byte, 0, size)
	} else if err := memory.hold(int64(cap(r.body))); err != nil {
		return err
	}
	r.body, err = f.inflater.Inflate(r.http.Context(), r.body[:0], inflate.Request{
		Body: r.raw, Encoding: r.encoding, Limit: limits.MaxInflatedBytes, Grow: memory.grow,
	})
	if err != nil {
		return err
	}
	f.ingester.metrics.bytes.WithLabelValues(p.name, "sent").Add(float64(len(r.raw)))
	f.ingester.metrics.bytes.WithLabelValues(p.name, "inflated").Add(float64(len(r.body)))
	return nil
}

func tooLarge(size, limit int64) error {
	return seamark.Errorf(seamark.TooLarge, "seamark-body-large",
		"The body has at least %d bytes; the limit is %d (--ingest.max-body-bytes). Send smaller batches.", size, limit)
}

// readAll reads a body, asking for memory as it grows: a sender that announces much and sends little takes little.
func readAll(dst []byte, body io.Reader, declared, limit int64, memory *claim) ([]byte, error) {
	const first = 64 << 10
	if err := memory.hold(int64(cap(dst))); err != nil {
		return dst, err
	}
	for {
		if len(dst) == cap(dst) {
			grown := max(first, 2*int64(cap(dst)))
			if declared >= int64(cap(dst)) {
				grown = min(grown, declared+1) // one more, so that the end is seen without growing
			}
			if grown = min(grown, limit+1); grown <= int64(cap(dst)) {
				return dst, tooLarge(int64(len(dst)), limit)
			}
			if err := memory.grow(grown); err != nil {
				return dst, err
			}
			dst = append(make([]byte, 0, grown), dst...)
		}
		n, err := body.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)) > limit:
			return dst, tooLarge(int64(len(dst)), limit)
		case errors.Is(err, io.EOF):
			return dst, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return dst, seamark.Wrap(err, seamark.Timeout, "seamark-body-slow",
				"The body came too slowly: %d bytes have arrived. Send at least %d bytes a second.", len(dst), minBodyRate)
		case err != nil:
			return dst, seamark.Wrap(err, seamark.Invalid, "seamark-body-short", "The body ended before it was complete.")
		}
	}
}

// A body may take bodyPatience, and a second more for every minBodyRate bytes that arrive. Without it a few hundred
// senders that stall hold the budget, and everybody else is told to come back.
const (
	bodyPatience = 10 * time.Second
	minBodyRate  = 4 << 10
)

// pacedBody is a request's body that fails with os.ErrDeadlineExceeded when its sender is too slow.
type pacedBody struct {
	body     io.Reader
	conn     *http.ResponseController
	deadline time.Time
}

// newPacedBody returns r's body. The connection's clock is the machine's, whatever clock the rest of ingest has.
func newPacedBody(w http.ResponseWriter, body io.Reader) *pacedBody {
	return &pacedBody{body: body, conn: http.NewResponseController(w), deadline: time.Now().Add(bodyPatience)}
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	_ = b.conn.SetReadDeadline(b.deadline) // a response that is no connection's, as in tests, has none
	n, err := b.body.Read(p)
	b.deadline = b.deadline.Add(time.Duration(n) * time.Second / minBodyRate)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		// The body is here, or will never be. Without this the connection would count as lost while its request is being worked
		// on, and the timer of a stream that was reset would hold the stream until it fires.
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}

// mediaType returns the bare media type of the request, "" when there is none or it is malformed.
func mediaType(r *http.Request) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// contentEncoding returns the Content-Encoding in lower case.
func contentEncoding(r *http.Request) string {
	return strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
}

// mediaParam returns a parameter of the request's media type.
func mediaParam(r *http.Request, name string) string {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return params[name]
}
