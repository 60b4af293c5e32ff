package alerts_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/democluster"
)

// TestDemoIncident runs the demo cluster against the server, lets its incident begin and end, and follows the rule that
// README recommends: its webhook tells of the payments' errors and, when the cause has ended, that they are over. It takes
// about two minutes of real time, because the demo cluster is scraped every 15 s as a real one.
func TestDemoIncident(t *testing.T) {
	t.Parallel()
	x, receiver := newTenant(t, "demo-incident"), newHook(t)
	cluster, err := democluster.New(democluster.Options{URL: x.App.URL(), Token: x.Ingest, Cluster: "eu-1", Seed: 7, Backfill: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	cluster.SetIncident(false)
	if err := cluster.Prime(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = cluster.Run(ctx) })
	defer func() { stop(); running.Wait() }()

	if answer := saveReceiver(t, x, receiver.URL); answer.Status != http.StatusCreated {
		t.Fatalf("save the receiver: got %d %s", answer.Status, answer.Body)
	}
	x.Post(t, x.Admin, "/prometheus/config/v1/rules/nodes", "application/yaml", `
name: payments
interval: 5s
rules:
  - alert: PaymentsErrors
    expr: |
      sum(rate(http_requests_total{namespace="payments",code=~"5.."}[1m]))
        / sum(rate(http_requests_total{namespace="payments"}[1m])) > 0.05
    for: 10s
    labels: {severity: page}
`, http.StatusAccepted)
	defer removeRules(t, x)

	cluster.SetIncident(true)
	firing := receiver.awaitFor(t, "firing", 2*time.Minute)
	if got := firing.CommonLabels["alertname"]; got != "PaymentsErrors" {
		t.Errorf("the firing alert is %q, want PaymentsErrors", got)
	}
	cluster.SetIncident(false)
	receiver.awaitFor(t, "resolved", 3*time.Minute)
}
