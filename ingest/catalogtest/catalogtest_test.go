package catalogtest_test

import (
	"errors"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestCreateInternsByContent(t *testing.T) {
	cat := catalogtest.New()
	first, err := cat.Create(1, seamark.LogStream, []seamark.Label{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}, {Name: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := cat.Create(2, seamark.LogStream, []seamark.Label{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}})
	if err != nil {
		t.Fatal(err)
	}
	if first != second || cat.Find(1) != first || cat.Find(2) != first || cat.Find(3) != nil {
		t.Fatalf("the same labels under two keys must be one series: %p and %p", first, second)
	}
	if cat.Len() != 1 || cat.Creates() != 2 {
		t.Fatalf("got %d series after %d creates, want 1 after 2", cat.Len(), cat.Creates())
	}
}

func TestCreateRefuses(t *testing.T) {
	for id, labels := range map[string][]seamark.Label{
		"seamark-labels-empty":    {{Name: "a"}},
		"seamark-label-name":      {{Value: "a"}},
		"seamark-label-utf8":      {{Name: "a", Value: "\xff"}},
		"seamark-label-duplicate": {{Name: "a", Value: "1"}, {Name: "a", Value: "2"}},
		"seamark-series-unnamed":  {{Name: "a", Value: "1"}},
	} {
		cat := catalogtest.New()
		_, err := cat.Create(1, seamark.MetricSeries, labels)
		e, ok := errors.AsType[*seamark.Error](err)
		if !ok || e.ID != id || e.Kind != seamark.Invalid {
			t.Errorf("labels %v: got %v, want %s", labels, err, id)
		}
		if cat.Find(1) != nil {
			t.Errorf("labels %v: a refused set must not be remembered", labels)
		}
	}
}
