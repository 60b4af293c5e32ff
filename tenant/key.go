package tenant

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// keyDoc is one session signing key, stored under its kid: k1, k2, ... The highest number signs; older ones verify until
// the last session they signed is over.
type keyDoc struct {
	Version int       `json:"v"`
	KID     string    `json:"kid"`
	Created time.Time `json:"created"`
	Public  []byte    `json:"public"`
	Sealed  string    `json:"sealed,omitempty"` // the private key's seed, sealed; absent in the snapshot file
	Seed    []byte    `json:"seed,omitempty"`   // the same in plain, as it was written before there was sealing; sealed at the next start

	number  int
	private ed25519.PrivateKey // nil in the snapshot file and in a process without Options.Keys
}

func (k *keyDoc) validate(key string) (err error) {
	digits, ok := strings.CutPrefix(key, "k")
	if k.number, err = strconv.Atoi(digits); !ok || err != nil || k.number < 1 || keyName(k.number) != key || k.KID != key {
		return fmt.Errorf("signing key %.40q stands under the key of another", k.KID)
	}
	if len(k.Public) != ed25519.PublicKeySize {
		return errors.New("signing key has no public key")
	}
	k.private = nil
	if len(k.Seed) == 0 {
		return nil
	}
	return k.take(k.Seed)
}

// take makes the private key from its seed.
func (k *keyDoc) take(seed []byte) error {
	if len(seed) != ed25519.SeedSize {
		return errors.New("signing key has a malformed seed")
	}
	k.private = ed25519.NewKeyFromSeed(seed)
	if !ed25519.PublicKey(k.Public).Equal(k.private.Public()) {
		return errors.New("signing key's halves do not belong together")
	}
	return nil
}

func withoutPrivateKey(k keyDoc) keyDoc {
	k.Seed, k.Sealed = nil, ""
	return k
}

func keyName(number int) string { return "k" + strconv.Itoa(number) }

// newestKey returns the key with the highest number, or nil.
func (d *Directory) newestKey() *keyDoc {
	var newest *keyDoc
	for _, k := range d.keys.all() {
		if newest == nil || k.number > newest.number {
			newest = k
		}
	}
	return newest
}

// signingKey returns the key that signs now, and makes the first one and each later one when it is due.
func (d *Directory) signingKey(ctx context.Context) (*keyDoc, error) {
	k := d.newestKey()
	if k == nil || k.private == nil || d.now().Sub(k.Created) >= d.opts.KeyLifetime {
		if err := d.RotateSessionKey(ctx); err != nil {
			return nil, err
		}
		k = d.newestKey()
	}
	if k == nil || k.private == nil {
		return nil, unreachable(errors.New("no private session key in the directory"))
	}
	return k, nil
}

// keyLoop replaces the signing key when it is due, until ctx ends, so that a quiet installation does not keep one for years.
// Processes without Options.Keys leave it to the others.
func (d *Directory) keyLoop(ctx context.Context) {
	const interval = 10 * time.Minute
	for d.opts.Keys != nil && pause(ctx, interval) == nil {
		if err := d.rotateDueKey(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "session key was not rotated, the next try is in some minutes", slog.Any("error", err))
		}
	}
}

// rotateDueKey replaces the signing key when it is due and forgets the keys whose sessions are all over.
func (d *Directory) rotateDueKey(ctx context.Context) error {
	if d.newestKey() == nil { // the first sign-in makes it
		return nil
	}
	if _, err := d.signingKey(ctx); err != nil {
		return err
	}
	return d.retireKeys(ctx)
}

// RotateSessionKey makes a new session signing key and forgets the keys whose sessions are all over. Sessions that were
// signed with the key before go on. Where several nodes rotate at once, one key is made.
func (d *Directory) RotateSessionKey(ctx context.Context) error {
	number := 1
	if newest := d.newestKey(); newest != nil {
		number = newest.number + 1
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(d.opts.Rand, seed); err != nil {
		return fmt.Errorf("draw a signing key: %w", err)
	}
	public, ok := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("ed25519 made a public key of another type")
	}
	kid := keyName(number)
	sealed, err := d.sealSeed(ctx, kid, seed)
	if err != nil {
		return err
	}
	err = d.keys.create(ctx, kid, &keyDoc{
		Version: docVersion, KID: kid, Created: d.now().UTC(), Public: public, Sealed: sealed,
	})
	if errors.Is(err, errTaken) { // another node was first: its key is the one
		err = d.keys.refresh(ctx, kid)
	}
	if err != nil {
		return fmt.Errorf("rotate session key: %w", err)
	}
	return d.retireKeys(ctx)
}

// retireKeys removes each key whose successor is older than the longest session.
func (d *Directory) retireKeys(ctx context.Context) error {
	successors := map[int]*keyDoc{}
	for _, k := range d.keys.all() {
		successors[k.number-1] = k
	}
	for _, k := range d.keys.all() {
		next := successors[k.number]
		if next == nil || d.now().Sub(next.Created) <= d.opts.SessionLifetime {
			continue
		}
		if err := d.keys.remove(ctx, k.KID); err != nil {
			return fmt.Errorf("retire session key: %w", err)
		}
	}
	return nil
}
