package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// disks judges the disk below each folder that data is written to.
func (e *exam) disks() {
	for _, dir := range e.o.Disk.Dirs {
		at, ok := e.folder(dir)
		if !ok {
			continue
		}
		var s unix.Statfs_t
		if err := unix.Statfs(at, &s); err != nil {
			e.fail("disk", "Mount the disk, or correct the folder.", "%s: %v", dir, err)
			continue
		}
		e.space(dir, int64(s.Blocks)*int64(s.Bsize), int64(s.Bavail)*int64(s.Bsize))
		e.inodes(dir, uint64(s.Files), uint64(s.Ffree))
		e.mounts(dir, at)
	}
}

// folder looks at a folder, and returns the one above it that exists.
func (e *exam) folder(dir string) (existing string, ok bool) {
	const advice = "Make the folder, give it to the server's user and to nobody else."
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		e.fail("folder", "Name a folder.", "%s is a file", dir)
		return "", false
	case err == nil && info.Mode().Perm()&0o007 != 0:
		e.warn("folder", "chmod o= "+dir, "every user of this machine may enter %s, whose mode is %s", dir, mode(info))
	case errors.Is(err, fs.ErrNotExist):
		above, err := filepath.Abs(filepath.Join(dir, ".."))
		if err != nil {
			e.fail("folder", advice, "%s: %v", dir, err)
			return "", false
		}
		for !exists(above) {
			above = filepath.Dir(above)
		}
		dir = above
	case err != nil:
		e.fail("folder", advice, "%v", err)
		return "", false
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		e.fail("folder", advice, "%s cannot be written by this user: %v", dir, err)
		return "", false
	}
	return dir, true
}

func exists(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil || filepath.Dir(dir) == dir
}

// space holds the free space against what the server keeps free.
func (e *exam) space(dir string, total, free int64) {
	o := &e.o.Disk
	reserve := min(total/100*int64(o.MinFreePercent), o.MaxReserveBytes)
	text := fmt.Sprintf("%s: %s of %s are free", dir, bytesText(free), bytesText(total))
	switch {
	case free < reserve:
		e.fail("disk", "Make room, or lower --disk.min-free-percent: ingest answers 503 while there is less.", "%s, below the reserve of %s", text, bytesText(reserve))
	case free < 2*reserve:
		e.warn("disk", "Make room before it is full, or shorten --retention.default.", "%s; ingest stops below %s", text, bytesText(reserve))
	default:
		e.ok("disk", "%s", text)
	}
}

// inodes does the same for the number of files. Some file systems have no bound.
func (e *exam) inodes(dir string, total, free uint64) {
	if total == 0 {
		return
	}
	least, percent := e.o.Disk.MinFreeInodesPercent, float64(free)/float64(total)*100
	text := fmt.Sprintf("%s: %d of %d inodes are free", dir, free, total)
	const advice = "Remove small files, or make the file system anew with more inodes: each part of a table takes some."
	switch {
	case percent < float64(least):
		e.fail("inodes", advice, "%s, below %d %%", text, least)
	case percent < float64(2*least):
		e.warn("inodes", advice, "%s, below twice %d %%", text, least)
	default:
		e.ok("inodes", "%s", text)
	}
}

// memory holds what the settings allow against what the control group or the machine has.
func (e *exam) memory() {
	limit, whose := e.memoryLimit()
	if limit == 0 {
		return
	}
	text := fmt.Sprintf("the settings allow %s; %s has %s", bytesText(e.o.MemoryBytes), whose, bytesText(limit))
	if e.o.MemoryBytes > limit {
		e.warn("memory", "Give it more, or lower --clickhouse.max-memory-bytes and the caches of queries: the kernel kills who takes too much.", "%s", text)
		return
	}
	e.ok("memory", "%s", text)
}

// memoryLimit returns the smallest limit of the control groups that this process is in, or else the machine's memory; 0 is not known.
func (e *exam) memoryLimit() (bytes int64, whose string) {
	bytes, whose = e.machineMemory(), "the machine"
	groups, err := os.ReadFile(e.path("/proc/self/cgroup"))
	if err != nil {
		return bytes, whose
	}
	for line := range strings.Lines(string(groups)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		mount, file := "/sys/fs/cgroup", "memory.max"
		if f[1] == "memory" { // version 1
			mount, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if f[1] != "" {
			continue
		}
		for group := f[2]; ; group = filepath.Dir(group) {
			if n := e.number(filepath.Join(mount, group, file)); n > 0 && (bytes == 0 || n < bytes) {
				bytes, whose = n, "the control group "+group
			}
			if group == "/" || group == "." {
				break
			}
		}
	}
	return bytes, whose
}

func (e *exam) machineMemory() int64 {
	text, err := os.ReadFile(e.path("/proc/meminfo"))
	if err != nil {
		return 0
	}
	var kib int64
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kib); err != nil {
		return 0
	}
	return kib << 10
}

// number reads a file with a number; "max" and what is not there are 0.
func (e *exam) number(name string) int64 {
	text, err := os.ReadFile(e.path(name))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// files holds the limit of file descriptors against what the settings allow. Go raises the soft limit to the hard one by itself.
func (e *exam) files() {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		e.warn("files", "Look at `ulimit -Hn` by hand.", "the limit of file descriptors cannot be read: %v", err)
		return
	}
	e.descriptors(uint64(limit.Max))
}

func (e *exam) descriptors(most uint64) {
	if most < e.o.Files {
		e.warn("files", "Raise it (LimitNOFILE of systemd, ulimit -Hn), or lower --http.max-connections.", "a process may open %d files; the settings need up to %d", most, e.o.Files)
		return
	}
	text := strconv.FormatUint(most, 10)
	if most >= math.MaxInt64 {
		text = "any number of"
	}
	e.ok("files", "a process may open %s files; the settings need up to %d", text, e.o.Files)
}
