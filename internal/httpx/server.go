package httpx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures the edge.
type Options struct {
	Routes   []Route
	Verifier Verifier
	// Fallback answers GET and HEAD requests that no route matches, the console; nil answers 404.
	Fallback http.Handler
	// Passed are routes that another process of this server answers: credential, log and metrics of their requests are its own. Pass
	// hands a request over, and fails with nothing written.
	Passed []Route
	Pass   func(w http.ResponseWriter, r *http.Request, clientIP string) error
	// ClientIP, when set, tells the client's address of requests that another process has passed on; nil takes it from the connection.
	ClientIP func(r *http.Request) string
	// TrustedProxies are the networks whose X-Forwarded-For is believed. Empty believes nobody: the peer is the client.
	TrustedProxies []*net.IPNet
	// Refused, when set, is told of requests that failed with a credential whose owner is known, also when the credential
	// itself was refused (revoked, expired, out of scope).
	Refused func(r *Request, route *Route, status int, err *seamark.Error)
	// Used, when set, is told of each request that was let in: the credential, and from where and by what it was used. It must
	// return at once.
	Used func(credentialID, clientIP, agent string)
	// Changed, when set, is told of every request to a route that changes something, when it is done or refused; err is nil
	// when it succeeded. It answers before the request ends, so that a change is on record when its caller goes on.
	Changed func(r *Request, route *Route, status int, err *seamark.Error)
	// Replays remembers what routes that create have answered. It is required where there are such routes.
	Replays    Replays
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *Options) validate() error {
	if o.Verifier == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil {
		return errors.New("httpx: Verifier, Logger, Registerer and Now are required")
	}
	if (o.Pass == nil) != (len(o.Passed) == 0) {
		return errors.New("httpx: Passed and Pass go together")
	}
	for _, r := range o.Routes {
		if r.Permission == "" || r.Handler == nil || r.Method == "" || !strings.HasPrefix(r.Path, "/") {
			return fmt.Errorf("httpx: route %s %s needs a method, a path, a permission and a handler", r.Method, r.Path)
		}
		if r.Creates && (o.Replays == nil || r.Permission == Anonymous) {
			return fmt.Errorf("httpx: route %s %s creates, which needs Replays and a principal", r.Method, r.Path)
		}
	}
	return nil
}

// Edge is the assembled front: an http.Handler over the route table.
type Edge struct {
	echo    *echo.Echo
	opts    Options
	metrics metrics
	cross   *http.CrossOriginProtection
	packers packers
	shared  map[string]bool // paths that a route has for some requests only; the others are the fallback's
}

// New assembles the edge from its route table.
func New(o Options) (*Edge, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Edge{echo: echo.New(), opts: o, metrics: newMetrics(o.Registerer), cross: http.NewCrossOriginProtection(), shared: map[string]bool{}}
	e.echo.HideBanner, e.echo.HidePort = true, true
	e.echo.IPExtractor = echo.ExtractIPDirect()
	if len(o.TrustedProxies) > 0 {
		trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
		for _, network := range o.TrustedProxies {
			trust = append(trust, echo.TrustIPRange(network))
		}
		e.echo.IPExtractor = echo.ExtractIPFromXFFHeader(trust...)
	}
	if o.ClientIP != nil {
		e.echo.IPExtractor = o.ClientIP
	}
	e.echo.HTTPErrorHandler = func(err error, c echo.Context) { e.unrouted(err, c) }
	for _, r := range o.Routes {
		e.echo.Add(r.Method, r.Path, e.serve(r))
		if r.Match != nil {
			e.shared[r.Path] = true
		}
	}
	for _, r := range o.Passed {
		e.echo.Add(r.Method, r.Path, e.pass(r))
	}
	return e, nil
}

// ServeHTTP implements http.Handler.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.echo.ServeHTTP(w, r) }

// Routes returns the route table, for the tests that walk it.
func (e *Edge) Routes() []Route { return e.opts.Routes }

// serve wraps one route: request id, credential, cross-origin check, handler, error, log and metrics, in this order.
func (e *Edge) serve(route Route) echo.HandlerFunc {
	return func(c echo.Context) error {
		if route.Match != nil && !route.Match(c.Request()) {
			return echo.ErrNotFound
		}
		start := e.opts.Now()
		req := &Request{Request: c.Request(), ID: rand.Text(), param: c.Param}
		w := c.Response()
		w.Header().Set("X-Request-Id", req.ID)
		route.Dialect.prepare(w.Header())
		answer, finish := e.packers.open(&route, req.Request, w.Writer)
		w.Writer = answer
		req.Request = req.WithContext(context.WithValue(req.Context(), clientIPKey{}, c.RealIP()))
		req.prove = func() error { return e.reauthorize(&route, req) }
		err := e.admit(route, req)
		if err == nil {
			err = e.handle(w, req, &route)
		}
		if err != nil {
			e.fail(w, req, route, err)
		} else {
			e.tellChanged(&route, req, w.Status, nil)
		}
		finish()
		e.observe(route, req, w.Status, e.opts.Now().Sub(start))
		return nil
	}
}

// pass leaves a route's requests to the process that answers them.
func (e *Edge) pass(route Route) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := e.opts.Pass(c.Response(), c.Request(), c.RealIP())
		if err == nil || c.Request().Context().Err() != nil {
			return nil
		}
		id := rand.Text()
		e.opts.Logger.WarnContext(c.Request().Context(), "request not passed on", "request_id", id, "route", route.Path, "err", err)
		c.Response().Header().Set("X-Request-Id", id)
		route.Dialect.prepare(c.Response().Header())
		writeError(c.Response(), c.Request(), route.Dialect, id, asError(err))
		return nil
	}
}

func (e *Edge) handle(w http.ResponseWriter, req *Request, route *Route) error {
	if route.Creates && req.Header.Get(idempotencyKeyHeader) != "" {
		return e.once(w, req, route)
	}
	return route.Handler(w, req)
}

type clientIPKey struct{}

// ClientIP returns the address of the client as the edge believes it, for rate limits of sign-in.
func (r *Request) ClientIP() string {
	ip, _ := r.Context().Value(clientIPKey{}).(string)
	return ip
}

func (e *Edge) admit(route Route, req *Request) error {
	if err := e.cross.Check(req.Request); err != nil && usesCookie(req.Request) {
		return seamark.Wrap(err, seamark.Forbidden, "seamark-origin-foreign", "A page of another origin may not call this.")
	}
	if route.Permission == Anonymous {
		return nil
	}
	p, err := authorize(e.opts.Verifier, req.Request, &route)
	req.Principal = p
	if err == nil && e.opts.Used != nil {
		e.opts.Used(p.CredentialID, req.ClientIP(), req.UserAgent())
	}
	return err
}

// reauthorize proves a request's credential again. It must still be the same tenant's.
func (e *Edge) reauthorize(route *Route, req *Request) error {
	if route.Permission == Anonymous {
		return nil
	}
	p, err := authorize(continuing{e.opts.Verifier}, req.Request, route)
	if err == nil && p.Tenant != req.Principal.Tenant {
		return seamark.Errorf(seamark.Forbidden, "seamark-credential-moved", "The credential belongs to another tenant now.")
	}
	if err == nil && p.Only.String() != req.Principal.Only.String() {
		return seamark.Errorf(seamark.Forbidden, "seamark-credential-moved", "What the credential may read was changed. Begin again.")
	}
	return err
}

func usesCookie(r *http.Request) bool {
	_, err := sessionCookie(r)
	return err == nil
}

// fail writes err in the route's dialect, or cuts the connection when the body has begun.
func (e *Edge) fail(w *echo.Response, req *Request, route Route, err error) {
	se := asError(err)
	if errors.Is(err, context.Canceled) && req.Context().Err() != nil {
		se = seamark.Wrap(err, seamark.Canceled, "seamark-request-canceled", "The caller closed the request.")
	}
	level := slog.LevelDebug
	if se.Kind == seamark.Internal {
		level = slog.LevelError
	}
	e.opts.Logger.LogAttrs(req.Context(), level, "request failed", slog.String("request_id", req.ID),
		slog.String("route", route.Path), slog.String("tenant", string(req.Principal.Tenant)),
		slog.String("credential", req.Principal.CredentialID), slog.String("id", se.ID), slog.Any("err", se))
	if e.opts.Refused != nil && req.Principal.Tenant != "" && !req.Refusal.Accounted {
		e.opts.Refused(req, &route, route.Dialect.statusOf(se), se)
	}
	e.tellChanged(&route, req, route.Dialect.statusOf(se), se)
	if w.Committed {
		panic(http.ErrAbortHandler)
	}
	writeError(w, req.Request, route.Dialect, req.ID, se)
}

// unrouted answers what no route matched.
func (e *Edge) unrouted(err error, c echo.Context) {
	r, w := c.Request(), c.Response()
	var he *echo.HTTPError
	found := errors.As(err, &he)
	missing := found && (he.Code == http.StatusNotFound || he.Code == http.StatusMethodNotAllowed && e.shared[c.Path()])
	if missing && e.opts.Fallback != nil && isPageRequest(r) {
		e.opts.Fallback.ServeHTTP(w, r)
		return
	}
	id := rand.Text()
	w.Header().Set("X-Request-Id", id)
	switch {
	case missing:
		writeError(w, r, Problem, id, seamark.Errorf(seamark.NotFound, "seamark-route-unknown", "There is nothing at %s.", r.URL.Path))
	case found && he.Code == http.StatusMethodNotAllowed:
		writeMethodNotAllowed(w, r, id)
	default:
		writeError(w, r, Problem, id, asError(err))
	}
}

// isPageRequest tells a browser's page from a mistyped API call: API prefixes never fall back to the console. Those with an underscore
// are Elasticsearch's, whose clients would read a page of HTML as an empty answer.
func isPageRequest(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, prefix := range []string{"/api/", "/v1/", "/loki/", "/prometheus/", "/alertmanager/", "/otlp/", "/services/", "/_"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	return !strings.HasSuffix(r.URL.Path, "/_search")
}

func (e *Edge) observe(route Route, req *Request, status int, took time.Duration) {
	e.metrics.requests.WithLabelValues(route.Method, route.Path, strconv.Itoa(status)).Inc()
	e.metrics.seconds.WithLabelValues(route.Method, route.Path).Observe(took.Seconds())
	e.opts.Logger.LogAttrs(req.Context(), slog.LevelDebug, "request", slog.String("request_id", req.ID),
		slog.String("method", route.Method), slog.String("route", route.Path), slog.Int("status", status),
		slog.Duration("took", took), slog.String("tenant", string(req.Principal.Tenant)),
		slog.String("credential", req.Principal.CredentialID))
}
