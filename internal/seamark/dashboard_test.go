package seamark_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func someDashboard() seamark.Dashboard {
	return seamark.Dashboard{
		Version: seamark.DashboardVersion, Title: "Shop", Tags: []string{"shop"},
		Time:      &seamark.DashboardTime{RangeSeconds: 3600, RefreshSeconds: 30},
		Variables: []seamark.DashboardVariable{{Name: "namespace", Type: "query", Query: "label_values(kube_pod_info, namespace)"}},
		Panels: []seamark.DashboardPanel{
			{ID: 1, Type: "row", Title: "Traffic", W: 24, H: 1},
			{ID: 2, Type: "timeseries", Title: "Requests", Y: 1, W: 12, H: 8, Queries: []seamark.DashboardQuery{{Language: "promql", Query: "sum(rate(http_requests_total[$__rate_interval]))"}}},
		},
	}
}

func TestDashboardIsTaken(t *testing.T) {
	d := someDashboard()
	if faults := d.Faults(); len(faults) > 0 {
		t.Errorf("got %v", faults)
	}
}

func TestDashboardFaultsNameTheirPlace(t *testing.T) {
	for pointer, change := range map[string]func(*seamark.Dashboard){
		"/version":                     func(d *seamark.Dashboard) { d.Version = 2 },
		"/title":                       func(d *seamark.Dashboard) { d.Title = " " },
		"/description":                 func(d *seamark.Dashboard) { d.Description = strings.Repeat("x", 4001) },
		"/tags":                        func(d *seamark.Dashboard) { d.Tags = make([]string, 21) },
		"/tags/0":                      func(d *seamark.Dashboard) { d.Tags[0] = "a\nb" },
		"/time/range_seconds":          func(d *seamark.Dashboard) { d.Time.RangeSeconds = -1 },
		"/variables":                   func(d *seamark.Dashboard) { d.Variables = make([]seamark.DashboardVariable, 31) },
		"/variables/0/name":            func(d *seamark.Dashboard) { d.Variables[0].Name = "__range" },
		"/variables/0/type":            func(d *seamark.Dashboard) { d.Variables[0].Type = "magic" },
		"/variables/0/query":           func(d *seamark.Dashboard) { d.Variables[0].Query = "" },
		"/variables/0/pattern":         func(d *seamark.Dashboard) { d.Variables[0].Pattern = "(" },
		"/variables/0/values":          func(d *seamark.Dashboard) { d.Variables[0].Values = make([]string, 101) },
		"/variables/1/name":            func(d *seamark.Dashboard) { d.Variables = append(d.Variables, d.Variables[0]) },
		"/panels":                      func(d *seamark.Dashboard) { d.Panels = make([]seamark.DashboardPanel, 101) },
		"/panels/1/id":                 func(d *seamark.Dashboard) { d.Panels[1].ID = 1 },
		"/panels/1/type":               func(d *seamark.Dashboard) { d.Panels[1].Type = "" },
		"/panels/1/w":                  func(d *seamark.Dashboard) { d.Panels[1].X = 13 },
		"/panels/1/h":                  func(d *seamark.Dashboard) { d.Panels[1].H = 0 },
		"/panels/1/decimals":           func(d *seamark.Dashboard) { d.Panels[1].Decimals = new(11) },
		"/panels/1/thresholds/0/tone":  func(d *seamark.Dashboard) { d.Panels[1].Thresholds = []seamark.PanelThreshold{{Tone: "red"}} },
		"/panels/1/options/style":      func(d *seamark.Dashboard) { d.Panels[1].Options.Style = "wavy" },
		"/panels/1/queries":            func(d *seamark.Dashboard) { d.Panels[1].Queries = make([]seamark.DashboardQuery, 11) },
		"/panels/1/queries/0/query":    func(d *seamark.Dashboard) { d.Panels[1].Queries[0].Query = "" },
		"/panels/1/queries/0/language": func(d *seamark.Dashboard) { d.Panels[1].Queries[0].Language = "sql" },
	} {
		d := someDashboard()
		change(&d)
		faults := d.Faults()
		if !slices.ContainsFunc(faults, func(f seamark.FieldFault) bool { return f.Pointer == pointer && f.Detail != "" }) {
			t.Errorf("got %v, want a fault at %s", faults, pointer)
		}
	}
}
