package isolation_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// lokiExploreRows are what Explore and Logs Drilldown ask of Loki's API beside queries.
func lokiExploreRows() []row {
	const v1 = "/loki/api/v1"
	span := func(w *world) []string {
		return []string{"start", strconv.FormatInt(w.start.Add(-time.Second).UnixNano(), 10), "end", strconv.FormatInt(w.start.Add(time.Second).UnixNano(), 10)}
	}
	// asks makes one request of each set of parameters; OTHER in one stands for the other tenant's marker.
	asks := func(path string, sets ...[]string) func(w *world, s *side) []request {
		return func(w *world, s *side) []request {
			var list []request
			for _, set := range sets {
				pairs := span(w)
				for _, p := range set {
					if p == "OTHER" {
						p = w.other(s)
					}
					pairs = append(pairs, p)
				}
				q := query(pairs...)
				if path != "" {
					q = path + "?" + q
				}
				list = append(list, request{path: q})
			}
			return list
		}
	}
	all := []string{"query", `{app=~".+"}`}
	foreign := func(w *world, s *side) []request {
		return asks("", all, []string{"query", "{}"}, []string{"query", `{app="` + w.other(s) + `"}`})(w, s)
	}
	volumes := asks("", append([]string{"targetLabels", "app"}, all...), append([]string{"aggregateBy", "labels"}, all...), append([]string{"targetLabels", "OTHER"}, all...), []string{})
	var rows []row
	rows = append(rows, reads(v1+"/index/stats", true, false, foreign)...)
	rows = append(rows, reads(v1+"/index/shards", true, false, asks("",
		append([]string{"targetBytesPerShard", "1"}, all...), []string{"targetBytesPerShard", "1", "query", "{}"}))...)
	rows = append(rows, reads(v1+"/index/volume", true, true, volumes)...)
	rows = append(rows, reads(v1+"/index/volume_range", true, true, volumes)...)
	rows = append(rows, reads(v1+"/detected_labels", true, true, foreign)...) // a label's name is the marker
	rows = append(rows, reads(v1+"/patterns", true, true, foreign)...)
	rows = append(rows, reads(v1+"/drilldown-limits", false, false, asks(""))...)
	rows = append(rows, reads(v1+"/detected_fields", true, false, foreign)...)
	// A tail is a WebSocket; what a plain request gets is told before it is one. TestTails looks at what tails show.
	tail := reads(v1+"/tail", false, false, asks("", all))
	tail[0].status = http.StatusBadRequest
	rows = append(rows, tail...)
	for _, r := range reads(v1+"/detected_field/:name/values", true, true, nil) {
		get := r.method == http.MethodGet
		r.sends = func(_ *testing.T, w *world, s *side) []request {
			var list []request
			for _, name := range []string{"said", "who", w.other(s)} {
				path := v1 + "/detected_field/" + name + "/values"
				if get {
					list = append(list, asks(path, all)(w, s)...)
				} else {
					list = append(list, request{path: path, contentType: form, body: asks("", all)(w, s)[0].path})
				}
			}
			return list
		}
		rows = append(rows, r)
	}
	return rows
}
