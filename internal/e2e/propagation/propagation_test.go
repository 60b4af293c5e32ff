package propagation_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestChangesHoldEverywhere makes each kind of change on one node after the other, under load, while another node is cut off.
func TestChangesHoldEverywhere(t *testing.T) {
	f := newFleet(t)
	l := f.startLoad(t)
	cut := f.prepareCut(t)
	var wait sync.WaitGroup
	wait.Go(cut.goDark) // its bounds are waited for meanwhile
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			var x figures
			for round := range rounds {
				f.measure(t, k, round, &x)
			}
			x.report(t)
		})
	}
	t.Run("pipelines are changed", f.pipelineChanges)
	wait.Wait()
	t.Run("a node is cut off", cut.judge)
	l.stop(t)
	t.Run("the store stands still", f.standstill)
}

// sentLine is a line that was pushed around a change of pipelines.
type sentLine struct {
	begun time.Time
	node  int
}

// pipelineChanges marks lines by a pipeline and has the store tell which pushes went through it: senders do not see it.
func (f *fleet) pipelineChanges(t *testing.T) {
	_, token := f.cluster(t, "pipelines")
	query := f.token(t, seamark.QueryToken)
	f.awaitEverywhere(t, token)
	var x figures
	for round := range rounds {
		app := fmt.Sprintf("pipeline-%d", round)
		lines, acked := f.pushAround(t, token.Secret, app, func() {
			f.must(t, nil, round%nodeCount, f.owner, http.MethodPut, "/api/v1/pipelines", fmt.Sprintf(
				`{"revision":%d,"pipelines":[{"name":"mark","enabled":true,"steps":[{"name":"mark","kind":"route","match":["resource.attributes[\"app\"] == \"%s\""],"stream":{"rule":"new"}}]}]}`, round, app))
		})
		f.judgeLines(t, query.Secret, app, lines, acked, &x)
	}
	x.report(t)
}

// pushAround pushes numbered lines to every node before and after a change.
func (f *fleet) pushAround(t *testing.T, token, app string, makeChange func()) (lines map[string]sentLine, acked time.Time) {
	t.Helper()
	var mu sync.Mutex // guards lines
	lines = map[string]sentLine{}
	push := func(n int) {
		var wait sync.WaitGroup
		for node := range f.nodes {
			wait.Go(func() {
				for i := range n {
					begun := time.Now()
					id := fmt.Sprintf("%d-%d-%d", node, n, i)
					status, err := f.push(f.nodes[node], token, fmt.Sprintf(`{"streams":[{"stream":{"app":%q},"values":[["%d","id=%s"]]}]}`, app, begun.UnixNano(), id))
					if err != nil || status != http.StatusNoContent {
						t.Errorf("push to node %d: status %d %v", node, status, err)
						return
					}
					mu.Lock()
					lines[id] = sentLine{begun, node}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
	}
	push(before)
	makeChange()
	acked = time.Now()
	push(2 * after)
	return lines, acked
}

// judgeLines reads the lines back and adds what the change took on each node.
func (f *fleet) judgeLines(t *testing.T, token, app string, lines map[string]sentLine, acked time.Time, x *figures) {
	t.Helper()
	rules := map[string]string{}
	testkit.Eventually(t, startWithin, func() error {
		list, err := harness.LogQL(t.Context(), f.nodes[0].URL, token, `sum by (id, rule) (count_over_time({app="`+app+`"} | logfmt [1h]))`)
		for _, s := range list {
			rules[s.Labels["id"]] = s.Labels["rule"]
		}
		if err == nil && len(rules) != len(lines) {
			err = fmt.Errorf("%d of %d lines of %s are found", len(rules), len(lines), app)
		}
		return err
	})
	var lastOld, firstNew [nodeCount]time.Time
	for id, line := range lines {
		switch {
		case rules[id] != "new" && line.begun.After(lastOld[line.node]):
			lastOld[line.node] = line.begun
		case rules[id] == "new" && (firstNew[line.node].IsZero() || line.begun.Before(firstNew[line.node])):
			firstNew[line.node] = line.begun
		}
	}
	for node := range f.nodes {
		old := max(0, lastOld[node].Sub(acked))
		x.old[node], x.first[node] = append(x.old[node], old), append(x.first[node], max(0, firstNew[node].Sub(acked)))
		switch {
		case firstNew[node].IsZero():
			t.Errorf("%s: node %d never went by the new pipeline", app, node)
		case lastOld[node].After(firstNew[node]):
			t.Errorf("%s: node %d went by the old pipeline after the new one", app, node)
		case old > maxChange:
			t.Errorf("%s: node %d went by the old pipeline %s after the change", app, node, old)
		}
	}
}
