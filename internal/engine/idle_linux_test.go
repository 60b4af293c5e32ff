package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestPatientStatementsRunIdle runs statements that last for as long as the test looks: at PatientNice the kernel runs them only when
// nothing else does, at a value before it after others, and once they are over their threads are as they were. Without CAP_SYS_NICE
// ClickHouse lowers none.
func TestPatientStatementsRunIdle(t *testing.T) {
	may := testkit.MayRaiseThreads(t)
	ch := start(t, engine.ClickHouseOptions{DataDir: t.TempDir()})
	for _, c := range []struct {
		nice int
		idle bool
	}{{engine.PatientNice, true}, {engine.PatientNice - 1, false}, {engine.PatientNice + 4, true}} {
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- endless(ctx, ch, c.nice) }()
		testkit.Eventually(t, 30*time.Second, func() error {
			if runs := admin(t, ch, "SELECT count() FROM system.processes WHERE query_id = '"+endlessID+"'"); runs != "1" {
				return errors.New("the statement does not run yet")
			}
			idle, lowered := scheduled(t, ch.Pid())
			if (idle > 0) != (may && c.idle) || (lowered > 0) != (may && !c.idle) {
				return fmt.Errorf("nice %d: %d threads are idle and %d at a nice value of their own", c.nice, idle, lowered)
			}
			return nil
		})
		end()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatalf("nice %d: %v, want the end of the context", c.nice, err)
		}
		admin(t, ch, "KILL QUERY WHERE query_id = '"+endlessID+"' SYNC")
		testkit.Eventually(t, 30*time.Second, func() error {
			if idle, lowered := scheduled(t, ch.Pid()); idle+lowered > 0 {
				return fmt.Errorf("after a statement at nice %d: %d threads are idle and %d low", c.nice, idle, lowered)
			}
			return nil
		})
	}
}

// endlessID is the id of the statement that endless runs.
const endlessID = "endless"

// endless runs a statement that does not end before ctx does.
func endless(ctx context.Context, ch *engine.ClickHouse, nice int) error {
	_, addr := ch.Addrs()
	const statement = "SELECT count() FROM system.numbers WHERE sipHash64(number) = 0"
	url := fmt.Sprintf("http://%s/?query_id=%s&os_threads_nice_value_query=%d", addr, endlessID, nice)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(statement))
	if err != nil {
		return err
	}
	request.SetBasicAuth(ch.AdminUser(), ch.AdminPassword())
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return errors.Join(err, fmt.Errorf("ended with %s: %s", response.Status, body))
}

// scheduled counts a process's threads of policy SCHED_IDLE, and those of another whose nice value is above 0 (proc_pid_stat(5)).
func scheduled(t *testing.T, pid int) (idle, lowered int) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads of process %d: %v", pid, err)
	}
	for _, path := range threads {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that has ended
		}
		const nice, policy = 16, 38 // of the fields behind the name in parentheses
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if fields[policy] == strconv.Itoa(unix.SCHED_IDLE) {
			idle++
		} else if n, _ := strconv.Atoi(fields[nice]); n > 0 {
			lowered++
		}
	}
	return idle, lowered
}
