package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Actor is who made a change.
type Actor struct {
	// Kind is `session`, `operator`, `admin`, `query` or `ingest` for a request, `cli` for the command line and `system` for
	// what Seamark does by itself. It is `anonymous` where no credential was proven: a failed sign-in.
	Kind string `json:"kind"`
	// ID names the credential: a token's key id or a session's id, never a secret. Of the command line it is the host's name.
	ID    string `json:"id,omitempty"`
	Login string `json:"login,omitempty"` // of people, and the system user of the command line
}

// The kinds of actors that no credential has.
const (
	ActorOperator  = "operator"
	ActorCLI       = "cli"
	ActorSystem    = "system"
	ActorAnonymous = "anonymous"
)

// ActorOf tells who a proven principal is.
func ActorOf(p seamark.Principal) Actor {
	switch {
	case p.Operator:
		return Actor{Kind: ActorOperator, ID: p.CredentialID, Login: p.Login}
	case p.Kind == 0:
		return Actor{Kind: ActorAnonymous}
	}
	return Actor{Kind: p.Kind.String(), ID: p.CredentialID, Login: p.Login}
}

// Change is one record of the control plane's change log: an attempt to change something, with how it ended.
type Change struct {
	Time   time.Time        `json:"time"`
	Tenant seamark.TenantID `json:"tenant,omitempty"` // whose thing was changed; "" for what belongs to the installation
	Actor  Actor            `json:"actor"`
	Action string           `json:"action"`           // `<noun>.<verb>`: token.create, quota.update, session.create
	Object string           `json:"object,omitempty"` // `<noun>/<id>`, as far as it was known
	// Before and After are the digests of the object's document (see Digest), "" where there was none or none is told.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Differences are in what the document before and the one after differ, of changes that were made. Nil where none is told.
	Differences []Difference `json:"differences,omitempty"`
	// DifferencesTruncated is set where there are more of them than the record tells.
	DifferencesTruncated bool `json:"differences_truncated,omitempty"`
	// Result is `done`, or the id of the error that the request was answered with.
	Result    string `json:"result"`
	Status    int    `json:"status,omitempty"` // of the HTTP answer
	ClientIP  string `json:"client_ip,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// Suppressed counts refusals before this one that were not recorded one by one, because they came too fast.
	Suppressed uint64 `json:"suppressed,omitempty"`
}

// ChangeDone is the result of a change that was made.
const ChangeDone = "done"

// Recorder keeps changes. Record returns when the change is durable; an error says that it may not be. It may be called
// from several goroutines and nodes at once. Routes of the API are recorded by the edge and call nobody; Recorder is for
// what changes something without a request: the command line, jobs, the protocols with connections of their own.
type Recorder interface {
	Record(ctx context.Context, c Change) error
}

// Digest returns a document's digest for Before and After: the SHA-256 of its JSON, in hex with the prefix `sha256:`. A
// document with a secret is never digested: a short secret can be found from it by trial.
func Digest(doc any) (string, error) {
	body, err := json.Marshal(doc)
	if err != nil {
		return "", fmt.Errorf("digest a document: %w", err)
	}
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
