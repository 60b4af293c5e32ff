package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// DiskOptions configures a DiskGuard.
type DiskOptions struct {
	// Dir is the data folder, which the engines' data shares.
	Dir string
	// MinFreePercent of the disk is kept free, but never more than MaxReserveBytes. Without it a stream that meets the full
	// disk answers with time-outs until its server is restarted, and ClickHouse cannot merge.
	MinFreePercent  int
	MaxReserveBytes int64
	// BallastBytes is the size of a file that is given up when the disk is full in spite of the reserve, so that the directory
	// and the checkpoints can still be written. 0 makes none.
	BallastBytes int64
	// Space returns the size and the free bytes of the disk that holds dir; nil asks the system.
	Space func(dir string) (total, free int64, err error)
	Log   *slog.Logger
}

func (o *DiskOptions) validate() error {
	switch {
	case o.Dir == "" || o.Log == nil:
		return errors.New("engine: Dir and Log are required")
	case o.MinFreePercent < 0 || o.MinFreePercent > 90 || o.MaxReserveBytes < 0 || o.BallastBytes < 0:
		return errors.New("engine: MinFreePercent must be 0 to 90; MaxReserveBytes and BallastBytes must not be negative")
	}
	return nil
}

// DiskGuard watches the free space of the data folder's disk, and says when nothing more may be taken.
type DiskGuard struct {
	opts DiskOptions
	full atomic.Bool
	free atomic.Int64
	held bool // the ballast file is there
}

// OpenDiskGuard makes the ballast and looks at the disk once.
func OpenDiskGuard(o DiskOptions) (*DiskGuard, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Space == nil {
		o.Space = diskSpace
	}
	g := &DiskGuard{opts: o}
	if info, err := os.Stat(g.ballast()); err == nil && info.Size() == o.BallastBytes {
		g.held = true
	}
	err := g.Check()
	return g, err
}

// Full reports whether the disk is as full as it may be.
func (g *DiskGuard) Full() bool { return g.full.Load() }

// Free returns the disk's free bytes at the last check.
func (g *DiskGuard) Free() int64 { return g.free.Load() }

// diskInterval is short against the seconds in which the fastest sender fills a reserve of gigabytes.
const diskInterval = 500 * time.Millisecond

// Run checks until ctx ends. It returns nil then.
func (g *DiskGuard) Run(ctx context.Context) error {
	ticker := time.NewTicker(diskInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := g.Check(); err != nil {
				g.opts.Log.Error("disk cannot be watched", "err", err)
			}
		}
	}
}

// Check looks at the disk once: full below the reserve, free again a quarter above it, so that the answer does not flap.
func (g *DiskGuard) Check() error {
	total, free, err := g.opts.Space(g.opts.Dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", g.opts.Dir, err)
	}
	g.free.Store(free)
	reserve := min(total/100*int64(g.opts.MinFreePercent), g.opts.MaxReserveBytes)
	switch {
	case free < reserve && !g.full.Swap(true):
		g.opts.Log.Error("the disk is as full as it may be: ingest answers 503 until there is space", "free", free, "reserve", reserve, "dir", g.opts.Dir)
	case free >= reserve+reserve/4 && g.full.Swap(false):
		g.opts.Log.Info("the disk has space again: ingest goes on", "free", free, "reserve", reserve)
	}
	return g.keepBallast(free, reserve)
}

// keepBallast gives the ballast up when a quarter of the reserve is left, and takes it again when there is plenty.
func (g *DiskGuard) keepBallast(free, reserve int64) error {
	switch {
	case g.held && g.full.Load() && free < reserve/4:
		g.opts.Log.Warn("the ballast file is given up, so that the directory can still be written", "bytes", g.opts.BallastBytes)
		g.held = false
		return os.Remove(g.ballast())
	case !g.held && !g.full.Load() && g.opts.BallastBytes > 0 && free > reserve+reserve/4+2*g.opts.BallastBytes:
		if err := allocate(g.ballast(), g.opts.BallastBytes); err != nil {
			return fmt.Errorf("make the ballast file: %w", err)
		}
		g.held = true
	}
	return nil
}

func (g *DiskGuard) ballast() string { return filepath.Join(g.opts.Dir, "ballast") }

// allocate makes a file whose blocks are taken from the disk at once.
func allocate(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = reserve(f, size)
	if errors.Is(err, errors.ErrUnsupported) {
		err = writeZeros(f, size)
	}
	return errors.Join(err, f.Close())
}

func writeZeros(f *os.File, size int64) error {
	block := make([]byte, 1<<20)
	for size > 0 {
		n, err := f.Write(block[:min(size, int64(len(block)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

// shareOfDisk returns a part of the disk that dir is or will be on, most at the most: on a small disk a reserve of
// fixed size would be more than the disk ever has free, and whoever waits for it would wait for ever.
func shareOfDisk(dir string, percent, most int64) int64 {
	for {
		total, _, err := diskSpace(dir)
		switch {
		case err == nil:
			return min(total/100*percent, most)
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return most
		}
		dir = filepath.Dir(dir)
	}
}

// diskSpace asks the system. What is reserved for root does not count as free.
func diskSpace(dir string) (total, free int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	block := int64(s.Bsize) // of another type on each system
	return int64(s.Blocks) * block, int64(s.Bavail) * block, nil
}
