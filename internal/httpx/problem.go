package httpx

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// problem is RFC 9457's document. Our extensions are the stable id of the fault, the request's id and the faulty fields.
type problem struct {
	Type      string       `json:"type"`     // where the fault is described, relative to the server
	Title     string       `json:"title"`    // the status in words
	Status    int          `json:"status"`   // of HTTP
	Detail    string       `json:"detail"`   // for the customer
	Instance  string       `json:"instance"` // this very fault
	ID        string       `json:"id"`       // seamark-<noun>-<fault>
	RequestID string       `json:"request_id"`
	Errors    []fieldFault `json:"errors,omitempty"`
}

type fieldFault struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// problemOf returns a failure as problem details.
func problemOf(f *failure) (contentType string, body []byte) {
	p := problem{
		Type: ErrorsPath + "#" + f.err.ID, Title: http.StatusText(f.status), Status: f.status, Detail: f.message,
		Instance: "urn:seamark:request:" + f.requestID, ID: f.err.ID, RequestID: f.requestID,
	}
	if f.status == statusClientClosedRequest {
		p.Title = "Client Closed Request"
	}
	for _, field := range f.err.Fields {
		p.Errors = append(p.Errors, fieldFault(field))
	}
	return "application/problem+json", encode(p)
}

// ErrorsPath is where the server describes its errors, each under its id.
const ErrorsPath = "/docs/errors"

// InvalidFields returns the error for a document with faulty fields, nil when there is none.
func InvalidFields(faults []seamark.FieldFault) error {
	if len(faults) == 0 {
		return nil
	}
	e := seamark.Errorf(seamark.Invalid, "seamark-body-invalid", "The document has %d faults. The first is at %q: %s",
		len(faults), pointerText(faults[0].Pointer), faults[0].Detail)
	if len(faults) == 1 {
		e.Message = "The document has a fault at " + pointerText(faults[0].Pointer) + ": " + faults[0].Detail
	}
	e.Fields = faults
	return e
}

func pointerText(pointer string) string {
	if pointer == "" {
		return "its top"
	}
	return pointer
}

// writeMethodNotAllowed answers a method that a path does not have; the Allow header is set. It has no kind of its own: no
// handler knows of it.
func writeMethodNotAllowed(w http.ResponseWriter, r *http.Request, requestID string) {
	detail := fmt.Sprintf("%s does not answer %s; it answers %s.", r.URL.Path, r.Method, w.Header().Get("Allow"))
	contentType, body := "text/plain; charset=utf-8", []byte(detail+"\n")
	if strings.HasPrefix(r.URL.Path, "/api/") {
		err := seamark.Errorf(seamark.Invalid, "seamark-route-method", "%s", detail)
		contentType, body = problemOf(&failure{r, err, http.StatusMethodNotAllowed, detail, requestID})
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusMethodNotAllowed)
	_, _ = w.Write(body)
}
