package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// contextFake records what it is asked.
type contextFake struct {
	asked  api.LogContextQuery
	cursor string
	limit  int
	page   api.LogContextPage
}

func (f *contextFake) LogContext(_ context.Context, _ seamark.Scope, q api.LogContextQuery) (*api.LogContextPage, error) {
	f.asked = q
	return &f.page, nil
}

func (f *contextFake) LogContextPage(_ context.Context, _ seamark.Scope, cursor string, limit int) (*api.LogContextPage, error) {
	f.cursor, f.limit = cursor, limit
	return &f.page, nil
}

func getContext(t *testing.T, f *contextFake, pairs ...string) (status int, body string) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	w := getRoute(t, api.LogContextRoutes(f, eventsNow), "/api/v1/logs/context?"+values.Encode())
	return w.Code, w.Body.String()
}

func TestLogContextAsks(t *testing.T) {
	line, empty := "a line", ""
	for _, c := range []struct {
		pairs []string
		want  api.LogContextQuery
	}{
		{[]string{"stream", "{}", "time", "1700000000000000001"}, api.LogContextQuery{Stream: "{}", Time: 1700000000000000001, Before: 10, After: 10}},
		{
			[]string{"fingerprint", "00000000000000ff", "time", "2023-11-14T22:13:20.000000001Z", "line", line, "scope", "pod", "before", "0", "after", "3", "span", "2h"},
			api.LogContextQuery{Fingerprint: 255, Time: 1700000000000000001, Line: &line, Pod: true, After: 3, Span: 2 * time.Hour},
		},
		{[]string{"stream", "{}", "time", "1", "line", "", "scope", "stream"}, api.LogContextQuery{Stream: "{}", Time: 1e9, Line: &empty, Before: 10, After: 10}},
	} {
		f := &contextFake{}
		if status, body := getContext(t, f, c.pairs...); status != http.StatusOK {
			t.Errorf("%v: %d %s", c.pairs, status, body)
		}
		if diff := cmp.Diff(c.want, f.asked); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.pairs, diff)
		}
	}
	f := &contextFake{}
	if status, body := getContext(t, f, "cursor", "abc", "limit", "5"); status != http.StatusOK || f.cursor != "abc" || f.limit != 5 {
		t.Errorf("cursor: %d %s, asked %q %d", status, body, f.cursor, f.limit)
	}
}

func TestLogContextRefuses(t *testing.T) {
	for _, pairs := range [][]string{
		{"time", "1"}, {"stream", "{}"}, {"stream", "{}", "fingerprint", "00000000000000ff", "time", "1"}, {"fingerprint", "ff", "time", "1"},
		{"stream", "{}", "time", "x"}, {"stream", "{}", "time", "1", "scope", "node"}, {"stream", "{}", "time", "1", "before", "-1"},
		{"stream", "{}", "time", "1", "span", "x"}, {"cursor", "abc", "limit", "x"},
	} {
		if status, body := getContext(t, &contextFake{}, pairs...); status != http.StatusBadRequest {
			t.Errorf("%v: got %d %s, want 400", pairs, status, body)
		}
	}
}

func TestLogContextAnswer(t *testing.T) {
	labels := []seamark.Label{{Name: "app", Value: "web"}}
	f := &contextFake{page: api.LogContextPage{
		Lines: []api.LogContextLine{
			{Time: 1, Fingerprint: 255, Labels: labels, Text: "a", Level: seamark.LevelError, TraceID: [16]byte{1}, SpanID: [8]byte{2}, Metadata: labels, Anchor: true},
			{Time: 1700000000000000001, Fingerprint: 255, Labels: labels},
		},
		Before: "x", MoreBefore: true,
	}}
	_, body := getContext(t, f, "cursor", "abc")
	const want = `{"streams":{"00000000000000ff":{"app":"web"}},"lines":[
		{"time":"1970-01-01T00:00:00.000000001Z","time_unix_nano":"1","stream":"00000000000000ff","line":"a","level":"error",
		 "trace_id":"01000000000000000000000000000000","span_id":"0200000000000000","metadata":{"app":"web"},"anchor":true},
		{"time":"2023-11-14T22:13:20.000000001Z","time_unix_nano":"1700000000000000001","stream":"00000000000000ff","line":""}],
		"before":{"cursor":"x","more":true}}`
	var got, expected any
	for text, into := range map[string]*any{body: &got, want: &expected} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
