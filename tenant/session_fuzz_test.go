package tenant

import (
	"crypto/ed25519"
	"testing"
	"time"
)

// FuzzParseRefresh: only what we made is a refresh secret, in the one form that we made it in.
func FuzzParseRefresh(f *testing.F) {
	d := &Directory{now: time.Now}
	d.makeTables()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key := &keyDoc{KID: "k1", private: private}
	d.keys.set("k1", key, 1)
	good, err := refreshText(key, oneID, 3)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("smr_k1_" + oneID + "_03_" + good[len(good)-64:])
	f.Add("smr____")
	f.Fuzz(func(t *testing.T, text string) {
		sid, generation, err := d.parseRefresh(text)
		if err != nil {
			return
		}
		if again, err := refreshText(key, sid, generation); err != nil || again != text {
			t.Errorf("%q is accepted and would be made as %q, %v", text, again, err)
		}
	})
}
