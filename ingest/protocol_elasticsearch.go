package ingest

import (
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/ingest/esbulk"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// elasticsearchPrefix is where the Elasticsearch API stands for agents that take a path in their URL; it stands at the root
// too, for those that do not.
const elasticsearchPrefix = "/elasticsearch"

// elasticsearchRoutes are the bulk API of Elasticsearch and what agents ask before they use it.
func (f *front) elasticsearchRoutes(t *routeTable) error {
	handshake, err := esbulk.NewHandshake(esbulk.HandshakeOptions{Version: f.ingester.opts.ElasticsearchVersion})
	if err != nil {
		return err
	}
	bulk := f.elasticsearchBulk()
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		for _, prefix := range []string{"", elasticsearchPrefix} {
			t.add(bulk, method, prefix+"/_bulk", prefix+"/:index/_bulk")
		}
	}
	reply := replyElasticsearch(handshake)
	ask := &protocol{name: "elasticsearch", signal: seamark.Logs, dialect: httpx.Elasticsearch, foreign: true}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost} {
		r := t.route(ask, method, "ingest:logs", reply)
		t.handle(r, elasticsearchPrefix, elasticsearchPrefix+"/*", "/_ilm/*", "/_template/*", "/_index_template/*", "/_component_template/*",
			"/_data_stream/*", "/_ingest/*")
		if method == http.MethodGet || method == http.MethodHead {
			t.handle(r, "/_license", "/_xpack", "/_cluster/health", "/_nodes", "/_nodes/*", "/_cat/*", "/_alias/*", "/_logstash/*")
		}
	}
	// The console's pages have these paths too; only agents bring a credential in a header.
	for _, one := range []struct{ method, path string }{
		{http.MethodGet, "/"}, {http.MethodHead, "/"}, {http.MethodHead, "/:index"}, {http.MethodPut, "/:index"},
	} {
		r := t.route(ask, one.method, "ingest:logs", reply)
		r.Match = func(r *http.Request) bool { return r.Header.Get("Authorization") != "" }
		t.handle(r, one.path)
	}
	return nil
}

func replyElasticsearch(h *esbulk.Handshake) httpx.Handler {
	return func(w http.ResponseWriter, r *httpx.Request) error {
		drain(r)
		path := strings.TrimPrefix(r.URL.EscapedPath(), elasticsearchPrefix)
		status, body, ok := h.Reply(r.Method, path)
		if !ok {
			return seamark.Errorf(seamark.NotFound, "seamark-elasticsearch-unknown",
				"%s %s is not a part of the Elasticsearch API that log agents need. Seamark takes _bulk; queries go through LogQL.", r.Method, r.URL.Path)
		}
		return answerJSON(w, status, body)
	}
}

func (f *front) elasticsearchBulk() *protocol {
	return &protocol{
		name: "elasticsearch", signal: seamark.Logs, dialect: httpx.Elasticsearch, foreign: true, untimed: true, refusal: http.StatusOK,
		prepare: func(_ http.ResponseWriter, r *request) error {
			r.encoding = contentEncoding(r.http.Request)
			switch media := mediaType(r.http.Request); media {
			case "", "application/json", "application/x-ndjson", "application/vnd.elasticsearch+x-ndjson", "application/vnd.elasticsearch+json":
				return nil
			default:
				return unsupportedMedia(media, "application/x-ndjson")
			}
		},
		decode: func(r *request) (err error) {
			r.batch.Rejected.Track = true
			r.items, err = f.bulk.Decode(r.items[:0], r.body, r.catalog, &r.batch, esbulk.Options{
				Now: r.now, Index: r.http.Param("index"), Event: r.takesEvents(), MaxAttrs: f.maxAttrs(r),
			})
			return err
		},
		answer: func(w http.ResponseWriter, r *request) error {
			return answerJSON(w, http.StatusOK, esbulk.AppendResponse(nil, r.items, &r.batch.Rejected, f.ingester.opts.Now().Sub(r.now)))
		},
	}
}
