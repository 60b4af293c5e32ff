package alerting

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxNameBytes bounds a namespace's and a group's name: both become part of a NATS subject.
const maxNameBytes = 256

// ruleDoc is one rule group as it stands in memory.
type ruleDoc struct {
	namespace string
	group     rulefmt.RuleGroup
}

// ruleKey returns the rest of a group's key.
func ruleKey(namespace, group string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(namespace)) + "." + base64.RawURLEncoding.EncodeToString([]byte(group))
}

func parseRuleKey(rest string) (namespace, group string, err error) {
	left, right, _ := strings.Cut(rest, ".")
	ns, err := base64.RawURLEncoding.DecodeString(left)
	if err != nil {
		return "", "", fmt.Errorf("namespace in key: %w", err)
	}
	g, err := base64.RawURLEncoding.DecodeString(right)
	if err != nil {
		return "", "", fmt.Errorf("group in key: %w", err)
	}
	return string(ns), string(g), nil
}

// decodeRule reads a stored group with the same checks as an incoming one: the bucket is shared by versions.
func decodeRule(_ seamark.TenantID, rest string, body []byte) (ruleDoc, error) {
	namespace, name, err := parseRuleKey(rest)
	if err != nil {
		return ruleDoc{}, err
	}
	group, err := ParseRuleGroup(body)
	if err != nil {
		return ruleDoc{}, err
	}
	if group.Name != name {
		return ruleDoc{}, fmt.Errorf("group is called %q in its key and %q inside", name, group.Name)
	}
	return ruleDoc{namespace: namespace, group: group}, nil
}

// newParser returns the PromQL parser of rules.
func newParser() parser.Parser { return parser.NewParser(parser.Options{}) }

// ParseRuleGroup reads one Prometheus rule group in YAML or JSON and checks it as Prometheus does. The error is of kind
// Invalid and names every fault with its line and column in body.
func ParseRuleGroup(body []byte) (rulefmt.RuleGroup, error) {
	var group rulefmt.RuleGroup
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	if err := dec.Decode(&group); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the document is empty")
		}
		return group, invalidRule(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return group, invalidRule("there is a second YAML document; send one group per request")
	}
	var nodes struct {
		Rules []rulefmt.RuleNode `yaml:"rules"`
	}
	if err := yaml.Unmarshal(body, &nodes); err != nil {
		return group, invalidRule(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := checkName("rule group", group.Name); err != nil {
		return group, err
	}
	var faults []string
	for name, value := range group.Labels {
		if !model.UTF8Validation.IsValidLabelName(name) || name == model.MetricNameLabel || !utf8.ValidString(value) {
			faults = append(faults, fmt.Sprintf("group label %q is not a label", name))
		}
	}
	promql := newParser()
	for i := range group.Rules {
		r := &group.Rules[i]
		for _, fault := range r.Validate(nodes.Rules[i], model.UTF8Validation, promql) {
			named := &rulefmt.Error{Group: group.Name, Rule: i + 1, RuleName: r.Alert + r.Record, Err: fault}
			faults = append(faults, named.Error())
		}
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		return group, invalidRule(strings.Join(faults, "; "))
	}
	return group, nil
}

func invalidRule(reason string) error {
	return seamark.Errorf(seamark.Invalid, "seamark-rule-invalid", "The rule group is not valid: %s.", reason)
}

// checkName refuses names that cannot be a key. A semicolon would let two groups share one identity, because Prometheus
// joins namespace and group with it.
func checkName(what, name string) error {
	switch {
	case name == "":
		return seamark.Errorf(seamark.Invalid, "seamark-rule-name", "The %s needs a name.", what)
	case len(name) > maxNameBytes:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-name", "The name of the %s has %d bytes; the limit is %d.", what, len(name), maxNameBytes)
	case strings.ContainsRune(name, ';') || strings.ContainsFunc(name, isControl) || !utf8.ValidString(name):
		return seamark.Errorf(seamark.Invalid, "seamark-rule-name", "The name of the %s holds a semicolon or a control character; leave them out.", what)
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// checkLimits refuses a group that would exceed the tenant's limits; existing are the groups that are stored.
func (s *Service) checkLimits(group *rulefmt.RuleGroup, known bool, existing int) error {
	l := s.opts.Limits
	switch {
	case len(group.Rules) > l.RulesPerGroup:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-count",
			"Group %q has %d rules; the limit is %d (alerting.rules-per-group). Split it into several groups.", group.Name, len(group.Rules), l.RulesPerGroup)
	case !known && existing >= l.GroupsPerTenant:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-group-count",
			"There are %d rule groups; the limit is %d (alerting.groups-per-tenant). Delete one or put the rules into an existing group.", existing, l.GroupsPerTenant)
	case group.Interval != 0 && time.Duration(group.Interval) < l.MinInterval:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-interval",
			"Group %q is to be evaluated every %s; the shortest interval is %s (alerting.min-interval).", group.Name, group.Interval, l.MinInterval)
	}
	return nil
}

// ListRuleGroups returns the tenant's groups by namespace, each namespace's sorted by name.
func (s *Service) ListRuleGroups(_ context.Context, tenant seamark.TenantID) (map[string][]rulefmt.RuleGroup, error) {
	docs, err := s.rules.of(tenant)
	if err != nil {
		return nil, err
	}
	return groupsByNamespace(docs), nil
}

func groupsByNamespace(docs map[string]ruleDoc) map[string][]rulefmt.RuleGroup {
	list := map[string][]rulefmt.RuleGroup{}
	for _, doc := range docs {
		list[doc.namespace] = append(list[doc.namespace], doc.group)
	}
	for _, groups := range list {
		slices.SortFunc(groups, func(a, b rulefmt.RuleGroup) int { return strings.Compare(a.Name, b.Name) })
	}
	return list
}

// SaveRuleGroup creates or replaces one group from its YAML. It returns after the group is stored; the evaluating process
// takes it over within a second and keeps the state of groups that did not change.
func (s *Service) SaveRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace string, body []byte) error {
	if err := checkName("namespace", namespace); err != nil {
		return err
	}
	group, err := ParseRuleGroup(body)
	if err != nil {
		return err
	}
	docs, err := s.rules.of(tenant)
	if err != nil {
		return err
	}
	rest := ruleKey(namespace, group.Name)
	_, known := docs[rest]
	if err := s.checkLimits(&group, known, len(docs)); err != nil {
		return err
	}
	stored, err := yaml.Marshal(group)
	if err != nil {
		return fmt.Errorf("encode rule group: %w", err)
	}
	return s.rules.put(ctx, tenant, rest, stored)
}

// DeleteRuleGroup removes one group; NotFound when there is none.
func (s *Service) DeleteRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace, group string) error {
	docs, err := s.rules.of(tenant)
	if err != nil {
		return err
	}
	rest := ruleKey(namespace, group)
	if _, ok := docs[rest]; !ok {
		return seamark.Errorf(seamark.NotFound, "seamark-rule-group-unknown", "There is no rule group %q in namespace %q.", group, namespace)
	}
	return s.rules.remove(ctx, tenant, rest)
}

// DeleteRuleNamespace removes all groups of a namespace; NotFound when it has none.
func (s *Service) DeleteRuleNamespace(ctx context.Context, tenant seamark.TenantID, namespace string) error {
	docs, err := s.rules.of(tenant)
	if err != nil {
		return err
	}
	found := false
	for rest, doc := range docs {
		if doc.namespace != namespace {
			continue
		}
		found = true
		if err := s.rules.remove(ctx, tenant, rest); err != nil {
			return err
		}
	}
	if !found {
		return seamark.Errorf(seamark.NotFound, "seamark-rule-namespace-unknown", "There are no rule groups in namespace %q.", namespace)
	}
	return nil
}

// RuleGroups returns the tenant's groups with their state: alerts, health, times. Only the evaluating process knows it;
// the others answer Unavailable.
func (s *Service) RuleGroups(_ context.Context, tenant seamark.TenantID) ([]*rules.Group, error) {
	t, err := s.tenant(tenant, false)
	if err != nil || t == nil {
		return nil, err
	}
	return t.manager.RuleGroups(), nil
}

// groupLoader hands the rules manager the groups of one tenant; a namespace takes the place of a file. It implements
// rules.GroupLoader.
type groupLoader struct {
	parser parser.Parser
	groups map[string][]rulefmt.RuleGroup // replaced before each Update, on the tenant's own goroutine
}

// Load implements rules.GroupLoader.
func (l *groupLoader) Load(namespace string, _ bool, _ model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	return &rulefmt.RuleGroups{Groups: l.groups[namespace]}, nil
}

// Parse implements rules.GroupLoader.
func (l *groupLoader) Parse(query string) (parser.Expr, error) { return l.parser.ParseExpr(query) }
