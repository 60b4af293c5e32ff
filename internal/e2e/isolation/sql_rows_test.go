package isolation_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// sqlRows are the routes of SQL. A statement names no tenant: whatever it asks for is looked for among the views of who asks.
func sqlRows() []row {
	body := func(sql, format string) string {
		text, _ := json.Marshal(map[string]any{"query": sql, "format": format})
		return string(text)
	}
	queries := func(_ *testing.T, w *world, s *side) []request {
		return []request{
			{contentType: inJSON, body: body("SELECT * FROM logs", "")},
			{contentType: inJSON, body: body("SELECT * FROM logs", "csv")},
			{contentType: inJSON, body: body("SELECT name, labels, value FROM metrics UNION ALL SELECT name, labels, 0 FROM series", "ndjson")},
			{contentType: inJSON, body: body("SELECT * FROM logs WHERE body LIKE '%"+w.other(s)+"%'", "parquet")},
			{contentType: inJSON, body: body("SELECT * FROM t0001.logs", ""), status: http.StatusBadRequest},
			{contentType: inJSON, body: body("SELECT * FROM t0002.logs", ""), status: http.StatusBadRequest},
			{contentType: inJSON, body: body("SELECT * FROM merge('t.*', 'logs')", ""), status: http.StatusBadRequest},
			{contentType: inJSON, body: "{}", status: http.StatusBadRequest},
		}
	}
	explains := func(_ *testing.T, _ *world, _ *side) []request {
		return []request{
			{contentType: inJSON, body: body("SELECT * FROM logs", "")},
			{contentType: inJSON, body: body("SELECT * FROM t0002.logs", ""), status: http.StatusBadRequest},
		}
	}
	return []row{
		{method: http.MethodPost, path: "/api/v1/sql", may: readers, status: http.StatusOK, shows: readers, sends: queries},
		{method: http.MethodPost, path: "/api/v1/sql/explain", may: readers, status: http.StatusOK, sends: explains},
		{method: http.MethodGet, path: "/api/v1/sql/schema", may: readers, status: http.StatusOK, sends: fixed("")},
	}
}
