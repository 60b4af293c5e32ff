package acceptance_test

import (
	"errors"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

func retentionCase() resourceCase {
	block := func(days string) string {
		return "resource \"seamark_retention\" \"it\" {\n  signals = { logs = " + days + ", metrics = 20 }\n  streams = [{ signal = \"logs\", selector = \"{namespace=\\\"debug\\\"}\", days = 2 }]\n}\n"
	}
	return resourceCase{
		address: "seamark_retention.it", create: block("10"), update: block("12"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			if _, err := w.admin.UpdateRetention(t.Context(), client.RetentionSet{Signals: map[string]int{"logs": 5}, Streams: []client.StreamRetention{}}); err != nil {
				t.Fatal(err)
			}
		},
		data: "data \"seamark_retention\" \"it\" {\n  depends_on = [seamark_retention.it]\n}\n",
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			now, err := w.admin.FindRetention(t.Context())
			if err == nil && len(now.Set.Signals)+len(now.Set.Streams) > 0 {
				return errors.New("a retention is set")
			}
			return err
		},
	}
}

func savedQueryCase() resourceCase {
	block := func(query string) string {
		return "resource \"seamark_saved_query\" \"it\" {\n  name          = \"Errors\"\n  language      = \"promql\"\n  query         = \"" + query + "\"\n  range_seconds = 3600\n  tags          = [\"shop\", \"ops\"]\n}\n"
	}
	return resourceCase{
		address: "seamark_saved_query.it", create: block("sum(up)"), update: block("sum(rate(errors_total[$__rate_interval]))"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			visibility := client.QueryVisibility("tenant")
			spec := client.SavedQuerySpec{Name: "Errors", Language: "promql", Query: "up", Description: new("not ours"), Visibility: &visibility}
			if _, err := w.admin.UpdateSavedQuery(t.Context(), text(state, "id"), spec); err != nil {
				t.Fatal(err)
			}
		},
		data: "data \"seamark_saved_query\" \"it\" {\n  id = seamark_saved_query.it.id\n}\n",
		gone: func(t *testing.T, w *world, state map[string]any) error {
			return nothing(w.admin.FindSavedQuery(t.Context(), text(state, "id")))
		},
	}
}

func dashboardCase() resourceCase {
	block := func(title string) string {
		return "resource \"seamark_dashboard\" \"it\" {\n  spec = jsonencode({\n    version = 1\n    title   = \"" + title + "\"\n    panels = [{\n      id = 1, type = \"timeseries\", title = \"Up\", x = 0, y = 0, w = 12, h = 8\n" +
			"      queries = [{ language = \"promql\", query = \"up\", instant = false }]\n    }]\n  })\n}\n"
	}
	return resourceCase{
		address: "seamark_dashboard.it", create: block("Shop"), update: block("The shop"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			now, err := w.admin.FindDashboard(t.Context(), text(state, "id"))
			if err != nil {
				t.Fatal(err)
			}
			now.Spec.Title = "Theirs"
			if _, err := w.admin.UpdateDashboard(t.Context(), now.ID, now.Spec); err != nil {
				t.Fatal(err)
			}
		},
		data:  "data \"seamark_dashboard\" \"it\" {\n  id = seamark_dashboard.it.id\n}\n",
		loose: []string{"spec"}, // the same in other words
		gone: func(t *testing.T, w *world, state map[string]any) error {
			return nothing(w.admin.FindDashboard(t.Context(), text(state, "id")))
		},
	}
}

func pipelineCase() resourceCase {
	block := func(ratio string) string {
		return "resource \"seamark_pipeline\" \"it\" {\n  name    = \"clean\"\n  enabled = true\n  steps = [\n    { name = \"mask\", kind = \"redact\", patterns = [\"email\", \"jwt\"] },\n" +
			"    { name = \"thin\", kind = \"sample\", match = [\"log.severity_text == \\\"DEBUG\\\"\"], ratio = " + ratio + " },\n  ]\n}\n"
	}
	return resourceCase{
		address: "seamark_pipeline.it", create: block("0.1"), update: block("0.35"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			changePipelines(t, w, func(list []client.Pipeline) []client.Pipeline {
				for i := range list {
					if list[i].Name == "clean" {
						list[i].Enabled = new(false)
					}
				}
				return list
			})
		},
		importID: keyed("name"),
		data:     "data \"seamark_pipeline\" \"it\" {\n  name = seamark_pipeline.it.name\n}\n",
		gone:     pipelineGone("clean"),
	}
}

// laterPipelineCase runs behind another, also when somebody has turned them round.
func laterPipelineCase() resourceCase {
	block := func(label string) string {
		return "resource \"seamark_pipeline\" \"later\" {\n  name  = \"route\"\n  after = seamark_pipeline.it.name\n  steps = [{ name = \"by-team\", kind = \"route\", stream = { team = \"" + label + "\" } }]\n}\n"
	}
	return resourceCase{
		address: "seamark_pipeline.later", create: block("shop"), update: block("shops"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			changePipelines(t, w, func(list []client.Pipeline) []client.Pipeline {
				list[0], list[1] = list[1], list[0]
				return list
			})
		},
		importID: keyed("name"),
		written:  []string{"after"},
		gone:     pipelineGone("route"),
	}
}

func changePipelines(t *testing.T, w *world, change func([]client.Pipeline) []client.Pipeline) {
	t.Helper()
	now, err := w.admin.FindPipelines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.ReplacePipelines(t.Context(), client.NewPipelines{Pipelines: change(now.Pipelines), Revision: &now.Revision}); err != nil {
		t.Fatal(err)
	}
}

func pipelineGone(name string) func(*testing.T, *world, map[string]any) error {
	return func(t *testing.T, w *world, _ map[string]any) error {
		now, err := w.admin.FindPipelines(t.Context())
		if err != nil {
			return err
		}
		for _, p := range now.Pipelines {
			if p.Name == name {
				return errors.New("the pipeline is there")
			}
		}
		return nil
	}
}
