package democluster

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// handler is one route of a service.
type handler struct {
	workload     *workload
	method, path string // path with {id} where a number stands
	median       time.Duration
	notFound     float64 // share of requests
	failed       float64
	calls        []*handler
}

// route is a handler that the world outside calls through the ingress.
type route struct {
	handler *handler
	rate    float64 // requests per second
}

// hit is one request to one pod, done.
type hit struct {
	at       time.Time
	pod      *pod
	upstream *pod // behind an ingress
	handler  *handler
	path     string
	code     int
	latency  time.Duration
	trace    trace.TraceID
	span     trace.SpanID
	cause    string // why it failed
}

// newRoutes ties the services together.
func newRoutes(w *world) []*route {
	on := func(service, method, path string, median time.Duration, calls ...*handler) *handler {
		l := w.find(service)
		h := &handler{workload: l, method: method, path: path, median: median, calls: calls, failed: 0.002}
		l.handlers = append(l.handlers, h)
		return h
	}
	entries := on("ledger", http.MethodPost, "/entries", 18*time.Millisecond)
	charge := on("payments-api", http.MethodPost, "/v1/charges", 35*time.Millisecond, entries)
	status := on("payments-api", http.MethodGet, "/v1/charges/{id}", 12*time.Millisecond)
	checkout := on("checkout", http.MethodPost, "/api/checkout", 25*time.Millisecond, charge)
	items := on("cart", http.MethodPost, "/api/cart/items", 15*time.Millisecond)
	product := on("catalog", http.MethodGet, "/api/products/{id}", 8*time.Millisecond)
	products := on("catalog", http.MethodGet, "/api/products", 20*time.Millisecond)
	home := on("frontend", http.MethodGet, "/", 30*time.Millisecond, products)
	page := on("frontend", http.MethodGet, "/product/{id}", 28*time.Millisecond, product)
	product.notFound, status.notFound = 0.015, 0.01
	return []*route{{home, 12}, {page, 9}, {items, 4}, {checkout, 3}, {status, 5}}
}

// serveTick has the requests of one tick served.
func (w *world) serveTick() {
	ingress := w.find("ingress-nginx-controller")
	busy := w.traffic()
	for _, r := range w.edge {
		for range w.poisson(r.rate * busy) {
			w.serveEdge(ingress, r.handler)
		}
	}
}

// serveEdge is a request from outside.
func (w *world) serveEdge(ingress *workload, h *handler) {
	id := w.traceID()
	at := w.moment()
	served := w.serve(h, at.Add(-time.Millisecond), id)
	front := w.pick(ingress)
	if front == nil {
		return
	}
	edge := served
	edge.at, edge.pod, edge.upstream, edge.latency = at, front, served.pod, served.latency+time.Millisecond
	front.busySeconds += 0.0005
	front.bytes += 6000
	front.metrics.observe(&edge)
	logIngress(w, &edge)
}

// serve has a pod of the handler's service answer a request that ends at the given time.
func (w *world) serve(h *handler, at time.Time, id trace.TraceID) hit {
	r := hit{at: w.notBeforeTick(at), handler: h, trace: id, span: w.spanID(), code: http.StatusOK, latency: w.latency(h.median)}
	r.path = strings.Replace(h.path, "{id}", fmt.Sprint(1000+w.rand.IntN(9000)), 1)
	if h.method == http.MethodPost {
		r.code = http.StatusCreated
	}
	if r.pod = w.pick(h.workload); r.pod == nil {
		r.code, r.cause = http.StatusServiceUnavailable, "no healthy upstream"
		return r
	}
	w.outcome(&r)
	for _, next := range h.calls {
		if r.code >= http.StatusBadRequest {
			break
		}
		called := w.serve(next, at.Add(-2*time.Millisecond), id)
		r.latency += called.latency
		if called.code >= http.StatusInternalServerError {
			r.code, r.cause = http.StatusBadGateway, next.workload.name+" answered "+fmt.Sprint(called.code)+": "+called.cause
			if h.workload.namespace == next.workload.namespace {
				r.code = http.StatusInternalServerError
			}
		}
	}
	r.pod.busySeconds += math.Min(0.004, h.median.Seconds()/4)
	r.pod.bytes += 2500
	r.pod.metrics.observe(&r)
	h.workload.logHit(w, &r)
	return r
}

// outcome decides how the service itself fares.
func (w *world) outcome(r *hit) {
	if w.incident.strike(w, r) {
		return
	}
	switch x := w.rand.Float64(); {
	case x < r.handler.failed:
		r.code, r.cause = http.StatusInternalServerError, "upstream connection reset by peer"
	case x < r.handler.failed+r.handler.notFound:
		r.code, r.cause = http.StatusNotFound, "no such object"
	}
}

// notBeforeTick keeps called services' times within the tick, so that history and live data do not overlap.
func (w *world) notBeforeTick(at time.Time) time.Time {
	if first := w.at.Add(-tickEvery + 1); at.Before(first) {
		return first
	}
	return at
}

// pick returns one of the pods that serve, nil when there is none.
func (w *world) pick(l *workload) *pod {
	first := w.rand.IntN(max(len(l.pods), 1))
	for i := range l.pods {
		if p := l.pods[(first+i)%len(l.pods)]; p.ready {
			return p
		}
	}
	return nil
}

// latency draws from a distribution with a long tail.
func (w *world) latency(median time.Duration) time.Duration {
	return time.Duration(float64(median) * math.Exp(0.55*w.rand.NormFloat64()))
}

func (w *world) traceID() trace.TraceID {
	var id trace.TraceID
	for i := range 2 {
		x := w.rand.Uint64() | 1
		for j := range 8 {
			id[8*i+j] = byte(x >> (8 * j))
		}
	}
	return id
}

func (w *world) spanID() trace.SpanID {
	var id trace.SpanID
	x := w.rand.Uint64() | 1
	for j := range 8 {
		id[j] = byte(x >> (8 * j))
	}
	return id
}
