package influx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/influx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestErrorBodies(t *testing.T) {
	require.Equal(t, `{"error":"say \"no\""}`, string(influx.AppendErrorV1(nil, `say "no"`)))
	require.Equal(t, `x{"code":"invalid","message":"m","line":4}`,
		string(influx.AppendErrorV2([]byte("x"), seamark.Invalid, "m", &influx.Faults{List: []influx.Fault{{Line: 4}}})))
	codes := map[seamark.Kind]string{
		seamark.Internal: "internal error", seamark.Invalid: "invalid", seamark.Unauthenticated: "unauthorized", seamark.Forbidden: "forbidden",
		seamark.NotFound: "not found", seamark.Conflict: "conflict", seamark.TooLarge: "request too large",
		seamark.Unsupported: "unsupported media type", seamark.Unprocessable: "unprocessable entity", seamark.RateLimited: "too many requests",
		seamark.Canceled: "internal error", seamark.Timeout: "unavailable", seamark.Unavailable: "unavailable",
	}
	for _, kind := range seamark.Kinds() {
		require.JSONEq(t, `{"code":"`+codes[kind]+`","message":"m"}`, string(influx.AppendErrorV2(nil, kind, "m", nil)), "%s", kind)
	}
}

func TestHealth(t *testing.T) {
	require.JSONEq(t, `{"name":"influxdb","message":"ready for queries and writes","status":"pass","checks":[],"version":"1.8.10-seamark"}`,
		string(influx.AppendHealth(nil, true)))
	require.Contains(t, string(influx.AppendHealth(nil, false)), `"status":"fail"`)
}

func TestQuery(t *testing.T) {
	answer := func(query, want string) {
		t.Helper()
		got, err := influx.AppendQueryResponse(nil, query, "seamark")
		require.NoError(t, err)
		require.JSONEq(t, want, string(got))
	}
	answer("SHOW DATABASES", `{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[["seamark"]]}]}]}`)
	answer(`CREATE DATABASE "telegraf"`, `{"results":[{"statement_id":0}]}`)
	answer(` create  database x WITH DURATION 1d ; show databases;`,
		`{"results":[{"statement_id":0},{"statement_id":1,"series":[{"name":"databases","columns":["name"],"values":[["seamark"]]}]}]}`)
	refuse := func(query, id string) {
		t.Helper()
		got, err := influx.AppendQueryResponse(nil, query)
		require.Empty(t, got)
		var e *seamark.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, seamark.Invalid, e.Kind)
		require.Equal(t, id, e.ID)
	}
	refuse("", "seamark-influxql-missing")
	refuse(" ; ;", "seamark-influxql-missing")
	refuse("SELECT 1", "seamark-influxql-unsupported")
	refuse("CREATE DATABASE", "seamark-influxql-unsupported")
	refuse("SHOW DATABASES; DROP DATABASE x", "seamark-influxql-unsupported")
}
