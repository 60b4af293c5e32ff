package isolation_test

import (
	"net/http"
	"strings"
	"testing"
)

// showing makes the row of a route that reads: queries, in which MINE and OTHER stand for the tenants' markers, are asked
// with good answers, refused with 400.
func showing(path string, queries, refused []string) row {
	return row{method: http.MethodGet, path: path, may: readers, status: http.StatusOK, shows: readers, sends: func(_ *testing.T, w *world, s *side) []request {
		var list []request
		for _, q := range queries {
			list = append(list, request{path: path + "?" + strings.NewReplacer("MINE", s.marker, "OTHER", w.other(s)).Replace(q)})
		}
		for _, q := range refused {
			list = append(list, request{path: path + "?" + q, status: http.StatusBadRequest})
		}
		return list
	}}
}

// eventRows are the routes for Kubernetes events. Both tenants have an event of the same object, whose message and source
// are the tenant's marker.
func eventRows() []row {
	const path = "/api/v1/events"
	return []row{
		showing(path, []string{"", "q=same", "source=MINE", "source=OTHER", "uid=0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d&node_problems=true"}, []string{"limit=x", "q=%22"}),
		showing(path+"/facets", []string{"", "source=OTHER", "not_source=OTHER"}, []string{"limit=100000"}),
		showing(path+"/series", []string{"by=source", "by=source&source=OTHER"}, []string{"by=x", "step=1ms", "uid=x"}),
		showing(path+"/trend", []string{"by=source", "by=source&compare=yesterday"}, []string{"compare=x", "by=x"}),
		showing(path+"/timeline", []string{"kind=Pod&object=same&namespace=same&cluster=same", "kind=Pod&object=same&namespace=same&cluster=OTHER"}, []string{"kind=Pod"}),
	}
}
