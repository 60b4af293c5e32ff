package httpx

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ETag names one version of a document, in the form of the header; "" is a document that does not exist.
type ETag string

// RevisionTag returns the ETag of a document whose store counts its revisions; revision 0 is a document that is not there.
func RevisionTag(revision uint64) ETag {
	if revision == 0 {
		return ""
	}
	return ETag(`"r` + strconv.FormatUint(revision, 10) + `"`)
}

// ContentTag returns the ETag of a document that has no revision: it changes when the document does.
func ContentTag(v any) (ETag, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return ETag(`"h` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`), nil
}

// Precondition is what a change asks of the document as it is: If-Match and If-None-Match of RFC 9110. The zero value asks
// for nothing.
type Precondition struct {
	match   []string // ETags, of which one must be the document's; "*" is any
	none    []string // ETags that the document must not have; "*" says that it must not exist
	present bool
}

// Precondition reads the request's conditions.
func (r *Request) Precondition() Precondition {
	p := Precondition{match: tagsOf(r.Header.Values("If-Match")), none: tagsOf(r.Header.Values("If-None-Match"))}
	p.present = len(p.match) > 0 || len(p.none) > 0
	return p
}

// Given reports whether the request has a condition.
func (p *Precondition) Given() bool { return p.present }

// Revision returns the one revision that the condition names, 0 for a document that must not exist yet; false when it names
// none or several. A node may be behind the one that the caller read from, so where the store counts revisions this beats
// Check on what the node has in memory.
func (p *Precondition) Revision() (revision uint64, ok bool) {
	if len(p.match) == 0 && slices.Equal(p.none, []string{"*"}) {
		return 0, true
	}
	if len(p.match) != 1 || len(p.none) > 0 {
		return 0, false
	}
	digits, isTag := strings.CutPrefix(strings.TrimSuffix(p.match[0], `"`), `"r`)
	revision, err := strconv.ParseUint(digits, 10, 64)
	return revision, isTag && err == nil && string(RevisionTag(revision)) == p.match[0]
}

// tagsOf splits a header of ETags. Ours have no comma.
func tagsOf(values []string) []string {
	var tags []string
	for _, value := range values {
		for tag := range strings.SplitSeq(value, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// errPrecondition marks errors that are 412 in the control plane's dialect.
var errPrecondition = errors.New("a precondition of the request does not hold")

// Check returns an error, 412 with the document's ETag in the header, unless the condition holds for the document as it is.
// The caller must make its change by compare-and-set on what it has checked.
func (p *Precondition) Check(w http.ResponseWriter, current ETag) error {
	if !p.present {
		return nil
	}
	tag := string(current)
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	switch {
	case len(p.match) > 0 && tag == "":
		return seamark.Wrap(errPrecondition, seamark.Conflict, "seamark-document-absent",
			"If-Match names a version of a document that does not exist. Create it with If-None-Match: *.")
	case len(p.match) > 0 && !slices.Contains(p.match, "*") && !slices.Contains(p.match, tag):
		return seamark.Wrap(errPrecondition, seamark.Conflict, "seamark-document-changed",
			"The document was changed since it was read: If-Match names another version than %s. Read it again and repeat the change.", tag)
	case tag != "" && (slices.Contains(p.none, "*") || slices.Contains(p.none, tag)):
		return seamark.Wrap(errPrecondition, seamark.Conflict, "seamark-document-exists",
			"The document exists, as version %s, and If-None-Match wants that it does not. Change it with If-Match.", tag)
	}
	return nil
}

// Lost turns the Conflict of a compare-and-set that lost into 412 when the request had a condition; other errors stay.
func (p *Precondition) Lost(err error) error {
	if !p.present || seamark.KindOf(err) != seamark.Conflict {
		return err
	}
	return seamark.Wrap(errors.Join(errPrecondition, err), seamark.Conflict, "seamark-document-changed",
		"The document was changed by somebody else just now. Read it again and repeat the change.")
}

// WriteDocument answers with a document and its ETag. A GET whose If-None-Match names that version gets 304.
func WriteDocument(w http.ResponseWriter, r *Request, tag ETag, v any) error {
	if tag != "" {
		w.Header().Set("ETag", string(tag))
		none := tagsOf(r.Header.Values("If-None-Match"))
		if r.Method == http.MethodGet && (slices.Contains(none, string(tag)) || slices.Contains(none, "W/"+string(tag))) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return WriteJSON(w, http.StatusOK, v)
}
