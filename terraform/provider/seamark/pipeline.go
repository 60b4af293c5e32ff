package seamark

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type pipeline struct {
	Name    *string        `tfsdk:"name" json:"name"`
	Enabled *bool          `tfsdk:"enabled" json:"enabled,omitempty"`
	After   *string        `tfsdk:"after" json:"-"`
	Steps   []pipelineStep `tfsdk:"steps" json:"steps"`
}

type pipelineStep struct {
	Name        string            `tfsdk:"name" json:"name"`
	Kind        string            `tfsdk:"kind" json:"kind"`
	Match       []string          `tfsdk:"match" json:"match,omitempty"`
	Statements  []string          `tfsdk:"statements" json:"statements,omitempty"`
	Ratio       *float64          `tfsdk:"ratio" json:"ratio,omitempty"`
	By          *string           `tfsdk:"by" json:"by,omitempty"`
	Patterns    []string          `tfsdk:"patterns" json:"patterns,omitempty"`
	Expressions []namedExpression `tfsdk:"expressions" json:"expressions,omitempty"`
	Stream      map[string]string `tfsdk:"stream" json:"stream,omitempty"`
	Metric      *pipelineMetric   `tfsdk:"metric" json:"metric,omitempty"`
}

type namedExpression struct {
	Name  string `tfsdk:"name" json:"name"`
	Regex string `tfsdk:"regex" json:"regex"`
}

type pipelineMetric struct {
	Name    string            `tfsdk:"name" json:"name"`
	Type    string            `tfsdk:"type" json:"type"`
	Value   *string           `tfsdk:"value" json:"value,omitempty"`
	Labels  map[string]string `tfsdk:"labels" json:"labels,omitempty"`
	Buckets []float64         `tfsdk:"buckets" json:"buckets,omitempty"`
}

func pipelineKind() crud.Kind {
	return &crud.Spec[pipeline]{
		Name:    "pipeline",
		Summary: "A log pipeline: steps that every log record of the tenant goes through.",
		Text: "A tenant's pipelines run in an order. A new one goes behind those that are there; `after` names the one that it goes right behind, best as a reference to its " +
			"resource, so that they are made in that order. Pipelines that no resource describes stay where they are.",
		Key: []string{"name"}, Hidden: []string{"after"},
		Attributes: map[string]schema.Attribute{
			"name":    required("Unique in the tenant, at most 64 characters.", fixed),
			"enabled": schema.BoolAttribute{Optional: true, MarkdownDescription: "A pipeline that is off is checked and does nothing. Off unless told."},
			"after":   optional("Name of the pipeline that it runs after, with others between them or none."),
			"steps": schema.ListNestedAttribute{
				Required: true, MarkdownDescription: "In the order in which they run.", NestedObject: schema.NestedAttributeObject{Attributes: stepAttributes()},
			},
		},
		Create: func(ctx context.Context, a *crud.Access, m *pipeline) error {
			return changePipelines(ctx, a, func(list []client.Pipeline) ([]client.Pipeline, error) {
				if at := indexPipeline(list, crud.Text(m.Name)); at >= 0 {
					return nil, &crud.FieldFault{
						Path: path.Root("name"), Summary: "The tenant has a pipeline of this name", Detail: "Import it, or choose another name.",
					}
				}
				return m.place(list)
			}, m)
		},
		Read: func(ctx context.Context, a *crud.Access, m *pipeline) error {
			found, err := a.FindPipelines(ctx)
			if err != nil {
				return err
			}
			return m.show(found.Pipelines)
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *pipeline) error {
			return changePipelines(ctx, a, m.place, m)
		},
		Delete: func(ctx context.Context, a *crud.Access, m *pipeline) error {
			return changePipelines(ctx, a, func(list []client.Pipeline) ([]client.Pipeline, error) {
				return slices.DeleteFunc(list, func(p client.Pipeline) bool { return p.Name == crud.Text(m.Name) }), nil
			}, nil)
		},
	}
}

func stepAttributes() map[string]schema.Attribute {
	list := func(about string) schema.ListAttribute {
		return schema.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: about}
	}
	return map[string]schema.Attribute{
		"name":       required("Unique in the pipeline."),
		"kind":       required("`transform`, `drop`, `sample`, `redact`, `route` or `metric`. Each of the other attributes belongs to one kind.", among("transform", "drop", "sample", "redact", "route", "metric")),
		"match":      list("OTTL conditions that must all hold. Without any the step takes every record; a drop needs one."),
		"statements": list("transform: OTTL statements, run in order."),
		"ratio":      schema.Float64Attribute{Optional: true, MarkdownDescription: "sample: the share of records that is kept."},
		"by":         optional("sample: what is kept or removed together, `record` or `trace`."),
		"patterns":   list("redact: built-in patterns, `email`, `credit_card`, `ipv4`, `jwt`, `token`, `secret`."),
		"expressions": schema.ListNestedAttribute{
			Optional: true, MarkdownDescription: "redact: the tenant's own patterns.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"name": required("What stands in place of what was found."), "regex": required("RE2."),
			}},
		},
		"stream": table("route: stream labels to set; an empty value removes the label."),
		"metric": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "metric: what is written.",
			Attributes: map[string]schema.Attribute{
				"name":    required("Name of the metric."),
				"type":    required("`counter`, `gauge` or `histogram`.", among("counter", "gauge", "histogram")),
				"value":   optional("OTTL expression; a counter without one counts records."),
				"labels":  table("OTTL expressions by label name."),
				"buckets": schema.ListAttribute{ElementType: types.Float64Type, Optional: true, MarkdownDescription: "A histogram's upper bounds, rising, without +Inf."},
			},
		},
	}
}

func indexPipeline(list []client.Pipeline, name string) int {
	return slices.IndexFunc(list, func(p client.Pipeline) bool { return p.Name == name })
}

// place puts the pipeline into the list: where it is, or where it has to go.
func (m *pipeline) place(list []client.Pipeline) ([]client.Pipeline, error) {
	var p client.Pipeline
	if err := crud.Body(m, &p); err != nil {
		return nil, err
	}
	at := indexPipeline(list, p.Name)
	before := indexPipeline(list, crud.Text(m.After))
	switch {
	case m.After != nil && before < 0:
		return nil, &crud.FieldFault{Path: path.Root("after"), Summary: "There is no such pipeline", Detail: "The tenant has no pipeline " + *m.After + " to go behind."}
	case at >= 0 && (m.After == nil || before < at):
		list[at] = p
		return list, nil
	case at >= 0:
		list = slices.Delete(list, at, at+1)
		before--
	}
	if m.After == nil {
		return append(list, p), nil
	}
	return slices.Insert(list, before+1, p), nil
}

// show fills the model from the list. Where it does not run after the one that it should, it runs after none.
func (m *pipeline) show(list []client.Pipeline) error {
	at := indexPipeline(list, crud.Text(m.Name))
	if at < 0 {
		return absent("There is no pipeline %s.", crud.Text(m.Name))
	}
	if m.After != nil {
		if before := indexPipeline(list, *m.After); before < 0 || before > at {
			m.After = nil
		}
	}
	return crud.Into(m)(list[at], nil)
}

// maxLostRaces bounds how often a change of the list begins anew because somebody else was faster. More would be a loop.
const maxLostRaces = 5

// changePipelines changes the one document that all pipelines of a tenant stand in, and fills shown, unless it is nil, from it.
func changePipelines(ctx context.Context, a *crud.Access, change func([]client.Pipeline) ([]client.Pipeline, error), shown *pipeline) error {
	defer a.Lock("pipelines")()
	for try := 1; ; try++ {
		now, err := a.FindPipelines(ctx)
		if err != nil {
			return err
		}
		list, err := change(now.Pipelines)
		if err != nil {
			return err
		}
		if list == nil {
			list = []client.Pipeline{}
		}
		saved, err := a.ReplacePipelines(ctx, client.NewPipelines{Pipelines: list, Revision: &now.Revision})
		if client.IsConflict(err) && try < maxLostRaces {
			continue
		}
		if err != nil || shown == nil {
			return err
		}
		return shown.show(saved.Pipelines)
	}
}
