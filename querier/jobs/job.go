// Package jobs runs queries in the background: a job is a request that is sent again by whoever has room, with the permissions
// that its creator has then, and whose answer is kept for a while. Jobs live in documents that all query nodes share; a job
// whose node died is run again by another. It knows no HTTP and no query language: app performs the request.
package jobs

import (
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// State is how far a job is.
type State string

// The states.
const (
	Queued   State = "queued"
	Running  State = "running"
	Done     State = "done"      // it answered with 2xx
	Failed   State = "failed"    // it answered with an error, which is its result
	Canceled State = "cancelled" // somebody did
	Expired  State = "expired"   // its result is deleted
)

// ended reports whether nothing happens to a job any more but that it expires.
func (s State) ended() bool { return s != Queued && s != Running }

// Job is one query in the background.
type Job struct {
	ID      string           `json:"id"` // a ULID
	Tenant  seamark.TenantID `json:"tenant"`
	State   State            `json:"state"`
	Owner   Owner            `json:"by"`
	Request Request          `json:"request"`

	Created  time.Time `json:"created"`
	Started  time.Time `json:"started,omitzero"` // the last attempt
	Finished time.Time `json:"finished,omitzero"`
	Expires  time.Time `json:"expires,omitzero"` // when the result is deleted

	Node     string   `json:"node,omitempty"` // that runs it
	Attempt  int      `json:"attempt,omitempty"`
	Progress Progress `json:"progress"`
	Answer   Answer   `json:"answer"`
	Fault    *Fault   `json:"fault,omitempty"`
	Canceler string   `json:"canceler,omitempty"` // who cancelled it
}

// Owner is who made a job. The job has this credential's permissions when it runs, not those of when it was made.
type Owner struct {
	Kind       seamark.CredentialKind `json:"kind"`
	Credential string                 `json:"credential"` // id of the credential, never the secret
	Login      string                 `json:"login,omitempty"`
	Scope      string                 `json:"scope"` // the part of the tenant that it may read, in words
}

// Actor names the owner as the meter does: a login, else the credential's id.
func (o *Owner) Actor() string {
	if o.Login != "" {
		return o.Login
	}
	return o.Credential
}

// Request is what is sent again.
type Request struct {
	Method      string `json:"method"`
	Path        string `json:"path"`
	Query       string `json:"query,omitempty"` // as it was sent, without the question mark
	ContentType string `json:"content_type,omitempty"`
	Body        []byte `json:"body,omitempty"`
	Accept      string `json:"accept,omitempty"`
	Language    string `json:"language"`
	Text        string `json:"text"`
}

// bytes is what the request takes in a document.
func (r *Request) bytes() int { return len(r.Query) + len(r.Body) + len(r.Path) + len(r.Text) }

// Progress is what a job has taken so far.
type Progress struct {
	Rows, Bytes   uint64 // read by the store
	CPUMicros     uint64
	EstimateBytes uint64  // what it is expected to read; 0 is not known
	Share         float64 // 0 to 1, of the estimate; 1 when it is done
}

// Answer is what a job was answered.
type Answer struct {
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Bytes       int64  `json:"bytes,omitempty"`
}

// Fault is why a job failed, for its owner.
type Fault struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

func faultOf(err error) *Fault {
	e := asError(err)
	if e.Kind == seamark.Internal {
		return &Fault{ID: e.ID, Message: "Internal error."}
	}
	return &Fault{ID: e.ID, Message: e.Message}
}

// Limits is what jobs may take. App gives those of a tenant.
type Limits struct {
	// Timeout bounds one attempt.
	Timeout time.Duration
	// MaxQueued bounds a tenant's jobs that wait or run, MaxKept all of them. Without them one tenant fills the bucket.
	MaxQueued, MaxKept int
	// Keep is how long a result is kept; the record stays as long again, to say that it expired.
	Keep time.Duration
	// MaxResultBytes bounds one answer.
	MaxResultBytes int64
}

// DefaultLimits returns the limits of `seamark serve`.
func DefaultLimits() Limits {
	return Limits{Timeout: time.Hour, MaxQueued: 10, MaxKept: 50, Keep: 24 * time.Hour, MaxResultBytes: 256 << 20}
}
