package tenant

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// certificateBucket holds the certificates of deleted tenants, `certificate.<tenant>`, what is gathered for those under way,
// `draft.<tenant>`, and the installation's key that signs them, `key`.
const certificateBucket = bucketPrefix + "certificates"

// Certificate says what was deleted of a tenant, and how it was proven that nothing is left.
type Certificate struct {
	Version  int                  `json:"version"`
	Tenant   seamark.TenantID     `json:"tenant"`
	Number   seamark.TenantNumber `json:"number"`
	Slug     string               `json:"slug"`
	Name     string               `json:"name"`
	Created  time.Time            `json:"created_at"`
	Deleted  time.Time            `json:"deleted_at"` // when its grace was over
	Started  time.Time            `json:"started_at"` // of the purge
	Finished time.Time            `json:"finished_at"`
	Passes   int                  `json:"passes"`
	Erased   []Erased             `json:"erased"`
	Kept     []string             `json:"kept"` // what mentions the tenant and stays, and why
	Proof    CertificateProof     `json:"proof"`
}

// CertificateProof is the final verification.
type CertificateProof struct {
	Looks  []time.Time `json:"looks"` // when everything was looked through and nothing found
	Method string      `json:"method"`
}

// SignedCertificate is a certificate as it is kept and handed out. JWS is what was signed: a compact JWS (RFC 7515) with
// EdDSA over the certificate's JSON, whose header holds the public key.
type SignedCertificate struct {
	Certificate Certificate `json:"certificate"`
	JWS         string      `json:"jws"`
}

func keptNotes() []string {
	notes := []string{
		"log of changes of the installation: what operators did to the tenant",
	}
	kept := keptBuckets()
	for _, place := range slices.Sorted(maps.Keys(kept)) {
		notes = append(notes, place+": "+kept[place])
	}
	return notes
}

// certificateDraft is what a purge has done so far. It is stored, so that the process that goes on counts on.
type certificateDraft struct {
	Tenant  seamark.TenantID `json:"tenant"`
	Started time.Time        `json:"started"`
	Passes  int              `json:"passes"`
	Erased  []Erased         `json:"erased"`
}

// Certificates keeps and signs the certificates of deleted tenants.
type Certificates struct {
	kv   jetstream.KeyValue
	keys *seal.Ring
	rand io.Reader
}

// OpenCertificates opens the bucket. keys seals the signing key; a process without it only reads.
func OpenCertificates(ctx context.Context, js jetstream.JetStream, keys *seal.Ring, replicas int, random io.Reader) (*Certificates, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: certificateBucket, Description: "Seamark: certificates of deleted tenants", History: 1, MaxBytes: 16 << 20,
		MaxValueSize: maxValueBytes, Storage: jetstream.FileStorage, Replicas: max(replicas, 1),
	})
	if err != nil {
		return nil, unreachable(fmt.Errorf("open bucket %s: %w", certificateBucket, err))
	}
	return &Certificates{kv: kv, keys: keys, rand: random}, nil
}

// Find returns a tenant's certificate. The error is of kind NotFound while there is none.
func (c *Certificates) Find(ctx context.Context, id seamark.TenantID) (SignedCertificate, error) {
	var signed SignedCertificate
	if err := id.Validate(); err != nil {
		return signed, err
	}
	entry, err := c.kv.Get(ctx, "certificate."+string(id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return signed, seamark.Errorf(seamark.NotFound, "seamark-certificate-absent",
			"There is no certificate for this tenant: it was not deleted, or it is still being purged.")
	}
	if err != nil {
		return signed, unreachable(err)
	}
	err = json.Unmarshal(entry.Value(), &signed)
	return signed, err
}

func (c *Certificates) draft(ctx context.Context, t Tenant) (certificateDraft, error) {
	d := certificateDraft{Tenant: t.ID}
	entry, err := c.kv.Get(ctx, "draft."+string(t.ID))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return d, nil
	}
	if err != nil {
		return d, unreachable(err)
	}
	err = json.Unmarshal(entry.Value(), &d)
	return d, err
}

func (c *Certificates) saveDraft(ctx context.Context, d certificateDraft) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if _, err = c.kv.Put(ctx, "draft."+string(d.Tenant), body); err != nil {
		return unreachable(err)
	}
	return nil
}

// issue signs and keeps a certificate. Issuing again keeps the first one.
func (c *Certificates) issue(ctx context.Context, cert Certificate) error {
	key, err := c.signingKey(ctx)
	if err != nil {
		return err
	}
	jws, err := signCertificate(key, cert)
	if err != nil {
		return err
	}
	body, err := json.Marshal(SignedCertificate{Certificate: cert, JWS: jws})
	if err != nil {
		return err
	}
	if _, err := c.kv.Create(ctx, "certificate."+string(cert.Tenant), body); err != nil && !lostRace(err) {
		return unreachable(err)
	}
	if err := c.kv.Purge(ctx, "draft."+string(cert.Tenant)); err != nil {
		return unreachable(err)
	}
	return nil
}

// certificateKeyDoc is the installation's signing key, its seed sealed.
type certificateKeyDoc struct {
	Public []byte `json:"public"`
	Sealed string `json:"sealed"`
}

func certificateKeyPlace() seal.Place {
	return seal.Place{Bucket: certificateBucket, Key: "key", Field: "seed"}
}

// signingKey returns the installation's key, which it makes the first time.
func (c *Certificates) signingKey(ctx context.Context) (ed25519.PrivateKey, error) {
	if c.keys == nil {
		return nil, errors.New("this process has no root key, so it can sign no certificate")
	}
	entry, err := c.kv.Get(ctx, "key")
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return c.makeKey(ctx)
	}
	if err != nil {
		return nil, unreachable(err)
	}
	var doc certificateKeyDoc
	if err := json.Unmarshal(entry.Value(), &doc); err != nil {
		return nil, fmt.Errorf("read the key of certificates: %w", err)
	}
	seed, err := c.keys.Unseal(ctx, certificateKeyPlace(), doc.Sealed)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("the key of certificates has a malformed seed")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (c *Certificates) makeKey(ctx context.Context) (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(c.rand, seed); err != nil {
		return nil, fmt.Errorf("draw a signing key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	sealed, err := c.keys.Seal(ctx, certificateKeyPlace(), seed)
	if err != nil {
		return nil, err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	body, err := json.Marshal(certificateKeyDoc{Public: public, Sealed: sealed})
	if err != nil {
		return nil, err
	}
	if _, err = c.kv.Create(ctx, "key", body); err != nil {
		if lostRace(err) {
			return c.signingKey(ctx)
		}
		return nil, unreachable(err)
	}
	return key, nil
}

// certificateHeader is the JWS's protected header.
type certificateHeader struct {
	Alg string            `json:"alg"`
	Typ string            `json:"typ"`
	JWK map[string]string `json:"jwk"` // RFC 8037
}

const certificateType = "seamark-deletion+jws"

func signCertificate(key ed25519.PrivateKey, cert Certificate) (string, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("ed25519 made a public key of another type")
	}
	head, err := json.Marshal(certificateHeader{Alg: "EdDSA", Typ: certificateType, JWK: map[string]string{
		"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(public),
	}})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(cert)
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(signed))), nil
}

// VerifyCertificate checks a certificate's signature and that what it shows is what was signed, and returns the key that
// signed it. Whether that is the installation's key is for the caller to know.
func VerifyCertificate(signed SignedCertificate) (ed25519.PublicKey, error) {
	bad := func(what string) (ed25519.PublicKey, error) {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-certificate-bad", "The certificate is not as it was signed: %s.", what)
	}
	parts := strings.Split(signed.JWS, ".")
	if len(parts) != 3 {
		return bad("its signature is no compact JWS")
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return bad("its signature is no base64")
		}
	}
	var head certificateHeader
	if json.Unmarshal(raw[0], &head) != nil || head.Alg != "EdDSA" || head.Typ != certificateType {
		return bad("its header is of another kind")
	}
	public, err := base64.RawURLEncoding.DecodeString(head.JWK["x"])
	if err != nil || len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, []byte(parts[0]+"."+parts[1]), raw[2]) {
		return bad("the signature does not fit")
	}
	shown, err := json.Marshal(signed.Certificate)
	if err != nil || !bytes.Equal(shown, raw[1]) {
		return bad("it shows something else than what was signed")
	}
	return public, nil
}
