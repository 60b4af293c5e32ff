package tenant

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	oneID   = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
	otherID = "01JYYYYYYYYYYYYYYYYYYYYYYY"
)

// goodDocuments has one acceptable document of each noun.
func goodDocuments() map[string]string {
	return map[string]string{
		"tenant." + oneID:                  `{"v":1,"id":"` + oneID + `","number":1,"slug":"a","name":"A","state":"active","generation":1}`,
		"slug.a":                           `{"v":1,"tenant":"` + oneID + `"}`,
		"store.shards":                     `{"v":1,"shards":2}`,
		"counter.number":                   `{"v":1,"last":3}`,
		"cluster." + oneID + ".prod":       `{"v":1,"id":"` + otherID + `","tenant":"` + oneID + `","name":"prod"}`,
		"token.abcDEF012345":               `{"v":1,"key_id":"abcDEF012345","tenant":"` + oneID + `","kind":"query","sha256":"` + strings.Repeat("ab", 32) + `"}`,
		"user." + loginKey("ann"):          `{"v":1,"id":"` + oneID + `","login":"ann","memberships":{"` + oneID + `":"owner"}}`,
		"session." + oneID:                 `{"v":1,"id":"` + oneID + `","user":"` + oneID + `","expires":"2026-11-01T12:00:00Z","idle":"2026-11-01T11:00:00Z","generation":2,"key":"k1"}`,
		"identity." + identityID("i", "s"): `{"v":1,"id":"` + identityID("i", "s") + `","provider":"corp","issuer":"i","subject":"s","user":"` + oneID + `","granted":{"` + oneID + `":"viewer"}}`,
		"key.k1":                           `{"v":1,"kid":"k1","public":"` + strings.Repeat("A", 43) + `="}`,
		"quota." + oneID + "." + otherID:   `{"v":1,"tenant":"` + oneID + `","cluster":"` + otherID + `","quota":{"rows_per_second":5}}`,
		"retention." + oneID:               `{"v":1,"tenant":"` + oneID + `","retention":{"days":{"logs":7},"streams":[{"signal":"logs","selector":"{a=\"b\"}","days":3}]}}`,
		"plan.small":                       `{"v":1,"name":"small","title":"Small","quota":{"rows_per_second":5}}`,
		"budget." + oneID:                  `{"v":1,"tenant":"` + oneID + `","budgets":[{"signal":"logs","rows":5}]}`,
		"access." + oneID:                  `{"v":1,"tenant":"` + oneID + `","roles":{"auditor":{"permissions":["data:read"]}}}`,
		"invitation.abcDEF012345":          `{"v":1,"id":"abcDEF012345","tenant":"` + oneID + `","role":"viewer","sha256":"` + strings.Repeat("ab", 32) + `","expires":"2026-11-01T12:00:00Z"}`,
		"use.abcDEF012345":                 `{"v":1,"at":"2026-11-01T12:00:00Z"}`,
		"arrival." + oneID + "." + otherID: `{"v":1,"tenant":"` + oneID + `","cluster":"` + otherID + `","last":{"logs":"2026-11-01T12:00:00Z"}}`,
	}
}

// tableShelves returns empty tables of all nouns, without any KV behind them.
func tableShelves() map[string]shelf {
	d := &Directory{now: time.Now}
	d.makeTables()
	shelves := map[string]shelf{}
	for _, w := range d.watches {
		for noun, s := range w.shelves {
			shelves[noun] = s
		}
	}
	return shelves
}

func TestEveryNounHasAGoodDocument(t *testing.T) {
	shelves := tableShelves()
	for name, value := range goodDocuments() {
		noun, key := splitKey(name)
		if err := shelves[noun].apply(key, []byte(value), 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := shelves[noun].apply(key+"x", []byte(value), 1); err == nil && noun != "slug" {
			t.Errorf("%s: the document is accepted under another key", name)
		}
		delete(shelves, noun)
	}
	for noun := range shelves {
		t.Errorf("noun %s has no good document here, so the fuzz target does not reach it", noun)
	}
}

func TestRevisionsDecideWhatIsNewer(t *testing.T) {
	shelves := tableShelves()
	slugs := shelves["slug"].(*table[slugDoc])
	one, other := []byte(`{"v":1,"tenant":"`+oneID+`"}`), []byte(`{"v":1,"tenant":"`+otherID+`"}`)
	check := func(step string, want string) {
		t.Helper()
		got := ""
		if doc, _ := slugs.find("a"); doc != nil {
			got = string(doc.Tenant)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", step, got, want)
		}
	}
	apply := func(value []byte, revision uint64) {
		t.Helper()
		if err := slugs.apply("a", value, revision); err != nil {
			t.Fatal(err)
		}
	}
	apply(one, 0) // from the snapshot file
	check("snapshot", oneID)
	apply(other, 5) // our own write
	check("own write", otherID)
	apply(one, 4) // the watch is behind
	check("older watch", otherID)
	slugs.drop("a", 4)
	check("older delete", otherID)
	slugs.retain(nil, 4) // a replay that was begun before our write
	check("older replay", otherID)
	slugs.drop("a", 6)
	check("delete", "")
	apply(one, 7)
	slugs.forgetRevisions() // the bucket was made anew
	apply(other, 1)
	check("new bucket", otherID)
	slugs.retain(map[string]bool{"slug.b": true}, 3)
	check("complete replay without it", "")
}

// FuzzStoredDocuments feeds every table arbitrary keys and values. Nothing may panic, and what is accepted must be accepted
// again, unchanged, after the trip through the snapshot file.
func FuzzStoredDocuments(f *testing.F) {
	for name, value := range goodDocuments() {
		f.Add(name, []byte(value))
		f.Add(name, []byte(`{"v":1}`))
	}
	f.Add("nonsense", []byte("null"))
	f.Add("key.k99999999999999999999999", []byte(`{"v":1,"kid":"k99999999999999999999999"}`))
	shelves := tableShelves()
	var mu sync.Mutex // the tables are shared by all inputs
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		mu.Lock()
		defer mu.Unlock()
		noun, key := splitKey(name)
		s := shelves[noun]
		if s == nil || s.apply(key, value, 0) != nil {
			return
		}
		defer s.retain(nil, 0)
		values, err := s.dump()
		if err != nil {
			t.Fatalf("dump %s: %v", name, err)
		}
		if err := s.apply(key, values[key], 0); err != nil {
			t.Fatalf("%s is accepted as %s and refused as %s: %v", name, value, values[key], err)
		}
		if again, err := s.dump(); err != nil || !bytes.Equal(again[key], values[key]) {
			t.Fatalf("%s changes from %s to %s, %v", name, values[key], again[key], err)
		}
	})
}
