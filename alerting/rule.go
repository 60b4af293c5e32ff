package alerting

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxNameBytes bounds a namespace's and a group's name: both become part of a NATS subject.
const maxNameBytes = 256

// RuleGroup is a tenant's rule group.
type RuleGroup struct {
	Namespace string
	Language  string // of all its expressions
	Group     rulefmt.RuleGroup
	// Revision counts what was stored under the group's name; 0 for groups of packs.
	Revision uint64
	// Pack names the pack that the group is part of; it is read-only then. "" is a group that somebody saved.
	Pack string
}

// key identifies the group among the tenant's.
func (g *RuleGroup) key() string { return ruleKey(g.Namespace, g.Group.Name) }

// ruleDoc is one document of the rules' bucket: a group, or the settings of a pack.
type ruleDoc struct {
	group RuleGroup
	pack  *packDoc // nil for a group
}

// storedGroup is a group as it is stored. Groups over metrics are Prometheus' own YAML.
type storedGroup struct {
	Language          string `yaml:"language,omitempty"`
	rulefmt.RuleGroup `yaml:",inline"`
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

// decodeRule reads a stored document with the same checks as an incoming one: the bucket is shared by versions.
func (s *Service) decodeRule(_ seamark.TenantID, rest string, body []byte) (ruleDoc, error) {
	if name, ok := strings.CutPrefix(rest, packPrefix); ok {
		pack, err := decodePack(name, body)
		return ruleDoc{pack: pack}, err
	}
	namespace, name, err := parseRuleKey(rest)
	if err != nil {
		return ruleDoc{}, err
	}
	var stored storedGroup
	if err := yaml.Unmarshal(body, &stored); err != nil {
		return ruleDoc{}, err
	}
	language := cmp.Or(stored.Language, PromQL)
	plain, err := yaml.Marshal(stored.RuleGroup)
	if err != nil {
		return ruleDoc{}, err
	}
	group, err := s.ParseGroup(language, plain)
	if err != nil {
		return ruleDoc{}, err
	}
	if group.Name != name {
		return ruleDoc{}, fmt.Errorf("group is called %q in its key and %q inside", name, group.Name)
	}
	return ruleDoc{group: RuleGroup{Namespace: namespace, Language: language, Group: group}}, nil
}

// ParseGroup reads a group of the language; Invalid names all faults with their places.
func (s *Service) ParseGroup(language string, body []byte) (rulefmt.RuleGroup, error) {
	if err := s.checkLanguage(language); err != nil {
		return rulefmt.RuleGroup{}, err
	}
	return ParseRuleGroup(body, s.exprCheck(language))
}

func (s *Service) exprCheck(language string) func(string) (int, int, error) {
	if language == LogQL {
		return s.opts.CheckLogs
	}
	return checkPromQL
}

// CheckGroup returns all faults of a group, those against the tenant's limits among them; none for one that can be saved. The
// namespace may be empty when it is not decided yet.
func (s *Service) CheckGroup(tenant seamark.TenantID, namespace, language string, body []byte) (RuleGroup, []RuleFault, error) {
	if err := cmpErr(s.checkLanguage(language), s.checkSize(body)); err != nil {
		return RuleGroup{}, nil, err
	}
	if namespace != "" {
		if err := checkNamespace(namespace); err != nil {
			return RuleGroup{}, nil, err
		}
	}
	group, faults := CheckRuleGroup(body, s.exprCheck(language))
	g := RuleGroup{Namespace: namespace, Language: language, Group: group}
	if len(faults) > 0 {
		return g, faults, nil
	}
	docs, err := s.rules.of(tenant)
	if err != nil {
		return g, nil, err
	}
	if err := s.admitGroup(&g, docs); err != nil {
		faults = append(faults, RuleFault{Group: group.Name, Message: err.Error()})
	}
	return g, faults, nil
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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

// checkNamespace is checkName for namespaces, of which those of packs belong to packs.
func checkNamespace(name string) error {
	if strings.HasPrefix(name, packNamespace) {
		return seamark.Errorf(seamark.Invalid, "seamark-rule-namespace-reserved",
			"Namespaces that begin with %q belong to rule packs, whose groups are read-only. Use another namespace; copy a group of a pack there to change it.", packNamespace)
	}
	return checkName("namespace", name)
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func (s *Service) checkSize(body []byte) error {
	if limit := s.opts.Limits.GroupBytes; len(body) > limit {
		return seamark.Errorf(seamark.TooLarge, "seamark-rule-size",
			"The rule group has %d bytes, %d more than the limit of %d for every tenant's groups (--alerting.max-group-bytes). Split it into several groups.",
			len(body), len(body)-limit, limit)
	}
	return nil
}

// admitGroup refuses a group that takes another's name or would exceed the tenant's limits; docs are what is stored.
func (s *Service) admitGroup(g *RuleGroup, docs map[string]ruleDoc) error {
	l := s.opts.Limits
	group := &g.Group
	existing, known := docs[g.key()]
	count := 0
	for _, doc := range docs {
		if doc.pack == nil {
			count++
		}
	}
	switch {
	case known && existing.group.Language != g.Language:
		return seamark.Errorf(seamark.Conflict, "seamark-rule-language-conflict",
			"Group %q of namespace %q is in %s, and this one in %s. Delete it first, or take another name.", group.Name, g.Namespace, existing.group.Language, g.Language)
	case len(group.Rules) > l.RulesPerGroup:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-count",
			"Group %q has %d rules, %d more than the limit of %d for every tenant's groups (--alerting.rules-per-group). Split it into several groups.",
			group.Name, len(group.Rules), len(group.Rules)-l.RulesPerGroup, l.RulesPerGroup)
	case !known && count >= l.GroupsPerTenant:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-group-count",
			"The tenant has %d rule groups, and with this one %d more than the limit of %d for every tenant (--alerting.groups-per-tenant). Delete one or put the rules into an existing group.",
			count, count+1-l.GroupsPerTenant, l.GroupsPerTenant)
	case group.Interval != 0 && time.Duration(group.Interval) < l.MinInterval:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-interval",
			"Group %q is to be evaluated every %s; the shortest interval of every tenant's groups is %s (--alerting.min-interval).", group.Name, group.Interval, l.MinInterval)
	case group.QueryOffset != nil && time.Duration(*group.QueryOffset) > l.MaxQueryOffset:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-offset",
			"Group %q is to be evaluated %s behind the clock; the limit of every tenant's groups is %s (--alerting.max-query-offset).", group.Name, group.QueryOffset, l.MaxQueryOffset)
	}
	return nil
}

// ListGroups returns the tenant's groups, those of its packs among them, by namespace and name.
func (s *Service) ListGroups(_ context.Context, tenant seamark.TenantID) ([]RuleGroup, error) {
	docs, err := s.rules.of(tenant)
	if err != nil {
		return nil, err
	}
	return s.groupsOf(tenant, docs), nil
}

// groupsOf returns what the documents say, by namespace and name.
func (s *Service) groupsOf(tenant seamark.TenantID, docs map[string]ruleDoc) []RuleGroup {
	list := make([]RuleGroup, 0, len(docs))
	for rest, doc := range docs {
		if doc.pack != nil {
			list = append(list, s.packGroups(doc.pack)...)
			continue
		}
		doc.group.Revision = s.rules.revisionOf(tenant, rest)
		list = append(list, doc.group)
	}
	slices.SortFunc(list, func(a, b RuleGroup) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Group.Name, b.Group.Name))
	})
	return list
}

// FindGroup returns one group; NotFound when there is none.
func (s *Service) FindGroup(ctx context.Context, tenant seamark.TenantID, namespace, name string) (RuleGroup, error) {
	list, err := s.ListGroups(ctx, tenant)
	if err != nil {
		return RuleGroup{}, err
	}
	at := slices.IndexFunc(list, func(g RuleGroup) bool { return g.Namespace == namespace && g.Group.Name == name })
	if at < 0 {
		return RuleGroup{}, groupUnknown(namespace, name)
	}
	return list[at], nil
}

func groupUnknown(namespace, name string) error {
	return seamark.Errorf(seamark.NotFound, "seamark-rule-group-unknown", "There is no rule group %q in namespace %q.", name, namespace)
}

// ListRuleGroups returns the tenant's saved groups of a language by namespace, each namespace's sorted by name.
func (s *Service) ListRuleGroups(ctx context.Context, tenant seamark.TenantID, language string) (map[string][]rulefmt.RuleGroup, error) {
	groups, err := s.ListGroups(ctx, tenant)
	if err != nil {
		return nil, err
	}
	list := map[string][]rulefmt.RuleGroup{}
	for _, g := range groups {
		if g.Pack == "" && g.Language == language {
			list[g.Namespace] = append(list[g.Namespace], g.Group)
		}
	}
	return list, nil
}

// SaveRuleGroup creates or replaces one group from its YAML. It returns after the group is stored; the evaluating process
// takes it over within a second and keeps the state of groups that did not change.
func (s *Service) SaveRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace, language string, body []byte) error {
	_, err := s.SaveGroup(ctx, tenant, RuleGroup{Namespace: namespace, Language: language}, body, nil)
	return err
}

// SaveGroup is SaveRuleGroup that answers what was stored. g names namespace and language; its Group, unless its name is empty,
// must have the name of the one in body. The revision, where it is not nil, is the one that the change replaces, 0 for a
// group that must not exist yet; Conflict when it is not.
func (s *Service) SaveGroup(ctx context.Context, tenant seamark.TenantID, g RuleGroup, body []byte, revision *uint64) (RuleGroup, error) {
	if err := cmpErr(checkNamespace(g.Namespace), s.checkSize(body)); err != nil {
		return g, err
	}
	group, err := s.ParseGroup(g.Language, body)
	if err != nil {
		return g, err
	}
	if want := g.Group.Name; want != "" && want != group.Name {
		return g, seamark.Errorf(seamark.Invalid, "seamark-rule-name", "The group is called %q in the path and %q in the document.", want, group.Name)
	}
	g.Group = group
	docs, err := s.rules.of(tenant)
	if err != nil {
		return g, err
	}
	if err := s.admitGroup(&g, docs); err != nil {
		return g, err
	}
	stored := storedGroup{RuleGroup: group}
	if g.Language != PromQL {
		stored.Language = g.Language
	}
	encoded, err := yaml.Marshal(stored)
	if err != nil {
		return g, fmt.Errorf("encode rule group: %w", err)
	}
	g.Revision, err = s.rules.swap(ctx, tenant, g.key(), encoded, revision)
	return g, err
}

// DeleteRuleGroup removes one group of a language; NotFound when there is none.
func (s *Service) DeleteRuleGroup(ctx context.Context, tenant seamark.TenantID, namespace, name, language string) error {
	return s.DeleteGroup(ctx, tenant, RuleGroup{Namespace: namespace, Language: language, Group: rulefmt.RuleGroup{Name: name}}, nil)
}

// DeleteGroup removes the group that g names, in any language where g has none; NotFound when there is none. The revision is
// that of SaveGroup.
func (s *Service) DeleteGroup(ctx context.Context, tenant seamark.TenantID, g RuleGroup, revision *uint64) error {
	if err := checkNamespace(g.Namespace); err != nil {
		return err
	}
	docs, err := s.rules.of(tenant)
	if err != nil {
		return err
	}
	doc, ok := docs[g.key()]
	if !ok || g.Language != "" && doc.group.Language != g.Language {
		return groupUnknown(g.Namespace, g.Group.Name)
	}
	return s.rules.removeAt(ctx, tenant, g.key(), revision)
}

// DeleteRuleNamespace removes all groups of a namespace and language; NotFound when it has none.
func (s *Service) DeleteRuleNamespace(ctx context.Context, tenant seamark.TenantID, namespace, language string) error {
	if err := checkNamespace(namespace); err != nil {
		return err
	}
	docs, err := s.rules.of(tenant)
	if err != nil {
		return err
	}
	found := false
	for _, rest := range slices.Sorted(maps.Keys(docs)) {
		if doc := docs[rest]; doc.pack != nil || doc.group.Namespace != namespace || doc.group.Language != language {
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

// RuleGroups returns the tenant's groups with their state, by namespace and name: alerts, health, times. Only the evaluating process knows it;
// the others answer Unavailable.
func (s *Service) RuleGroups(_ context.Context, tenant seamark.TenantID) ([]*rules.Group, error) {
	t, err := s.tenant(tenant, false)
	if err != nil || t == nil {
		return nil, err
	}
	groups := t.manager.RuleGroups()
	slices.SortFunc(groups, func(a, b *rules.Group) int {
		return cmp.Or(cmp.Compare(NamespaceOf(a), NamespaceOf(b)), cmp.Compare(a.Name(), b.Name()))
	})
	return groups, nil
}
