package seamark

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DashboardVersion is the version of the dashboards' model; a document names it, so that a later model can tell it apart.
const DashboardVersion = 1

// The limits of one dashboard. Without them a dashboard that a program made takes the browser of whoever opens it, and one
// document the memory of every node with the API. Names and texts count characters, queries bytes.
const (
	maxDashboardTitle, maxDashboardText, maxDashboardTags, maxDashboardTag = 120, 4000, 20, 40
	maxDashboardVariables, maxDashboardPanels, maxPanelQueries             = 30, 100, 10
	maxDashboardQuery, maxDashboardValues, maxThresholds                   = 8 << 10, 100, 10
	maxDashboardSeconds                                                    = 10 * 366 * 24 * 3600
)

// DashboardColumns is the width of a dashboard's grid, maxDashboardRow the lowest place and maxPanelHeight the height of a panel
// in its rows.
const (
	DashboardColumns = 24
	maxDashboardRow  = 10000
	maxPanelHeight   = 60
)

// Dashboard is what people see of a tenant's data on one page, in Seamark's own model. The console draws it; the server checks
// its form, and not the queries' grammar, which depends on the variables' values.
type Dashboard struct {
	Version     int                 `json:"version"`
	Title       string              `json:"title"`
	Description string              `json:"description,omitempty"`
	Tags        []string            `json:"tags,omitempty"`
	Time        *DashboardTime      `json:"time,omitempty"`
	Variables   []DashboardVariable `json:"variables,omitempty"`
	Panels      []DashboardPanel    `json:"panels"`
}

// DashboardTime is what a dashboard begins with when a link names no time.
type DashboardTime struct {
	RangeSeconds   int64 `json:"range_seconds,omitempty"`
	RefreshSeconds int64 `json:"refresh_seconds,omitempty"` // 0: only on demand
}

// DashboardVariable is a name that stands for what a viewer chooses, `$name` in queries and titles.
type DashboardVariable struct {
	Name  string `json:"name"`
	Label string `json:"label,omitempty"`
	// Type is `query` (values from series), `custom` and `interval` (from Values), `constant` or `text`.
	Type string `json:"type"`
	// Query of type query is label_values(label), label_values(selector, label) or a PromQL expression whose labels are values.
	Query string `json:"query,omitempty"`
	// Pattern keeps the values that it matches; its first group, when it has one, is the value.
	Pattern    string   `json:"pattern,omitempty"`
	Values     []string `json:"values,omitempty"`
	Default    []string `json:"default,omitempty"`
	Multi      bool     `json:"multi,omitempty"`
	IncludeAll bool     `json:"include_all,omitempty"`
	Hidden     bool     `json:"hidden,omitempty"`
}

// DashboardPanel is one part of a dashboard and its place on the grid.
type DashboardPanel struct {
	ID          int              `json:"id"`
	Type        string           `json:"type"`
	Title       string           `json:"title"`
	Description string           `json:"description,omitempty"`
	X           int              `json:"x"`
	Y           int              `json:"y"`
	W           int              `json:"w"`
	H           int              `json:"h"`
	Queries     []DashboardQuery `json:"queries,omitempty"`
	Unit        string           `json:"unit,omitempty"`
	Decimals    *int             `json:"decimals,omitempty"`
	Min         *float64         `json:"min,omitempty"`
	Max         *float64         `json:"max,omitempty"`
	Thresholds  []PanelThreshold `json:"thresholds,omitempty"`
	Options     PanelOptions     `json:"options,omitzero"`
}

// DashboardQuery is one query of a panel.
type DashboardQuery struct {
	Language string `json:"language"` // `promql` or `logql`
	Query    string `json:"query"`
	Legend   string `json:"legend,omitempty"` // text with {{label}} in it
	Instant  bool   `json:"instant,omitempty"`
}

// PanelThreshold is the tone of values from From on.
type PanelThreshold struct {
	From float64 `json:"from"`
	Tone string  `json:"tone"` // `good`, `warn` or `bad`
}

// PanelOptions are what only some types of panels heed.
type PanelOptions struct {
	Style     string `json:"style,omitempty"`  // of series: `lines`, `area`, `stacked` or `bars`
	Legend    string `json:"legend,omitempty"` // of series: `table`, `list` or `none`
	Reduce    string `json:"reduce,omitempty"` // a series to one value: `last`, `max`, `min`, `mean` or `sum`
	Text      string `json:"text,omitempty"`   // of text panels
	Collapsed bool   `json:"collapsed,omitempty"`
}

// Faults returns everything that is wrong with a dashboard's form, each with the place of it.
func (d *Dashboard) Faults() []FieldFault {
	c := &dashboardCheck{}
	if d.Version != DashboardVersion {
		c.add("/version", "The version is %d; this server knows %d.", d.Version, DashboardVersion)
	}
	c.line("/title", d.Title, 1, maxDashboardTitle)
	c.text("/description", d.Description, maxDashboardText)
	c.tags(d.Tags)
	if t := d.Time; t != nil {
		c.seconds("/time/range_seconds", t.RangeSeconds)
		c.seconds("/time/refresh_seconds", t.RefreshSeconds)
	}
	c.variables(d.Variables)
	if len(d.Panels) > maxDashboardPanels {
		c.add("/panels", "There are %d panels; at most %d fit.", len(d.Panels), maxDashboardPanels)
		return c.faults
	}
	ids := make(map[int]bool, len(d.Panels))
	for i := range d.Panels {
		p, at := &d.Panels[i], fmt.Sprintf("/panels/%d", i)
		if p.ID < 1 || ids[p.ID] {
			c.add(at+"/id", "The id is %d; each panel needs one of its own from 1 on.", p.ID)
		}
		ids[p.ID] = true
		c.panel(at, p)
	}
	return c.faults
}

// dashboardCheck collects faults.
type dashboardCheck struct{ faults []FieldFault }

func (c *dashboardCheck) add(pointer, format string, args ...any) {
	c.faults = append(c.faults, FieldFault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (c *dashboardCheck) line(pointer, text string, least, most int) {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	if n < least || utf8.RuneCountInString(text) > most || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		c.add(pointer, "The text %.60q needs %d to %d characters on one line.", text, least, most)
	}
}

func (c *dashboardCheck) text(pointer, text string, most int) {
	if n := utf8.RuneCountInString(text); n > most || !utf8.ValidString(text) {
		c.add(pointer, "The text has %d characters; at most %d of UTF-8 fit.", n, most)
	}
}

func (c *dashboardCheck) seconds(pointer string, n int64) {
	if n < 0 || n > maxDashboardSeconds {
		c.add(pointer, "The seconds are %d; use 0 to %d.", n, int64(maxDashboardSeconds))
	}
}

func (c *dashboardCheck) oneOf(pointer, value string, known ...string) {
	if !slices.Contains(known, value) {
		c.add(pointer, "The value is %.40q; use %s.", value, strings.Trim(strings.Join(known, ", "), ", "))
	}
}

func (c *dashboardCheck) tags(tags []string) {
	if len(tags) > maxDashboardTags {
		c.add("/tags", "There are %d tags; at most %d fit.", len(tags), maxDashboardTags)
		return
	}
	for i, tag := range tags {
		c.line(fmt.Sprintf("/tags/%d", i), tag, 1, maxDashboardTag)
	}
}

// isVariableName reports whether a query can name it after the dollar sign; names that begin with two underscores are the console's own.
func isVariableName(name string) bool {
	if name == "" || len(name) > 60 || strings.HasPrefix(name, "__") {
		return false
	}
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

func (c *dashboardCheck) variables(list []DashboardVariable) {
	if len(list) > maxDashboardVariables {
		c.add("/variables", "There are %d variables; at most %d fit.", len(list), maxDashboardVariables)
		return
	}
	names := make(map[string]bool, len(list))
	for i := range list {
		v, at := &list[i], fmt.Sprintf("/variables/%d", i)
		if !isVariableName(v.Name) || names[v.Name] {
			c.add(at+"/name", "The name %.60q needs letters, digits and underscores, no digit or __ at its beginning, and to be there once.", v.Name)
		}
		names[v.Name] = true
		c.line(at+"/label", v.Label, 0, maxDashboardTitle)
		c.oneOf(at+"/type", v.Type, "query", "custom", "interval", "constant", "text")
		if n := len(v.Query); n > maxDashboardQuery || v.Type == "query" && strings.TrimSpace(v.Query) == "" {
			c.add(at+"/query", "The query has %d bytes; a variable of type query needs 1 to %d.", n, maxDashboardQuery)
		}
		if _, err := regexp.Compile(v.Pattern); err != nil || len(v.Pattern) > maxDashboardQuery {
			c.add(at+"/pattern", "The pattern %.60q is no regular expression.", v.Pattern)
		}
		c.values(at+"/values", v.Values)
		c.values(at+"/default", v.Default)
	}
}

func (c *dashboardCheck) values(pointer string, values []string) {
	if len(values) > maxDashboardValues {
		c.add(pointer, "There are %d values; at most %d fit.", len(values), maxDashboardValues)
		return
	}
	for i, value := range values {
		c.text(fmt.Sprintf("%s/%d", pointer, i), value, maxDashboardText)
	}
}

func (c *dashboardCheck) panel(at string, p *DashboardPanel) {
	c.oneOf(at+"/type", p.Type, "timeseries", "stat", "gauge", "bars", "table", "logs", "text", "heatmap", "pie", "row")
	c.line(at+"/title", p.Title, 0, maxDashboardTitle)
	c.text(at+"/description", p.Description, maxDashboardText)
	if p.W < 1 || p.X < 0 || p.X > DashboardColumns || p.W > DashboardColumns-p.X {
		c.add(at+"/w", "The panel begins at column %d and is %d wide; the grid has %d columns.", p.X, p.W, DashboardColumns)
	}
	if p.H < 1 || p.H > maxPanelHeight || p.Y < 0 || p.Y > maxDashboardRow {
		c.add(at+"/h", "The panel begins at row %d and is %d high; use 0 to %d, and 1 to %d.", p.Y, p.H, maxDashboardRow, maxPanelHeight)
	}
	c.line(at+"/unit", p.Unit, 0, maxDashboardTag)
	if n := p.Decimals; n != nil && (*n < 0 || *n > 10) {
		c.add(at+"/decimals", "The decimals are %d; use 0 to 10.", *n)
	}
	if len(p.Thresholds) > maxThresholds {
		c.add(at+"/thresholds", "There are %d thresholds; at most %d fit.", len(p.Thresholds), maxThresholds)
	}
	for i, t := range p.Thresholds {
		c.oneOf(fmt.Sprintf("%s/thresholds/%d/tone", at, i), t.Tone, "good", "warn", "bad")
	}
	c.oneOf(at+"/options/style", p.Options.Style, "", "lines", "area", "stacked", "bars")
	c.oneOf(at+"/options/legend", p.Options.Legend, "", "table", "list", "none")
	c.oneOf(at+"/options/reduce", p.Options.Reduce, "", "last", "max", "min", "mean", "sum")
	c.text(at+"/options/text", p.Options.Text, maxDashboardText)
	c.queries(at+"/queries", p.Queries)
}

func (c *dashboardCheck) queries(at string, list []DashboardQuery) {
	if len(list) > maxPanelQueries {
		c.add(at, "There are %d queries; at most %d fit.", len(list), maxPanelQueries)
		return
	}
	for i, q := range list {
		one := fmt.Sprintf("%s/%d", at, i)
		c.oneOf(one+"/language", q.Language, "promql", "logql")
		if n := len(q.Query); n > maxDashboardQuery || strings.TrimSpace(q.Query) == "" || !utf8.ValidString(q.Query) {
			c.add(one+"/query", "The query has %d bytes; it needs 1 to %d of UTF-8.", n, maxDashboardQuery)
		}
		c.text(one+"/legend", q.Legend, maxDashboardTitle)
	}
}
