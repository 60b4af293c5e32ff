package datadog

import (
	"fmt"
	"net/http"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Bodies of answers that do not depend on the request (Datadog API reference; media type application/json).
const (
	// AcceptedBody goes with status 202, for everything that was stored and for what is taken without being read
	// (/api/v1/metadata).
	AcceptedBody = `{"status":"ok"}`
	// ValidBody answers /api/v1/validate with status 200, when the key was accepted.
	ValidBody = `{"valid":true}`
)

// Answer returns the status and appends the body for a request whose good rows are stored: 202, with the reasons in
// "errors" when a part was refused; 400 when nothing was taken, on which agents drop the request instead of sending it
// again.
func Answer(dst []byte, b *seamark.Batch) (status int, body []byte) {
	if b.Rejected.Rows() == 0 {
		return http.StatusAccepted, append(dst, AcceptedBody...)
	}
	status = http.StatusAccepted
	dst = append(dst, `{"status":"`...)
	if b.Rows() == 0 {
		status = http.StatusBadRequest
		dst = append(dst, "error"...)
	} else {
		dst = append(dst, "ok"...)
	}
	dst = append(dst, `","errors":[`...)
	for i, r := range b.Rejected.Reasons {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = record.AppendQuoted(dst, fmt.Sprintf("%s x%d: %s", r.Reason, r.Count, r.Detail))
	}
	return status, append(dst, "]}"...)
}
