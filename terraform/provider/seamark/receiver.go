package seamark

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type receiver struct {
	Name             *string           `tfsdk:"name" json:"-"`
	Config           *string           `tfsdk:"config" json:"-"`
	Default          *bool             `tfsdk:"default" json:"default"`
	Routes           []receiverRoute   `tfsdk:"routes" json:"routes"`
	SecretsWO        map[string]string `tfsdk:"secrets_wo" json:"-"`
	SecretsWOVersion *string           `tfsdk:"secrets_wo_version" json:"-"`
}

type receiverRoute struct {
	Matchers       []string `tfsdk:"matchers" json:"matchers,omitempty"`
	GroupBy        []string `tfsdk:"group_by" json:"group_by,omitempty"`
	Continue       *bool    `tfsdk:"continue" json:"continue,omitempty"`
	GroupWait      *string  `tfsdk:"group_wait" json:"group_wait,omitempty" same:"duration"`
	GroupInterval  *string  `tfsdk:"group_interval" json:"group_interval,omitempty" same:"duration"`
	RepeatInterval *string  `tfsdk:"repeat_interval" json:"repeat_interval,omitempty" same:"duration"`
}

func receiverKind() crud.Kind {
	return &crud.Spec[receiver]{
		Name:    "receiver",
		Summary: "A receiver of alerts with its routes, beside others in the tenant's Alertmanager configuration.",
		Text: "It is a part of the configuration, so that teams keep theirs apart; who wants all of it in one place writes `seamark_alertmanager_config`, and none of these. " +
			"What other receivers are and who made them does not matter.\n\n" + placeholderText,
		Key: []string{"name"}, Hidden: []string{"secrets_wo_version"},
		Attributes: map[string]schema.Attribute{
			"name":    required("Unique in the tenant.", fixed),
			"config":  required("The receiver's integrations as YAML, such as `slack_configs: [...]`, without its name.", meaning(sameMasked)),
			"default": schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether it gets what no route takes. One receiver of a tenant does."},
			"routes": schema.ListNestedAttribute{
				Optional: true, MarkdownDescription: "Which alerts it gets. They stand behind the routes that are there.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"matchers":        schema.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: "Such as `severity=\"page\"`; all must hold."},
					"group_by":        schema.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: "Labels whose values make a group."},
					"continue":        schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether routes behind it see the alert too."},
					"group_wait":      optional("How long the first notification of a group waits for more.", meaning(crud.SameDuration)),
					"group_interval":  optional("Time between notifications of a group that changes.", meaning(crud.SameDuration)),
					"repeat_interval": optional("Time between notifications of a group that does not.", meaning(crud.SameDuration)),
				}},
			},
			"secrets_wo": secretTexts("Secrets by the names that stand in `config`."), "secrets_wo_version": secretsVersion(),
		},
		Secrets: func(m, config *receiver) { m.SecretsWO = config.SecretsWO },
		Create: func(ctx context.Context, a *crud.Access, m *receiver) error {
			return m.save(ctx, a, func(d *routing) error {
				if d.receiver(crud.Text(m.Name)) >= 0 {
					return &crud.FieldFault{Path: path.Root("name"), Summary: "The tenant has a receiver of this name", Detail: "Import it, or choose another name."}
				}
				return nil
			})
		},
		Read: readReceiver,
		Update: func(ctx context.Context, a *crud.Access, m, _ *receiver) error {
			return m.save(ctx, a, func(*routing) error { return nil })
		},
		Delete: deleteReceiver,
	}
}

// nobody is the receiver of a configuration that has no default one.
const nobody = "none"

// routing is an Alertmanager configuration as far as receivers need to know it. The rest goes through as it is.
type routing struct {
	document  map[string]any
	templates map[string]string
}

// findRouting reads the configuration, or makes the least that is one.
func findRouting(ctx context.Context, a *crud.Access) (*routing, error) {
	stored, err := findAlertmanager(ctx, a)
	if client.IsNotFound(err) {
		return &routing{document: map[string]any{"route": map[string]any{"receiver": nobody}, "receivers": []any{map[string]any{"name": nobody}}}}, nil
	}
	if err != nil {
		return nil, err
	}
	d := &routing{templates: stored.Templates}
	if err := yaml.Unmarshal([]byte(stored.Config), &d.document); err != nil {
		return nil, fmt.Errorf("the Alertmanager configuration is not what this provider knows: %w", err)
	}
	return d, nil
}

func (d *routing) receivers() []any { list, _ := d.document["receivers"].([]any); return list }

func (d *routing) root() map[string]any {
	root, ok := d.document["route"].(map[string]any)
	if !ok {
		root = map[string]any{}
		d.document["route"] = root
	}
	return root
}

func (d *routing) routes() []any { list, _ := d.root()["routes"].([]any); return list }

// named returns a function that finds an object whose field has a value.
func named(field, value string) func(any) bool {
	return func(v any) bool { o, ok := v.(map[string]any); return ok && o[field] == value }
}

// receiver returns where a receiver stands, -1 for nowhere.
func (d *routing) receiver(name string) int {
	return slices.IndexFunc(d.receivers(), named("name", name))
}

// put puts a receiver and its routes where they were, or behind all others.
func (d *routing) put(m *receiver, integrations map[string]any) error {
	name := crud.Text(m.Name)
	integrations["name"] = name
	list := d.receivers()
	if at := d.receiver(name); at >= 0 {
		list[at] = integrations
	} else {
		list = append(list, integrations)
	}
	d.document["receivers"] = list
	routes, at := d.routes(), len(d.routes())
	if was := slices.IndexFunc(routes, named("receiver", name)); was >= 0 {
		at = was
	}
	routes = slices.DeleteFunc(routes, named("receiver", name))
	var own []any
	for _, r := range m.Routes {
		route := map[string]any{}
		if err := crud.Body(r, &route); err != nil {
			return err
		}
		route["receiver"] = name
		own = append(own, route)
	}
	d.setRoutes(slices.Insert(routes, min(at, len(routes)), own...))
	switch isDefault := d.root()["receiver"] == name; {
	case isSet(m.Default):
		d.root()["receiver"] = name
	case isDefault:
		d.toNobody()
	}
	return nil
}

func (d *routing) setRoutes(routes []any) {
	if len(routes) == 0 {
		delete(d.root(), "routes")
		return
	}
	d.root()["routes"] = routes
}

// toNobody has what no route takes notify nobody.
func (d *routing) toNobody() {
	if d.receiver(nobody) < 0 {
		d.document["receivers"] = append(d.receivers(), map[string]any{"name": nobody})
	}
	d.root()["receiver"] = nobody
}

// take removes a receiver and its routes, and reports whether anything is left.
func (d *routing) take(name string) (left bool) {
	d.setRoutes(slices.DeleteFunc(d.routes(), named("receiver", name)))
	if d.root()["receiver"] == name {
		d.toNobody()
	}
	d.document["receivers"] = slices.DeleteFunc(d.receivers(), named("name", name))
	return len(d.receivers()) > 1 || d.receiver(nobody) < 0 || len(d.document) > 2
}

// save changes the receiver in the configuration, after a last look at that.
func (m *receiver) save(ctx context.Context, a *crud.Access, look func(*routing) error) error {
	defer a.Lock(alertmanagerLock)()
	d, err := findRouting(ctx, a)
	if err != nil {
		return err
	}
	if err := look(d); err != nil {
		return err
	}
	document, err := unmasked(crud.Text(m.Config), m.SecretsWO)
	if err != nil {
		return err
	}
	var integrations map[string]any
	if err := document.Decode(&integrations); err != nil || integrations == nil {
		return &crud.FieldFault{Path: path.Root("config"), Summary: "The configuration is no YAML object", Detail: "Write integrations by their kind, such as slack_configs."}
	}
	if err := d.put(m, integrations); err != nil {
		return err
	}
	if err := saveAlertmanager(ctx, a, d.document, d.templates); err != nil {
		return err
	}
	return readReceiver(ctx, a, m)
}

func readReceiver(ctx context.Context, a *crud.Access, m *receiver) error {
	d, err := findRouting(ctx, a)
	if err != nil {
		return err
	}
	name := crud.Text(m.Name)
	at := d.receiver(name)
	if at < 0 {
		return absent("There is no receiver %s.", name)
	}
	integrations, _ := d.receivers()[at].(map[string]any)
	integrations = maps.Clone(integrations)
	delete(integrations, "name")
	text, err := yaml.Marshal(integrations)
	if err != nil {
		return fmt.Errorf("read the receiver: %w", err)
	}
	if m.Config == nil || !sameMasked(string(text), *m.Config) {
		m.Config = new(string(text))
	}
	var written any
	if yaml.Unmarshal([]byte(*m.Config), &written) == nil {
		warnOfPlain(a, integrations, written)
	}
	own := []any{}
	for _, route := range d.routes() {
		if named("receiver", name)(route) {
			own = append(own, route)
		}
	}
	return crud.Into(m)(map[string]any{"default": d.root()["receiver"] == name, "routes": own}, nil)
}

func deleteReceiver(ctx context.Context, a *crud.Access, m *receiver) error {
	defer a.Lock(alertmanagerLock)()
	d, err := findRouting(ctx, a)
	if err != nil {
		return err
	}
	if d.receiver(crud.Text(m.Name)) < 0 {
		return nil
	}
	if !d.take(crud.Text(m.Name)) {
		return a.DeleteAlertmanagerConfig(ctx)
	}
	return saveAlertmanager(ctx, a, d.document, d.templates)
}
