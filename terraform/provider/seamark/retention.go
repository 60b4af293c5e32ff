package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type retention struct {
	ID      types.String      `tfsdk:"id" json:"-"`
	Signals map[string]int64  `tfsdk:"signals" json:"signals"`
	Streams []streamRetention `tfsdk:"streams" json:"streams"`
}

type streamRetention struct {
	Signal   string `tfsdk:"signal" json:"signal"`
	Selector string `tfsdk:"selector" json:"selector"`
	Days     int64  `tfsdk:"days" json:"days"`
}

func retentionKind() crud.Kind {
	return &crud.Spec[retention]{
		Name:    "retention",
		Summary: "How long the tenant's data stays.",
		Text: "What is older goes with the next round, for ever. A tenant has one: do not write two. Destroyed, the installation's own retention holds again, which may be " +
			"shorter.",
		Single: true,
		Rename: map[string]string{"/set": ""},
		Attributes: map[string]schema.Attribute{
			"id": shown("Always `retention`."),
			"signals": schema.MapAttribute{
				ElementType: types.Int64Type, Optional: true,
				MarkdownDescription: "Days by signal: `logs`, `metrics`, `events` and so on; 0 is as long as the platform allows. What is absent stays as long as the installation says.",
			},
			"streams": schema.ListNestedAttribute{
				Optional: true, MarkdownDescription: "Streams and series that go earlier than their signal.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"signal":   required("`logs` or `metrics`.", among("logs", "metrics")),
					"selector": required("Label matchers, such as `{namespace=\"debug\"}`."),
					"days":     schema.Int64Attribute{Required: true, MarkdownDescription: "Fewer than the signal's."},
				}},
			},
		},
		Create: func(ctx context.Context, a *crud.Access, m *retention) error { return m.set(ctx, a, a.Keep()) },
		Read: func(ctx context.Context, a *crud.Access, m *retention) error {
			return m.show(a.FindRetention(ctx, a.Keep()))
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *retention) error { return m.set(ctx, a, a.IfSame()...) },
		Delete: func(ctx context.Context, a *crud.Access, _ *retention) error {
			return (&retention{}).set(ctx, a, a.IfSame()...)
		},
	}
}

func (m *retention) set(ctx context.Context, a *crud.Access, options ...client.CallOption) error {
	var body client.RetentionSet
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	if body.Signals == nil {
		body.Signals = map[string]int{}
	}
	if body.Streams == nil {
		body.Streams = []client.StreamRetention{}
	}
	return m.show(a.UpdateRetention(ctx, body, options...))
}

func (m *retention) show(answer *client.Retention, err error) error {
	if err != nil {
		return err
	}
	m.ID = types.StringValue("retention")
	return crud.Into(m)(answer.Set, nil)
}
