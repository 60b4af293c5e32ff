package seamark

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type dashboard struct {
	ID        types.String `tfsdk:"id" json:"-" answer:"id"`
	Spec      *string      `tfsdk:"spec" json:"-"`
	CreatedAt types.String `tfsdk:"created_at" json:"-" answer:"created_at"`
}

func dashboardKind() crud.Kind {
	return &crud.Spec[dashboard]{
		Name:    "dashboard",
		Summary: "A dashboard of the tenant.",
		Text:    "`spec` is its document as JSON, from `jsonencode`, from a file, or as the console exports it. A document that says the same is no change.",
		Key:     []string{"id"},
		Rename:  map[string]string{"": "/spec"},
		Attributes: map[string]schema.Attribute{
			"id":         shown("Opaque id."),
			"spec":       required("The document: `version` (1), `title`, `panels` and so on, as `docs/dashboards.md` explains.", meaning(crud.SameJSON)),
			"created_at": shown("When it was made."),
		},
		Create: func(ctx context.Context, a *crud.Access, m *dashboard) error {
			spec, err := m.document()
			if err != nil {
				return err
			}
			return m.show(a.CreateDashboard(ctx, spec, a.Keep()))
		},
		Read: func(ctx context.Context, a *crud.Access, m *dashboard) error {
			return m.show(a.FindDashboard(ctx, m.ID.ValueString(), a.Keep()))
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *dashboard) error {
			spec, err := m.document()
			if err != nil {
				return err
			}
			return m.show(a.UpdateDashboard(ctx, m.ID.ValueString(), spec, a.IfSame()...))
		},
		Delete: func(ctx context.Context, a *crud.Access, m *dashboard) error {
			return a.DeleteDashboard(ctx, m.ID.ValueString(), a.IfSame()...)
		},
	}
}

// document reads the spec. A field that dashboards do not have is a fault, as it is to the server.
func (m *dashboard) document() (client.DashboardSpec, error) {
	var spec client.DashboardSpec
	decoder := json.NewDecoder(strings.NewReader(crud.Text(m.Spec)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&spec); err != nil {
		return spec, &crud.FieldFault{Path: path.Root("spec"), Summary: "The document is not that of a dashboard", Detail: err.Error()}
	}
	return spec, nil
}

func (m *dashboard) show(answer *client.Dashboard, err error) error {
	if err != nil {
		return err
	}
	text, err := json.Marshal(answer.Spec)
	if err != nil {
		return fmt.Errorf("read the dashboard: %w", err)
	}
	if !crud.SameJSON(crud.Text(m.Spec), string(text)) {
		m.Spec = new(string(text))
	}
	return crud.Into(m)(answer, nil)
}
