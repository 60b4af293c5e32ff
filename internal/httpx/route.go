package httpx

import (
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Anonymous is the permission of a route that anybody may call. It must be written down; a route without a permission
// does not start.
const Anonymous = "anonymous"

// Route is one row of the route table.
type Route struct {
	Method     string
	Path       string // echo's form: /api/v1/things/:id
	Permission string // what the credential must be allowed, or Anonymous
	Dialect    Dialect
	// Protocol names the wire protocol of an ingest route in ledgers and metrics; "" elsewhere.
	Protocol string
	// QueryToken names a query parameter that may carry the token, for senders that know no other place. "" is the rule: what
	// stands in a URL ends up in logs.
	QueryToken string
	// Match, when set, leaves requests for which it is false to what would answer without the route: the console's pages.
	Match func(r *http.Request) bool
	// Foreign marks a route of another product's API, which that product describes: docs/protocols.md tells of it, and
	// openapi.yaml does not.
	Foreign bool
	// Action is what requests are recorded as in the change log, `<noun>.<verb>`. Empty derives it from the permission and
	// the method, see ChangeAction; NoChange says that the route changes nothing.
	Action string
	// Creates marks a route that makes something new with each call. A request with an Idempotency-Key is served once; the
	// same again gets the answer of the first.
	Creates bool
	// HonoursScope marks a route whose answers hold nothing from outside of Request.Scope. Principals that are restricted to
	// a part of their tenant are refused everywhere else.
	HonoursScope bool
	Handler      Handler
}

// Signal returns the signal that the route's permission names, "" when it names none.
func (r *Route) Signal() string {
	signal, ok := strings.CutPrefix(r.Permission, "ingest:")
	if !ok || signal == "any" {
		return ""
	}
	return signal
}

// Handler answers one request. It returns errors and never writes them: the edge is the only writer of error bodies.
// After it has begun to write a body, an error it returns is logged and the connection is cut.
type Handler func(w http.ResponseWriter, r *Request) error

// Request is an authenticated request.
type Request struct {
	*http.Request
	// Principal is the proven sender; the zero Principal on anonymous routes.
	Principal seamark.Principal
	// ID is the request id that stands in our log and in the X-Request-Id response header.
	ID string
	// Refusal is what a handler knows of a request that it refuses, for the owner's ledger.
	Refusal Refusal
	// Change is what a handler tells the change log of what it changes.
	Change Change
	param  func(string) string
	prove  func() error
	// replayed says that the answer was given before: this request changes nothing.
	replayed bool
}

// Refusal describes a refused request.
type Refusal struct {
	Rows, Bytes int    // 0 where nobody has counted
	Sample      string // start of the body, as it was sent
	Accounted   bool   // the ledger has been told already
}

// Param returns the path parameter with the given name. In a path with an escaped slash it stands as it was sent, escaped.
func (r *Request) Param(name string) string { return r.param(name) }

// Reauthorize proves the request's credential and permission anew, for handlers that go on for long: what was good when the
// request began may have been revoked. It answers from memory, with the errors of the first time.
func (r *Request) Reauthorize() error { return r.prove() }

// Tenant returns the tenant that the credential belongs to, for handlers that look at all of it. It is zero, which is
// refused wherever data is read, for principals that are restricted to a part of it: their handlers use Scope.
func (r *Request) Tenant() seamark.TenantID {
	if r.Principal.Restricted() {
		return ""
	}
	return r.Principal.Tenant
}

// Scope returns what the request may read.
func (r *Request) Scope() seamark.Scope { return r.Principal.Scope() }
