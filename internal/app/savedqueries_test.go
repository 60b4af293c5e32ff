package app

import (
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

func TestSavedQueriesAreParsed(t *testing.T) {
	for _, c := range []struct {
		language tenant.QueryLanguage
		text     string
		place    string // in the error; "" for a query that is one
	}{
		{tenant.PromQL, `sum(rate(http_requests_total[5m])) by (code)`, ""},
		{tenant.PromQL, `sum(rate(http_requests_total[5m])`, "1:"},
		{tenant.PromQL, `sum(rate(http_requests_total{code="500"}[$__rate_interval])) / $__range_s`, ""},
		{tenant.PromQL, `max_over_time(up[$__range:${__interval}]) * $__interval_ms / $__range_ms`, ""},
		{tenant.PromQL, `rate(up[$__rate_interval]`, "1:26"},
		{tenant.PromQL, `rate(up[$__nothing])`, "1:9"},
		{tenant.LogQL, `{app="shop"} |= "error" | json`, ""},
		{tenant.LogQL, `sum by (level) (count_over_time({app="shop"} |= "error" [$__auto]))`, ""},
		{tenant.LogQL, `rate({app="shop"}[$__interval])`, ""},
		{tenant.LogQL, "{app=\"shop\"} |= | json", "1:17"},
		{tenant.EventsQuery, `namespace=shop&not_reason=Pulled`, ""},
		{tenant.EventsQuery, `namespace=shop&nonsense=1`, "position 16"},
		{tenant.AuditQuery, `verb=delete`, ""},
		{tenant.AuditQuery, `nonsense`, "position 1"},
		{"cypher", `MATCH (n) RETURN n`, "unknown"},
	} {
		err := checkQuery(c.language, c.text)
		if (err == nil) != (c.place == "") {
			t.Errorf("%s %q: got %v", c.language, c.text, err)
		}
		if err != nil && (seamark.KindOf(err) != seamark.Invalid || !strings.Contains(err.Error(), c.place)) {
			t.Errorf("%s %q: got %v, want it to name %s", c.language, c.text, err, c.place)
		}
	}
}
