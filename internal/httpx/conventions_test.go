package httpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// problem is a decoded error of the control plane.
type problem struct {
	Type, Title, Detail, Instance, ID string
	Status                            int
	RequestID                         string `json:"request_id"`
	Errors                            []struct{ Pointer, Detail string }
}

// send asks an edge with the given routes as the owner.
func send(t *testing.T, e *httpx.Edge, method, path, body string, headers ...string) (*httptest.ResponseRecorder, problem) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer smk_good")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	var p problem
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p), w.Body.String())
	}
	return w, p
}

type document struct {
	Name  string            `json:"name"`
	Count uint8             `json:"count"`
	At    *time.Time        `json:"at"`
	Tags  []string          `json:"tags"`
	By    map[string]inner  `json:"by"`
	Any   any               `json:"any"`
	Raw   json.RawMessage   `json:"raw"`
	Text  map[string]string `json:"text"`
	embedded
}

type embedded struct {
	Ratio float64 `json:"ratio"`
}

type inner struct {
	On bool `json:"on"`
}

func reader(decoded *document) httpx.Route {
	return httpx.Route{Method: http.MethodPut, Path: "/api/v1/things/:id", Permission: "x", Handler: func(w http.ResponseWriter, r *httpx.Request) error {
		if err := httpx.ReadJSON(r, decoded); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}}
}

// TestBodyFaults sends documents with faults and expects a pointer to each.
func TestBodyFaults(t *testing.T) {
	for _, c := range []struct {
		body, id string
		pointers string
	}{
		{`{"title":"x"}`, "seamark-body-invalid", "/title"},
		{`{"name":7,"count":300,"nope":1}`, "seamark-body-invalid", "/count /name /nope"},
		{`{"count":-1}`, "seamark-body-invalid", "/count"},
		{`{"count":1.5}`, "seamark-body-invalid", "/count"},
		{`{"count":1e99}`, "seamark-body-invalid", "/count"},
		{`{"tags":["a",2,{"b":1}]}`, "seamark-body-invalid", "/tags/1 /tags/2"},
		{`{"tags":"a"}`, "seamark-body-invalid", "/tags"},
		{`{"by":{"a/b~c":{"on":"yes","off":1}}}`, "seamark-body-invalid", "/by/a~1b~0c/off /by/a~1b~0c/on"},
		{`{"by":{"x":[]}}`, "seamark-body-invalid", "/by/x"},
		{`{"at":"yesterday"}`, "seamark-body-invalid", "/at"},
		{`{"text":{"a":null,"b":{}},"ratio":"1"}`, "seamark-body-invalid", "/ratio /text/b"},
		{`[]`, "seamark-body-invalid", ""},
		{`"text"`, "seamark-body-invalid", ""},
		{``, "seamark-body-json", ""},
		{`{`, "seamark-body-json", ""},
		{`{} {}`, "seamark-body-json", ""},
	} {
		e := edge(t, new([]refusal), reader(new(document)))
		w, p := send(t, e, http.MethodPut, "/api/v1/things/1", c.body)
		require.Equal(t, http.StatusBadRequest, w.Code, c.body)
		require.Equal(t, c.id, p.ID, c.body)
		var pointers []string
		for _, f := range p.Errors {
			pointers = append(pointers, f.Pointer)
			require.NotEmpty(t, f.Detail)
		}
		require.Equal(t, c.pointers, strings.Join(pointers, " "), c.body)
	}
}

func TestBodyIsDecoded(t *testing.T) {
	var got document
	e := edge(t, new([]refusal), reader(&got))
	w, _ := send(t, e, http.MethodPut, "/api/v1/things/1", `{"NAME":"x","count":255,"tags":null,"any":{"z":1},"raw":{"q":[]},"ratio":0.5,"by":{"a":{"on":true}}}`)
	require.Equal(t, http.StatusNoContent, w.Code, w.Body.String())
	require.Equal(t, "x", got.Name)
	require.EqualValues(t, 255, got.Count)
	require.InDelta(t, 0.5, got.Ratio, 0)
	require.True(t, got.By["a"].On)
}

// TestManyFaultsAreCut sends more faults than an answer tells.
func TestManyFaultsAreCut(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		_, _ = fmt.Fprintf(&b, `"f%03d%s":1,`, i, strings.Repeat("x", 500))
	}
	e := edge(t, new([]refusal), reader(new(document)))
	w, p := send(t, e, http.MethodPut, "/api/v1/things/1", "{"+strings.TrimSuffix(b.String(), ",")+"}")
	require.Len(t, p.Errors, 20)
	require.Less(t, w.Body.Len(), 16<<10)
}

// FuzzBodyFaults holds every body against encoding/json: what it refuses is refused, with pointers or without.
func FuzzBodyFaults(f *testing.F) {
	for _, body := range []string{`{"name":"x"}`, `{"count":300}`, `{"by":{"a":{"on":1}}}`, `[[[[`, `{"a":"\ud800"}`, "\x00"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got document
		e := edge(t, new([]refusal), reader(&got))
		w, p := send(t, e, http.MethodPut, "/api/v1/things/1", body)
		dec := json.NewDecoder(strings.NewReader(body))
		dec.DisallowUnknownFields()
		good := dec.Decode(new(document)) == nil && !dec.More()
		if good != (w.Code == http.StatusNoContent) {
			t.Errorf("%q: answered %d %s, want good=%v", body, w.Code, w.Body, good)
		}
		if !good && (w.Code != http.StatusBadRequest || p.ID != "seamark-body-invalid" && p.ID != "seamark-body-json") {
			t.Errorf("%q: answered %d %s", body, w.Code, w.Body)
		}
	})
}

func TestProblem(t *testing.T) {
	e := edge(t, new([]refusal), reader(new(document)))
	w, p := send(t, e, http.MethodPut, "/api/v1/things/1", `{"x":1}`)
	require.Equal(t, "/docs/errors#seamark-body-invalid", p.Type)
	require.Equal(t, "urn:seamark:request:"+w.Header().Get("X-Request-Id"), p.Instance)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	require.Equal(t, "Bad Request", p.Title)
	w, p = send(t, e, http.MethodDelete, "/api/v1/things/1", "")
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "seamark-route-method", p.ID)
	require.Contains(t, w.Header().Get("Allow"), http.MethodPut)
	w, p = send(t, e, http.MethodGet, "/api/v1/nothing", "")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "seamark-route-unknown", p.ID)
}

// list answers pages of words.
func list(words []string) httpx.Route {
	return httpx.Route{Method: http.MethodGet, Path: "/api/v1/words", Permission: "x", Handler: func(w http.ResponseWriter, r *httpx.Request) error {
		page, err := httpx.Paginate(r, words, func(s *string) string { return *s })
		if err != nil {
			return err
		}
		return httpx.WriteJSON(w, http.StatusOK, page)
	}}
}

func TestPaginate(t *testing.T) {
	words := []string{"a", "b", "c", "d", "e"}
	read := func(words []string, query string) httpx.List[string] {
		e := edge(t, new([]refusal), list(words))
		w, _ := send(t, e, http.MethodGet, "/api/v1/words?"+query, "")
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		var page httpx.List[string]
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
		return page
	}
	first := read(words, "limit=2")
	require.Equal(t, []string{"a", "b"}, first.Items)
	second := read([]string{"0", "a", "c", "cc", "d", "e"}, "limit=3&cursor="+first.NextCursor) // b went, others came
	require.Equal(t, []string{"c", "cc", "d"}, second.Items)
	last := read(words, "cursor="+second.NextCursor)
	require.Equal(t, []string{"e"}, last.Items)
	require.Empty(t, last.NextCursor)
	require.Empty(t, read(words, "limit=5").NextCursor)
	require.Equal(t, []string{}, read(nil, "").Items)

	e := edge(t, new([]refusal), list(words))
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=1001", "limit=x", "cursor=x", "cursor=%20", "cursor=AAAA", "cursor=" + strings.Repeat("A", 40),
		"cursor=" + first.NextCursor + "&filter=1", "cursor=" + first.NextCursor[:len(first.NextCursor)-1], "cursor=" + first.NextCursor + "A",
	} {
		w, p := send(t, e, http.MethodGet, "/api/v1/words?"+query, "")
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Contains(t, []string{"seamark-page-limit", "seamark-page-cursor"}, p.ID, query)
	}
}

func TestPreconditions(t *testing.T) {
	for _, c := range []struct {
		name, header, value string
		current             httpx.ETag
		id                  string
	}{
		{"none", "", "", `"r1"`, ""},
		{"the same", "If-Match", `"r1"`, `"r1"`, ""},
		{"one of them", "If-Match", `"r0", "r1"`, `"r1"`, ""},
		{"any", "If-Match", `*`, `"r1"`, ""},
		{"another", "If-Match", `"r1"`, `"r2"`, "seamark-document-changed"},
		{"weak", "If-Match", `W/"r1"`, `"r1"`, "seamark-document-changed"},
		{"absent", "If-Match", `"r1"`, "", "seamark-document-absent"},
		{"any of none", "If-Match", `*`, "", "seamark-document-absent"},
		{"create", "If-None-Match", `*`, "", ""},
		{"create again", "If-None-Match", `*`, `"r1"`, "seamark-document-exists"},
		{"not this", "If-None-Match", `"r1"`, `"r1"`, "seamark-document-exists"},
		{"not that", "If-None-Match", `"r1"`, `"r2"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := edge(t, new([]refusal), httpx.Route{Method: http.MethodPut, Path: "/api/v1/thing", Permission: "x", Handler: func(w http.ResponseWriter, r *httpx.Request) error {
				p := r.Precondition()
				if err := p.Check(w, c.current); err != nil {
					return err
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			}})
			w, p := send(t, e, http.MethodPut, "/api/v1/thing", "", c.header, c.value)
			if c.id == "" {
				require.Equal(t, http.StatusNoContent, w.Code, w.Body.String())
				return
			}
			require.Equal(t, http.StatusPreconditionFailed, w.Code)
			require.Equal(t, c.id, p.ID)
			require.Equal(t, string(c.current), w.Header().Get("ETag"))
			require.Equal(t, "Precondition Failed", p.Title)
		})
	}
}

func TestLostConditions(t *testing.T) {
	lost := seamark.Errorf(seamark.Conflict, "seamark-x-changed", "Changed.")
	route := httpx.Route{Method: http.MethodPut, Path: "/api/v1/thing", Permission: "x", Handler: func(_ http.ResponseWriter, r *httpx.Request) error {
		p := r.Precondition()
		return p.Lost(lost)
	}}
	e := edge(t, new([]refusal), route)
	w, _ := send(t, e, http.MethodPut, "/api/v1/thing", "", "If-Match", `"r1"`)
	require.Equal(t, http.StatusPreconditionFailed, w.Code)
	w, p := send(t, e, http.MethodPut, "/api/v1/thing", "")
	require.Equal(t, http.StatusConflict, w.Code)
	require.Equal(t, "seamark-x-changed", p.ID)
}

func TestRevisionOfACondition(t *testing.T) {
	for _, c := range []struct {
		match, none string
		revision    uint64
		ok          bool
	}{
		{`"r7"`, "", 7, true}, {"", "*", 0, true}, {"*", "", 0, false}, {`"r7","r8"`, "", 0, false}, {`"h7"`, "", 0, false}, {`"r07"`, "", 0, false}, {"", "", 0, false},
		{`"r0"`, "", 0, false}, {`"r7"`, "*", 0, false},
	} {
		r := httpx.Request{Request: httptest.NewRequest(http.MethodPut, "/", http.NoBody)}
		r.Header.Set("If-Match", c.match)
		r.Header.Set("If-None-Match", c.none)
		p := r.Precondition()
		revision, ok := p.Revision()
		if ok != c.ok || ok && revision != c.revision {
			t.Errorf("%+v: got %d %v", c, revision, ok)
		}
	}
}

func TestDocumentsAreNotSentTwice(t *testing.T) {
	tag, err := httpx.ContentTag(document{Name: "x"})
	require.NoError(t, err)
	other, err := httpx.ContentTag(document{Name: "y"})
	require.NoError(t, err)
	require.NotEqual(t, tag, other)
	e := edge(t, new([]refusal), httpx.Route{Method: http.MethodGet, Path: "/api/v1/thing", Permission: "x", Handler: func(w http.ResponseWriter, r *httpx.Request) error {
		return httpx.WriteDocument(w, r, tag, document{Name: "x"})
	}})
	w, _ := send(t, e, http.MethodGet, "/api/v1/thing", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, string(tag), w.Header().Get("ETag"))
	w, _ = send(t, e, http.MethodGet, "/api/v1/thing", "", "If-None-Match", string(tag))
	require.Equal(t, http.StatusNotModified, w.Code)
	require.Zero(t, w.Body.Len())
	w, _ = send(t, e, http.MethodGet, "/api/v1/thing", "", "If-None-Match", string(other))
	require.Equal(t, http.StatusOK, w.Code)
}

// memory is a httpx.Replays that forgets nothing.
type memory struct {
	mu      sync.Mutex
	answers map[string]*httpx.Answer
	prints  map[string]string
	keepErr error
}

func (m *memory) Claim(_ context.Context, key *httpx.ReplayKey) (*httpx.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, taken := m.prints[key.Name]
	if taken && before != key.Fingerprint {
		return nil, seamark.Errorf(seamark.Unprocessable, "seamark-idempotency-mismatch", "Another request.")
	}
	m.prints[key.Name] = key.Fingerprint
	return m.answers[key.Name], nil
}

func (m *memory) Keep(_ context.Context, key *httpx.ReplayKey, answer *httpx.Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers[key.Name] = answer
	return m.keepErr
}

func (m *memory) Release(_ context.Context, key *httpx.ReplayKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.prints, key.Name)
	return nil
}

// creator counts what it makes; it refuses empty names.
func creator(made *int) httpx.Route {
	return httpx.Route{Method: http.MethodPost, Path: "/api/v1/things", Permission: "x", Creates: true, Handler: func(w http.ResponseWriter, r *httpx.Request) error {
		var in struct {
			Name string `json:"name"`
		}
		if err := httpx.ReadJSON(r, &in); err != nil {
			return err
		}
		if in.Name == "" {
			return seamark.Errorf(seamark.Invalid, "seamark-thing-name", "A thing has a name.")
		}
		*made++
		w.Header().Set("Location", "/api/v1/things/"+in.Name)
		return httpx.WriteJSON(w, http.StatusCreated, map[string]any{"name": in.Name, "number": *made})
	}}
}

func TestIdempotencyKey(t *testing.T) {
	made := 0
	m := &memory{answers: map[string]*httpx.Answer{}, prints: map[string]string{}}
	var changes []int
	e, err := httpx.New(httpx.Options{
		Routes: []httpx.Route{creator(&made)}, Verifier: oneToken{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		Replays: m, Changed: func(_ *httpx.Request, _ *httpx.Route, status int, _ *seamark.Error) {
			changes = append(changes, status)
		},
	})
	require.NoError(t, err)
	const path, key = "/api/v1/things", "Idempotency-Key"
	first, _ := send(t, e, http.MethodPost, path, `{"name":"a"}`, key, "k1")
	require.Equal(t, http.StatusCreated, first.Code, first.Body.String())
	again, _ := send(t, e, http.MethodPost, path, `{"name":"a"}`, key, "k1")
	require.Equal(t, http.StatusCreated, again.Code)
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Equal(t, "/api/v1/things/a", again.Header().Get("Location"))
	require.Equal(t, "application/json", again.Header().Get("Content-Type"))
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	require.Empty(t, first.Header().Get("Idempotency-Replayed"))
	require.Equal(t, 1, made)

	w, p := send(t, e, http.MethodPost, path, `{"name":"b"}`, key, "k1")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Equal(t, "seamark-idempotency-mismatch", p.ID)
	w, _ = send(t, e, http.MethodPost, path, `{"name":""}`, key, "k2")
	require.Equal(t, http.StatusBadRequest, w.Code)
	w, _ = send(t, e, http.MethodPost, path, `{"name":"c"}`, key, "k2") // what failed has made nothing
	require.Equal(t, http.StatusCreated, w.Code)
	_, _ = send(t, e, http.MethodPost, path, `{"name":"a"}`)
	_, _ = send(t, e, http.MethodPost, path, `{"name":"a"}`)
	require.Equal(t, 4, made, "without a key each request makes one")
	require.Equal(t, []int{201, 422, 400, 201, 201, 201}, changes, "an answer that is given again is no change")

	for _, bad := range []string{strings.Repeat("x", 256), "a\x01b", "é"} {
		w, p := send(t, e, http.MethodPost, path, `{"name":"a"}`, key, bad)
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Equal(t, "seamark-idempotency-key", p.ID)
	}
	m.keepErr = errors.New("away")
	w, _ = send(t, e, http.MethodPost, path, `{"name":"d"}`, key, "k3")
	require.Equal(t, http.StatusCreated, w.Code, "what was made is answered, kept or not")
}

func TestCreatingRoutesNeedReplays(t *testing.T) {
	_, err := httpx.New(httpx.Options{
		Routes: []httpx.Route{creator(new(int))}, Verifier: oneToken{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.ErrorContains(t, err, "Replays")
}
