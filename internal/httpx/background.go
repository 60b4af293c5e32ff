package httpx

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Background makes a request out of one that somebody sent earlier and does not wait for, for the handlers of routes without
// parameters in their path. The caller has proven p; prove proves it again.
func Background(r *http.Request, p seamark.Principal, prove func() error) *Request {
	return &Request{Request: r, ID: rand.Text(), Principal: p, param: func(string) string { return "" }, prove: prove}
}

// ErrorAnswer returns what a route of the dialect answers in the place of an error, for answers that are kept.
func (d Dialect) ErrorAnswer(r *Request, err error) (status int, contentType string, body []byte) {
	e := asError(err)
	if errors.Is(err, context.Canceled) && e.Kind == seamark.Internal {
		e = seamark.Wrap(err, seamark.Canceled, "seamark-request-canceled", "The request was cancelled.")
	}
	status = d.statusOf(e)
	contentType, body = d.envelope(&failure{r.Request, e, status, messageOf(e, r.ID), r.ID})
	return status, contentType, body
}
