package app

import (
	"testing"

	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestDetectorsAreParsed refuses on save what would fail at every evaluation.
func TestDetectorsAreParsed(t *testing.T) {
	for _, c := range []struct {
		language, text string
		good           bool
	}{
		{detect.PromQL, `sum(rate(http_requests_total[5m]))`, true},
		{detect.PromQL, `sum(rate(http_requests_total[5m])`, false},
		{detect.LogQL, `sum(rate({app="a"}[5m]))`, true},
		{detect.LogQL, `{app="a"}`, false},
		{"selector", `{app="a", pod=~"b.+"}`, true},
		{"selector", `{}`, false},
		{"selector", `{app=~".*"}`, false},
		{"selector", `{app="a"} |= "b"`, false},
		{"selector", `app`, false},
	} {
		err := parseDetector(c.language, c.text)
		if (err == nil) != c.good || err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s %q: %v", c.language, c.text, err)
		}
	}
}
