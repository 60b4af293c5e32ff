package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

const (
	// snapshotPause is the least time between two writes of the snapshot file.
	snapshotPause = time.Second
	// snapshotMaxAge is when the file is written again although nothing changed: its beats decide how long a node may
	// work from it, so they must not be old.
	snapshotMaxAge = time.Minute
)

// snapshotFile is the last-known-good copy of the directory. It holds hashes of token secrets, and neither passwords nor
// private keys.
type snapshotFile struct {
	Version int                       `json:"v"`
	Buckets map[string]snapshotBucket `json:"buckets"`
}

type snapshotBucket struct {
	Beat  int64                                 `json:"beat"` // Unix nanoseconds: the copy is of that time or later
	Nouns map[string]map[string]json.RawMessage `json:"nouns"`
}

// loadSnapshot fills the tables from the file and reports whether there was one. Every value goes through the same checks
// as one from KV, and is older than anything that KV says.
func (d *Directory) loadSnapshot(ctx context.Context) bool {
	if d.opts.SnapshotPath == "" {
		return false
	}
	file, err := readSnapshot(d.opts.SnapshotPath)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.log.ErrorContext(ctx, "directory snapshot is unusable", slog.Any("error", err))
		}
		return false
	}
	for _, w := range d.watches {
		saved := file.Buckets[w.bucket.name]
		for noun, values := range saved.Nouns {
			shelf, ok := w.shelves[noun]
			if !ok {
				continue
			}
			for key, value := range values {
				if err := shelf.apply(key, value, 0); err != nil {
					d.log.ErrorContext(ctx, "directory snapshot has a bad value", slog.String("bucket", w.bucket.name),
						slog.String("key", noun+"."+key), slog.Any("error", err))
				}
			}
		}
		if saved.Beat > 0 {
			w.setBeat(min(saved.Beat, d.now().UnixNano()))
		}
	}
	return true
}

func readSnapshot(path string) (snapshotFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return snapshotFile{}, fmt.Errorf("read snapshot: %w", err)
	}
	var file snapshotFile
	if err := json.Unmarshal(text, &file); err != nil {
		return snapshotFile{}, fmt.Errorf("parse snapshot: %w", err)
	}
	if file.Version != docVersion {
		return snapshotFile{}, fmt.Errorf("snapshot version %d is not %d", file.Version, docVersion)
	}
	return file, nil
}

// snapshotLoop keeps the file near the memory until ctx ends.
func (d *Directory) snapshotLoop(ctx context.Context) {
	saved := time.Time{}
	for pause(ctx, snapshotPause) == nil {
		if !d.dirty.Load() && time.Since(saved) < snapshotMaxAge {
			continue
		}
		if err := d.saveSnapshot(); err != nil {
			d.log.ErrorContext(ctx, "directory snapshot was not written", slog.Any("error", err))
		}
		saved = time.Now()
	}
}

// saveSnapshot writes the file, unless this node has not seen KV's state yet. It never replaces a copy that has tenants
// with one that has none: tenants leave tombstones, so that can only mean that KV lost its data.
func (d *Directory) saveSnapshot() error {
	if !d.Synced() {
		return nil
	}
	d.dirty.Store(false)
	file := snapshotFile{Version: docVersion, Buckets: map[string]snapshotBucket{}}
	for _, w := range d.watches {
		if !w.beats {
			continue
		}
		saved := snapshotBucket{Beat: w.beatAt.Load(), Nouns: map[string]map[string]json.RawMessage{}}
		for noun, shelf := range w.shelves {
			values, err := shelf.dump()
			if err != nil {
				return err
			}
			saved.Nouns[noun] = values
		}
		file.Buckets[w.bucket.name] = saved
	}
	if len(d.slugs.all()) == 0 {
		old, err := readSnapshot(d.opts.SnapshotPath)
		if err == nil && len(old.Buckets[tenantsBucket].Nouns["slug"]) > 0 {
			return errors.New("KV has no tenants but the snapshot has: the store was lost, the snapshot is kept")
		}
	}
	text, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("encode snapshot: %w", err)
	}
	return replaceFile(d.opts.SnapshotPath, text)
}

// replaceFile writes a file so that a crash leaves the old one or the new one, whole.
func replaceFile(path string, text []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("create snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, writeErr := temp.Write(text)
	if err := errors.Join(writeErr, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("replace snapshot: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open snapshot's folder: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
