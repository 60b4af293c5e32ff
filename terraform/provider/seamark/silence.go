package seamark

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type silence struct {
	ID        types.String     `tfsdk:"id" json:"-" answer:"id"`
	Matchers  []silenceMatcher `tfsdk:"matchers" json:"-"`
	StartsAt  types.String     `tfsdk:"starts_at" json:"-"`
	EndsAt    *string          `tfsdk:"ends_at" json:"endsAt" same:"time"`
	Comment   *string          `tfsdk:"comment" json:"comment"`
	CreatedBy *string          `tfsdk:"created_by" json:"createdBy"`
}

type silenceMatcher struct {
	Name     string  `tfsdk:"name" json:"name"`
	Operator *string `tfsdk:"operator" json:"-"`
	Value    string  `tfsdk:"value" json:"value"`
}

// storedSilence is what only Alertmanager's form of a silence has.
type storedSilence struct {
	Matchers []struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		IsRegex bool   `json:"isRegex"`
		IsEqual *bool  `json:"isEqual"`
	} `json:"matchers"`
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt"`
	Status   struct {
		State string `json:"state"`
	} `json:"status"`
}

func silenceKind() crud.Kind {
	return &crud.Spec[silence]{
		Name:    "silence",
		Summary: "A silence: alerts that it matches notify nobody while it lasts.",
		Text: "One that has run to its end is no drift: it stays in the state as it was until it is destroyed. One that somebody ended before is made again. Another matcher " +
			"ends the silence and begins one with another id.",
		Key: []string{"id"},
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{Computed: true, MarkdownDescription: "Alertmanager's id."},
			"matchers": schema.ListNestedAttribute{
				Required: true, MarkdownDescription: "All must hold of an alert.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":     required("Name of a label."),
					"operator": optional("`=`, `!=`, `=~` or `!~`.", otherwise("="), among("=", "!=", "=~", "!~")),
					"value":    required("Value, or regular expression."),
				}},
			},
			"starts_at":  optional("When it begins (RFC 3339); now unless told. A time in the past is now.", serverSays, instant),
			"ends_at":    required("When it ends (RFC 3339).", instant),
			"comment":    required("Why."),
			"created_by": optional("Who made it.", otherwise("terraform")),
		},
		Create: saveSilence,
		Read:   readSilence,
		Update: func(ctx context.Context, a *crud.Access, m, prior *silence) error {
			m.ID = prior.ID
			return saveSilence(ctx, a, m)
		},
		Delete: func(ctx context.Context, a *crud.Access, m *silence) error {
			if m.over() {
				return nil
			}
			return a.AlertmanagerExpireSilence(ctx, m.ID.ValueString())
		},
	}
}

// serverSays has the server say the attribute where the user does not.
func serverSays(a *schema.StringAttribute) {
	a.Computed = true
	a.PlanModifiers = append(a.PlanModifiers, shown("").PlanModifiers...)
}

// over reports whether the silence has run to its end.
func (m *silence) over() bool {
	end, err := time.Parse(time.RFC3339, crud.Text(m.EndsAt))
	return err == nil && !end.After(time.Now())
}

func saveSilence(ctx context.Context, a *crud.Access, m *silence) error {
	matchers := []map[string]any{}
	for _, c := range m.Matchers {
		operator := crud.Text(c.Operator)
		matchers = append(matchers, map[string]any{
			"name": c.Name, "value": c.Value, "isRegex": operator == "=~" || operator == "!~", "isEqual": operator == "=" || operator == "=~",
		})
	}
	body := client.AlertmanagerSaveSilenceJSONBody{"matchers": matchers, "startsAt": time.Now().UTC().Format(time.RFC3339Nano)}
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	if begins := m.StartsAt.ValueString(); begins != "" {
		body["startsAt"] = begins
	}
	if id := m.ID.ValueString(); id != "" {
		body["id"] = id
	}
	answer, err := a.AlertmanagerSaveSilence(ctx, body)
	if err != nil {
		return err
	}
	var saved struct {
		SilenceID string `json:"silenceID"`
	}
	if err := json.Unmarshal(answer, &saved); err != nil {
		return fmt.Errorf("the answer is not what this provider knows: %w", err)
	}
	a.Made()
	m.ID = types.StringValue(saved.SilenceID)
	return readSilence(ctx, a, m)
}

func readSilence(ctx context.Context, a *crud.Access, m *silence) error {
	answer, err := a.AlertmanagerFindSilence(ctx, m.ID.ValueString())
	if client.IsNotFound(err) && m.over() {
		return nil // Alertmanager has forgotten what was over long ago
	}
	if err != nil {
		return err
	}
	var stored storedSilence
	if err := json.Unmarshal(answer, &stored); err != nil {
		return fmt.Errorf("the answer is not what this provider knows: %w", err)
	}
	if stored.Status.State == "expired" {
		if m.over() {
			return nil
		}
		return absent("The silence %s was ended before its time.", m.ID.ValueString())
	}
	m.Matchers = m.Matchers[:0]
	for _, c := range stored.Matchers {
		m.Matchers = append(m.Matchers, silenceMatcher{Name: c.Name, Value: c.Value, Operator: new(operatorOf(c.IsRegex, c.IsEqual == nil || *c.IsEqual))})
	}
	if said, err := time.Parse(time.RFC3339, m.StartsAt.ValueString()); err != nil || said.After(stored.StartsAt) {
		m.StartsAt = types.StringValue(stored.StartsAt.Format(time.RFC3339Nano))
	}
	return crud.Into(m)(answer, nil)
}

func operatorOf(regex, equal bool) string {
	switch {
	case regex && equal:
		return "=~"
	case regex:
		return "!~"
	case equal:
		return "="
	}
	return "!="
}
