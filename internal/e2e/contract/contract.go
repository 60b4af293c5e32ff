// Package contract holds what goes over the wire against openapi.yaml, both ways: requests and answers. Only _test.go files
// import it.
package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Contract is openapi.yaml, loaded and valid.
type Contract struct{ Doc *openapi3.T }

// Load reads openapi.yaml from the repository's root.
func Load(t testing.TB) *Contract {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "openapi.yaml")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no folder above the test has an openapi.yaml")
		}
		root = filepath.Dir(root)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	if err := doc.Validate(context.WithoutCancel(t.Context()), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return &Contract{doc}
}

// Operation is one operation of the contract.
type Operation struct {
	Method, Path string
	shared       openapi3.Parameters // of all operations of the path
	*openapi3.Operation
}

// Operations lists all operations.
func (c *Contract) Operations() []Operation {
	var list []Operation
	for path, item := range c.Doc.Paths.Map() {
		for method, op := range item.Operations() {
			list = append(list, Operation{method, path, item.Parameters, op})
		}
	}
	slices.SortFunc(list, func(a, b Operation) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	return list
}

// Find returns the operation that a request is for: the described path with the fewest parameters that fits, nil for none.
func (c *Contract) Find(method, escapedPath string) *Operation {
	var best *Operation
	for _, op := range c.Operations() {
		if op.Method == method && fits(op.Path, escapedPath) && (best == nil || strings.Count(op.Path, "{") < strings.Count(best.Path, "{")) {
			best = &op
		}
	}
	return best
}

func fits(template, path string) bool {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, have, func(w, h string) bool { return w == h || strings.HasPrefix(w, "{") && h != "" })
}

// At returns the operation of a described path, in the form with {braces}.
func (c *Contract) At(method, path string) (*Operation, error) {
	item := c.Doc.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		return nil, fmt.Errorf("openapi.yaml does not know %s %s", method, path)
	}
	return &Operation{method, path, item.Parameters, item.GetOperation(method)}, nil
}

// Promised lists the statuses of success that the contract describes, or, where it describes none, the faults that it names.
func (o *Operation) Promised() []int {
	var successes, faults []int
	for text := range o.Responses.Map() {
		switch status, err := strconv.Atoi(text); {
		case err != nil: // "default"
		case status < http.StatusBadRequest:
			successes = append(successes, status)
		default:
			faults = append(faults, status)
		}
	}
	if len(successes) > 0 {
		return successes
	}
	return faults
}

// CheckAnswer returns what about an answer is not as promised: the status, the media type, the headers, the body's schema.
func (o *Operation) CheckAnswer(status int, header http.Header, body []byte) error {
	answer := o.Responses.Status(status)
	if answer == nil {
		answer = o.Responses.Default()
	}
	if answer == nil {
		return fmt.Errorf("openapi.yaml has no answer %d", status)
	}
	for name, h := range answer.Value.Headers {
		if h.Value.Required && header.Get(name) == "" {
			return fmt.Errorf("the answer lacks the header %s", name)
		}
	}
	if len(body) == 0 {
		return nil
	}
	return checkBody(answer.Value.Content, header.Get("Content-Type"), body)
}

func checkBody(content openapi3.Content, contentType string, body []byte) error {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", contentType, err)
	}
	described := content.Get(media)
	if described == nil {
		return fmt.Errorf("openapi.yaml has no %s here", media)
	}
	if !strings.HasSuffix(media, "json") || strings.HasSuffix(media, "ndjson") || described.Schema == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	return described.Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation())
}

// CheckRequest returns what about a request is not as described: parameters and body.
func (o *Operation) CheckRequest(query url.Values, header http.Header, body []byte) error {
	var faults []error
	known := map[string]bool{}
	for _, p := range slices.Concat(o.shared, o.Parameters) {
		known[p.Value.In+" "+p.Value.Name] = true
		has := p.Value.In == "query" && query.Has(p.Value.Name) || p.Value.In == "header" && header.Get(p.Value.Name) != "" || p.Value.In == "path"
		if p.Value.Required && !has {
			faults = append(faults, fmt.Errorf("the parameter %s is required", p.Value.Name))
		}
		if p.Value.Schema == nil || p.Value.In != "query" {
			continue
		}
		for _, value := range query[p.Value.Name] {
			if enum := p.Value.Schema.Value.Enum; len(enum) > 0 && !slices.Contains(enum, any(value)) {
				faults = append(faults, fmt.Errorf("the parameter %s has no value %q", p.Value.Name, value))
			}
		}
	}
	for name := range query {
		if !known["query "+name] {
			faults = append(faults, fmt.Errorf("the parameter %s is not described", name))
		}
	}
	for _, name := range []string{"If-Match", "If-None-Match", "Idempotency-Key"} {
		if header.Get(name) != "" && !known["header "+name] {
			faults = append(faults, fmt.Errorf("the header %s is not described", name))
		}
	}
	switch {
	case o.RequestBody == nil && len(body) > 0:
		faults = append(faults, errors.New("no body is described"))
	case o.RequestBody != nil && o.RequestBody.Value.Required && len(body) == 0:
		faults = append(faults, errors.New("the body is required"))
	case o.RequestBody != nil && len(body) > 0:
		faults = append(faults, checkBody(o.RequestBody.Value.Content, header.Get("Content-Type"), body))
	}
	return errors.Join(faults...)
}
