package seamark

import (
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// TestPlacePipeline puts a pipeline where it belongs, and leaves it where it is already right.
func TestPlacePipeline(t *testing.T) {
	for name, c := range map[string]struct {
		list  []string
		name  string
		after string
		want  []string
	}{
		"a first one":          {nil, "a", "", []string{"a"}},
		"at the end":           {[]string{"a", "b"}, "c", "", []string{"a", "b", "c"}},
		"right behind another": {[]string{"a", "b"}, "c", "a", []string{"a", "c", "b"}},
		"stays":                {[]string{"a", "b"}, "a", "", []string{"a", "b"}},
		"is behind already":    {[]string{"a", "x", "b"}, "b", "a", []string{"a", "x", "b"}},
		"moves back":           {[]string{"b", "x", "a", "y"}, "b", "a", []string{"x", "a", "b", "y"}},
		"behind the last":      {[]string{"b", "a"}, "b", "a", []string{"a", "b"}},
	} {
		var list []client.Pipeline
		for _, p := range c.list {
			list = append(list, client.Pipeline{Name: p})
		}
		m := &pipeline{Name: &c.name}
		if c.after != "" {
			m.After = &c.after
		}
		placed, err := m.place(list)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, p := range placed {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	missing := &pipeline{Name: new("a"), After: new("none")}
	if _, err := missing.place(nil); err == nil {
		t.Error("a pipeline goes behind one that is not there")
	}
}
