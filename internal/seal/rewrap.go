package seal

import (
	"context"
	"fmt"
	"slices"
)

// Rewrap wraps every data key under another root key, in one step; no value is touched. Processes that run go on with the keys
// they know; each needs the new root key at its next start, and before the data keys are rotated again. r itself keeps the old
// root key and is of no use after.
func (r *Ring) Rewrap(ctx context.Context, next RootKey) error {
	if next.aead == nil {
		return errNoRoot
	}
	return r.change(ctx, func(doc *ringDoc) error {
		keys := slices.Clone(doc.Keys)
		for i, k := range keys {
			secret, err := r.root.aead.Open(nil, nil, k.Wrapped, wrapping(k.ID))
			if err != nil {
				return fmt.Errorf("data key %s does not open under %s; nothing was changed", k.ID, r.root)
			}
			keys[i].Wrapped = next.aead.Seal(nil, nil, secret, wrapping(k.ID))
		}
		doc.Keys, doc.Root = keys, next.id
		return nil
	})
}
