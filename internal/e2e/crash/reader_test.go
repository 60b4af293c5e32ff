package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// readerPid returns the process that answers a server's queries.
func readerPid(t *testing.T, s *harness.Server) int {
	t.Helper()
	pid, err := harness.ReaderOf(s.Pid())
	require.NoError(t, err)
	return pid
}

// TestReaderDies kills the process that answers queries, several times, while a tenant pushes: every push is acknowledged, queries say
// that they come back and do, and what was pushed meanwhile is there. When the server is killed, that process goes with it.
func TestReaderDies(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, t.TempDir(), "serve", "--query.process")
	who := harness.NewAccount(s.Admin(t), "shop")
	ctx, stop := context.WithCancel(t.Context())
	var pushed atomic.Int64
	var pushing sync.WaitGroup
	pushing.Go(func() {
		for ctx.Err() == nil {
			body := fmt.Sprintf(`{"streams":[{"stream":{"app":"a"},"values":[["%d","line"]]}]}`, time.Now().UnixNano())
			answer, err := harness.Do(context.WithoutCancel(ctx), http.DefaultClient, &harness.Request{
				URL: s.URL + "/loki/api/v1/push", Token: who.Ingest, Type: "application/json", Body: []byte(body),
			})
			if err != nil || answer.Status/100 != 2 {
				t.Errorf("push while the reader is away: %v %+v", err, answer)
				return
			}
			pushed.Add(1)
		}
	})
	ask := func() (status int, text string) {
		answer, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{
			Method: http.MethodGet, URL: s.URL + "/loki/api/v1/labels", Token: who.Query,
		})
		require.NoError(t, err, "the front answers by itself")
		return answer.Status, string(answer.Body)
	}
	for kill := 1; kill <= 3; kill++ {
		pid, before := readerPid(t, s), pushed.Load()
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		testkit.Eventually(t, 30*time.Second, func() error {
			status, text := ask()
			restarts, err := s.Metric(t.Context(), "seamark_reader_restarts_total", "")
			switch {
			case status == http.StatusServiceUnavailable && !strings.Contains(text, "starting again"):
				t.Fatalf("503 %s", text)
			case status != http.StatusOK || restarts < float64(kill):
				return errors.Join(err, fmt.Errorf("%d %s after %v restarts", status, text, restarts))
			}
			return nil
		})
		require.Greater(t, pushed.Load(), before, "pushes while it was away")
	}
	stop()
	pushing.Wait()
	testkit.Eventually(t, 30*time.Second, func() error {
		found, err := harness.LogQL(t.Context(), s.URL, who.Query, `sum(count_over_time({app="a"}[5m]))`)
		if err == nil && (len(found) != 1 || found[0].Point.Value != float64(pushed.Load())) {
			err = fmt.Errorf("%d lines were pushed, %+v are found", pushed.Load(), found)
		}
		return err
	})
	up, err := s.Metric(t.Context(), "seamark_querier_admission_queries_total", `process="reader"`)
	require.NoError(t, err)
	require.NotZero(t, up, "the reader's metrics stand among the server's")

	pid := readerPid(t, s)
	s.Kill()
	testkit.Eventually(t, 10*time.Second, func() error {
		if syscall.Kill(pid, 0) == nil {
			return fmt.Errorf("process %d outlives its server", pid)
		}
		return nil
	})
}

// TestReaderIsOff runs everything as one process where that is asked for.
func TestReaderIsOff(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, t.TempDir(), "serve", "--no-query.process")
	who := harness.NewAccount(s.Admin(t), "shop")
	_, err := harness.ReaderOf(s.Pid())
	require.Error(t, err)
	answer, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: s.URL + "/prometheus/api/v1/labels", Token: who.Query})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status, strings.TrimSpace(string(answer.Body)))
}

// TestQueryThatEndsTheReaderTwice has the same query under way at two ends of the process that answers queries. It is refused after that,
// and another is not.
func TestQueryThatEndsTheReaderTwice(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, t.TempDir(), "serve", "--query.process")
	who := harness.NewAccount(s.Admin(t), "shop")
	body := fmt.Sprintf(`{"streams":[{"stream":{"app":"a"},"values":[["%d","line"]]}]}`, time.Now().UnixNano())
	_, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{
		URL: s.URL + "/loki/api/v1/push", Token: who.Ingest, Type: "application/json", Body: []byte(body),
	})
	require.NoError(t, err)
	query := func(ctx context.Context, filter string) (status int, text string) {
		answer, err := harness.Do(ctx, http.DefaultClient, &harness.Request{Method: http.MethodGet, Token: who.Query, URL: s.URL +
			"/loki/api/v1/query?query=" + url.QueryEscape(`sum(count_over_time({app="a"} |~ "`+filter+`.*x" [5m]))`)})
		if err != nil {
			return 0, err.Error()
		}
		return answer.Status, string(answer.Body)
	}
	seen := func() error {
		found, err := harness.LogQL(t.Context(), s.URL, who.Query, `sum(count_over_time({app="a"}[5m]))`)
		if err == nil && len(found) == 0 {
			err = errors.New("the line is not found")
		}
		return err
	}
	chdb, err := harness.EngineOf(s.Pid())
	require.NoError(t, err)
	for range 2 {
		testkit.Eventually(t, 30*time.Second, seen)
		pid := readerPid(t, s)
		testkit.Freeze(t, chdb) // so that the query takes long
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = query(t.Context(), "slow")
		}()
		testkit.Eventually(t, 30*time.Second, func() error { return noted(s.DataDir, "slow") })
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		require.NoError(t, syscall.Kill(chdb, syscall.SIGCONT))
		<-ended
		testkit.Eventually(t, 30*time.Second, func() error {
			now, err := harness.ReaderOf(s.Pid())
			if err == nil && now == pid {
				err = errors.New("the killed process is still there")
			}
			return err
		})
	}
	testkit.Eventually(t, 30*time.Second, func() error {
		if status, text := query(t.Context(), "slow"); status != http.StatusUnprocessableEntity || !strings.Contains(text, "quarantined until") {
			return fmt.Errorf("the query that was under way twice: %d %s", status, text)
		}
		return nil
	})
	status, text := query(t.Context(), "other")
	require.Equal(t, http.StatusUnprocessableEntity, status, "one that differs in a string alone: %s", text)
	require.NoError(t, seen(), "a query that was not under way")
	still, err := harness.EngineOf(s.Pid())
	require.NoError(t, err)
	require.Equal(t, chdb, still, "the engine has lived through it")
}

// noted returns nil when the reader has noted a query.
func noted(dataDir, text string) error {
	notes, err := os.ReadFile(filepath.Join(dataDir, "reader", "under-way.json"))
	if err == nil && !strings.Contains(string(notes), text) {
		err = fmt.Errorf("%q is not noted: %s", text, notes)
	}
	return err
}
