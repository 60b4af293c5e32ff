package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// configKey is the rest of the key of a tenant's Alertmanager configuration.
const configKey = "config"

// Bounds of inline templates. Without them one tenant's templates can hold the evaluating process's memory.
const (
	maxTemplates     = 10
	maxTemplateBytes = 32 << 10
)

// defaultConfig is what a tenant without a configuration has: alerts are shown and silenced, nobody is told.
const defaultConfig = "route:\n  receiver: none\nreceivers:\n  - name: none\n"

// configSource is a tenant's configuration as it is stored.
type configSource struct {
	Config    string            `json:"alertmanager_config"`
	Templates map[string]string `json:"template_files,omitempty"` // by the name that the configuration's `templates` lists
}

// configDoc is a configuration with what it was parsed to.
type configDoc struct {
	source    configSource
	parsed    *config.Config
	templated bool // something in it is a template
}

func (c *configDoc) equal(other *configDoc) bool {
	return c.source.Config == other.source.Config && maps.Equal(c.source.Templates, other.source.Templates)
}

// template returns the tenant's notification templates over upstream's default ones. Those are parsed only for a
// configuration that uses templates at all: they cost 7 ms and 400 KiB per tenant, and a plain webhook needs none.
func (c *configDoc) template(externalURL *url.URL) (*template.Template, error) {
	base := func() (*template.Template, error) { return template.New() }
	if c.templated {
		base = func() (*template.Template, error) { return template.FromGlobs(nil) }
	}
	tmpl, err := base()
	if err != nil {
		return nil, err
	}
	tmpl.ExternalURL = externalURL
	for _, name := range c.parsed.Templates {
		if err := tmpl.Parse(strings.NewReader(c.source.Templates[name])); err != nil {
			return nil, invalidConfig("template %q: %s", name, err)
		}
	}
	return tmpl, nil
}

// decodeConfig reads a stored configuration with the same checks as an incoming one.
func (s *Service) decodeConfig(tenant seamark.TenantID, rest string, body []byte) (*configDoc, error) {
	if rest != configKey {
		return nil, fmt.Errorf("no document is called %q", rest)
	}
	var source configSource
	plain, err := s.openConfig(tenant, body)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(plain, &source); err != nil {
		return nil, err
	}
	return s.parseConfig(source)
}

// parseConfig checks a configuration: our own allow-list first, so that nothing that reads files or dials elsewhere
// reaches upstream's parser, then upstream's own checks, the addresses and the templates.
func (s *Service) parseConfig(source configSource) (*configDoc, error) {
	root, err := parseConfigNode(source.Config)
	if err != nil {
		return nil, err
	}
	if err := configSchema().check(root, ""); err != nil {
		return nil, err
	}
	if err := checkTemplates(root, source.Templates); err != nil {
		return nil, err
	}
	// Upstream reads the text that our own check wrote, not the text that came in: two YAML parsers never read quite the
	// same, and what one overlooks the other must not see.
	checked, err := encodeNode(root)
	if err != nil {
		return nil, err
	}
	parsed, err := config.Load(checked)
	if err != nil {
		return nil, invalidConfig("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	for i, receiver := range parsed.Receivers {
		for j, hook := range receiver.WebhookConfigs {
			if err := s.checkURL(string(hook.URL)); err != nil {
				return nil, invalidConfig("receivers[%d].webhook_configs[%d].url: %s", i, j, err)
			}
		}
	}
	doc := &configDoc{source: source, parsed: parsed, templated: len(source.Templates) > 0 || strings.Contains(checked, "{{")}
	if _, err := doc.template(nil); err != nil {
		return nil, err
	}
	return doc, nil
}

func parseConfigNode(text string) (*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, invalidConfig("the document is empty")
		}
		return nil, invalidConfig("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return doc.Content[0], nil
}

func invalidConfig(format string, args ...any) error {
	return seamark.Errorf(seamark.Invalid, "seamark-receiver-config", "The Alertmanager configuration is not valid: %s.", fmt.Sprintf(format, args...))
}

// checkURL refuses at save time what the dial would refuse later, as far as it can be told from the text.
func (s *Service) checkURL(raw string) error {
	if strings.Contains(raw, "{{") {
		return nil // made from labels when it is sent; the dial checks it
	}
	return s.guard.CheckURL(raw)
}

// templateName is what an inline template may be called: no path, no pattern.
func templateName() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`) }

func checkTemplates(root *yaml.Node, files map[string]string) error {
	if len(files) > maxTemplates {
		return invalidConfig("there are %d template files; the limit is %d", len(files), maxTemplates)
	}
	form := templateName()
	for name, text := range files {
		if !form.MatchString(name) {
			return invalidConfig("template file %q: a name is letters, digits, dots, dashes and underscores, no path", name)
		}
		if len(text) > maxTemplateBytes {
			return invalidConfig("template file %q has %d bytes; the limit is %d", name, len(text), maxTemplateBytes)
		}
	}
	listed := child(root, "templates")
	if listed == nil {
		return nil
	}
	for _, entry := range listed.Content {
		if _, ok := files[entry.Value]; !ok {
			return invalidConfig("line %d: templates: %q is not a key of template_files; files of the server are not read", entry.Line, entry.Value)
		}
	}
	return nil
}

// FindAlertmanagerConfig returns the tenant's configuration with every secret replaced by `<secret>`, and its templates by
// name; NotFound when none is set.
func (s *Service) FindAlertmanagerConfig(_ context.Context, tenant seamark.TenantID) (config string, templates map[string]string, err error) {
	doc, err := s.configOf(tenant)
	if err != nil {
		return "", nil, err
	}
	if doc == nil {
		return "", nil, seamark.Errorf(seamark.NotFound, "seamark-receiver-config-unknown", "No Alertmanager configuration is set.")
	}
	if config, err = maskSecrets(doc.source.Config); err != nil {
		return "", nil, err
	}
	return config, maps.Clone(doc.source.Templates), nil
}

// configOf returns the tenant's configuration, nil when none is set.
func (s *Service) configOf(tenant seamark.TenantID) (*configDoc, error) {
	docs, err := s.configs.of(tenant)
	if err != nil {
		return nil, err
	}
	return docs[configKey], nil
}

// SaveAlertmanagerConfig replaces the tenant's configuration: Alertmanager's YAML, restricted to webhooks and without
// anything that reads files or dials elsewhere, and inline templates by name. A secret that is sent back as `<secret>`
// keeps its stored value where that cannot send it anywhere new.
func (s *Service) SaveAlertmanagerConfig(ctx context.Context, tenant seamark.TenantID, config string, templates map[string]string) error {
	source := configSource{Config: config, Templates: templates}
	stored, err := s.configOf(tenant)
	if err != nil {
		return err
	}
	was := ""
	if stored != nil {
		was = stored.source.Config
	}
	if source.Config, err = restoreSecrets(source.Config, was); err != nil {
		return err
	}
	if _, err := s.parseConfig(source); err != nil {
		return err
	}
	plain, err := json.Marshal(source)
	if err != nil {
		return fmt.Errorf("encode Alertmanager configuration: %w", err)
	}
	body, err := s.sealConfig(ctx, tenant, plain)
	if err != nil {
		return err
	}
	return s.configs.put(ctx, tenant, configKey, body)
}

// DeleteAlertmanagerConfig puts the tenant back to the default, which notifies nobody. Deleting nothing is no error.
func (s *Service) DeleteAlertmanagerConfig(ctx context.Context, tenant seamark.TenantID) error {
	stored, err := s.configOf(tenant)
	if err != nil || stored == nil {
		return err
	}
	return s.configs.remove(ctx, tenant, configKey)
}
