package ingest

import (
	"net/http"

	"github.com/seamarkhq/seamark/ingest/jsonlog"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// jsonLogs takes log records in plain JSON, as lines or as an array, with the field mapping that the URL or headers tell.
func (f *front) jsonLogs() *protocol {
	return &protocol{
		name: "json", signal: seamark.Logs, dialect: httpx.Plain, untimed: true,
		prepare: func(_ http.ResponseWriter, r *request) (err error) {
			r.encoding = contentEncoding(r.http.Request)
			if err := checkJSONMedia(r.http.Request); err != nil {
				return err
			}
			query := r.http.URL.Query()
			r.mapping, err = jsonlog.ParseMapping(func(setting string) string {
				if v := query.Get(setting); v != "" {
					return v
				}
				return r.http.Header.Get(jsonlog.HeaderOf(setting))
			})
			return err
		},
		decode: func(r *request) error {
			return f.json.Decode(r.body, r.catalog, &r.batch, jsonlog.Options{
				Now: r.now, MaxAttrs: f.maxAttrs(r), Mapping: r.mapping, Event: r.takesEvents(),
			})
		},
		answer: func(w http.ResponseWriter, r *request) error { return answerPlain(w, r, http.StatusNoContent) },
	}
}
