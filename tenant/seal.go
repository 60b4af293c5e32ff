package tenant

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// seedPlace is where a session signing key's seed stands.
func seedPlace(kid string) seal.Place {
	return seal.Place{Bucket: bucketPrefix + keysBucket, Key: "key." + kid, Field: "seed"}
}

// decodeKey is decodeDocument for session signing keys: it opens the sealed seed, too. Where the process has no root key the
// key only verifies.
func (d *Directory) decodeKey(key string, value []byte) (*keyDoc, error) {
	doc, err := decodeDocument[keyDoc](key, value)
	if err != nil || doc.Sealed == "" || d.opts.Keys == nil {
		return doc, err
	}
	seed, err := d.opts.Keys.Unseal(context.Background(), seedPlace(key), doc.Sealed)
	if err != nil {
		return nil, err
	}
	if err := doc.take(seed); err != nil {
		return nil, err
	}
	return doc, nil
}

// sealSeed seals the seed of a new session signing key.
func (d *Directory) sealSeed(ctx context.Context, kid string, seed []byte) (string, error) {
	if d.opts.Keys == nil {
		return "", seamark.Wrap(errors.New("tenant: Options.Keys is not set"), seamark.Unavailable, "seamark-keys-absent",
			"This process has no root key, so it can sign nobody in. Sign in at a process with the API role.")
	}
	return d.opts.Keys.Seal(ctx, seedPlace(kid), seed)
}

// sealKeys seals the seeds that were stored in plain by a version that did not seal. What fails is tried again at the next
// start: the key works either way.
func (d *Directory) sealKeys(ctx context.Context) {
	if d.opts.Keys == nil {
		return
	}
	plain := slices.DeleteFunc(d.keys.all(), func(k *keyDoc) bool { return len(k.Seed) == 0 })
	for _, k := range plain {
		_, err := d.keys.mutate(ctx, k.KID, func(doc *keyDoc) error {
			if len(doc.Seed) == 0 {
				return nil // another node was first
			}
			sealed, err := d.sealSeed(ctx, doc.KID, doc.Seed)
			if err != nil {
				return err
			}
			doc.Sealed, doc.Seed = sealed, nil
			return nil
		})
		if err != nil {
			d.log.ErrorContext(ctx, "session signing key is still stored in plain", slog.String("key", k.KID), slog.Any("error", err))
		}
	}
}
