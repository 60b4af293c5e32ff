package tenant

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// unknownGrace is how old this node's knowledge may be when it calls a token unknown. Senders drop their data on that
// answer, and the token may have been created a moment ago on another node.
const unknownGrace = 5 * time.Second

// allSignals is the stored scope of a token that may push every signal, future ones too.
const allSignals = "all"

// maxIngestTokens is how many live ingest tokens a cluster may have: one in use, one to rotate to. Without it forgotten
// tokens pile up and nobody knows which of them may be revoked.
const maxIngestTokens = 2

// Token is an API token without its secret.
type Token struct {
	KeyID   string // public, names the token in logs and lists
	Tenant  seamark.TenantID
	Kind    seamark.CredentialKind
	Name    string
	Cluster seamark.ClusterID // ingest tokens only
	Signals seamark.SignalSet // ingest tokens only
	Created time.Time
	Expires time.Time // zero: never
	Revoked time.Time // zero: not revoked
	Rotated time.Time // when the secret was last changed; zero: never
	// OldUntil is until when the secret before the last rotation is good, too; zero: it is not.
	OldUntil time.Time
	Used     Use // as known here; zero: not within the last 90 days
}

// TokenSpec is what a new token is made from.
type TokenSpec struct {
	Kind    seamark.CredentialKind
	Name    string
	Cluster seamark.ClusterID // ingest tokens need one, the others must not have one
	Signals seamark.SignalSet // of ingest tokens; zero means all
	Expires time.Time         // zero: never
}

// tokenDoc is stored under the key id. What each request looks at stands first: of 100,000 tokens in turns each piece of a document
// comes from memory, and that is most of what a look-up costs.
type tokenDoc struct {
	hash    [sha256.Size]byte
	kind    seamark.CredentialKind
	signals seamark.SignalSet
	// What the token belongs to, so that a request looks up one document and not three. They are the directory's own and
	// guarded by its lock, where all else of a document never changes.
	owner   *tenantDoc
	cluster *clusterDoc

	Old     *oldSecret       `json:"old,omitempty"` // the secret before the last rotation
	KeyID   string           `json:"key_id"`
	Tenant  seamark.TenantID `json:"tenant"`
	Expires time.Time        `json:"expires,omitzero"`
	Revoked time.Time        `json:"revoked,omitzero"`

	Version int               `json:"v"`
	Kind    string            `json:"kind"`
	Name    string            `json:"name,omitempty"`
	Cluster seamark.ClusterID `json:"cluster,omitempty"`
	Signals []string          `json:"signals,omitempty"`
	SHA256  string            `json:"sha256"` // of the secret, hex
	Created time.Time         `json:"created"`
	Rotated time.Time         `json:"rotated,omitzero"`
	Key     *keyPart          `json:"key,omitempty"` // API keys only
}

// tieTokens keeps each token's tenant and cluster at hand. The documents come in any order.
func (d *Directory) tieTokens() {
	d.tokens.tie = func(_, t *tokenDoc) {
		if t != nil {
			t.owner, t.cluster = d.tenants.findLocked(string(t.Tenant)), d.clusters.aliasLocked(string(t.Cluster))
			t.Tenant = sameText(t.Tenant, t.owner)
		}
	}
	d.tenants.tie = func(old, now *tenantDoc) {
		for _, t := range d.tokens.groups[string(cmp.Or(now, old).ID)] {
			t.owner = now
		}
	}
	d.clusters.tie = func(old, now *clusterDoc) {
		if now != nil {
			now.Tenant = sameText(now.Tenant, d.tenants.findLocked(string(now.Tenant)))
		}
		c := cmp.Or(now, old)
		for _, t := range d.tokens.groups[string(c.Tenant)] {
			if t.Cluster == c.ID {
				t.cluster = d.clusters.aliasLocked(string(c.ID))
			}
		}
	}
}

// sameText returns a tenant's id in the memory that the tenant's own document has it in, so that ids that are the same are so at a glance.
func sameText(id seamark.TenantID, owner *tenantDoc) seamark.TenantID {
	if owner != nil {
		return owner.ID
	}
	return id
}

// oldSecret is a secret that was replaced and is good for some time more.
type oldSecret struct {
	SHA256 string    `json:"sha256"`
	Until  time.Time `json:"until"`

	hash [sha256.Size]byte
}

// parseHash reads a stored SHA-256.
func parseHash(hash *[sha256.Size]byte, text string) error {
	if n, err := hex.Decode(hash[:], []byte(text[:min(len(text), 2*sha256.Size)])); err != nil || n != sha256.Size {
		return errors.New("token has no SHA-256 of its secret")
	}
	return nil
}

func (t *tokenDoc) validate(key string) (err error) {
	if t.KeyID != key || len(key) != keyIDLength || !isBase62(key) {
		return fmt.Errorf("token %.40q stands under the key of another", t.KeyID)
	}
	if _, err := seamark.ParseTenantID(string(t.Tenant)); err != nil {
		return err
	}
	if err := t.parseSecrets(); err != nil {
		return err
	}
	if t.Kind == seamark.APIKey.String() {
		return t.validateKey()
	}
	if t.Key != nil {
		return fmt.Errorf("%s token has what only an API key has", t.Kind)
	}
	if t.kind, err = seamark.ParseTokenKind(t.Kind); err != nil {
		return err
	}
	if t.kind != seamark.IngestToken {
		if t.Cluster != "" || len(t.Signals) > 0 {
			return fmt.Errorf("%s token has a cluster or signals", t.Kind)
		}
		return nil
	}
	if t.signals, err = parseScopes(t.Signals); err != nil {
		return err
	}
	_, err = seamark.ParseClusterID(string(t.Cluster))
	return err
}

// parseSecrets reads the stored hashes.
func (t *tokenDoc) parseSecrets() error {
	if err := parseHash(&t.hash, t.SHA256); err != nil || t.Old == nil {
		return err
	}
	return parseHash(&t.Old.hash, t.Old.SHA256)
}

// proves reports whether a secret with the given hash is the token's, in a time that tells nothing of the hashes.
func (t *tokenDoc) proves(sum *[sha256.Size]byte, now time.Time) bool {
	if subtle.ConstantTimeCompare(sum[:], t.hash[:]) == 1 {
		return true
	}
	return t.Old != nil && now.Before(t.Old.Until) && subtle.ConstantTimeCompare(sum[:], t.Old.hash[:]) == 1
}

// parseScopes reads stored scopes. No scopes is a fault and not "all": a lost field must not widen a token.
func parseScopes(names []string) (seamark.SignalSet, error) {
	if len(names) == 1 && names[0] == allSignals {
		return seamark.AllSignals, nil
	}
	if len(names) == 0 {
		return 0, errors.New("ingest token has no signals")
	}
	var set seamark.SignalSet
	for _, name := range names {
		signal, err := seamark.ParseSignal(name)
		if err != nil {
			return 0, err
		}
		set |= seamark.NewSignalSet(signal)
	}
	return set, nil
}

func scopeNames(set seamark.SignalSet) []string {
	if set == seamark.AllSignals {
		return []string{allSignals}
	}
	var names []string
	for _, signal := range set.List() {
		names = append(names, signal.String())
	}
	return names
}

func (t *tokenDoc) expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

func (t *tokenDoc) live(now time.Time) bool { return t.Revoked.IsZero() && !t.expired(now) }

func (t *tokenDoc) token() Token {
	token := Token{
		KeyID: t.KeyID, Tenant: t.Tenant, Kind: t.kind, Name: t.Name, Cluster: t.Cluster, Signals: t.signals,
		Created: t.Created, Expires: t.Expires, Revoked: t.Revoked, Rotated: t.Rotated,
	}
	if t.Old != nil {
		token.OldUntil = t.Old.Until
	}
	return token
}

// CreateToken makes a token and returns it with its secret text, which is shown this once and never stored. The error is
// of kind Invalid for a bad spec, NotFound for an unknown tenant or cluster, and Conflict when the cluster has two live
// ingest tokens.
func (d *Directory) CreateToken(ctx context.Context, tenant seamark.TenantID, spec TokenSpec) (Token, string, error) {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return Token{}, "", err
	}
	if err := spec.validate(d.now()); err != nil {
		return Token{}, "", invalid(err, "seamark-token-invalid")
	}
	keyID, err := randomText(d.opts.Rand, keyIDLength)
	if err != nil {
		return Token{}, "", err
	}
	secret, hash, err := d.newSecret()
	if err != nil {
		return Token{}, "", err
	}
	doc := &tokenDoc{
		Version: docVersion, KeyID: keyID, Tenant: tenant, Kind: spec.Kind.String(), Name: spec.Name, Cluster: spec.Cluster,
		SHA256: hash, Created: d.now().UTC(), Expires: spec.Expires.UTC(),
	}
	if spec.Kind == seamark.IngestToken {
		doc.Signals = scopeNames(spec.Signals)
		if spec.Signals == 0 {
			doc.Signals = []string{allSignals}
		}
		cluster, err := d.FindCluster(ctx, tenant, spec.Cluster)
		if err != nil {
			return Token{}, "", err
		}
		if err := d.placeToken(ctx, cluster, keyID); err != nil {
			return Token{}, "", fmt.Errorf("place token: %w", err)
		}
	}
	if err := d.tokens.create(ctx, keyID, doc); err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	created, _ := d.tokens.find(keyID)
	return created.token(), formatToken(spec.Kind, keyID, secret), nil
}

// newSecret draws a secret and returns it with what is stored of it.
func (d *Directory) newSecret() (secret, hash string, err error) {
	if secret, err = randomText(d.opts.Rand, secretLength); err != nil {
		return "", "", err
	}
	sum := sha256.Sum256([]byte(secret))
	return secret, hex.EncodeToString(sum[:]), nil
}

func (s TokenSpec) validate(now time.Time) error {
	if _, err := seamark.ParseTokenKind(s.Kind.String()); err != nil {
		return errors.New("a token's kind is ingest, query or admin")
	}
	ingest := s.Kind == seamark.IngestToken
	if ingest != (s.Cluster != "") {
		return errors.New("an ingest token needs a cluster, and no other token has one")
	}
	if !ingest && s.Signals != 0 {
		return errors.New("only ingest tokens have signals")
	}
	if ingest && s.Signals != 0 && len(s.Signals.List()) == 0 {
		return errors.New("the token's signals are unknown")
	}
	if s.Name != "" {
		if err := checkName("token", s.Name); err != nil {
			return err
		}
	}
	if !s.Expires.IsZero() && !s.Expires.After(now) {
		return fmt.Errorf("the token's expiry %s is not in the future", s.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// Authenticate proves whom an API token belongs to, from memory alone. The error is of kind Unauthenticated for a token
// that is malformed, unknown, revoked or expired, Forbidden when its tenant is suspended or deleted, and Unavailable when
// this node's knowledge is too old to tell.
func (d *Directory) Authenticate(_ context.Context, credential string) (seamark.Principal, error) {
	parsed, ok := parseToken(credential)
	if !ok {
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-malformed",
			"The token is not a whole Seamark token (smk_<kind>_<key id>_<secret>). Copy it again without cutting or changing it.")
	}
	now := d.now()
	known := age(now, d.tokenBeat.Load())
	if known > d.tokenStaleness(parsed.kind) {
		return seamark.Principal{}, stale(known)
	}
	sum := sha256.Sum256([]byte(parsed.secret))

	d.mu.RLock()
	token := d.tokens.findLocked(parsed.keyID)
	var owner *tenantDoc
	var cluster *clusterDoc
	if token != nil {
		owner, cluster = token.owner, token.cluster
	}
	d.mu.RUnlock()

	if token == nil || !token.proves(&sum, now) || token.kind != parsed.kind || owner == nil {
		if known > unknownGrace { // it may have been created where we cannot see
			return seamark.Principal{}, stale(known)
		}
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown",
			"The token is unknown here. Check that it was made in this installation, or create a new one.")
	}
	if token.kind == seamark.APIKey {
		return d.provenKey(token, owner, now)
	}
	p := seamark.Principal{Tenant: token.Tenant, Kind: token.kind, CredentialID: token.KeyID}
	if cluster != nil && cluster.Tenant == token.Tenant {
		p.Cluster, p.ClusterName, p.Signals = cluster.ID, cluster.Name, token.signals
	}
	return p, d.checkToken(token, owner, cluster, now) // with the owner also when refused: the ledger shows it to them
}

// checkToken decides about a token whose secret was right, so its messages may be frank.
func (d *Directory) checkToken(token *tokenDoc, owner *tenantDoc, cluster *clusterDoc, now time.Time) error {
	switch {
	case !token.Revoked.IsZero():
		return seamark.Errorf(seamark.Unauthenticated, "seamark-token-revoked",
			"Token %s was revoked at %s. Create a new one and give it to the sender.", token.KeyID, token.Revoked.Format(time.RFC3339))
	case token.expired(now):
		return seamark.Errorf(seamark.Unauthenticated, "seamark-token-expired",
			"Token %s expired at %s. Create a new one and give it to the sender.", token.KeyID, token.Expires.Format(time.RFC3339))
	case token.kind == seamark.IngestToken && (cluster == nil || cluster.Tenant != token.Tenant || !cluster.Deleted.IsZero()):
		return seamark.Errorf(seamark.Unauthenticated, "seamark-token-revoked",
			"Token %s ended with its cluster, which was deleted. Create a token for a living cluster.", token.KeyID)
	}
	return checkOwner(owner)
}

// checkOwner refuses the credentials of a tenant that is not active.
func checkOwner(owner *tenantDoc) error {
	switch owner.State {
	case Active:
		return nil
	case Suspended:
		return seamark.Errorf(seamark.Forbidden, "seamark-tenant-suspended",
			"The tenant %q is suspended. Its data is kept; ask the operator of this installation to resume it.", owner.Slug)
	case Deleting:
		return deleting(owner)
	case Deleted:
	}
	return seamark.Errorf(seamark.Forbidden, "seamark-tenant-deleted", "The tenant of this credential was deleted.")
}

func (d *Directory) tokenStaleness(kind seamark.CredentialKind) time.Duration {
	if kind == seamark.AdminToken || kind == seamark.APIKey {
		return d.opts.WriterStaleness
	}
	return d.opts.ReaderStaleness
}
