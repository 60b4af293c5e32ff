package app

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/seamarkhq/seamark/internal/replay"
	"github.com/seamarkhq/seamark/internal/seal"
)

// KeysOptions says where the root key is that all secrets in the store are sealed under.
type KeysOptions struct {
	// RootFile holds the root key. "" is RootFile(DataDir), which is made at the first start where NATS is embedded.
	RootFile string
	// Root is the root key itself, from the environment; it wins over RootFile.
	Root string
	// Forget is the id of a root key that is lost: what is sealed under it is removed at the start.
	Forget string
}

// Source returns where a process with this data folder finds its root key. The key is made only beside an embedded NATS:
// with an outside one, each process would make a key of its own, and lose it with its folder.
func (o *KeysOptions) Source(dataDir, natsURL string) seal.RootSource {
	s := seal.RootSource{Text: o.Root, File: o.RootFile}
	if s.File == "" && natsURL == "" {
		s.File, s.Create = filepath.Join(dataDir, "root.key"), true
	}
	return s
}

// resealInterval is how often a process looks whether a rotation left anything to do.
const resealInterval = 5 * time.Minute

// usesKeys reports whether a role reads or writes secrets. The others get by without the root key.
func (a *App) usesKeys() bool {
	return a.opts.has(RoleAPI) || a.opts.has(RoleAlerting) || a.opts.has(RoleForwarder)
}

// openKeys opens the keys that secrets are sealed with. It fails, and changes nothing, where the root key is not the one
// that they were sealed under.
func (a *App) openKeys(ctx context.Context) error {
	source := a.opts.Keys.Source(a.opts.DataDir, a.opts.NATS.URL)
	var ring *seal.Ring
	// The first of them looks for sealed values in the buckets of others that start beside it.
	if err := a.patience.Wait(ctx, "data keys", func(ctx context.Context) (err error) {
		ring, err = seal.Open(ctx, seal.Options{JS: a.js, Replicas: a.opts.NATS.Replicas, Root: source, Forget: a.opts.Keys.Forget, Now: a.opts.Now, Logger: a.log})
		return err
	}); err != nil {
		return err
	}
	a.keys = ring
	if info, err := os.Stat(source.File); source.Text == "" && err == nil && info.Mode().Perm()&0o007 != 0 {
		a.log.Warn("every user of this machine can read the root key", "file", source.File, "mode", info.Mode().String())
	}
	a.background("keys", func(ctx context.Context) error { return ring.Maintain(ctx, resealInterval) })
	return nil
}

// openReplays opens what creations answered, which is sealed with the keys.
func (a *App) openReplays(ctx context.Context) error {
	store, err := replay.Open(ctx, replay.Options{JS: a.js, Replicas: a.opts.NATS.Replicas, Keys: a.keys, Now: a.opts.Now})
	if err != nil {
		return err
	}
	a.replays = store
	return nil
}
