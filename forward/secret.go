package forward

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// safe is what stands sealed in a document.
type safe struct {
	// Salt keys the fingerprints. Without it a short secret could be found from its fingerprint by trial.
	Salt   []byte            `json:"salt"`
	Values map[string]string `json:"values"` // by where they stand in the target
}

func (s *safe) fingerprint(value string) string {
	mac := hmac.New(sha256.New, s.Salt)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}

func sealPlace(tenant seamark.TenantID, name string) seal.Place {
	return seal.Place{Bucket: definitionsBucket, Key: documentKey(tenant, name), Tenant: tenant, Field: "secrets"}
}

// maxSecretBytes bounds one secret.
const maxSecretBytes = 16 << 10

// lockUp takes the values of d's secrets out of it and seals them. was is the stored document, nil when there is none; its
// values stay where d says so.
func (s *Service) lockUp(ctx context.Context, tenant seamark.TenantID, d *Definition, was *document) (string, error) {
	secrets := d.Target.secrets()
	if len(secrets) == 0 {
		return "", nil
	}
	next := safe{Values: map[string]string{}}
	var old *safe
	for path, secret := range secrets {
		if secret.Value == "" {
			if old == nil {
				var err error
				if old, err = s.keep(ctx, was, d, path); err != nil {
					return "", err
				}
			}
			if secret.Value = old.Values[path]; !secret.Set || secret.Value == "" {
				return "", unknownSecret(path)
			}
		}
		if len(secret.Value) > maxSecretBytes {
			return "", invalid("target.%s: the secret has %d bytes; the limit is %d", path, len(secret.Value), maxSecretBytes)
		}
		next.Values[path] = secret.Value
	}
	if next.Salt = make([]byte, 16); old != nil {
		next.Salt = old.Salt
	} else {
		_, _ = rand.Read(next.Salt) // never fails (crypto/rand)
	}
	for _, secret := range secrets {
		*secret = Secret{Set: true, Fingerprint: next.fingerprint(secret.Value)}
	}
	plain, err := json.Marshal(next)
	if err != nil {
		return "", fmt.Errorf("encode secrets: %w", err)
	}
	return s.opts.Keys.Seal(ctx, sealPlace(tenant, d.Name), plain)
}

// keep returns the stored secrets if d may go on with them.
func (s *Service) keep(ctx context.Context, was *document, d *Definition, path string) (*safe, error) {
	if was == nil {
		return nil, unknownSecret(path)
	}
	if was.Definition.Target.destination() != d.Target.destination() {
		return nil, invalid("target.%s: the secret was given for another destination; send its value again", path)
	}
	return s.open(ctx, was)
}

func unknownSecret(path string) error {
	return invalid("target.%s: the secret has no value and none is stored; send its value", path)
}

// open returns a document's secrets.
func (s *Service) open(ctx context.Context, doc *document) (*safe, error) {
	opened := &safe{Values: map[string]string{}}
	if doc.Sealed == "" {
		return opened, nil
	}
	plain, err := s.opts.Keys.Unseal(ctx, sealPlace(doc.Tenant, doc.Definition.Name), doc.Sealed)
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Unprocessable, "seamark-forwarder-secrets", "The forwarder's secrets cannot be opened. Send their values again.")
	}
	if err := json.Unmarshal(plain, opened); err != nil {
		return nil, fmt.Errorf("read the secrets of a forwarder: %w", err)
	}
	return opened, nil
}

// scrub takes secrets out of a text that came from a target or a client, and bounds it.
func (s *safe) scrub(text string) string {
	const most = 500
	for _, value := range s.Values {
		for part := range strings.FieldsSeq(value) {
			// A shorter part, such as "Bearer", is in too many texts, and no secret.
			if len(part) >= 8 {
				text = strings.ReplaceAll(text, part, "[secret]")
			}
		}
		if len(value) >= 4 {
			text = strings.ReplaceAll(text, value, "[secret]")
		}
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return strings.ToValidUTF8(text, "?")
}
