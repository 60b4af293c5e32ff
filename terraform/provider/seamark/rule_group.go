package seamark

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type ruleGroup struct {
	Namespace *string `tfsdk:"namespace" json:"namespace"`
	Name      *string `tfsdk:"name" json:"name"`
	Language  *string `tfsdk:"language" json:"language,omitempty"`
	YAML      *string `tfsdk:"yaml" json:"-"`
	rules
}

// rules are what a group consists of when it is written in HCL.
type rules struct {
	Interval    *string           `tfsdk:"interval" json:"interval,omitempty" same:"duration"`
	QueryOffset *string           `tfsdk:"query_offset" json:"query_offset,omitempty" same:"duration"`
	Limit       *int64            `tfsdk:"limit" json:"limit,omitempty"`
	Labels      map[string]string `tfsdk:"labels" json:"labels,omitempty"`
	Rules       []rule            `tfsdk:"rules" json:"rules"`
}

type rule struct {
	Alert         *string           `tfsdk:"alert" json:"alert,omitempty"`
	Record        *string           `tfsdk:"record" json:"record,omitempty"`
	Expr          string            `tfsdk:"expr" json:"expr"`
	For           *string           `tfsdk:"for" json:"for,omitempty" same:"duration"`
	KeepFiringFor *string           `tfsdk:"keep_firing_for" json:"keep_firing_for,omitempty" same:"duration"`
	Labels        map[string]string `tfsdk:"labels" json:"labels,omitempty"`
	Annotations   map[string]string `tfsdk:"annotations" json:"annotations,omitempty"`
}

func ruleGroupKind() crud.Kind {
	return &crud.Spec[ruleGroup]{
		Name:    "rule_group",
		Summary: "A group of alerting and recording rules.",
		Text: "It is written in HCL (`rules`), or as the `yaml` of Prometheus' rule files, so that files of rules are used as they are. Every fault is told at the " +
			"rule that has it, or by line and column of the YAML. After an import the group stands in HCL.",
		Key:    []string{"namespace", "name"},
		Rename: map[string]string{"/group": ""},
		Hidden: []string{"yaml"},
		Attributes: map[string]schema.Attribute{
			"namespace":    required("Namespace of rules; any text.", fixed),
			"name":         required("Name of the group. The `yaml` has the same or none.", fixed),
			"language":     optional("`promql` or `logql`.", otherwise("promql"), among("promql", "logql"), fixed),
			"yaml":         optional("The group as YAML in the form of Prometheus: `name`, `interval`, `rules` and so on.", meaning(sameRules)),
			"interval":     optional("How often the rules are evaluated, such as `1m`.", meaning(crud.SameDuration)),
			"query_offset": optional("How far behind the clock they are evaluated, such as `30s`.", meaning(crud.SameDuration)),
			"limit":        number("The most alerts or series of one rule; any number unless told."),
			"labels":       table("Labels of all rules' alerts and series."),
			"rules": schema.ListNestedAttribute{
				Optional: true, MarkdownDescription: "The rules, in the order in which they are evaluated.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"alert":           optional("Name of the alert; of an alerting rule."),
					"record":          optional("Name of the metric; of a recording rule."),
					"expr":            required("The expression, in the group's language."),
					"for":             optional("How long it must hold before the alert fires.", meaning(crud.SameDuration)),
					"keep_firing_for": optional("How long the alert fires on when it does not hold any more.", meaning(crud.SameDuration)),
					"labels":          table("Labels of the alert or the series."),
					"annotations":     table("Annotations of the alert."),
				}},
			},
		},
		Check: []resource.ConfigValidator{
			resourcevalidator.ExactlyOneOf(path.MatchRoot("yaml"), path.MatchRoot("rules")),
			resourcevalidator.Conflicting(path.MatchRoot("yaml"), path.MatchRoot("interval")),
			resourcevalidator.Conflicting(path.MatchRoot("yaml"), path.MatchRoot("query_offset")),
			resourcevalidator.Conflicting(path.MatchRoot("yaml"), path.MatchRoot("limit")),
			resourcevalidator.Conflicting(path.MatchRoot("yaml"), path.MatchRoot("labels")),
		},
		Create: func(ctx context.Context, a *crud.Access, m *ruleGroup) error {
			return m.save(ctx, a, a.Keep(), client.IfAbsent())
		},
		Read: func(ctx context.Context, a *crud.Access, m *ruleGroup) error {
			return m.show(a.FindAlertingGroup(ctx, crud.Text(m.Namespace), crud.Text(m.Name), a.Keep()))
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *ruleGroup) error { return m.save(ctx, a, a.IfSame()...) },
		Delete: func(ctx context.Context, a *crud.Access, m *ruleGroup) error {
			return a.DeleteAlertingGroup(ctx, crud.Text(m.Namespace), crud.Text(m.Name), a.IfSame()...)
		},
	}
}

func (m *ruleGroup) save(ctx context.Context, a *crud.Access, options ...client.CallOption) error {
	draft := client.AlertingGroupDraft{Language: (*client.AlertingGroupDraftLanguage)(m.Language)}
	if m.YAML != nil {
		draft.Group = *m.YAML
	} else {
		draft.Group = struct {
			Name *string `json:"name"`
			rules
		}{m.Name, m.rules}
	}
	saved, err := a.SaveAlertingGroup(ctx, crud.Text(m.Namespace), crud.Text(m.Name), draft, options...)
	if e := (*client.Error)(nil); m.YAML != nil && asInvalid(err, &e) {
		return &crud.FieldFault{Path: path.Root("yaml"), Summary: "The rule group is not valid", Detail: e.Detail}
	}
	return m.show(saved, err)
}

// show fills the model with the server's group: into the rules, or, where they are written as YAML, into that.
func (m *ruleGroup) show(group *client.AlertingGroup, err error) error {
	if err != nil {
		return err
	}
	m.Language = new(string(group.Language))
	if m.YAML == nil {
		return crud.Into(&m.rules)(group.Group, nil)
	}
	text, err := json.Marshal(group.Group)
	if err != nil {
		return fmt.Errorf("read the group: %w", err)
	}
	if !sameRules(*m.YAML, string(text)) {
		var document any
		if err := json.Unmarshal(text, &document); err != nil {
			return fmt.Errorf("read the group: %w", err)
		}
		written, err := yaml.Marshal(document)
		if err != nil {
			return fmt.Errorf("write the group: %w", err)
		}
		m.YAML = new(string(written))
	}
	return nil
}

// sameRules reports whether two YAML documents, of which JSON is one form, are the same group.
func sameRules(a, b string) bool {
	x, errX := parseRules(a)
	y, errY := parseRules(b)
	if errX != nil || errY != nil {
		return false
	}
	if x.Name == nil {
		y.Name = nil // it stands beside the document
	}
	merged := x
	if crud.Into(&merged)(y, nil) != nil {
		return false
	}
	return reflect.DeepEqual(x, merged)
}

// namedRules are rules with the name that stands in their document.
type namedRules struct {
	Name *string `json:"name"`
	rules
}

func parseRules(text string) (namedRules, error) {
	var document any
	var parsed namedRules
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return parsed, err
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		return parsed, err
	}
	err = json.Unmarshal(encoded, &parsed)
	return parsed, err
}
