package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type savedQuery struct {
	ID           types.String `tfsdk:"id" json:"-" answer:"id"`
	Name         *string      `tfsdk:"name" json:"name"`
	Description  *string      `tfsdk:"description" json:"description,omitempty"`
	Language     *string      `tfsdk:"language" json:"language"`
	Query        *string      `tfsdk:"query" json:"query"`
	RangeSeconds *int64       `tfsdk:"range_seconds" json:"range_seconds,omitempty"`
	StepSeconds  *int64       `tfsdk:"step_seconds" json:"step_seconds,omitempty"`
	Tags         []string     `tfsdk:"tags" json:"tags,omitempty"`
	Visibility   *string      `tfsdk:"visibility" json:"visibility,omitempty"`
	CreatedAt    types.String `tfsdk:"created_at" json:"-" answer:"created_at"`
}

func savedQueryKind() crud.Kind {
	return &crud.Spec[savedQuery]{
		Name:    "saved_query",
		Summary: "A query that the tenant keeps.",
		Key:     []string{"id"},
		Attributes: map[string]schema.Attribute{
			"id":            shown("Opaque id."),
			"name":          required("For people, at most 120 characters."),
			"description":   optional("For people."),
			"language":      required("`promql`, `logql`, `events` or `audit`.", among("promql", "logql", "events", "audit")),
			"query":         required("The query, or the filters of events and audit records as in a URL. Grafana's `$__interval` and the like may stand in it."),
			"range_seconds": number("How far back to ask."),
			"step_seconds":  number("Time between two values."),
			"tags":          texts("Words to find it by."),
			"visibility":    optional("`tenant`: whoever may read saved queries sees it; `private`: the provider's own key alone.", otherwise("tenant"), among("tenant", "private")),
			"created_at":    shown("When it was made."),
		},
		Create: func(ctx context.Context, a *crud.Access, m *savedQuery) error {
			return crud.Send(m, func(body client.SavedQuerySpec) (*client.SavedQuery, error) {
				return a.CreateSavedQuery(ctx, body, a.Keep())
			})
		},
		Read: func(ctx context.Context, a *crud.Access, m *savedQuery) error {
			return crud.Into(m)(a.FindSavedQuery(ctx, m.ID.ValueString(), a.Keep()))
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *savedQuery) error {
			return crud.Send(m, func(body client.SavedQuerySpec) (*client.SavedQuery, error) {
				return a.UpdateSavedQuery(ctx, m.ID.ValueString(), body, a.IfSame()...)
			})
		},
		Delete: func(ctx context.Context, a *crud.Access, m *savedQuery) error {
			return a.DeleteSavedQuery(ctx, m.ID.ValueString(), a.IfSame()...)
		},
	}
}
