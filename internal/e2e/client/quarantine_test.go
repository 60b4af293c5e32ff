package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// killers are two queries that are not each other's like.
var killers = [2]string{`{app="web"} |= "deadly"`, `{app="web"} !~ "deadly"`}

// quarantine kills the embedded ClickHouse under both queries until they are quarantined. Two deaths are enough, but one that comes
// before the server has noticed that the engine is up again does not count.
func (w *world) quarantine(t *testing.T) []client.QuarantinedQuery {
	t.Helper()
	var listed []client.QuarantinedQuery
	for round := 1; len(listed) < len(killers); round++ {
		if round > 5 {
			t.Fatalf("after five deaths of the engine %+v is quarantined, want both queries", listed)
		}
		w.killUnder(t, slices.DeleteFunc(slices.Clone(killers[:]), func(query string) bool {
			return slices.ContainsFunc(listed, func(q client.QuarantinedQuery) bool { return *q.Query == query })
		}))
		for deadline := time.Now().Add(2 * time.Second); round > 1 && len(listed) < len(killers) && time.Now().Before(deadline); {
			list, err := w.owner.ListQuarantinedQueries(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			listed = list.Items
			<-time.After(20 * time.Millisecond)
		}
	}
	return listed
}

// killUnder kills the embedded ClickHouse while queries hang in it, and waits until it answers again.
func (w *world) killUnder(t *testing.T, queries []string) {
	t.Helper()
	pid, _ := w.halt(t)
	var answers []<-chan error
	for _, query := range queries {
		answers = append(answers, w.ask(t, query))
		w.awaitRunning(t, query)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		if err := <-answer; err == nil {
			t.Errorf("%s was answered by an engine that is dead", queries[i])
		}
	}
	testkit.Eventually(t, within, func() error {
		if now, err := harness.EngineOf(w.Pid()); err != nil || now == pid {
			return fmt.Errorf("the engine is not back: %w", orNone(err))
		}
		return <-w.ask(t, `{app="web"}`)
	})
}

// refused returns nil when a query is refused because it is quarantined.
func (w *world) refused(t *testing.T, query string) error {
	t.Helper()
	if err := <-w.ask(t, query); !client.IsStatus(err, 422) || !strings.Contains(err.Error(), "quarantined until") {
		return fmt.Errorf("%s: got %w, want that it is quarantined", query, orNone(err))
	}
	return nil
}

func orNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// quarantineCalls drive the routes about queries that are refused because they have killed the engine.
func quarantineCalls() []call {
	var listed []client.QuarantinedQuery
	// lifted wants a query to be answered again.
	lifted := func(t *testing.T, w *world, query string) {
		t.Helper()
		if err := <-w.ask(t, query); err != nil {
			t.Errorf("%s after the end of its quarantine: %v", query, err)
		}
	}
	return []call{
		{"listQuarantinedQueries", func(t *testing.T, w *world) error {
			listed = w.quarantine(t)
			for _, q := range listed {
				if len(q.Strikes) < 2 || !slices.Contains(killers[:], *q.Query) || q.Language != "logql" {
					t.Errorf("got %+v, want two strikes", q)
				}
				if err := w.refused(t, *q.Query); err != nil {
					t.Error(err)
				}
			}
			return nil
		}},
		{"listTenantsQuarantinedQueries", func(t *testing.T, w *world) error {
			list, err := w.operator.ListTenantsQuarantinedQueries(t.Context(), nil)
			if err == nil && (len(list.Items) != len(killers) || list.Items[0].Tenant == nil || *list.Items[0].Tenant != w.tenantID || list.Items[0].Query != nil) {
				t.Errorf("got %+v, want both queries of %s without their texts", list.Items, w.tenantID)
			}
			return err
		}},
		{"liftQuarantine", func(t *testing.T, w *world) error {
			if len(listed) == 0 {
				return errors.New("nothing is quarantined")
			}
			err := w.owner.LiftQuarantine(t.Context(), listed[0].ID)
			lifted(t, w, *listed[0].Query)
			return err
		}},
		{"liftTenantQuarantine", func(t *testing.T, w *world) error {
			if len(listed) == 0 {
				return errors.New("nothing is quarantined")
			}
			if err := w.refused(t, *listed[1].Query); err != nil {
				t.Error(err)
			}
			err := w.operator.LiftTenantQuarantine(t.Context(), w.tenantID, listed[1].ID)
			lifted(t, w, *listed[1].Query)
			return err
		}},
	}
}
