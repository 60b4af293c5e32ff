package tenant

import (
	"context"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// FormatToken lets tests forge tokens with a right checksum.
func FormatToken(kind seamark.CredentialKind, keyID, secret string) string {
	return formatToken(kind, keyID, secret)
}

// Sweep runs what the sweep loop runs.
func (d *Directory) Sweep(ctx context.Context) error { return d.sweep(ctx) }

// SessionsInMemory counts the session documents that this node holds.
func (d *Directory) SessionsInMemory() int { return len(d.sessions.all()) }

// KeysInMemory names the session keys that this node holds.
func (d *Directory) KeysInMemory() string {
	var kids []string
	for _, k := range d.keys.all() {
		kids = append(kids, k.KID)
	}
	slices.Sort(kids)
	return strings.Join(kids, " ")
}

// FlushArrivals runs what the arrival loop runs.
func (d *Directory) FlushArrivals(ctx context.Context) error { return d.flushArrivals(ctx) }

// FlushUses runs what the use loop runs.
func (d *Directory) FlushUses(ctx context.Context) error { return d.flushUses(ctx) }
