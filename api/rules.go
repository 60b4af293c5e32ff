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

// The languages of rule groups.
const (
	metricRules = "promql"
	logRules    = "logql"
)

// RuleStore keeps the tenants' rule groups, those over metrics (promql) and those over logs (logql). A group that is saved is seen by
// the next read.
type RuleStore interface {
	// ListRuleGroups returns the groups of a language by namespace; the caller may keep the map.
	ListRuleGroups(ctx context.Context, tenant seamark.TenantID, language string) (map[string][]rulefmt.RuleGroup, error)
	// SaveRuleGroup creates or replaces the group that body, YAML or JSON, describes; Invalid names the position of faults.
	SaveRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace, language string, body []byte) error
	// DeleteRuleGroup and DeleteRuleNamespace fail with NotFound when there is nothing to delete.
	DeleteRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace, group, language string) error
	DeleteRuleNamespace(ctx context.Context, tenant seamark.TenantID, namespace, language string) error
}

// RuleState shows what the rules do now.
type RuleState interface {
	// RuleGroups returns the running groups; Unavailable where they do not run. The groups are live: read, never changed.
	RuleGroups(ctx context.Context, tenant seamark.TenantID) ([]*rules.Group, error)
}

// ruleHandlers answers the rule routes.
type ruleHandlers struct {
	store    RuleStore
	state    RuleState
	language string
}

// RuleRoutes returns the ruler's routes: the configuration in Mimir's form, under its two paths, and in Loki's, and the state in
// Prometheus' form.
func RuleRoutes(store RuleStore, state RuleState) []httpx.Route {
	const read = "rules:read"
	h := ruleHandlers{store, state, metricRules}
	routes := []httpx.Route{
		{Method: http.MethodGet, Path: "/prometheus/api/v1/rules", Permission: read, Dialect: httpx.Prometheus, Handler: h.rules},
		{Method: http.MethodGet, Path: "/prometheus/api/v1/alerts", Permission: read, Dialect: httpx.Prometheus, Handler: h.alerts},
	}
	for _, prefix := range []string{"/prometheus/config/v1/rules", "/api/v1/rules"} {
		routes = append(routes, h.configRoutes(prefix)...)
	}
	h.language = logRules
	for _, prefix := range []string{"/loki/api/v1/rules", "/api/prom/rules"} {
		routes = append(routes, h.configRoutes(prefix)...)
	}
	return routes
}

func (h ruleHandlers) configRoutes(prefix string) []httpx.Route {
	const read, write = "rules:read", "rules:write"
	route := func(method, path, permission string, handler httpx.Handler) httpx.Route {
		return httpx.Route{Method: method, Path: prefix + path, Permission: permission, Dialect: httpx.Plain, Handler: handler}
	}
	return []httpx.Route{
		route(http.MethodGet, "", read, h.list),
		route(http.MethodGet, "/:namespace", read, h.listNamespace),
		route(http.MethodPost, "/:namespace", write, h.save),
		route(http.MethodDelete, "/:namespace", write, h.deleteNamespace),
		route(http.MethodGet, "/:namespace/:group", read, h.find),
		route(http.MethodDelete, "/:namespace/:group", write, h.delete),
	}
}

func (h ruleHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant(), h.language)
	if err != nil {
		return err
	}
	if len(groups) == 0 && h.language == logRules {
		return seamark.Errorf(seamark.NotFound, "seamark-logql-rules", "no rule groups found")
	}
	return writeYAML(w, groups)
}

func (h ruleHandlers) listNamespace(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant(), h.language)
	if err != nil {
		return err
	}
	namespace := pathName(r, "namespace")
	found, ok := groups[namespace]
	switch {
	case !ok && h.language == logRules:
		return seamark.Errorf(seamark.NotFound, "seamark-logql-rules", "no rule groups found")
	case !ok:
		return seamark.Errorf(seamark.NotFound, "seamark-rule-namespace-unknown", "There are no rule groups in namespace %q.", namespace)
	}
	return writeYAML(w, map[string][]rulefmt.RuleGroup{namespace: found})
}

// find answers one group. Clients of Loki's ruler know "there are none" by its words. Grafana probes group test/test and takes the ruler as present unless the 404's text is that of
// a missing page.
func (h ruleHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant(), h.language)
	if err != nil {
		return err
	}
	namespace, name := pathName(r, "namespace"), pathName(r, "group")
	for _, group := range groups[namespace] {
		if group.Name == name {
			return writeYAML(w, group)
		}
	}
	if h.language == logRules {
		return seamark.Errorf(seamark.NotFound, "seamark-logql-rules", "group does not exist")
	}
	return seamark.Errorf(seamark.NotFound, "seamark-rule-group-unknown", "There is no rule group %q in namespace %q.", name, namespace)
}

func (h ruleHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	body, err := httpx.ReadBody(r)
	if err != nil {
		return err
	}
	namespace, name := pathName(r, "namespace"), groupName(body)
	h.tellGroup(r, namespace, name, &r.Change.Before)
	if err := h.store.SaveRuleGroup(r.Context(), r.Tenant(), namespace, h.language, body); err != nil {
		return err
	}
	r.Change.Object = "rule_group/" + namespace + "/" + name
	h.tellGroup(r, namespace, name, &r.Change.After)
	return accepted(w)
}

func (h ruleHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	namespace, name := pathName(r, "namespace"), pathName(r, "group")
	r.Change.Object = "rule_group/" + namespace + "/" + name
	h.tellGroup(r, namespace, name, &r.Change.Before)
	if err := h.store.DeleteRuleGroup(r.Context(), r.Tenant(), namespace, name, h.language); err != nil {
		return err
	}
	return accepted(w)
}

func (h ruleHandlers) deleteNamespace(w http.ResponseWriter, r *httpx.Request) error {
	namespace := pathName(r, "namespace")
	if groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant(), h.language); err == nil {
		before := map[string]ruleGroupDocument{}
		for i := range groups[namespace] {
			before[groups[namespace][i].Name] = h.document(namespace, &groups[namespace][i])
		}
		r.Change.Before = before
	}
	if err := h.store.DeleteRuleNamespace(r.Context(), r.Tenant(), namespace, h.language); err != nil {
		return err
	}
	return accepted(w)
}

// groupName returns the name of the group that a body describes, "" where it has none: the store says what is wrong.
func groupName(body []byte) string {
	var group struct {
		Name string `yaml:"name"`
	}
	_ = yaml.Unmarshal(body, &group)
	return group.Name
}

// tellGroup puts a group as it stands into one side of a change. Without one the side stays nil: a change does not fail for its
// record.
func (h ruleHandlers) tellGroup(r *httpx.Request, namespace, name string, side *any) {
	groups, err := h.store.ListRuleGroups(r.Context(), r.Tenant(), h.language)
	if err != nil {
		return
	}
	for i := range groups[namespace] {
		if groups[namespace][i].Name == name {
			*side = h.document(namespace, &groups[namespace][i])
			return
		}
	}
}

// document is a group in the form in which the log of changes has it by every way that it is changed.
func (h ruleHandlers) document(namespace string, group *rulefmt.RuleGroup) ruleGroupDocument {
	return documentOf(&RuleGroup{Namespace: namespace, Language: h.language, Group: *group})
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

// accepted answers 202 in Mimir's envelope.
func accepted(w http.ResponseWriter) error {
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
