package crash

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	diskBytes    = 256 << 20
	ballastBytes = 8 << 20
	// healsWithin bounds the time from the disk's space coming back to rows being taken.
	healsWithin = 30 * time.Second
	// diskVariable names the environment variable with an empty folder on a file system of its own, for machines on which
	// tests may not mount one.
	diskVariable = "SEAMARK_CRASH_DISK"
)

// smallDisk returns a folder on a file system of its own, whose end no other process meets.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(diskVariable)
	if dir != "" {
		return dir
	}
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(diskBytes)); err != nil {
		t.Fatalf("mount a tmpfs of %d MiB: %v. Run this test as root (CAP_SYS_ADMIN), or mount one yourself and name it in %s.",
			diskBytes>>20, err, diskVariable)
	}
	t.Cleanup(func() {
		testkit.Eventually(t, time.Minute, func() error { return unix.Unmount(dir, 0) }) // processes may be on their way out
	})
	return dir
}

// disk is a file system that a test fills and empties.
type disk struct {
	t    *testing.T
	dir  string
	file string
}

// fill takes all but so many bytes that are free.
func (d *disk) fill(leave int64) {
	d.t.Helper()
	f, err := os.OpenFile(d.file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		d.t.Fatal(err)
	}
	for size := info.Size(); ; {
		grow := d.free() - leave
		if grow <= 0 {
			return
		}
		err := unix.Fallocate(int(f.Fd()), 0, size, grow)
		switch {
		case err == nil:
			size += grow
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EINTR): // others write too; what is free is asked again
		default:
			d.t.Fatalf("fill the disk: %v", err)
		}
	}
}

// empty gives back what fill took.
func (d *disk) empty() {
	d.t.Helper()
	if err := os.Remove(d.file); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) free() int64 {
	d.t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		d.t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// TestDiskFull fills the disk under streams and tables, first to the reserve, so that ingest refuses in time, then to its
// last byte, so that streams and tables meet its end. When there is space again everything goes on by itself.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	d := &disk{t: t, dir: dir, file: filepath.Join(dir, "filler")}
	r := newRig(t, rigOptions{dir: filepath.Join(dir, "data"), flags: []string{"--disk.ballast-bytes", strconv.Itoa(ballastBytes)}})
	r.fleet.pushes(200)
	n := cycles(t, 2)
	var slowest time.Duration
	for i := range n {
		beyond := i%2 == 1
		r.waitStored()
		d.fill(10 << 20) // within the reserve of 15 %
		seen := r.fleet.waitRefusing()
		seen.only(t, http.StatusServiceUnavailable)
		if i == 0 {
			t.Logf("answers at the reserve: %s", seen)
			r.wantRefusal()
		}
		if beyond {
			d.empty()
			r.fleet.pushes(20)
			d.fill(0) // at once: the guard has no time to see it coming
			r.stuck(d)
		}
		d.empty()
		freed := time.Now()
		r.fleet.everyone(healsWithin)
		slowest = max(slowest, time.Since(freed))
	}
	r.fleet.pushes(50)
	r.settle()
	r.fleet.verdict(n, map[string]any{"slowest_healing_seconds": slowest.Seconds()})
}

// waitRefusing waits until a hundred answers in a row take nothing, and returns them.
func (f *fleet) waitRefusing() sightings {
	f.t.Helper()
	var seen sightings
	f.watch.restart()
	testkit.Eventually(f.t, time.Minute, func() error {
		if seen = f.watch.snapshot(); seen.good() > 0 {
			f.watch.restart()
		}
		if n := seen[http.StatusServiceUnavailable].count(); seen.good() > 0 || n < 100 {
			return fmt.Errorf("answers %s; want refusals", seen)
		}
		return nil
	})
	return seen
}

// wantRefusal checks the words of a refusal. Loki's protocol has no room for the error's id.
func (r *rig) wantRefusal() {
	r.t.Helper()
	s := r.fleet.senderOf("logs")
	err := r.fleet.pushOnce(s, s.encode(s, (uint64(s.number)+1)*clientIDs-batchRows, time.Now()))
	if err == nil || !strings.Contains(err.Error(), "disk is as full as it may be (--disk.min-free-percent)") {
		r.t.Errorf("a push got %v; want a refusal that names the disk", err)
	}
}

// stuck keeps a disk full to its last byte, ballast and all, while the senders go on. Requests that were under way when
// the streams met the end of the disk wait for the acknowledgement's time-out; the guard refuses those that come after.
func (r *rig) stuck(d *disk) {
	r.t.Helper()
	r.fleet.watch.restart()
	end := time.Now().Add(5 * time.Second)
	testkit.Eventually(r.t, time.Minute, func() error {
		d.fill(0)
		if seen := r.fleet.watch.snapshot(); time.Now().Before(end) || seen[http.StatusServiceUnavailable].count() < 100 {
			return fmt.Errorf("answers %s; want refusals for a while", seen)
		}
		return nil
	})
	r.t.Logf("answers on a disk without a byte: %s", r.fleet.watch.snapshot())
	r.fleet.waitRefusing().only(r.t, http.StatusServiceUnavailable)
}

// everyone waits until each sender has been acknowledged once more.
func (f *fleet) everyone(within time.Duration) {
	f.t.Helper()
	for _, s := range f.senders {
		begin := s.done.Load()
		testkit.Eventually(f.t, within, func() error {
			if s.done.Load() == begin {
				return fmt.Errorf("sender %d (%s) is not acknowledged: %s", s.number, s.signal, f.watch.snapshot())
			}
			return nil
		})
	}
}
