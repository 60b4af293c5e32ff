package api

import (
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lokiRuleRoutes returns what reads the configuration of Loki's ruler, under its two paths. Rules are over metrics and stand
// under Mimir's paths; of rules over logs there are none, which is told in the words that clients know: Grafana takes a 404 with
// them for a ruler without rules, and another for none.
func lokiRuleRoutes() []httpx.Route {
	var routes []httpx.Route
	for _, prefix := range []string{"/loki/api/v1/rules", "/api/prom/rules"} {
		add := func(path string, handler httpx.Handler) {
			routes = append(routes, httpx.Route{Method: http.MethodGet, Path: prefix + path, Permission: "rules:read", HonoursScope: true, Dialect: httpx.Plain, Handler: handler})
		}
		add("", noLogRules)
		add("/:namespace", noLogRules)
		add("/:namespace/:group", noLogRuleGroup)
	}
	return routes
}

func noLogRules(http.ResponseWriter, *httpx.Request) error {
	return seamark.Errorf(seamark.NotFound, "seamark-logql-rules", "no rule groups found: there are no rules over logs.")
}

func noLogRuleGroup(http.ResponseWriter, *httpx.Request) error {
	return seamark.Errorf(seamark.NotFound, "seamark-logql-rules", "group does not exist: there are no rules over logs.")
}
