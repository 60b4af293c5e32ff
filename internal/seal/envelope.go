package seal

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Place is where a sealed value stands. It is authenticated with the value, so that a value that is moved to another
// place, such as another tenant's document, does not open.
type Place struct {
	Bucket, Key string           // of the KV document
	Tenant      seamark.TenantID // zero for what belongs to the platform
	Field       string           // tells two values of one document apart: small letters, digits and underscores
}

// envelope is a sealed value as it stands in a document: smks1.<key>.<tenant or ->.<field>.<nonce and ciphertext>. Tenant
// and field stand in it so that a document can be sealed anew by someone who does not know its form.
type envelope struct {
	key, tenant, field string
	body               []byte
}

// envelopePrefix opens every sealed value; the number is the form's version.
const envelopePrefix = "smks1."

// noTenant stands for the zero tenant.
const noTenant = "-"

// overheadBytes is what a nonce and a tag add.
const overheadBytes = 12 + 16

// envelopePattern finds envelopes inside a document of any form. None of its characters is written otherwise in JSON.
const envelopePattern = `smks1\.[a-z2-7]{16}\.(?:-|[0-9A-Z]{26})\.[a-z0-9_]{1,32}\.[0-9A-Za-z_-]{38,}`

// envelopes returns the pattern, compiled.
func envelopes() *regexp.Regexp { return regexp.MustCompile(envelopePattern) }

// IsSealed reports whether text has the form of a sealed value; whether it opens is another matter.
func IsSealed(text string) bool { return strings.HasPrefix(text, envelopePrefix) }

func (e *envelope) String() string {
	return envelopePrefix + e.key + "." + e.tenant + "." + e.field + "." + base64.RawURLEncoding.EncodeToString(e.body)
}

var errMalformed = errors.New("the value is not sealed, or was cut")

func parseEnvelope(text string) (envelope, error) {
	rest, ok := strings.CutPrefix(text, envelopePrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 4 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return envelope{}, errMalformed
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(parts[3])
	if err != nil || len(body) < overheadBytes {
		return envelope{}, errMalformed
	}
	return envelope{key: parts[0], tenant: parts[1], field: parts[2], body: body}, nil
}

// check refuses places that an envelope cannot name.
func (p *Place) check() error {
	const fieldBytes = 32
	if p.Bucket == "" || p.Key == "" || p.Field == "" || len(p.Field) > fieldBytes {
		return fmt.Errorf("seal: the place %+v is not whole", *p)
	}
	for _, c := range []byte(p.Field) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return fmt.Errorf("seal: the field %q has a %q", p.Field, c)
		}
	}
	if p.Tenant == "" {
		return nil
	}
	return p.Tenant.Validate()
}

func (p *Place) tenant() string {
	if p.Tenant == "" {
		return noTenant
	}
	return string(p.Tenant)
}

// bound returns the associated data: the parts of the place and the data key's id, each after its length, so that no two
// places have the same.
func (p *Place) bound(keyID string) []byte {
	out := []byte("seamark sealed value 1")
	for _, part := range []string{keyID, p.Bucket, p.Key, p.tenant(), p.Field} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}
