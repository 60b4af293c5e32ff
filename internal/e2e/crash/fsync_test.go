package crash

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// syncedBlock is a finished sync of a block file of a log shard's stream, as `strace -y` writes it.
var syncedBlock = regexp.MustCompile(`(?:fsync|fdatasync)\(\d+</.*/SEAMARK_LOGS_\d+/msgs/\d+\.blk>`)

// TestSyncBeforeAcknowledgement proves with the kernel's own record that an acknowledgement means "on the disk", which no
// kill -9 can show: the page cache outlives a process. Batches are pushed one after the other, so that none shares its sync
// with another.
//
// The queue's store writes a message with one write and syncs the block file before it answers (nats-server's filestore.go
// in SyncAlways; the block is not opened with O_SYNC, so syncs are what counts).
func TestSyncBeforeAcknowledgement(t *testing.T) {
	t.Parallel()
	tracer, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed; this test reads system calls with it: apt-get install strace")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	// The engine's process leaves the trace when it is started: its syncs are not what is asked for, and it runs faster.
	s := harness.LaunchUnder(t, []string{tracer, "-f", "-y", "--seccomp-bpf", "-b", "execve", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace, "--"}, t.TempDir(), "serve")
	if err := s.WaitReady(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	account := harness.NewAccount(s.Admin(t), "synced")
	before := synced(t, trace)
	const batches = 200
	for i := range batches {
		body := fmt.Appendf(nil, `{"streams":[{"stream":{"app":"sync"},"values":[["%d","batch %d"]]}]}`, time.Now().UnixNano(), i)
		answer, err := harness.Do(context.Background(), http.DefaultClient, &harness.Request{
			URL: s.URL + "/loki/api/v1/push", Token: account.Ingest, Type: "application/json", Body: body,
		})
		if err != nil || answer.Status != http.StatusNoContent {
			t.Fatalf("push %d: %+v %v", i, answer, err)
		}
	}
	acks, err := s.Metric(context.Background(), "seamark_bus_acks_total", `signal="logs"`)
	if err != nil {
		t.Fatal(err)
	}
	s.Kill() // the tracer has written what it saw
	syncs := synced(t, trace) - before
	t.Logf("%d batches: %.0f acknowledgements of the queue, %d syncs of its block files", batches, acks, syncs)
	if acks != batches || syncs < batches {
		t.Errorf("%.0f acknowledgements and %d syncs for %d batches; want one of each at least", acks, syncs, batches)
	}
}

// synced counts the syncs of log streams that the trace holds. A call that another thread interrupted stands in two lines,
// of which only the first names the file.
func synced(t *testing.T, trace string) int {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if syncedBlock.MatchString(line) {
			n++
		}
	}
	return n
}
