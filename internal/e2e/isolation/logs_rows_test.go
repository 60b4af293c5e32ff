package isolation_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// logRows are the routes of log lines beyond Loki's API.
func logRows() []row {
	return slices.Concat(logContextRows(), logExportRows(), logPatternRows(), sqlRows())
}

// logPatternRows asks for templates, which hold each tenant's marker as the word that stays.
func logPatternRows() []row {
	rows := reads("/api/v1/logs/patterns", false, true, func(w *world, s *side) []request {
		asks := func(pairs ...string) string {
			return query(append(pairs, "start", strconv.FormatInt(w.start.Unix(), 10), "end", strconv.FormatInt(w.start.Add(time.Minute).Unix(), 10), "limit", "500")...)
		}
		return []request{
			{path: asks()},
			{path: asks("query", `{app=~".+"}`)},
			{path: asks("query", `{app=~".+"}`, "sort", "new")},
			{path: asks("query", `{app="`+w.other(s)+`"}`)},
			{path: asks("sort", "x"), status: http.StatusBadRequest},
			{path: asks("query", `{`), status: http.StatusBadRequest},
		}
	})
	return rows
}

func logContextRows() []row {
	const path = "/api/v1/logs/context"
	around := func(w *world, stream string, more ...string) string {
		return query(append(more, "stream", stream, "time", strconv.FormatInt(w.start.UnixNano(), 10))...)
	}
	return []row{{method: http.MethodGet, path: path, may: readers, status: http.StatusOK, shows: readers, sends: func(t *testing.T, w *world, s *side) []request {
		// What another tenant's answer names: its stream, and a cursor. Whoever sends them asks for a stream of its own.
		foreign := w.alpha
		if s == w.alpha {
			foreign = w.beta
		}
		var found struct {
			Lines  []struct{ Stream string }
			Before struct{ Cursor string }
		}
		testkit.Eventually(t, 30*time.Second, func() error {
			answer := foreign.Do(t, foreign.Query, http.MethodGet, path+"?"+around(w, `{part="context", app="`+foreign.marker+`"}`), nil, "")
			if err := json.Unmarshal([]byte(answer.Body), &found); err != nil || len(found.Lines) == 0 {
				return fmt.Errorf("%s sees no context: %d %s", foreign.Slug, answer.Status, answer.Body)
			}
			return nil
		})
		return []request{
			{path: around(w, `{part="context", app="`+s.marker+`"}`)},
			{path: around(w, `{part="context", app="`+s.marker+`"}`, "before", "0", "span", "1h")},
			{path: around(w, `{part="context", app="`+s.marker+`"}`, "scope", "pod"), status: http.StatusBadRequest},
			{path: around(w, `{part="context", app="`+foreign.marker+`"}`), status: http.StatusNotFound},
			{path: query("fingerprint", found.Lines[0].Stream, "time", "1"), status: http.StatusNotFound},
			{path: query("cursor", found.Before.Cursor), status: http.StatusNotFound},
			{path: query("cursor", "x"), status: http.StatusBadRequest},
			{path: query("time", "1"), status: http.StatusBadRequest},
		}
	}}}
}

func logExportRows() []row {
	asks := func(w *world, pairs ...string) string {
		return query(append(pairs, "start", strconv.FormatInt(w.start.UnixNano(), 10), "end", strconv.FormatInt(w.start.Add(time.Second).UnixNano(), 10))...)
	}
	return reads("/api/v1/logs/export", false, true, func(w *world, s *side) []request {
		return []request{
			{path: asks(w, "query", `{app=~".+"}`)},
			{path: asks(w, "query", `{app=~".+"}`, "format", "csv", "labels", "app,who")},
			{path: asks(w, "query", `{app=~".+"}`, "format", "parquet")},
			{path: asks(w, "query", `{app="`+w.other(s)+`"}`)},
			{path: asks(w, "query", `{`), status: http.StatusBadRequest},
			{path: asks(w, "query", `{app="same"}`, "format", "x"), status: http.StatusBadRequest},
		}
	})
}
