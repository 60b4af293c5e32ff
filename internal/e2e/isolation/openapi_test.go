package isolation_test

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/contract"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
)

// inOpenAPI rewrites a path of the route table, /things/:id, to openapi.yaml's form, /things/{id}.
func inOpenAPI(path string) string {
	return regexp.MustCompile(`:([a-z]+)`).ReplaceAllString(path, "{$1}")
}

// checkAnswer holds an answer against openapi.yaml; path is as in the route table.
func checkAnswer(c *contract.Contract, method, path string, answer inprocess.Response) error {
	op, err := c.At(method, inOpenAPI(path))
	if err != nil {
		return err
	}
	return op.CheckAnswer(answer.Status, answer.Header, []byte(answer.Body))
}

// TestOpenAPIHasEveryRoute compares openapi.yaml with the route table, both ways.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	doc := contract.Load(t).Doc
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
