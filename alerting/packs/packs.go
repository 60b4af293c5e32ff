// Package packs holds ready-made rule groups for Kubernetes, with their parameters and the text of a runbook for each alert. It
// reads what is embedded in it and knows neither tenants nor storage; package alerting imports it.
package packs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/seamark"
)

//go:embed library
var library embed.FS

// Pack is one set of rule groups that is switched on as a whole.
type Pack struct {
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	// Version grows with each change of the pack's rules. A tenant runs the version of the server.
	Version int `yaml:"version"`
	// Needs says what must be sent for the rules to have something to look at.
	Needs      []string    `yaml:"needs"`
	Parameters []Parameter `yaml:"parameters"`
	Groups     []Group     `yaml:"groups"`

	runbooks map[string]string // by alert
}

// The kinds of parameters.
const (
	NumberParameter   = "number"
	DurationParameter = "duration" // such as 15m
	PatternParameter  = "pattern"  // a regular expression for names
)

// Parameter is a figure of a pack's rules that a tenant can choose.
type Parameter struct {
	Name    string `yaml:"name"`
	Kind    string `yaml:"kind"`
	Default string `yaml:"default"`
	Help    string `yaml:"help"`
	// Min and Max bound numbers; both 0 bounds nothing.
	Min float64 `yaml:"min"`
	Max float64 `yaml:"max"`
}

// Group is a rule group with the language of its expressions, promql or logql. Its texts may hold ${name} of parameters.
type Group struct {
	Language          string `yaml:"language"`
	rulefmt.RuleGroup `yaml:",inline"`
}

// Load returns the packs of this server by name. The error tells of a fault in what is embedded.
func Load() ([]Pack, error) {
	names, err := fs.Glob(library, "library/*/pack.yaml")
	if err != nil {
		return nil, err
	}
	list := make([]Pack, 0, len(names))
	for _, name := range names {
		p, err := load(path.Dir(name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Pack) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func load(dir string) (Pack, error) {
	var p Pack
	text, err := library.ReadFile(dir + "/pack.yaml")
	if err != nil {
		return p, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil {
		return p, err
	}
	if p.Name != path.Base(dir) || p.Title == "" || p.Description == "" || p.Version < 1 || len(p.Groups) == 0 {
		return p, errors.New("a pack needs the name of its folder, a title, a description, a version and groups")
	}
	if p.runbooks, err = loadRunbooks(dir); err != nil {
		return p, err
	}
	_, err = p.Render(nil, nil)
	return p, err
}

// loadRunbooks reads the pack's runbooks: one text, with a heading of the second level for each alert.
func loadRunbooks(dir string) (map[string]string, error) {
	text, err := library.ReadFile(dir + "/runbooks.md")
	if err != nil {
		return nil, err
	}
	books := map[string]string{}
	for section := range strings.SplitSeq("\n"+string(text), "\n## ") {
		alert, body, _ := strings.Cut(section, "\n")
		if !strings.HasPrefix(section, "\n") && strings.TrimSpace(body) != "" {
			books[strings.TrimSpace(alert)] = "# " + strings.TrimSpace(alert) + "\n\n" + strings.TrimSpace(body) + "\n"
		}
	}
	return books, nil
}

// Runbook returns the text for an alert, Markdown; false when there is none.
func (p *Pack) Runbook(alert string) (string, bool) {
	text, ok := p.runbooks[alert]
	return text, ok
}

// Tests returns the pack's unit tests, in the format of promtool test rules.
func (p *Pack) Tests() ([]byte, error) { return library.ReadFile("library/" + p.Name + "/tests.yaml") }

// Alerts lists the names of the pack's alerts in their order.
func (p *Pack) Alerts() []string {
	var list []string
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" && !slices.Contains(list, r.Alert) {
				list = append(list, r.Alert)
			}
		}
	}
	return list
}

// Check refuses values that the pack has no parameter for or that do not fit it; the error is of kind Invalid.
func (p *Pack) Check(values map[string]string) error {
	var faults []seamark.FieldFault
	for name, value := range values {
		pointer := "/parameters/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		at := slices.IndexFunc(p.Parameters, func(x Parameter) bool { return x.Name == name })
		if at < 0 {
			faults = append(faults, seamark.FieldFault{Pointer: pointer, Detail: "The pack has no such parameter."})
			continue
		}
		if err := p.Parameters[at].check(value); err != nil {
			faults = append(faults, seamark.FieldFault{Pointer: pointer, Detail: fmt.Sprintf("%q %s.", value, err)})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b seamark.FieldFault) int { return strings.Compare(a.Pointer, b.Pointer) })
	e := seamark.Errorf(seamark.Invalid, "seamark-pack-parameter", "The parameters do not fit pack %s: %s %s", p.Name, faults[0].Pointer, faults[0].Detail)
	e.Fields = faults
	return e
}

// maxPatternBytes bounds a regular expression among the parameters.
const maxPatternBytes = 500

func (x *Parameter) check(value string) error {
	switch x.Kind {
	case DurationParameter:
		d, err := model.ParseDuration(value)
		if err != nil || time.Duration(d) <= 0 {
			return errors.New("is no duration such as 15m")
		}
	case PatternParameter:
		if len(value) > maxPatternBytes || strings.ContainsAny(value, "\"\\`\n${}") {
			return fmt.Errorf("is no pattern of names of at most %d bytes; quotes, backslashes, braces, $ and line breaks have no place in it", maxPatternBytes)
		}
	default:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n != n || (x.Min != 0 || x.Max != 0) && (n < x.Min || n > x.Max) {
			return fmt.Errorf("is no number from %g to %g", x.Min, x.Max)
		}
	}
	return nil
}

// Values returns the value of each parameter: the chosen one, else the default.
func (p *Pack) Values(chosen map[string]string) map[string]string {
	all := make(map[string]string, len(p.Parameters))
	for _, x := range p.Parameters {
		all[x.Name] = x.Default
		if value, ok := chosen[x.Name]; ok && x.check(value) == nil {
			all[x.Name] = value
		}
	}
	return all
}

// Render returns the pack's groups with the given values in them; a value that an earlier version allowed and this one does not
// counts as not given. books is where the runbooks are served; nil leaves their links out.
func (p *Pack) Render(chosen map[string]string, books *url.URL) ([]Group, error) {
	var pairs []string
	for name, value := range p.Values(chosen) {
		pairs = append(pairs, "${"+name+"}", value)
	}
	fill := strings.NewReplacer(pairs...)
	groups := make([]Group, len(p.Groups))
	for i, g := range p.Groups {
		groups[i] = g
		groups[i].Rules = slices.Clone(g.Rules)
		for k := range groups[i].Rules {
			if err := p.render(&groups[i].Rules[k], fill, books); err != nil {
				return nil, fmt.Errorf("group %s: %w", g.Name, err)
			}
		}
	}
	return groups, nil
}

func (p *Pack) render(r *rulefmt.Rule, fill *strings.Replacer, books *url.URL) error {
	r.Expr = strings.TrimSpace(fill.Replace(r.Expr))
	if at := strings.Index(r.Expr, "${"); at >= 0 {
		return fmt.Errorf("rule %s%s: no parameter for %q", r.Alert, r.Record, r.Expr[at:])
	}
	if r.Alert == "" {
		return nil
	}
	annotations := make(map[string]string, len(r.Annotations)+1)
	for name, text := range r.Annotations {
		annotations[name] = strings.TrimSpace(fill.Replace(text))
	}
	if books != nil {
		annotations["runbook_url"] = books.JoinPath("api/v1/alerting/packs", p.Name, "runbooks", r.Alert).String()
	}
	r.Annotations = annotations
	return nil
}
