package reference

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// site is a handler whose pages are made once for a test.
type site struct{ http.Handler }

func newSite() site { return site{Handler(http.NotFoundHandler())} }

func (s site) get(t *testing.T, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s site) page(t *testing.T, path string) string {
	t.Helper()
	w := s.get(t, path)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// TestCopiesAreCurrent compares what is embedded with what it is a copy of.
func TestCopiesAreCurrent(t *testing.T) {
	for copied, original := range map[string]string{"openapi.yaml": "../../openapi.yaml", "errors.md": "../../docs/errors.md"} {
		have, err := os.ReadFile(copied)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(original)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not %s; run `make generate`", copied, original)
		}
	}
}

// TestPageHasEverything looks for each operation and each schema, under an id that can be linked to.
func TestPageHasEverything(t *testing.T) {
	html := newSite().page(t, "/docs")
	text, err := files.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, path := range s.Paths {
		for _, op := range path.Value.operations() {
			seen++
			if strings.Count(html, `<article id="`+op.Value.ID+`">`) != 1 {
				t.Errorf("the page does not have %s once", op.Value.ID)
			}
		}
	}
	for _, c := range s.Components.Schemas {
		if !strings.Contains(html, `id="schema-`+c.Name+`"`) {
			t.Errorf("the page lacks the schema %s", c.Name)
		}
	}
	if seen < 100 || seen != strings.Count(string(text), "operationId:") {
		t.Errorf("the document has %d operations, of which %d are known", strings.Count(string(text), "operationId:"), seen)
	}
}

// TestLinksLeadSomewhere follows every link and id of the pages; nothing comes from outside, and no script runs.
func TestLinksLeadSomewhere(t *testing.T) {
	pages, ids := newSite(), map[string]map[string]bool{}
	texts := map[string]string{"/docs": pages.page(t, "/docs"), "/docs/errors": pages.page(t, "/docs/errors")}
	for path, html := range texts {
		ids[path] = map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(html, -1) {
			if ids[path][m[1]] {
				t.Errorf("%s has the id %s twice", path, m[1])
			}
			ids[path][m[1]] = true
		}
	}
	for path, html := range texts {
		for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if target == "" {
				target = path
			}
			switch {
			case target == "/": // the console
			case fragment == "" && pages.get(t, target).Code == http.StatusOK:
			case fragment != "" && ids[target][fragment]:
			default:
				t.Errorf("%s links to %s, which is nowhere", path, m[1])
			}
		}
		for _, forbidden := range []string{"<script", "style=", "onclick", "http://", "//cdn"} {
			if strings.Contains(html, forbidden) {
				t.Errorf("%s has %q", path, forbidden)
			}
		}
	}
	if !ids["/docs/errors"]["seamark-token-missing"] {
		t.Error("errors cannot be linked to by their ids")
	}
}

func TestHeaders(t *testing.T) {
	pages := newSite()
	w := pages.get(t, "/docs", "Accept-Encoding", "br, gzip")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
	zipped, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(zipped); err != nil || string(plain) != pages.page(t, "/docs") {
		t.Errorf("the compressed page is another one: %v", err)
	}
	if again := pages.get(t, "/docs", "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("the same page again: got %d with %d bytes", again.Code, again.Body.Len())
	}
	if other := pages.get(t, "/clusters"); other.Code != http.StatusNotFound {
		t.Errorf("a page of the console: got %d, want what the next handler says", other.Code)
	}
}

// TestExamples makes an example of a schema with a part of everything.
func TestExamples(t *testing.T) {
	s, err := parse([]byte(`
components:
  schemas:
    Tree:
      type: object
      properties:
        id: { type: string }
        at: { type: string, format: date-time }
        kind: { type: string, enum: [a, b] }
        size: { type: integer, minimum: 5 }
        on: { type: boolean }
        none: { type: "null" }
        labels: { type: object, additionalProperties: { type: string } }
        either: { oneOf: [{ $ref: "#/components/schemas/Leaf" }, { type: "null" }] }
        leaves: { type: array, items: { $ref: "#/components/schemas/Leaf" } }
        more: { $ref: "#/components/schemas/More" }
    Leaf: { type: object, properties: { color: { type: string, default: green } } }
    More:
      allOf:
        - $ref: "#/components/schemas/Leaf"
        - { type: object, properties: { color: { const: red }, extra: { example: [1] } } }
`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(s.example(s.Components.Schemas.find("Tree"), "", 0))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"01JD7Q3M8Z5T4V6W9X2Y1A0BCD","at":"2026-11-21T12:00:00Z","kind":"a","size":5,"on":true,"labels":{"name":"text"},` +
		`"either":{"color":"green"},"leaves":[{"color":"green"}],"more":{"color":"red","extra":[1]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"a `b<c>` & d":         "a <code>b&lt;c&gt;</code> &amp; d",
		"see [this](there.md)": "see this",
		"[not a link":          "[not a link",
		"<script>":             "&lt;script&gt;",
		"":                     "",
	} {
		if got := string(inline(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	got := string(document("| id | text |\n| --- | --- |\n| `a` | x &lt;y><br>`z` |\n| `a` | again |"))
	for _, part := range []string{`<tr id="a"><td><code>a</code></td><td>x &lt;y&gt;<br><code>z</code></td></tr>`, `<tr><td><code>a</code></td><td>again</td></tr>`} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
}

func TestCurl(t *testing.T) {
	html := newSite().page(t, "/docs")
	for _, want := range []string{
		`curl -H &#34;Authorization: Bearer $SEAMARK_TOKEN&#34; \` + "\n" + `  &#34;$SEAMARK_URL/api/v1/clusters&#34;`,
		`curl -X PUT -H &#34;Authorization: Bearer $SEAMARK_TOKEN&#34; \` + "\n" + `  -H &#39;Content-Type: application/json&#39;`,
		`$SEAMARK_URL/api/v1/tenants/$ID/quotas`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks the command %s", want)
		}
	}
}
