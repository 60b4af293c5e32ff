package forward_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestForwardsWhatPasses sends the lines that pass the filter, of its tenant alone, from the moment it was made.
func TestForwardsWhatPasses(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	w.push(t, tenant, "api", "keep: before the forwarder")
	hook := newHook(t, nil)
	save(t, s, "hook", "api keep", hook.target(""))
	w.push(t, tenant, "api", "keep 1", "drop 2", "keep 3")
	w.push(t, other, "api", "keep: another tenant's")
	w.push(t, tenant, "db", "keep: another stream")
	w.push(t, tenant, "api", "keep 4")
	require.Equal(t, []string{"keep 1", "keep 3", "keep 4"}, hook.lines(t, 3))
	got := status(t, s, "hook", func(st *forward.Status) error {
		if st.Delivered != 3 || st.Filtered != 2 || st.LagMessages != 0 || st.State != "running" {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	require.Zero(t, got.Failed)
	require.Zero(t, got.Lost)
	require.Equal(t, "n1", got.Node)
	require.Nil(t, got.LastError)
	d := hook.deliveries()[0]
	require.Equal(t, "hook", d.header.Get("X-Seamark-Forwarder"))
	require.Equal(t, "application/x-ndjson", d.header.Get("Content-Type"))
	require.Regexp(t, `^logs\.0\.[0-9a-f]+\.\d+-\d+\.0$`, d.id)
}

// TestRetries sends a batch again, under its id, until the target takes it.
func TestRetries(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	hook := newHook(t, func(n int) (int, http.Header) {
		switch n {
		case 1:
			return http.StatusInternalServerError, nil
		case 2:
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}
		}
		return http.StatusOK, nil
	})
	save(t, s, "hook", "api a", hook.target(""))
	w.push(t, tenant, "api", "a1", "a2")
	require.Equal(t, []string{"a1", "a2"}, hook.lines(t, 2))
	list := hook.deliveries()
	require.Len(t, list, 3)
	require.Equal(t, list[0].id, list[2].id)
	require.Equal(t, list[0].lines, list[2].lines)
}

// TestGivesUp goes on after a batch that the target refuses for good, and says so.
func TestGivesUp(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, func(o *forward.Options) { o.Limits.MaxAttempts = 3 })
	run(t, s)
	hook := newHook(t, func(n int) (int, http.Header) {
		if n <= 3 {
			return http.StatusBadRequest, nil
		}
		return http.StatusOK, nil
	})
	save(t, s, "hook", "api a", hook.target(""))
	w.push(t, tenant, "api", "a1", "a2")
	got := status(t, s, "hook", func(st *forward.Status) error {
		if st.Failed != 2 || len(st.Buried) != 1 {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	require.Contains(t, got.Buried[0].Reason, "400 Bad Request")
	require.Equal(t, 2, got.Buried[0].Rows)
	require.Equal(t, hook.deliveries()[0].id, got.Buried[0].Batch)
	w.push(t, tenant, "api", "a3")
	require.Equal(t, []string{"a3"}, hook.lines(t, 1))
}

// TestEvents forwards the log lines that events are, from the streams of events, and no others.
func TestEvents(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	hook := newHook(t, nil)
	save(t, s, "hook", "* a", hook.target(""), oneRow, `,"signal":"events"`)
	w.push(t, tenant, "api", "a: a log line")
	w.pushAs(t, seamark.Events, tenant, "k8s-events", "a: an event")
	require.Equal(t, []string{"a: an event"}, hook.lines(t, 1))
	require.Regexp(t, `^events\.0\.`, hook.deliveries()[0].id)
}
