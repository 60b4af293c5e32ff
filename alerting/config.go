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
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/alerting/receivers"
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
	receivers []*receivers.Receiver // those of parsed, with the robots that upstream does not know
	defaults  bool                  // something in it needs the default templates
	redact    func(string) string
}

func (c *configDoc) equal(other *configDoc) bool {
	return c.source.Config == other.source.Config && maps.Equal(c.source.Templates, other.source.Templates)
}

// template returns the tenant's notification templates over the default ones.
func (c *configDoc) template(externalURL *url.URL) (*receivers.Template, error) {
	t, err := receivers.ParseTemplate(externalURL, c.defaults, c.parsed.Templates, c.source.Templates)
	if err != nil {
		return nil, invalidConfig("%s", err)
	}
	return t, nil
}

// receiver returns the receiver of that name, nil when there is none.
func (c *configDoc) receiver(name string) *receivers.Receiver {
	for _, r := range c.receivers {
		if r.Name == name {
			return r
		}
	}
	return nil
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
	redact := redactor(root)
	robots, err := splitRobots(root)
	if err != nil {
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
	doc := &configDoc{source: source, parsed: parsed, redact: redact, defaults: len(source.Templates) > 0 || strings.Contains(checked, "{{")}
	for i := range parsed.Receivers {
		r := robots[i]
		r.Receiver = parsed.Receivers[i]
		r.Inherit(parsed.Global.HTTPConfig)
		doc.receivers = append(doc.receivers, r)
		if err := s.checkReceiver(i, r); err != nil {
			return nil, err
		}
		for _, e := range r.Endpoints() {
			doc.defaults = doc.defaults || !strings.HasPrefix(e.Field, "webhook_configs")
		}
	}
	if _, err := doc.template(nil); err != nil {
		return nil, err
	}
	return doc, nil
}

// splitRobots takes the kinds of receivers that upstream does not know out of the document and returns them by the
// receiver's position.
func splitRobots(root *yaml.Node) ([]*receivers.Receiver, error) {
	list := child(root, "receivers")
	if list == nil {
		return nil, nil
	}
	all := make([]*receivers.Receiver, len(list.Content))
	for i, node := range list.Content {
		r := &receivers.Receiver{}
		all[i] = r
		for name, to := range map[string]any{"dingtalk_configs": &r.DingTalk, "feishu_configs": &r.Feishu, "wecom_configs": &r.WeCom} {
			part := takeChild(node, name)
			if part == nil {
				continue
			}
			if err := part.Decode(to); err != nil {
				return nil, invalidConfig("line %d: receivers[%d].%s: %s", part.Line, i, name, strings.TrimPrefix(err.Error(), "yaml: "))
			}
		}
		if slices.Contains(r.DingTalk, nil) || slices.Contains(r.Feishu, nil) || slices.Contains(r.WeCom, nil) {
			return nil, invalidConfig("line %d: receivers[%d] has an empty entry", node.Line, i)
		}
	}
	return all, nil
}

// checkReceiver refuses at save time what the dial would refuse later, as far as it can be told from the text.
func (s *Service) checkReceiver(i int, r *receivers.Receiver) error {
	if err := r.Validate(); err != nil {
		return invalidConfig("receivers[%d].%s", i, err)
	}
	for _, e := range r.Endpoints() {
		var err error
		if e.URL != "" {
			err = s.checkURL(e.URL)
		} else {
			err = s.guard.CheckHost(e.Host, e.Port, 0)
		}
		if err != nil {
			return invalidConfig("receivers[%d].%s: %s", i, e.Field, err)
		}
	}
	return nil
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

// SaveAlertmanagerConfig replaces the tenant's configuration: Alertmanager's YAML without
// anything that reads files or dials elsewhere, with the robots that Alertmanager does not know, and inline templates by name. A secret that is sent back as `<secret>`
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
