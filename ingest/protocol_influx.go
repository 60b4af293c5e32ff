package ingest

import (
	"net/http"

	"github.com/seamarkhq/seamark/ingest/influx"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// influxRoutes are the write paths of InfluxDB 1 and 2, and what their clients ask before they write.
func (f *front) influxRoutes(t *routeTable) {
	push := func(precision func(string) (influx.Precision, error)) *protocol {
		return &protocol{
			name: "influx", signal: seamark.Metrics, dialect: httpx.Influx, foreign: true, queryToken: "p", untimed: true,
			prepare: func(w http.ResponseWriter, r *request) (err error) {
				setInfluxVersion(w)
				r.encoding = contentEncoding(r.http.Request)
				r.scale, err = precision(r.http.URL.Query().Get("precision"))
				return err
			},
			decode: func(r *request) error {
				return f.influx.Decode(r.body, r.catalog, &r.batch, influx.Options{Now: r.now, Precision: r.scale, Faults: &r.faults})
			},
			answer: func(w http.ResponseWriter, r *request) error {
				if err := influx.Refusal(&r.batch, &r.faults); err != nil {
					return err
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			},
		}
	}
	t.post(push(influx.ParsePrecisionV1), "/write")
	t.post(push(influx.ParsePrecisionV2), "/api/v2/write")

	ask := &protocol{name: "influx", dialect: httpx.Influx, foreign: true, queryToken: "p"}
	ping := func(w http.ResponseWriter, _ *httpx.Request) error {
		setInfluxVersion(w)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	health := func(w http.ResponseWriter, _ *httpx.Request) error {
		setInfluxVersion(w)
		return answerJSON(w, http.StatusOK, influx.AppendHealth(nil, true))
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		t.handle(t.route(ask, method, httpx.Anonymous, ping), "/ping")
	}
	t.handle(t.route(ask, http.MethodGet, httpx.Anonymous, health), "/health")
	query := func(w http.ResponseWriter, r *httpx.Request) error {
		setInfluxVersion(w)
		r.Body = http.MaxBytesReader(w, r.Body, maxReplyBody)
		body, err := influx.AppendQueryResponse(nil, r.FormValue("q"), "seamark")
		if err != nil {
			return err
		}
		return answerJSON(w, http.StatusOK, body)
	}
	t.reply(ask, http.MethodGet, query, "/query")
	t.reply(ask, http.MethodPost, query, "/query")
}

func setInfluxVersion(w http.ResponseWriter) {
	w.Header().Set(influx.VersionHeader, influx.Version)
	w.Header().Set(influx.BuildHeader, influx.Build)
}
