package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The JSON of Prometheus' HTTP API for rules and alerts (querying/api.md, "Rules" and "Alerts"). Durations are seconds.
type (
	ruleGroupJSON struct {
		Name           string    `json:"name"`
		File           string    `json:"file"`
		Rules          []any     `json:"rules"`
		Interval       float64   `json:"interval"`
		Limit          int       `json:"limit"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
	alertingRuleJSON struct {
		State         string        `json:"state"`
		Name          string        `json:"name"`
		Query         string        `json:"query"`
		Duration      float64       `json:"duration"`
		KeepFiringFor float64       `json:"keepFiringFor"`
		Labels        labels.Labels `json:"labels"`
		Annotations   labels.Labels `json:"annotations"`
		Alerts        []alertJSON   `json:"alerts"`
		ruleHealthJSON
	}
	recordingRuleJSON struct {
		Name   string        `json:"name"`
		Query  string        `json:"query"`
		Labels labels.Labels `json:"labels"`
		ruleHealthJSON
	}
	ruleHealthJSON struct {
		Health         rules.RuleHealth `json:"health"`
		LastError      string           `json:"lastError,omitempty"`
		EvaluationTime float64          `json:"evaluationTime"`
		LastEvaluation time.Time        `json:"lastEvaluation"`
		Type           string           `json:"type"`
	}
	alertJSON struct {
		Labels          labels.Labels `json:"labels"`
		Annotations     labels.Labels `json:"annotations"`
		State           string        `json:"state"`
		ActiveAt        time.Time     `json:"activeAt"`
		KeepFiringSince time.Time     `json:"keepFiringSince,omitzero"`
		Value           string        `json:"value"`
	}
)

// ruleFilter is what a request wants to see of the rules.
type ruleFilter struct {
	alerting, recording  bool
	instances            bool // the alerts of each rule
	names, groups, files []string
	matchers             [][]*labels.Matcher // of the rules' labels; a rule needs one set
	limit                int                 // groups of a page; 0 for all
	token                string              // of the page
}

// rules answers GET /prometheus/api/v1/rules.
func (h ruleHandlers) rules(w http.ResponseWriter, r *httpx.Request) error {
	filter, err := parseRuleFilter(r.URL.Query())
	if err != nil {
		return err
	}
	groups, err := h.state.RuleGroups(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	shown, next, err := filter.page(groups)
	if err != nil {
		return err
	}
	data := map[string]any{"groups": shown}
	if next != "" {
		data["groupNextToken"] = next
	}
	return writePrometheus(w, data, nil)
}

// page returns the groups of the page that the filter asks for, and the token of the next one.
func (f *ruleFilter) page(groups []*rules.Group) (shown []ruleGroupJSON, next string, err error) {
	shown = []ruleGroupJSON{}
	found := f.token == ""
	for _, group := range groups {
		if !chosen(f.groups, group.Name()) || !chosen(f.files, namespaceOf(group)) {
			continue
		}
		if found = found || f.token == groupToken(group); !found {
			continue
		}
		list := f.rules(group)
		if len(list) == 0 {
			continue
		}
		if f.limit > 0 && len(shown) == f.limit {
			return shown, groupToken(group), nil
		}
		shown = append(shown, ruleGroupJSON{
			Name: group.Name(), File: namespaceOf(group), Rules: list, Interval: group.Interval().Seconds(), Limit: group.Limit(),
			EvaluationTime: group.GetEvaluationTime().Seconds(), LastEvaluation: group.GetLastEvaluation(),
		})
	}
	if !found {
		return nil, "", seamark.Errorf(seamark.Invalid, "seamark-rule-token", "The group_next_token %q is unknown; the rule groups were changed. Begin again with the first page.", f.token)
	}
	return shown, "", nil
}

// groupToken names a group where a page begins.
func groupToken(g *rules.Group) string {
	sum := sha256.Sum256([]byte(rules.GroupKey(namespaceOf(g), g.Name())))
	return hex.EncodeToString(sum[:16])
}

// namespaceOf returns a running group's namespace. Its file's name may go on behind a zero byte, for turns that differ from tenant to tenant.
func namespaceOf(g *rules.Group) string {
	namespace, _, _ := strings.Cut(g.File(), "\x00")
	return namespace
}

// alerts answers GET /prometheus/api/v1/alerts.
func (h ruleHandlers) alerts(w http.ResponseWriter, r *httpx.Request) error {
	groups, err := h.state.RuleGroups(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	active := []alertJSON{}
	for _, group := range groups {
		for _, rule := range group.AlertingRules() {
			active = append(active, alertsOf(rule)...)
		}
	}
	return writePrometheus(w, map[string]any{"alerts": active}, nil)
}

func parseRuleFilter(q url.Values) (ruleFilter, error) {
	f := ruleFilter{
		alerting: true, recording: true, instances: true,
		names: both(q, "rule_name"), groups: both(q, "rule_group"), files: both(q, "file"),
	}
	switch kind := q.Get("type"); kind {
	case "":
	case "alert":
		f.recording = false
	case "record":
		f.alerting = false
	default:
		return f, seamark.Errorf(seamark.Invalid, "seamark-rule-type", "Parameter type is %q; use alert or record.", kind)
	}
	if text := q.Get("exclude_alerts"); text != "" {
		exclude, err := strconv.ParseBool(text)
		if err != nil {
			return f, seamark.Errorf(seamark.Invalid, "seamark-rule-exclude", "Parameter exclude_alerts is %q; use true or false.", text)
		}
		f.instances = !exclude
	}
	err := f.parsePage(q)
	return f, err
}

// parsePage reads what Prometheus has of pages, and its match[].
func (f *ruleFilter) parsePage(q url.Values) error {
	if text := q.Get("group_limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 {
			return seamark.Errorf(seamark.Invalid, "seamark-rule-limit", "Parameter group_limit is %q; use a whole number from 1.", text)
		}
		f.limit = limit
	}
	if f.token = q.Get("group_next_token"); f.token != "" && f.limit == 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-rule-limit", "Parameter group_next_token needs group_limit beside it.")
	}
	for _, text := range q["match[]"] {
		set, err := parser.NewParser(parser.Options{}).ParseMetricSelector(text)
		if err != nil {
			return seamark.Errorf(seamark.Invalid, "seamark-rule-match", "Parameter match[] %q is no selector: %s.", text, err)
		}
		f.matchers = append(f.matchers, set)
	}
	return nil
}

// both returns a list parameter in Prometheus' spelling, name[], and in the one that Grafana uses towards Mimir.
func both(q url.Values, name string) []string { return slices.Concat(q[name+"[]"], q[name]) }

func chosen(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }

func (f *ruleFilter) rules(group *rules.Group) []any {
	var list []any
	for _, rule := range group.Rules(f.matchers...) {
		if !chosen(f.names, rule.Name()) {
			continue
		}
		switch rule := rule.(type) {
		case *rules.AlertingRule:
			if f.alerting {
				list = append(list, f.alertingRule(rule))
			}
		case *rules.RecordingRule:
			if f.recording {
				list = append(list, recordingRuleJSON{
					Name: rule.Name(), Query: rule.Query().String(), Labels: rule.Labels(), ruleHealthJSON: healthOf(rule, "recording"),
				})
			}
		}
	}
	return list
}

func (f *ruleFilter) alertingRule(rule *rules.AlertingRule) alertingRuleJSON {
	shown := alertingRuleJSON{
		State: rule.State().String(), Name: rule.Name(), Query: rule.Query().String(), Duration: rule.HoldDuration().Seconds(),
		KeepFiringFor: rule.KeepFiringFor().Seconds(), Labels: rule.Labels(), Annotations: rule.Annotations(),
		Alerts: []alertJSON{}, ruleHealthJSON: healthOf(rule, "alerting"),
	}
	if f.instances {
		shown.Alerts = alertsOf(rule)
	}
	return shown
}

func healthOf(rule rules.Rule, kind string) ruleHealthJSON {
	h := ruleHealthJSON{
		Health: rule.Health(), EvaluationTime: rule.GetEvaluationDuration().Seconds(), LastEvaluation: rule.GetEvaluationTimestamp(), Type: kind,
	}
	if err := rule.LastError(); err != nil {
		h.LastError = err.Error()
	}
	return h
}

func alertsOf(rule *rules.AlertingRule) []alertJSON {
	list := []alertJSON{}
	for _, a := range rule.ActiveAlerts() {
		list = append(list, alertJSON{
			Labels: a.Labels, Annotations: a.Annotations, State: a.State.String(), ActiveAt: a.ActiveAt,
			KeepFiringSince: a.KeepFiringSince, Value: strconv.FormatFloat(a.Value, 'e', -1, 64),
		})
	}
	return list
}
