package logcontext

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// FuzzCursor reads cursors as callers may make them: what is taken has one form, and the rest is refused as Invalid.
func FuzzCursor(f *testing.F) {
	good := cursor{stream: 1, pod: true, newer: true, past: true, skip: 3, span: time.Hour, at: store.LogPosition{Time: 4, FP: 5, Batch: 6, Hash: 7}}
	f.Add(good.String())
	f.Add((&cursor{span: DefaultSpan}).String())
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			if kind := seamark.KindOf(err); kind != seamark.Invalid {
				t.Fatalf("%q: got %s, want invalid", text, kind)
			}
			return
		}
		if again := c.String(); again != text {
			t.Fatalf("%q is written as %q", text, again)
		}
	})
}
