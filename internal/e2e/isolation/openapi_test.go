package isolation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract is openapi.yaml, loaded and valid.
type contract struct{ doc *openapi3.T }

func loadContract(t *testing.T) *contract {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile("../../../openapi.yaml")
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return &contract{doc}
}

// inOpenAPI rewrites a path of the route table, /things/:id, to openapi.yaml's form, /things/{id}.
func inOpenAPI(path string) string {
	return regexp.MustCompile(`:([a-z]+)`).ReplaceAllString(path, "{$1}")
}

// check returns what about an answer is not as openapi.yaml promises: the status, the media type, the body's schema.
func (c *contract) check(method, path string, status int, header http.Header, body string) error {
	item := c.doc.Paths.Value(inOpenAPI(path))
	if item == nil || item.GetOperation(method) == nil {
		return fmt.Errorf("openapi.yaml does not know %s %s", method, path)
	}
	responses := item.GetOperation(method).Responses
	answer := responses.Status(status)
	if answer == nil {
		answer = responses.Default()
	}
	if answer == nil {
		return fmt.Errorf("openapi.yaml has no answer %d", status)
	}
	if body == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", header.Get("Content-Type"), err)
	}
	described := answer.Value.Content.Get(media)
	if described == nil {
		return fmt.Errorf("openapi.yaml has no %s for the answer %d", media, status)
	}
	if !strings.HasSuffix(media, "json") || described.Schema == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	return described.Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
}

// TestOpenAPIHasEveryRoute compares openapi.yaml with the route table, both ways.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	doc := loadContract(t).doc
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	protocols, err := os.ReadFile("../../../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range server(t).Routes() {
		if r.Foreign {
			if !bytes.Contains(protocols, []byte("`"+r.Path+"`")) {
				t.Errorf("docs/protocols.md does not name `%s`", r.Path)
			}
			continue
		}
		key := r.Method + " " + inOpenAPI(r.Path)
		if !described[key] {
			t.Errorf("openapi.yaml lacks the route %s", key)
		}
		delete(described, key)
	}
	for key := range described {
		t.Errorf("openapi.yaml describes %s, which is no route", key)
	}
}
