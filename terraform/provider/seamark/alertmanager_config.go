package seamark

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type alertmanagerConfig struct {
	ID               types.String      `tfsdk:"id" json:"-"`
	Config           *string           `tfsdk:"config" json:"-"`
	Templates        map[string]string `tfsdk:"templates" json:"template_files"`
	SecretsWO        map[string]string `tfsdk:"secrets_wo" json:"-"`
	SecretsWOVersion *string           `tfsdk:"secrets_wo_version" json:"-"`
}

func alertmanagerConfigKind() crud.Kind {
	return &crud.Spec[alertmanagerConfig]{
		Name:    "alertmanager_config",
		Summary: "The whole Alertmanager configuration of the tenant: routes, receivers, inhibitions, templates.",
		Text: "A tenant has one, and this resource is all of it: do not use `seamark_receiver` beside it. Destroyed, the default holds, which notifies nobody.\n\n" +
			placeholderText,
		Single: true, Hidden: []string{"secrets_wo_version"},
		Attributes: map[string]schema.Attribute{
			"id":         shown("Always `alertmanager_config`."),
			"config":     required("Alertmanager's YAML, as `docs/receivers.md` explains.", meaning(sameMasked)),
			"templates":  table("Texts of templates by name, which the configuration's `templates` lists."),
			"secrets_wo": secretTexts("Secrets by the names that stand in `config`."), "secrets_wo_version": secretsVersion(),
		},
		Secrets: func(m, config *alertmanagerConfig) { m.SecretsWO = config.SecretsWO },
		Create:  saveAlertmanagerConfig,
		Read:    readAlertmanagerConfig,
		Update: func(ctx context.Context, a *crud.Access, m, _ *alertmanagerConfig) error {
			return saveAlertmanagerConfig(ctx, a, m)
		},
		Delete: func(ctx context.Context, a *crud.Access, _ *alertmanagerConfig) error {
			return a.DeleteAlertmanagerConfig(ctx)
		},
	}
}

func saveAlertmanagerConfig(ctx context.Context, a *crud.Access, m *alertmanagerConfig) error {
	document, err := unmasked(crud.Text(m.Config), m.SecretsWO)
	if err != nil {
		return err
	}
	defer a.Lock(alertmanagerLock)()
	if err := saveAlertmanager(ctx, a, document, m.Templates); err != nil {
		return err
	}
	a.Made()
	return readAlertmanagerConfig(ctx, a, m)
}

func readAlertmanagerConfig(ctx context.Context, a *crud.Access, m *alertmanagerConfig) error {
	stored, err := findAlertmanager(ctx, a)
	if err != nil {
		return err
	}
	m.ID = types.StringValue("alertmanager_config")
	if m.Config == nil || !sameMasked(stored.Config, *m.Config) {
		m.Config = &stored.Config
	}
	var shown, written any
	if yaml.Unmarshal([]byte(stored.Config), &shown) == nil && yaml.Unmarshal([]byte(*m.Config), &written) == nil {
		warnOfPlain(a, shown, written)
	}
	return crud.Into(m)(stored, nil)
}

// alertmanagerLock guards the one document that all of a tenant's receivers stand in. The API has no version of it.
const alertmanagerLock = "alertmanager"

// alertmanagerDocument is Mimir's form around an Alertmanager configuration.
type alertmanagerDocument struct {
	Config    string            `yaml:"alertmanager_config" json:"-"`
	Templates map[string]string `yaml:"template_files" json:"template_files"`
}

// findAlertmanager returns the stored configuration with masked secrets; not found when there is none.
func findAlertmanager(ctx context.Context, a *crud.Access) (*alertmanagerDocument, error) {
	stream, err := a.FindAlertmanagerConfig(ctx)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(stream)
	_ = stream.Close()
	if err != nil {
		return nil, fmt.Errorf("read the Alertmanager configuration: %w", err)
	}
	var stored alertmanagerDocument
	if err := yaml.Unmarshal(text, &stored); err != nil {
		return nil, fmt.Errorf("the Alertmanager configuration is not what this provider knows: %w", err)
	}
	return &stored, nil
}

// saveAlertmanager replaces the configuration.
func saveAlertmanager(ctx context.Context, a *crud.Access, config any, templates map[string]string) error {
	text, err := yaml.Marshal(config)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	body, err := yaml.Marshal(alertmanagerDocument{Config: string(text), Templates: templates})
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	err = a.SaveAlertmanagerConfig(ctx, client.Body{ContentType: "application/yaml", Reader: bytes.NewReader(body)})
	if e := (*client.Error)(nil); asInvalid(err, &e) {
		return &crud.FieldFault{Path: path.Root("config"), Summary: "The Alertmanager configuration is not valid", Detail: e.Detail}
	}
	return err
}
