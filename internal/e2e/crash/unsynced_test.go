package crash

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestKillBeforeSync holds every write and sync of the queue's block files for a while, so that messages stand in the
// queue's memory, where readers see them, long before they are on the disk, and kills the server meanwhile. What the kill takes
// was not acknowledged; its place in the stream goes to other messages, which must not be taken for stored.
func TestKillBeforeSync(t *testing.T) {
	t.Parallel()
	tracer, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed; this test holds system calls with it: apt-get install strace")
	}
	r := newRig(t, rigOptions{flags: []string{"--bus.shards", "1", "--writer.max-batch-age", "10ms"}, accounts: 8})
	n := cycles(t, 2)
	for range n {
		r.fleet.pushes(50)
		r.server.Kill()
		r.restartUnder(slowDisk(t, tracer, r.dir)...)
		r.fleet.pushes(r.some())
		r.server.Kill()
		r.restart()
	}
	r.fleet.pushes(50)
	r.settle()
	r.fleet.verdict(n, nil)
}

// slowDisk is a command under which a server's writes to the block files that its shards have now take 200 ms longer.
func slowDisk(t *testing.T, tracer, dir string) []string {
	t.Helper()
	command := []string{tracer, "-f", "--seccomp-bpf", "-b", "execve", "-qq", "-o", filepath.Join(t.TempDir(), "trace"),
		"-e", "trace=write,pwrite64,fsync,fdatasync", "-e", "inject=write,pwrite64,fsync,fdatasync:delay_enter=" + (200 * time.Millisecond).String()}
	files, err := filepath.Glob(filepath.Join(dir, "nats", "jetstream", "*", "streams", "SEAMARK_*_0", "msgs", "*.blk"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no block files of the queue under %s: %v", dir, err)
	}
	for _, file := range files {
		command = append(command, "-P", file)
	}
	return append(command, "--")
}
