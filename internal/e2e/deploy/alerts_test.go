package deploy

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/alerting/ruletest"
)

const runbookURL = "https://github.com/seamarkhq/seamark/blob/main/docs/runbooks/"

func alertGroups(t *testing.T) []rulefmt.RuleGroup {
	t.Helper()
	text, err := os.ReadFile(root + "/deploy/alerts/seamark.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file rulefmt.RuleGroups
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file.Groups
}

func alertRules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	var list []rulefmt.Rule
	for _, g := range alertGroups(t) {
		list = append(list, g.Rules...)
	}
	if len(list) < 20 {
		t.Fatalf("seamark.yaml has %d rules", len(list))
	}
	return list
}

func alertTests(t *testing.T) *ruletest.File {
	t.Helper()
	text, err := os.ReadFile(root + "/deploy/alerts/seamark_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := ruletest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAlerts runs the unit tests of the alerts, over Prometheus' own rules manager.
func TestAlerts(t *testing.T) {
	for _, fault := range ruletest.Run(t.Context(), alertTests(t), ruletest.Options{Groups: alertGroups(t)}) {
		t.Error(fault)
	}
}

// TestAlertsAreWhole wants of each alert a severity, texts, a test in which it fires and one in which it does not, and a runbook with
// what it means, how to check, and what to do.
func TestAlertsAreWhole(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, c := range alertTests(t).Tests {
		for _, a := range c.Alerts {
			fires[a.AlertName] = fires[a.AlertName] || len(a.Alerts) > 0
			quiet[a.AlertName] = quiet[a.AlertName] || len(a.Alerts) == 0
		}
	}
	index, err := os.ReadFile(root + "/docs/runbooks/README.md")
	if err != nil {
		t.Fatal(err)
	}
	books, err := os.ReadDir(root + "/docs/runbooks")
	if err != nil {
		t.Fatal(err)
	}
	rules := alertRules(t)
	if len(books)-1 != len(rules) {
		t.Errorf("there are %d runbooks for %d alerts", len(books)-1, len(rules))
	}
	for _, r := range rules {
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: fires in a test: %t, does not in another: %t", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
		if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s lacks a severity, a summary or a description", r.Alert)
		}
		if r.Annotations["runbook_url"] != runbookURL+r.Alert+".md" || !bytes.Contains(index, []byte("("+r.Alert+".md)")) {
			t.Errorf("%s leads to the runbook %s, or docs/runbooks/README.md does not name it", r.Alert, r.Annotations["runbook_url"])
		}
		book, err := os.ReadFile(root + "/docs/runbooks/" + r.Alert + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range []string{"`" + r.Expr + "`", "## What it means", "## How to check", "## What to do"} {
			if !strings.Contains(string(book), want) {
				t.Errorf("the runbook of %s lacks %s", r.Alert, want)
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+\.md)`).FindAllStringSubmatch(string(book), -1) {
			if _, err := os.Stat(root + "/docs/runbooks/" + link[1]); err != nil {
				t.Errorf("the runbook of %s has a link that leads nowhere: %v", r.Alert, err)
			}
		}
	}
}
