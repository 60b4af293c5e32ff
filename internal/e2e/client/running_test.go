package client_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// canceled is the status of a query that somebody has cancelled.
const canceled = 499

// halt stops the embedded ClickHouse in the midst of whatever it does, so that queries stay under way, until resume.
func (w *world) halt(t *testing.T) (pid int, resume func()) {
	t.Helper()
	pid, err := harness.EngineOf(w.Pid())
	if err != nil {
		t.Fatal(err)
	}
	testkit.Freeze(t, pid)
	resume = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(resume)
	return pid, resume
}

// ask sends a query in a goroutine of its own, once.
func (w *world) ask(t *testing.T, query string) <-chan error {
	t.Helper()
	c, err := client.NewWithOptions(client.Options{Address: w.URL, Token: w.account.Query, Transport: w.recorder, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- one(c.LokiQueryRange(t.Context(), &client.LokiQueryRangeParams{Query: &query})) }()
	return done
}

// awaitRunning waits until a query runs.
func (w *world) awaitRunning(t *testing.T, query string) (found client.RunningQuery) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		list, err := w.owner.ListQueries(t.Context(), nil)
		if err != nil {
			return err
		}
		for _, q := range list.Items {
			if q.Query == query && q.State == "running" {
				found = q
				return nil
			}
		}
		return fmt.Errorf("%s does not run", query)
	})
	return found
}

// cancels has a query hang in the engine and cancels it; who asked is told by whom.
func (w *world) cancels(t *testing.T, query, by string, cancel func(id string) error) error {
	t.Helper()
	_, resume := w.halt(t)
	defer resume()
	answer := w.ask(t, query)
	q := w.awaitRunning(t, query)
	if q.Language != "logql" || q.Node == "" {
		t.Errorf("got %+v", q)
	}
	if err := cancel(q.ID); err != nil {
		return err
	}
	if err := <-answer; !client.IsStatus(err, canceled) || !strings.Contains(err.Error(), "cancelled by "+by) {
		t.Errorf("who asked is told %v, want %d and that it was cancelled by %s", err, canceled, by)
	}
	return nil
}

// runningCalls drive the routes about queries that run or have ended.
func runningCalls() []call {
	return []call{
		{"listQueries", func(t *testing.T, w *world) error {
			list, err := w.owner.ListQueries(t.Context(), &client.ListQueriesParams{State: new(client.ListQueriesParamsStateDone), Sort: new(client.ListQueriesParamsSortBytes)})
			if err == nil && (len(list.Items) == 0 || list.Items[0].State != "done") {
				t.Errorf("got %+v, want queries that have ended", list.Items)
			}
			return err
		}},
		{"findQuery", func(t *testing.T, w *world) error {
			list, err := w.owner.ListQueries(t.Context(), &client.ListQueriesParams{State: new(client.ListQueriesParamsStateDone)})
			if err != nil {
				return err
			}
			if len(list.Items) == 0 {
				return errors.New("no query has ended")
			}
			found, err := w.owner.FindQuery(t.Context(), list.Items[0].ID)
			if err == nil && (found.ID != list.Items[0].ID || found.Query != list.Items[0].Query) {
				t.Errorf("got %+v, want %+v", found, list.Items[0])
			}
			return err
		}},
		{"listTenantsQueries", func(t *testing.T, w *world) error { return one(w.operator.ListTenantsQueries(t.Context(), nil)) }},
		{"cancelQuery", func(t *testing.T, w *world) error {
			return w.cancels(t, `{app="web"} |= "hangs"`, "owner@example.com", func(id string) error { return w.owner.CancelQuery(t.Context(), id) })
		}},
		{"cancelTenantsQuery", func(t *testing.T, w *world) error {
			return w.cancels(t, `{app="web"} |= "hangs, too"`, "an operator", func(id string) error { return w.operator.CancelTenantsQuery(t.Context(), id) })
		}},
	}
}

// jobCalls drive the routes about queries in the background.
func jobCalls() []call {
	var job client.QueryJob
	return []call{
		{"listQueryJobs", func(t *testing.T, w *world) error {
			if _, err := w.query.LokiQueryRange(t.Context(), &client.LokiQueryRangeParams{Query: new(`{app="web"}`)}, client.RespondAsync(&job)); err != nil {
				return err
			}
			list, err := w.owner.ListQueryJobs(t.Context(), nil)
			if err == nil && (len(list.Items) != 1 || list.Items[0].ID != job.ID || list.Items[0].Query != `{app="web"}`) {
				t.Errorf("got %+v, want the job %s", list.Items, job.ID)
			}
			return err
		}},
		{"findQueryJob", func(t *testing.T, w *world) error {
			testkit.Eventually(t, within, func() error {
				found, err := w.query.FindQueryJob(t.Context(), job.ID)
				if err == nil && (found.State != "done" || found.Progress != 1) {
					err = fmt.Errorf("the job is %+v", found)
				}
				return err
			})
			return nil
		}},
		{"downloadQueryJobResult", func(t *testing.T, w *world) error {
			result, err := w.query.DownloadQueryJobResult(t.Context(), job.ID)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(result)
			if !strings.Contains(string(text), `"a line"`) || result.ContentType != "application/json" {
				t.Errorf("got %s %s, want the line", result.ContentType, text)
			}
			return errors.Join(err, result.Close())
		}},
		{"deleteQueryJob", func(t *testing.T, w *world) error {
			err := w.query.DeleteQueryJob(t.Context(), job.ID)
			if _, gone := w.query.FindQueryJob(t.Context(), job.ID); !client.IsNotFound(gone) {
				t.Errorf("a deleted job: got %v, want 404", gone)
			}
			return err
		}},
	}
}
