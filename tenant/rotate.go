package tenant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxOverlap bounds how long two secrets of one credential are good. Without it a rotation never ends.
const maxOverlap = 30 * 24 * time.Hour

// RotateToken gives a token a new secret, which is shown this once, and lets the one before it live for overlap more,
// so that its senders can be changed one after the other; 0 ends it at once. The error is of kind NotFound for an unknown
// token, another tenant's or an API key, Conflict for one that is over, and Invalid for a bad overlap.
func (d *Directory) RotateToken(ctx context.Context, tenant seamark.TenantID, keyID string, overlap time.Duration) (Token, string, error) {
	doc, text, err := d.rotate(ctx, keyID, overlap, func(t *tokenDoc) error { return ownToken(t, tenant) })
	if err != nil {
		return Token{}, "", err
	}
	return doc.token(), text, nil
}

// MayHandOut refuses an actor that would hold more with a token of the given kind than it holds itself: who creates or
// rotates a token sees its secret. Data that is pushed is nobody's permission of a role, so ingest tokens ask for none.
func (d *Directory) MayHandOut(actor seamark.Principal, kind seamark.CredentialKind) error {
	if kind == seamark.IngestToken {
		return nil
	}
	return d.mayGrant(actor, slices.Sorted(maps.Keys(d.policy.held["token:"+kind.String()])))
}

// FindToken returns one of the tenant's tokens, also one that is over; API keys are none. The error is of kind NotFound.
func (d *Directory) FindToken(_ context.Context, tenant seamark.TenantID, keyID string) (Token, error) {
	t, _ := d.tokens.find(keyID)
	if t == nil {
		return Token{}, tokenAbsent()
	}
	if err := ownToken(t, tenant); err != nil {
		return Token{}, err
	}
	token := t.token()
	token.Used = d.lastUse(keyID)
	return token, nil
}

// rotate is the rotation of any token; check says whether the caller may do it with this one.
func (d *Directory) rotate(ctx context.Context, keyID string, overlap time.Duration, check func(*tokenDoc) error) (*tokenDoc, string, error) {
	if overlap < 0 || overlap > maxOverlap {
		return nil, "", seamark.Errorf(seamark.Invalid, "seamark-token-overlap", "The overlap is %s; it must be between 0 and %s.", overlap, maxOverlap)
	}
	secret, hash, err := d.newSecret()
	if err != nil {
		return nil, "", err
	}
	doc, err := d.changeToken(ctx, keyID, func(t *tokenDoc) error {
		if err := check(t); err != nil {
			return err
		}
		now := d.now().UTC()
		if !t.live(now) {
			return seamark.Errorf(seamark.Conflict, "seamark-token-over", "Token %s is revoked or expired. Create a new one.", t.KeyID)
		}
		t.Old = nil
		if overlap > 0 {
			t.Old = &oldSecret{SHA256: t.SHA256, Until: now.Add(overlap)}
		}
		t.SHA256, t.Rotated = hash, now
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("rotate token: %w", err)
	}
	return doc, formatToken(doc.kind, keyID, secret), nil
}

// RevokeToken ends a token on every node. Here it is refused when RevokeToken returns. Each of checks sees the token first, within
// the compare-and-set, and may refuse. Revoking twice is no error; the error is of kind NotFound for an unknown token or another
// tenant's.
func (d *Directory) RevokeToken(ctx context.Context, tenant seamark.TenantID, keyID string, checks ...func(Token) error) error {
	return d.revoke(ctx, keyID, func(t *tokenDoc) error {
		if err := ownToken(t, tenant); err != nil {
			return err
		}
		return checkEach(t.token(), checks)
	})
}

func (d *Directory) revoke(ctx context.Context, keyID string, check func(*tokenDoc) error) error {
	_, err := d.changeToken(ctx, keyID, func(t *tokenDoc) error {
		if err := check(t); err != nil {
			return err
		}
		if t.Revoked.IsZero() {
			t.Revoked = d.now().UTC()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// changeToken is the tokens' mutate with untrusted key ids.
func (d *Directory) changeToken(ctx context.Context, keyID string, change func(*tokenDoc) error) (*tokenDoc, error) {
	if len(keyID) != keyIDLength || !isBase62(keyID) {
		return nil, tokenAbsent()
	}
	doc, err := d.tokens.mutate(ctx, keyID, change)
	if errors.Is(err, errAbsent) {
		return nil, tokenAbsent()
	}
	return doc, err
}

// ownToken refuses what is not a token of the tenant; API keys have ways of their own.
func ownToken(t *tokenDoc, tenant seamark.TenantID) error {
	if t.Tenant != tenant || t.kind == seamark.APIKey {
		return tokenAbsent()
	}
	return nil
}

func tokenAbsent() error {
	return seamark.Errorf(seamark.NotFound, "seamark-token-absent", "The tenant has no such token.")
}

// ListTokens returns the tenant's tokens, the dead ones too, oldest first. API keys are not among them.
func (d *Directory) ListTokens(_ context.Context, tenant seamark.TenantID) []Token {
	var list []Token
	for _, t := range d.tokens.list(string(tenant)) {
		if t.kind == seamark.APIKey {
			continue
		}
		token := t.token()
		token.Used = d.lastUse(t.KeyID)
		list = append(list, token)
	}
	slices.SortFunc(list, func(a, b Token) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.KeyID, b.KeyID)
	})
	return list
}
