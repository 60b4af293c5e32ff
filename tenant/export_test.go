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

// LoginKey is the key under which a person's document stands.
func LoginKey(login string) string { return loginKey(login) }

// RotateDueKey runs what the key loop runs.
func (d *Directory) RotateDueKey(ctx context.Context) error { return d.rotateDueKey(ctx) }

// AccountTries tells how many tries of an account this node has counted, from addresses that are not known.
func (d *Directory) AccountTries(login string) int {
	m := d.limits.accounts
	m.mu.Lock()
	defer m.mu.Unlock()
	return int(m.slotLocked(newTryKey(login)).tries)
}
