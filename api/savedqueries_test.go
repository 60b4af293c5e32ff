package api_test

import (
	"testing"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestSavedFiltersAreChecked(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "namespace=shop&not_reason=Pulled": true, "q=back-off+%22pull%22&namespace=a&namespace=b": true,
		"namespace": true, "start=1": false, "limit=3": false, "not_q=x": false, "namespace=%zz": false, "a;b=1": false,
	} {
		if err := api.CheckEventQuery(text); (err == nil) != want || err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%q: got %v, want it taken: %t", text, err, want)
		}
	}
	for text, want := range map[string]bool{"user=ann&class=write": true, "q=x": false, "not_class=x": false} {
		if err := api.CheckAuditQuery(text); (err == nil) != want {
			t.Errorf("%q: got %v, want it taken: %t", text, err, want)
		}
	}
	err := api.CheckEventQuery("namespace=shop&colour=red")
	if want := "At position 16, "; err == nil || err.Error()[:len(want)] != want {
		t.Errorf("got %v, want it to begin with %q", err, want)
	}
}
