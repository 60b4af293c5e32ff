package api

import (
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// partlyTagged is a document of which a part changes without anybody changing it, such as when it was last used. Its ETag is
// that of the rest, so that a change of the document is not refused for a use of it.
type partlyTagged interface {
	// lasting returns the part that only changes of the document change.
	lasting() any
}

// tagOf returns the ETag of a document that has no revision.
func tagOf(document any) (httpx.ETag, error) {
	if partly, ok := document.(partlyTagged); ok {
		document = partly.lasting()
	}
	return httpx.ContentTag(document)
}

// writeTagged answers with a document that has no revision, and its ETag. One that is partly tagged is always told whole:
// its ETag does not say that nothing has changed.
func writeTagged(w http.ResponseWriter, r *httpx.Request, status int, document any) error {
	tag, err := tagOf(document)
	if err != nil {
		return err
	}
	if _, partly := document.(partlyTagged); status == http.StatusOK && !partly {
		return httpx.WriteDocument(w, r, tag, document)
	}
	w.Header().Set("ETag", string(tag))
	return httpx.WriteJSON(w, status, document)
}

// checkTag holds a request's condition against the document that it would change.
func checkTag(w http.ResponseWriter, condition *httpx.Precondition, document any) error {
	tag, err := tagOf(document)
	if err != nil {
		return err
	}
	return condition.Check(w, tag)
}

// checkChange returns the check that a store makes of the document as it is, within the compare-and-set of a change or a
// deletion: it tells the log of changes what was before, and holds the request's condition against it.
func checkChange[D any](w http.ResponseWriter, r *httpx.Request) func(D) error {
	condition := r.Precondition()
	return func(old D) error {
		r.Change.Before = old
		return checkTag(w, &condition, old)
	}
}
