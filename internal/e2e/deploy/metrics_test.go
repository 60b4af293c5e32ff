package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// exported are the metrics that a process exports, and the names of the labels of each.
type exported map[string]map[string]bool

// given are labels that whoever scrapes adds.
var given = []string{"job", "instance", "le", seamark.MetricNameLabel}

var sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$`)

// scrape reads /metrics of a server.
func scrape(ctx context.Context, s *harness.Server) (exported, error) {
	answer, err := harness.Do(ctx, http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: s.AdminURL + "/metrics"})
	if err != nil {
		return nil, err
	}
	e := exported{"up": {}}
	for line := range strings.Lines(string(answer.Body)) {
		m := sampleLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if e[m[1]] == nil {
			e[m[1]] = map[string]bool{}
		}
		for _, l := range regexp.MustCompile(`([a-zA-Z_]\w*)="`).FindAllStringSubmatch(m[2], -1) {
			e[m[1]][l[1]] = true
		}
	}
	return e, nil
}

// startUsed starts the product as its users do and uses it, so that metrics that begin with their first event are there.
func startUsed(t *testing.T) *harness.Server {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), "serve", "--query.process")
	account := harness.NewAccount(s.Admin(t), "watched")
	now := time.Now()
	for _, push := range []struct {
		at     time.Time
		status int
	}{{now, http.StatusNoContent}, {now.AddDate(-5, 0, 0), http.StatusBadRequest}} {
		body := fmt.Appendf(nil, `{"streams":[{"stream":{"app":"a"},"values":[["%d","level=info x"]]}]}`, push.at.UnixNano())
		answer, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: s.URL + "/loki/api/v1/push", Token: account.Ingest, Type: "application/json", Body: body})
		if err != nil || answer.Status != push.status {
			t.Fatalf("push: %+v %v; want status %d", answer, err, push.status)
		}
	}
	testkit.Eventually(t, time.Minute, func() error {
		list, err := harness.LogQL(t.Context(), s.URL, account.Query, `sum(count_over_time({app="a"}[1h]))`)
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("the line cannot be queried yet: %v", list)
		}
		return err
	})
	if _, err := harness.PromQL(t.Context(), s.URL, account.Query, `sum(rate(a[5m]))`); err != nil {
		t.Fatal(err)
	}
	return s
}

// question is an expression of a dashboard or a rule.
type question struct{ where, expr string }

// dashboardVariables are what Grafana fills in.
var dashboardVariables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$job", "seamark", "$instance", ".*")

func questions(t *testing.T) []question {
	t.Helper()
	var list []question
	for _, r := range alertRules(t) {
		list = append(list, question{r.Alert, r.Expr})
	}
	files, err := filepath.Glob(root + "/deploy/grafana/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("dashboards: %v %v", files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		before := len(list)
		collect(doc, filepath.Base(path), &list)
		if len(list)-before < 5 {
			t.Errorf("%s has %d expressions", path, len(list)-before)
		}
	}
	return list
}

// collect finds the expressions in a dashboard.
func collect(node any, where string, list *[]question) {
	switch v := node.(type) {
	case map[string]any:
		if title, ok := v["title"].(string); ok {
			where += "/" + title
		}
		for key, value := range v {
			if text, ok := value.(string); ok && key == "expr" {
				*list = append(*list, question{where, dashboardVariables.Replace(text)})
			}
			collect(value, where, list)
		}
	case []any:
		for _, one := range v {
			collect(one, where, list)
		}
	}
}

// TestMetricsAreThere asks the running product for each metric, and each label, that a dashboard or an alert rule names.
func TestMetricsAreThere(t *testing.T) {
	s := startUsed(t)
	all := questions(t)
	testkit.Eventually(t, time.Minute, func() error {
		have, err := scrape(t.Context(), s)
		if err != nil {
			return err
		}
		var missing []string
		for _, q := range all {
			missing = append(missing, lacks(have, q)...)
		}
		slices.Sort(missing)
		if missing = slices.Compact(missing); len(missing) > 0 {
			return fmt.Errorf("what the product does not export:\n%s", strings.Join(missing, "\n"))
		}
		return nil
	})
}

// TestMetricsThatAreNotThere shows that the test above can fail.
func TestMetricsThatAreNotThere(t *testing.T) {
	have := exported{"seamark_a_total": {"route": true}}
	for expr, want := range map[string]int{
		`rate(seamark_a_total{route="x", job="y"}[5m])`: 0,
		`sum by (route) (rate(seamark_a_total[5m]))`:    0,
		`seamark_b_total`:                                1,
		`seamark_a_total{status="5"}`:                    1,
		`sum by (status) (seamark_a_total)`:              1,
		`sum by (route) (seamark_a_total) / seamark_c_d`: 1,
		`sum(`: 1,
	} {
		if got := lacks(have, question{"test", expr}); len(got) != want {
			t.Errorf("%s: %v; want %d faults", expr, got, want)
		}
	}
}

// lacks says what of an expression is not exported.
func lacks(have exported, q question) (missing []string) {
	fault := func(format string, args ...any) { missing = append(missing, q.where+": "+fmt.Sprintf(format, args...)) }
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(q.expr)
	if err != nil {
		fault("%s: %v", q.expr, err)
		return missing
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			if have[n.Name] == nil {
				fault("no metric %s", n.Name)
				return nil
			}
			for _, m := range n.LabelMatchers {
				if !have[n.Name][m.Name] && !slices.Contains(given, m.Name) {
					fault("%s has no label %s", n.Name, m.Name)
				}
			}
		case *parser.AggregateExpr:
			for _, metric := range parser.ExtractSelectors(n) {
				for _, m := range metric {
					if m.Name != seamark.MetricNameLabel {
						continue
					}
					for _, by := range n.Grouping {
						if have[m.Value] != nil && !have[m.Value][by] && !slices.Contains(given, by) {
							fault("%s has no label %s", m.Value, by)
						}
					}
				}
			}
		}
		return nil
	})
	return missing
}
