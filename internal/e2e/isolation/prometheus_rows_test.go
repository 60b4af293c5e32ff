package isolation_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// remoteReadRow asks for streams, whose bytes show labels as they are, and for samples.
func remoteReadRow() row {
	return row{method: http.MethodPost, path: "/prometheus/api/v1/read", may: readers, shows: readers, status: http.StatusOK,
		sends: func(t *testing.T, w *world, s *side) []request {
			all := &prompb.LabelMatcher{Type: prompb.LabelMatcher_RE, Name: "__name__", Value: ".+"}
			foreign := &prompb.LabelMatcher{Type: prompb.LabelMatcher_EQ, Name: "job", Value: w.other(s)}
			return []request{
				readRequest(t, w, prompb.ReadRequest_STREAMED_XOR_CHUNKS, all), readRequest(t, w, prompb.ReadRequest_SAMPLES, all),
				readRequest(t, w, prompb.ReadRequest_STREAMED_XOR_CHUNKS, foreign),
				{contentType: "application/x-protobuf", body: "neither snappy nor protobuf", status: http.StatusBadRequest},
			}
		}}
}

func readRequest(t *testing.T, w *world, kind prompb.ReadRequest_ResponseType, matchers ...*prompb.LabelMatcher) request {
	t.Helper()
	message := prompb.ReadRequest{
		AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{kind},
		Queries:               []*prompb.Query{{StartTimestampMs: w.start.UnixMilli(), EndTimestampMs: w.start.Add(time.Minute).UnixMilli(), Matchers: matchers}},
	}
	body, err := message.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return request{contentType: "application/x-protobuf", body: string(snappy.Encode(nil, body))}
}

// cardinalityRow asks for every kind of entry, with the other tenant's marker as the label and in a selector.
func cardinalityRow() row {
	const path = "/api/v1/cardinality"
	return row{method: http.MethodGet, path: path, may: readers, shows: readers, status: http.StatusOK,
		sends: func(_ *testing.T, w *world, s *side) []request {
			of := func(pairs ...string) string {
				return path + "?" + query(append(pairs, "end", w.start.Add(time.Minute).Format(time.RFC3339), "limit", "10000")...)
			}
			return []request{
				{path: of("by", "metric")}, {path: of("by", "label")}, {path: of("by", "pair")}, {path: of("label", "job", "order", "samples")},
				{path: of("label", w.other(s))}, {path: of("by", "pair", "match[]", `{job="`+w.other(s)+`"}`)},
				{path: of("by", "pair", "match[]", `{job="`+w.other(s)+`"}`, "match[]", `{`+w.other(s)+`=~".*"}`)},
				{path: of("match[]", `same{`), status: http.StatusBadRequest}, {path: of("period", "16d"), status: http.StatusBadRequest},
			}
		}}
}

// federateRow sends what it asks for first: federation shows the last five minutes alone.
func federateRow() row {
	const path = "/prometheus/federate"
	return row{method: http.MethodGet, path: path, may: readers, shows: readers, status: http.StatusOK,
		sends: func(t *testing.T, w *world, s *side) []request {
			fresh := *w
			fresh.start = time.Now()
			fresh.pushMetrics(t, s)
			return []request{
				{path: path + "?" + query("match[]", `{__name__=~".+"}`)}, {path: path + "?" + query("match[]", `{job="`+w.other(s)+`"}`)},
				{path: path + "?" + query("match[]", `same{`), status: http.StatusBadRequest},
			}
		}}
}
