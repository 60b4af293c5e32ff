package httpx

import (
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// NoChange is the Action of a route that changes nothing although its method says so: a dry run, a query that is posted.
const NoChange = "none"

// Change is what a handler tells the change log of what it changes. The edge knows the rest: who, from where, which route,
// how it ended. Handlers fill it as early as they know, so that refusals have it, too.
type Change struct {
	// Object is `<noun>/<id>`; empty takes the path's last parameter.
	Object string
	// Tenant is whose thing it is, where that is not the principal's own tenant: an operator's changes.
	Tenant seamark.TenantID
	// Before and After are the object's documents, of which the log keeps digests and in what they differ. They must hold no
	// secret: a short one can be found from its digest by trial.
	Before, After any
	// Private keeps what the documents say out of the log, which others read: only digests are kept.
	Private bool
	// Principal is whom the handler of an anonymous route has proven: a sign-in.
	Principal seamark.Principal
	// Login is the one that was given at an anonymous route, proven or not.
	Login string
}

// ChangeAction returns the action that requests to the route are recorded under in the change log, `<noun>.<verb>`, and ""
// for routes that change nothing. Whatever might change something is recorded unless the route says NoChange, so that a
// new route cannot be forgotten.
func (r *Route) ChangeAction() string {
	switch {
	case r.Action == NoChange:
		return ""
	case r.Action != "":
		return r.Action
	case strings.HasPrefix(r.Permission, "ingest:"):
		return ""
	}
	verb := changeVerb(r.Method)
	noun, right, _ := strings.Cut(r.Permission, ":")
	if verb == "" || right == "read" && r.Method == http.MethodPost { // forms and queries are posted
		return ""
	}
	if r.Permission == Anonymous {
		noun = lastWord(r.Path)
	}
	return strings.TrimSuffix(noun, "s") + "." + verb
}

func changeVerb(method string) string {
	switch method {
	case http.MethodPost:
		return "create"
	case http.MethodPut, http.MethodPatch:
		return "update"
	case http.MethodDelete:
		return "delete"
	}
	return ""
}

// lastWord returns the last segment of a path that is no parameter.
func lastWord(path string) string {
	segments := strings.Split(path, "/")
	for i := len(segments) - 1; i >= 0; i-- {
		if s := segments[i]; s != "" && s[0] != ':' && s[0] != '*' {
			return s
		}
	}
	return ""
}

// ChangeObject returns what the request changes, as far as its handler or its path says.
func (r *Request) ChangeObject(route *Route) string {
	if r.Change.Object != "" {
		return r.Change.Object
	}
	segments := strings.Split(route.Path, "/")
	for i := len(segments) - 1; i > 0; i-- {
		if name, ok := strings.CutPrefix(segments[i], ":"); ok {
			return strings.TrimSuffix(segments[i-1], "s") + "/" + clipped(r.Param(name))
		}
	}
	return ""
}

// clipped bounds what a caller chose and the log keeps.
func clipped(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}

// tellChanged hands a finished request of a changing route to the change log. Requests without any proven credential are
// left out, but for anonymous routes: there is nobody to record, and whoever scans the network would fill the log.
func (e *Edge) tellChanged(route *Route, req *Request, status int, err *seamark.Error) {
	if e.opts.Changed == nil || route.ChangeAction() == "" || req.replayed {
		return
	}
	known := req.Principal.Tenant != "" || req.Principal.Operator
	if known || route.Permission == Anonymous {
		e.opts.Changed(req, route, status, err)
	}
}
