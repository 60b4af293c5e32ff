package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// RuleStore keeps the tenants' rule groups. A group that is saved is seen by the next read.
type RuleStore interface {
	// ListRuleGroups returns the groups by namespace; the caller may keep the map.
	ListRuleGroups(ctx context.Context, tenant seamark.TenantID) (map[string][]rulefmt.RuleGroup, error)
	// SaveRuleGroup creates or replaces the group that body, YAML or JSON, describes; Invalid names the position of faults.
	SaveRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace string, body []byte) error
	// DeleteRuleGroup and DeleteRuleNamespace fail with NotFound when there is nothing to delete.
	DeleteRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace, group string) error
	DeleteRuleNamespace(ctx context.Context, tenant seamark.TenantID, namespace string) error
}

// RuleState shows what the rules do now.
type RuleState interface {
	// RuleGroups returns the running groups; Unavailable where they do not run. The groups are live: read, never changed.
	RuleGroups(ctx context.Context, tenant seamark.TenantID) ([]*rules.Group, error)
}

// ruleHandlers answers the rule routes.
type ruleHandlers struct {
	store RuleStore
	state RuleState
}

// RuleRoutes returns the ruler's routes: the configuration in Mimir's form, and the state in Prometheus' form.
func RuleRoutes(store RuleStore, state RuleState) []httpx.Route {
	const config, read, write = "/prometheus/config/v1/rules", "rules:read", "rules:write"
	h := ruleHandlers{store, state}
	route := func(method, path, permission string, dialect httpx.Dialect, handler httpx.Handler) httpx.Route {
		return httpx.Route{Method: method, Path: path, Permission: permission, Dialect: dialect, Handler: handler}
	}
	return []httpx.Route{
		route(http.MethodGet, config, read, httpx.Plain, h.list),
		route(http.MethodGet, config+"/:namespace", read, httpx.Plain, h.listNamespace),
		route(http.MethodPost, config+"/:namespace", write, httpx.Plain, h.save),
		route(http.MethodDelete, config+"/:namespace", write, httpx.Plain, h.deleteNamespace),
		route(http.MethodGet, config+"/:namespace/:group", read, httpx.Plain, h.find),
		route(http.MethodDelete, config+"/:namespace/:group", write, httpx.Plain, h.delete),
		route(http.MethodGet, "/prometheus/api/v1/rules", read, httpx.Prometheus, h.rules),
		route(http.MethodGet, "/prometheus/api/v1/alerts", read, httpx.Prometheus, h.alerts),
	}
}

func (h ruleHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return writeYAML(w, groups)
}

func (h ruleHandlers) listNamespace(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	namespace := pathName(r, "namespace")
	found, ok := groups[namespace]
	if !ok {
		return seamark.Errorf(seamark.NotFound, "seamark-rule-namespace-unknown", "There are no rule groups in namespace %q.", namespace)
	}
	return writeYAML(w, map[string][]rulefmt.RuleGroup{namespace: found})
}

// find answers one group. Grafana probes group test/test and takes the ruler as present unless the 404's text is that of
// a missing page.
func (h ruleHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	namespace, name := pathName(r, "namespace"), pathName(r, "group")
	for _, group := range groups[namespace] {
		if group.Name == name {
			return writeYAML(w, group)
		}
	}
	return seamark.Errorf(seamark.NotFound, "seamark-rule-group-unknown", "There is no rule group %q in namespace %q.", name, namespace)
}

func (h ruleHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	body, err := httpx.ReadBody(r)
	if err != nil {
		return err
	}
	return accepted(w, h.store.SaveRuleGroup(r.Context(), r.Tenant(), pathName(r, "namespace"), body))
}

func (h ruleHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	return accepted(w, h.store.DeleteRuleGroup(r.Context(), r.Tenant(), pathName(r, "namespace"), pathName(r, "group")))
}

func (h ruleHandlers) deleteNamespace(w http.ResponseWriter, r *httpx.Request) error {
	return accepted(w, h.store.DeleteRuleNamespace(r.Context(), r.Tenant(), pathName(r, "namespace")))
}

// pathName returns a path parameter unescaped. The router matches the escaped path when there is one, so that a slash in
// a namespace (Grafana's folders have them) is not a separator, and hands the parameters over as they stand there.
func pathName(r *httpx.Request, name string) string {
	value := r.Param(name)
	if r.URL.RawPath == "" {
		return value
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// accepted answers 202 in Mimir's envelope unless err is set.
func accepted(w http.ResponseWriter, err error) error {
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusAccepted, map[string]any{"status": "success", "data": nil, "errorType": "", "error": ""})
}

func writeYAML(w http.ResponseWriter, v any) error {
	body, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, err = w.Write(body)
	return err
}
