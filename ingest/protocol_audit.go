package ingest

import (
	"net/http"

	"github.com/seamarkhq/seamark/ingest/audit"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const auditProtocol = "audit"

// kubernetesAudit is the audit webhook of Kubernetes' API server, which repeats a batch until it gets a 2xx. The server drops
// events when its buffer is full, so what is refused in part is answered like what is stored: the ledger tells of it.
func (f *front) kubernetesAudit() *protocol {
	return &protocol{
		name: auditProtocol, signal: seamark.Logs, dialect: httpx.Plain, refusal: http.StatusOK,
		prepare: func(_ http.ResponseWriter, r *request) error {
			r.encoding = contentEncoding(r.http.Request)
			if media := mediaType(r.http.Request); media != "" && media != "application/json" {
				return unsupportedMedia(r.http.Header.Get("Content-Type"), "application/json")
			}
			return nil
		},
		decode: func(r *request) (err error) {
			r.ids, err = audit.Decode(r.body, r.catalog, &r.batch, audit.Options{Now: r.now, Seen: f.audits.seen(r.http.Principal)})
			return err
		},
		answer: func(w http.ResponseWriter, r *request) error {
			f.audits.add(r.http.Principal, r.ids)
			w.WriteHeader(http.StatusOK)
			return nil
		},
	}
}
