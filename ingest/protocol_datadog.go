package ingest

import (
	"io"
	"net/http"

	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// datadogRoutes are the paths of Datadog's intake that its agent and the like of it push to.
func (f *front) datadogRoutes(t *routeTable) {
	type decode = func(r *request, o datadog.Options) error
	push := func(decode decode) *protocol {
		return &protocol{
			name: "datadog", dialect: httpx.Datadog, foreign: true, queryToken: "api_key", untimed: true, refusal: http.StatusAccepted,
			prepare: func(_ http.ResponseWriter, r *request) error {
				r.media, r.encoding = mediaType(r.http.Request), contentEncoding(r.http.Request)
				if r.encoding == "zstd1" { // Datadog's own clients call it so
					r.encoding = "zstd"
				}
				return nil
			},
			decode: func(r *request) error {
				return decode(r, datadog.Options{Now: r.now, MaxAttrs: f.maxAttrs(r)})
			},
			answer: func(w http.ResponseWriter, r *request) error {
				status, body := datadog.Answer(nil, &r.batch)
				return answerJSON(w, status, body)
			},
		}
	}
	t.post(push(func(r *request, o datadog.Options) error {
		return f.datadog.DecodeSeriesJSON(r.body, r.catalog, &r.batch, o)
	}), "/api/v1/series")
	t.post(push(func(r *request, o datadog.Options) error {
		if r.media == mediaProtobuf || r.media == "application/octet-stream" {
			return f.datadog.DecodeSeriesProto(r.body, r.catalog, &r.batch, o)
		}
		return f.datadog.DecodeSeriesJSON(r.body, r.catalog, &r.batch, o)
	}), "/api/v2/series")
	t.post(push(func(r *request, o datadog.Options) error {
		return f.datadog.DecodeSketches(r.body, r.catalog, &r.batch, o)
	}), "/api/beta/sketches")
	t.post(push(func(r *request, o datadog.Options) error {
		return f.datadog.DecodeCheckRun(r.body, r.catalog, &r.batch, o)
	}), "/api/v1/check_run")
	t.post(push(func(r *request, o datadog.Options) error {
		return f.datadog.DecodeIntake(r.body, r.catalog, &r.batch, o)
	}), "/intake/", "/intake")
	t.post(push(func(r *request, o datadog.Options) error { return f.datadog.DecodeLogs(r.body, r.catalog, &r.batch, o) }), "/api/v2/logs", "/v1/input")
	// The host's inventory says nothing about signals: it is read, so that the connection can be used again, and left.
	t.post(push(func(*request, datadog.Options) error { return nil }), "/api/v1/metadata")
	t.reply(&protocol{name: "datadog", dialect: httpx.Datadog, foreign: true, queryToken: "api_key"}, http.MethodGet,
		func(w http.ResponseWriter, _ *httpx.Request) error {
			return answerJSON(w, http.StatusOK, []byte(datadog.ValidBody))
		}, "/api/v1/validate")
}

func answerJSON(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// drain reads what is left of a small body, so that its connection can be used again.
func drain(r *httpx.Request) { _, _ = io.CopyN(io.Discard, r.Body, maxReplyBody) }

// maxReplyBody bounds the bodies of questions, such as templates, that are answered and not kept.
const maxReplyBody = 1 << 20

// readReply reads the body of a question whole.
func readReply(w http.ResponseWriter, r *httpx.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReplyBody))
	if err != nil {
		return nil, seamark.Wrap(err, seamark.TooLarge, "seamark-body-large", "The body ended too early or has more than %d bytes.", maxReplyBody)
	}
	return body, nil
}
