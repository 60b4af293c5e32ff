package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// RuleGroup is a rule group with what stands around it.
type RuleGroup struct {
	Namespace string
	Language  string // promql or logql
	Group     rulefmt.RuleGroup
	Pack      string // that the group is part of; "" for saved ones
	Revision  uint64 // 0 for groups of packs
}

// RuleFault is one fault of a group, with its place in the document and in the expression.
type RuleFault struct {
	Pointer    string `json:"pointer"`
	Rule       int    `json:"rule,omitempty"` // counted from 1
	Name       string `json:"name,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	ExprLine   int    `json:"expr_line,omitempty"`
	ExprColumn int    `json:"expr_column,omitempty"`
	Message    string `json:"message"`
}

// RuleDraft is a group that is not saved: its document, YAML or JSON.
type RuleDraft struct {
	Namespace, Language string
	Document            []byte
}

// RuleTest asks what a group would have done.
type RuleTest struct {
	RuleDraft
	Range    seamark.TimeRange
	Interval time.Duration // 0: the group's
}

// RuleGroups keeps the tenants' rule groups and tries them.
type RuleGroups interface {
	// ListGroups returns all groups, those of packs among them, by namespace and name.
	ListGroups(ctx context.Context, tenant seamark.TenantID) ([]RuleGroup, error)
	// SaveGroup creates or replaces the group called name; the revision, unless it is nil, is the one that is replaced, 0 for none.
	SaveGroup(ctx context.Context, tenant seamark.TenantID, name string, draft RuleDraft, revision *uint64) (RuleGroup, error)
	DeleteGroup(ctx context.Context, tenant seamark.TenantID, namespace, name string, revision *uint64) error
	// CheckGroup returns all faults of a group.
	CheckGroup(ctx context.Context, tenant seamark.TenantID, draft RuleDraft) ([]RuleFault, error)
	// TestGroup evaluates a group over stored data.
	TestGroup(ctx context.Context, tenant seamark.TenantID, test RuleTest) (*RuleTestReport, error)
}

const alertingPath = "/api/v1/alerting"

// RuleGroupRoutes returns the routes for rule groups in our own form. Trying a group needs the permission to write: it makes queries
// of the caller's.
func RuleGroupRoutes(groups RuleGroups, now func() time.Time) []httpx.Route {
	const path, read, write = alertingPath + "/groups", "rules:read", "rules:write"
	h := ruleGroupHandlers{groups, now}
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: h.list},
		{Method: http.MethodGet, Path: path + "/:namespace/:group", Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: path + "/:namespace/:group", Permission: write, Handler: h.save},
		{Method: http.MethodDelete, Path: path + "/:namespace/:group", Permission: write, Handler: h.delete},
		{Method: http.MethodPost, Path: alertingPath + "/check", Permission: write, Action: httpx.NoChange, Handler: h.check},
	}
}

// RuleTestRoutes returns the routes that evaluate groups which are not saved; each request is a query.
func RuleTestRoutes(groups RuleGroups, now func() time.Time) []httpx.Route {
	const write = "rules:write"
	h := ruleGroupHandlers{groups, now}
	return []httpx.Route{
		{Method: http.MethodPost, Path: alertingPath + "/dry-run", Permission: write, Action: httpx.NoChange, Handler: h.dryRun},
		{Method: http.MethodPost, Path: alertingPath + "/backtest", Permission: write, Action: httpx.NoChange, Handler: h.backtest},
	}
}

type ruleGroupHandlers struct {
	groups RuleGroups
	now    func() time.Time
}

// The JSON of groups. Durations are texts such as 5m, as in Prometheus' YAML.
type (
	ruleGroupDocument struct {
		Namespace string        `json:"namespace"`
		Name      string        `json:"name"`
		Language  string        `json:"language"`
		Pack      string        `json:"pack,omitempty"`
		Group     ruleGroupBody `json:"group"`
	}
	ruleGroupBody struct {
		Name        string            `json:"name"`
		Interval    string            `json:"interval,omitempty"`
		QueryOffset string            `json:"query_offset,omitempty"`
		Limit       int               `json:"limit,omitempty"`
		Labels      map[string]string `json:"labels,omitempty"`
		Rules       []ruleBody        `json:"rules"`
	}
	ruleBody struct {
		Alert         string            `json:"alert,omitempty"`
		Record        string            `json:"record,omitempty"`
		Expr          string            `json:"expr"`
		For           string            `json:"for,omitempty"`
		KeepFiringFor string            `json:"keep_firing_for,omitempty"`
		Labels        map[string]string `json:"labels,omitempty"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}
)

func durationText(d model.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func documentOf(g *RuleGroup) ruleGroupDocument {
	doc := ruleGroupDocument{Namespace: g.Namespace, Name: g.Group.Name, Language: g.Language, Pack: g.Pack}
	doc.Group = ruleGroupBody{Name: g.Group.Name, Interval: durationText(g.Group.Interval), Limit: g.Group.Limit, Labels: g.Group.Labels, Rules: []ruleBody{}}
	if offset := g.Group.QueryOffset; offset != nil {
		doc.Group.QueryOffset = offset.String()
	}
	for _, r := range g.Group.Rules {
		doc.Group.Rules = append(doc.Group.Rules, ruleBody{
			Alert: r.Alert, Record: r.Record, Expr: r.Expr, For: durationText(r.For), KeepFiringFor: durationText(r.KeepFiringFor),
			Labels: r.Labels, Annotations: r.Annotations,
		})
	}
	return doc
}

// list answers GET /api/v1/alerting/groups.
func (h ruleGroupHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.groups.ListGroups(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	q := r.URL.Query()
	groups = slices.DeleteFunc(groups, func(g RuleGroup) bool {
		return q.Get("namespace") != "" && g.Namespace != q.Get("namespace") || q.Get("language") != "" && g.Language != q.Get("language")
	})
	docs := make([]ruleGroupDocument, len(groups))
	for i := range groups {
		docs[i] = documentOf(&groups[i])
	}
	page, err := httpx.Paginate(r, docs, func(d *ruleGroupDocument) string { return d.Namespace + "\x00" + d.Name })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

func (h ruleGroupHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	g, err := h.named(r)
	if err != nil {
		return err
	}
	return writeGroup(w, r, &g)
}

func (h ruleGroupHandlers) named(r *httpx.Request) (RuleGroup, error) {
	namespace, name := pathName(r, "namespace"), pathName(r, "group")
	groups, err := h.groups.ListGroups(r.Context(), r.Tenant())
	if err != nil {
		return RuleGroup{}, err
	}
	at := slices.IndexFunc(groups, func(g RuleGroup) bool { return g.Namespace == namespace && g.Group.Name == name })
	if at < 0 {
		return RuleGroup{}, seamark.Errorf(seamark.NotFound, "seamark-rule-group-unknown", "There is no rule group %q in namespace %q.", name, namespace)
	}
	return groups[at], nil
}

// writeGroup answers a group. One of a pack has no revision; its ETag is that of its text.
func writeGroup(w http.ResponseWriter, r *httpx.Request, g *RuleGroup) error {
	doc, tag := documentOf(g), httpx.RevisionTag(g.Revision)
	if tag == "" {
		var err error
		if tag, err = httpx.ContentTag(doc); err != nil {
			return err
		}
	}
	return httpx.WriteDocument(w, r, tag, doc)
}

func (h ruleGroupHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	draft, _, err := readDraft(r)
	if err != nil {
		return err
	}
	namespace, name := pathName(r, "namespace"), pathName(r, "group")
	if draft.Namespace != "" && draft.Namespace != namespace {
		return seamark.Errorf(seamark.Invalid, "seamark-rule-name", "The namespace is %q in the path and %q in the document.", namespace, draft.Namespace)
	}
	draft.Namespace = namespace
	p, expected, err := h.expected(w, r)
	if err != nil {
		return err
	}
	h.tellBefore(r)
	saved, err := h.groups.SaveGroup(r.Context(), r.Tenant(), name, draft, expected)
	if err != nil {
		return p.Lost(err)
	}
	r.Change.After = documentOf(&saved)
	return writeGroup(w, r, &saved)
}

// tellBefore tells the log of changes what the group is before it is changed.
func (h ruleGroupHandlers) tellBefore(r *httpx.Request) {
	r.Change.Object = "rule_group/" + pathName(r, "namespace") + "/" + pathName(r, "group")
	if now, err := h.named(r); err == nil {
		r.Change.Before = documentOf(&now)
	}
}

// expected returns the revision that a change replaces, nil where the request has no condition.
func (h ruleGroupHandlers) expected(w http.ResponseWriter, r *httpx.Request) (p httpx.Precondition, revision *uint64, err error) {
	p = r.Precondition()
	if !p.Given() {
		return p, nil, nil
	}
	g, err := h.named(r)
	if err != nil && seamark.KindOf(err) != seamark.NotFound {
		return p, nil, err
	}
	if err := p.Check(w, httpx.RevisionTag(g.Revision)); err != nil {
		return p, nil, err
	}
	return p, &g.Revision, nil
}

func (h ruleGroupHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	p, expected, err := h.expected(w, r)
	if err != nil {
		return err
	}
	h.tellBefore(r)
	if err := h.groups.DeleteGroup(r.Context(), r.Tenant(), pathName(r, "namespace"), pathName(r, "group"), expected); err != nil {
		return p.Lost(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h ruleGroupHandlers) check(w http.ResponseWriter, r *httpx.Request) error {
	draft, _, err := readDraft(r)
	if err != nil {
		return err
	}
	faults, err := h.groups.CheckGroup(r.Context(), r.Tenant(), draft)
	if err != nil {
		return err
	}
	if faults == nil {
		faults = []RuleFault{}
	}
	return httpx.WriteJSON(w, http.StatusOK, map[string]any{"valid": len(faults) == 0, "faults": faults})
}

// ruleDraftBody is a group that is not saved, in requests. The fields of a test are refused elsewhere by being there.
type ruleDraftBody struct {
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	Language  string          `json:"language"`
	Pack      string          `json:"pack"`
	Group     json.RawMessage `json:"group"` // an object, or YAML as text
	ruleTestSpan
}

// readDraft reads the document of a request. The group's own text goes to the rules' parser as it is, so that faults are told with
// their places in it.
func readDraft(r *httpx.Request) (RuleDraft, ruleTestSpan, error) {
	var in ruleDraftBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return RuleDraft{}, in.ruleTestSpan, err
	}
	d := RuleDraft{Namespace: in.Namespace, Language: in.Language, Document: in.Group}
	if d.Language == "" {
		d.Language = "promql"
	}
	if len(in.Group) == 0 || string(in.Group) == "null" {
		return d, in.ruleTestSpan, httpx.InvalidFields([]seamark.FieldFault{{Pointer: "/group", Detail: "It is missing: a rule group as an object, or its YAML as text."}})
	}
	var text string
	if strings.HasPrefix(string(in.Group), `"`) {
		if err := json.Unmarshal(in.Group, &text); err != nil {
			return d, in.ruleTestSpan, err
		}
		d.Document = []byte(text)
	}
	return d, in.ruleTestSpan, nil
}
