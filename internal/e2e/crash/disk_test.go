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

// newDisk makes a disk and the flags that suit it.
func newDisk(t *testing.T) (d *disk, dir string, flags []string) {
	t.Helper()
	mount := smallDisk(t)
	d = &disk{t: t, dir: mount, file: filepath.Join(mount, "filler")}
	return d, filepath.Join(mount, "data"), []string{"--disk.ballast-bytes", strconv.Itoa(ballastBytes)}
}

// TestDiskFull fills the disk under streams and tables to the reserve. Ingest refuses at once, what is in the queue still
// reaches the tables, and rows are taken again by themselves when there is space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	d, dir, flags := newDisk(t)
	r := newRig(t, rigOptions{dir: dir, flags: flags})
	r.fleet.pushes(200)
	n := cycles(t, 2)
	var slowest time.Duration
	for i := range n {
		r.waitStored()
		d.fill(diskBytes / 100 * 10) // within the reserve of 15 %
		seen := r.fleet.waitRefusing()
		seen.only(t, http.StatusServiceUnavailable)
		if i == 0 {
			t.Logf("answers at the reserve: %s", seen)
			r.fleet.wantRefusal()
		}
		slowest = max(slowest, r.fleet.heal(d))
	}
	r.fleet.pushes(50)
	r.settle()
	r.fleet.verdict(n, map[string]any{"slowest_healing_seconds": slowest.Seconds()})
}

// TestDiskWithoutAByte fills the disk under the streams to its last byte, so suddenly that the guard cannot see it coming.
// Streams meet the end of the disk, and NATS refuses to write to them until it starts again, which the supervisor sees to.
// The tables are on another disk: what ClickHouse writes at the end of its disk is not what it says it has written, and
// no server beside it can mend that.
func TestDiskWithoutAByte(t *testing.T) {
	t.Parallel()
	d, dir, flags := newDisk(t)
	o := newOutside(t, dir, flags...)
	n := cycles(t, 2)
	var slowest time.Duration
	for range n {
		o.fleet.pushes(100)
		d.fill(0)
		o.fleet.stuck(d)
		slowest = max(slowest, o.fleet.heal(d))
	}
	o.fleet.pushes(50)
	o.settle(t)
	o.fleet.verdict(n, map[string]any{"slowest_healing_seconds": slowest.Seconds()})
}

// heal empties the disk and waits until every sender is acknowledged again.
func (f *fleet) heal(d *disk) time.Duration {
	f.t.Helper()
	d.empty()
	freed := time.Now()
	f.everyone(healsWithin)
	return time.Since(freed)
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
func (f *fleet) wantRefusal() {
	f.t.Helper()
	s := f.senderOf("logs")
	err := f.pushOnce(s, s.encode(s, (uint64(s.number)+1)*clientIDs-batchRows, time.Now()))
	if err == nil || !strings.Contains(err.Error(), "disk is as full as it may be (--disk.min-free-percent)") {
		f.t.Errorf("a push got %v; want a refusal that names the disk", err)
	}
}

// stuck keeps a disk full to its last byte, ballast and all, while the senders go on. Requests that were under way when
// the streams met the end of the disk wait for the acknowledgement's time-out; the guard refuses those that come after.
func (f *fleet) stuck(d *disk) {
	f.t.Helper()
	f.watch.restart()
	end := time.Now().Add(5 * time.Second)
	testkit.Eventually(f.t, time.Minute, func() error {
		d.fill(0)
		if seen := f.watch.snapshot(); time.Now().Before(end) || seen[http.StatusServiceUnavailable].count() < 100 {
			return fmt.Errorf("answers %s; want refusals for a while", seen)
		}
		return nil
	})
	f.t.Logf("answers on a disk without a byte: %s", f.watch.snapshot())
	f.waitRefusing().only(f.t, http.StatusServiceUnavailable)
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
