package seal

import (
	"cmp"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The bucket of the data keys, and the key of their one document.
const (
	Bucket  = "seamark_seal"
	RingKey = "ring"
)

// ringVersion is the form of ringDoc.
const ringVersion = 1

// maxKeys bounds the data keys. Without it a rotation in a loop fills the document; some are there only while the values
// they sealed are sealed anew.
const maxKeys = 64

// ringDoc is all data keys. One document makes each change of them a single compare-and-set.
type ringDoc struct {
	Version int       `json:"v"`
	Root    string    `json:"root"`    // id of the root key that wraps all of them
	Current string    `json:"current"` // id of the key that seals
	Keys    []dataKey `json:"keys"`
}

// dataKey is one wrapped key.
type dataKey struct {
	ID         string    `json:"id"` // 16 digits of base 32
	Created    time.Time `json:"created"`
	Superseded time.Time `json:"superseded,omitzero"` // when another one became current
	Wrapped    []byte    `json:"wrapped"`
}

// wrapping is the associated data of a wrapped key: a key under another's id does not open.
func wrapping(id string) []byte { return []byte("seamark data key\x00" + id) }

// newDataKey draws a key and wraps it.
func newDataKey(root RootKey, now time.Time) dataKey {
	var secret [keyBytes]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	id := strings.ToLower(rand.Text()[:16])
	return dataKey{ID: id, Created: now.UTC(), Wrapped: root.aead.Seal(nil, nil, secret[:], wrapping(id))}
}

// decodeRing reads a ring and checks everything that needs no key.
func decodeRing(body []byte) (ringDoc, error) {
	var doc ringDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return doc, fmt.Errorf("the ring of data keys is not a JSON document: %w", err)
	}
	if doc.Version != ringVersion {
		return doc, fmt.Errorf("the ring of data keys has version %d, this program knows %d", doc.Version, ringVersion)
	}
	if len(doc.Keys) == 0 || len(doc.Keys) > maxKeys {
		return doc, fmt.Errorf("the ring has %d data keys; 1 to %d are possible", len(doc.Keys), maxKeys)
	}
	if !slices.ContainsFunc(doc.Keys, func(k dataKey) bool { return k.ID == doc.Current }) {
		return doc, errors.New("the ring's current data key is missing")
	}
	return doc, nil
}

// open unwraps every key of the ring.
func (d *ringDoc) open(root RootKey) (map[string]cipher.AEAD, error) {
	if d.Root != root.id {
		return nil, &WrongRootError{Want: d.Root, Have: root.id}
	}
	keys := make(map[string]cipher.AEAD, len(d.Keys))
	for _, k := range d.Keys {
		secret, err := root.aead.Open(nil, nil, k.Wrapped, wrapping(k.ID))
		if err != nil {
			return nil, fmt.Errorf("data key %s does not open under %s: the ring was damaged or changed by hand; restore a backup", k.ID, root)
		}
		if keys[k.ID], err = newAEAD(secret); err != nil {
			return nil, fmt.Errorf("data key %s: %w", k.ID, err)
		}
	}
	return keys, nil
}

// WrongRootError says that secrets were sealed under another root key than the one at hand.
type WrongRootError struct{ Want, Have string } // ids

// Error implements error.
func (e *WrongRootError) Error() string {
	return fmt.Sprintf("the secrets are sealed under root key %s, and the root key at hand is %s; put the right one in place "+
		"(--keys.root-file or SEAMARK_KEYS_ROOT). Nothing was changed", e.Want, e.Have)
}

// CheckRing fails when body, a ring as it stands in the store or a backup, does not open under the root key.
func CheckRing(body []byte, root RootKey) error {
	doc, err := decodeRing(body)
	if err != nil {
		return err
	}
	_, err = doc.open(root)
	return err
}

// MergeRings returns a ring with the data keys of both, which are wrapped by the same root key. The key that seals in
// first goes on sealing.
func MergeRings(first, second []byte) ([]byte, error) {
	doc, err := decodeRing(first)
	if err != nil {
		return nil, err
	}
	other, err := decodeRing(second)
	if err != nil {
		return nil, err
	}
	if other.Root != doc.Root {
		return nil, &WrongRootError{Want: other.Root, Have: doc.Root}
	}
	for _, k := range other.Keys {
		if slices.ContainsFunc(doc.Keys, func(have dataKey) bool { return have.ID == k.ID }) {
			continue
		}
		if k.Superseded.IsZero() {
			k.Superseded = k.Created
		}
		doc.Keys = append(doc.Keys, k)
	}
	slices.SortFunc(doc.Keys, func(a, b dataKey) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return json.Marshal(doc)
}

// RootOfRing returns the id of the root key that wraps the keys of body, a ring.
func RootOfRing(body []byte) (string, error) {
	doc, err := decodeRing(body)
	return doc.Root, err
}
