package crash

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// policies counts a process's threads by their scheduling policy, all and those that run or want to.
func policies(pid int) (all, running map[uint32]int, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		return nil, nil, fmt.Errorf("process %d has no threads: %w", pid, err)
	}
	all, running = map[uint32]int{}, map[uint32]int{}
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return nil, nil, err
		}
		stat, err := os.ReadFile(task + "/stat")
		if err != nil {
			continue // it has ended
		}
		attr, err := unix.SchedGetAttr(tid, 0)
		if err != nil {
			continue
		}
		all[attr.Policy]++
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "R") {
			running[attr.Policy]++
		}
	}
	return all, running, nil
}

// TestIngestComesFirst looks at how threads are scheduled: those of the process that takes rows are real-time, those of the reader and of
// the engine never, even when they are started again by threads that are.
func TestIngestComesFirst(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, t.TempDir(), "serve", "--query.process", "--ingest.real-time", "1")
	want := map[bool]uint32{true: unix.SCHED_RR, false: unix.SCHED_NORMAL}[testkit.MayRaiseThreads(t)]
	all := func(pid int, policy uint32) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error {
			count, _, err := policies(pid)
			if err == nil && (len(count) != 1 || count[policy] == 0) {
				err = fmt.Errorf("process %d has threads of the policies %v, want %d alone", pid, count, policy)
			}
			return err
		})
	}
	all(s.Pid(), want)
	for range 2 {
		reader := readerPid(t, s)
		engine, err := harness.EngineOf(s.Pid())
		require.NoError(t, err)
		all(reader, unix.SCHED_NORMAL)
		all(engine, unix.SCHED_NORMAL)
		for _, pid := range []int{reader, engine} {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		testkit.Eventually(t, time.Minute, func() error {
			again, err := harness.ReaderOf(s.Pid())
			if err == nil && again == reader {
				err = fmt.Errorf("process %d still is the reader", reader)
			}
			return err
		})
		testkit.Eventually(t, time.Minute, func() error {
			again, err := harness.EngineOf(s.Pid())
			if err == nil && again == engine {
				err = fmt.Errorf("process %d still is the engine", engine)
			}
			return err
		})
	}
	up, err := s.Metric(t.Context(), "seamark_ingest_real_time", "")
	require.NoError(t, err)
	require.Equal(t, testkit.MayRaiseThreads(t), up == 1)
}

// TestIngestTakesNoMoreThanItsPart: what takes more than it may runs like everything else.
func TestIngestTakesNoMoreThanItsPart(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"0", "0.000001"} {
		s := harness.Serve(t, t.TempDir(), "serve", "--query.process", "--ingest.real-time", part)
		testkit.Eventually(t, time.Minute, func() error {
			count, _, err := policies(s.Pid())
			if err == nil && len(count) > 1 {
				err = fmt.Errorf("threads of the policies %v, want ordinary ones alone", count)
			}
			if up, _ := s.Metric(t.Context(), "seamark_ingest_real_time", ""); up == 1 {
				err = fmt.Errorf("part %s: it says that it is real-time", part)
			}
			return err
		})
	}
}

// TestCrowdingQueriesGiveWay has one tenant ask eight queries at once that compute for seconds, beside another that asks a small one again
// and again. What the first asks is computed on threads that the kernel runs last.
func TestCrowdingQueriesGiveWay(t *testing.T) {
	t.Parallel()
	if !testkit.MayRaiseThreads(t) {
		return // there it is nice values, which are not looked at here
	}
	s := harness.Serve(t, t.TempDir(), "serve", "--query.process")
	quiet, noisy := harness.NewAccount(s.Admin(t), "quiet"), harness.NewAccount(s.Admin(t), "noisy")
	reader := readerPid(t, s)
	ctx, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	defer asking.Wait()
	defer stop()
	ask := func(who *harness.Account, query string) {
		values := url.Values{"query": {query}, "start": {"1700000000"}, "end": {"1700036000"}, "step": {"60"}}
		_, _ = harness.Do(ctx, http.DefaultClient, &harness.Request{ // whether it is answered is not looked at here
			Method: http.MethodGet, URL: s.URL + "/prometheus/api/v1/query_range?" + values.Encode(), Token: who.Query,
		})
	}
	asking.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			ask(quiet, fmt.Sprintf("vector(%d)", i))
		}
	})
	for client := range 8 {
		asking.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				ask(noisy, fmt.Sprintf("quantile_over_time(0.%d%d, vector(1)[5h:10s])", client, i))
			}
		})
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for looks := 0; looks < 20; {
		<-tick.C
		_, running, err := policies(reader)
		require.NoError(t, err)
		if running[unix.SCHED_IDLE] > 0 {
			looks++
		}
	}
}
