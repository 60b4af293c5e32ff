package app

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/store"
)

var healthNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// well is a look at an installation of one process in which all is as it should be.
func well() *healthLook {
	beat := nodeBeat{Node: "a", Version: "1", Started: healthNow.Add(-time.Hour)}
	for _, role := range AllRoles() {
		beat.Roles = append(beat.Roles, string(role))
	}
	r := &nodeReport{nodeBeat: beat, Level: doctor.OK, AlertingShards: alerting.Shards, ClickHouse: []shardLook{{Condition: store.Condition{Shard: 1, Version: "26.2", Parts: 10}}}}
	return &healthLook{
		Asked: healthNow, Nodes: map[string]heardNode{"a": {nodeBeat: beat, At: healthNow, Report: r}},
		Queue: queueLook{Shards: []api.ShardHealth{{Shard: "logs.0", MaxBytes: 1 << 20, Writer: "a"}}},
	}
}

// with adds a process to a look.
func (l *healthLook) with(name string, change func(*heardNode)) {
	n := heardNode{nodeBeat: nodeBeat{Node: name, Version: "1", Roles: []string{"querier"}}, At: healthNow, Report: &nodeReport{Level: doctor.OK}}
	n.Report.nodeBeat = n.nodeBeat
	change(&n)
	l.Nodes[name] = n
}

func TestHealthOfWhatIsWell(t *testing.T) {
	got := well().judge()
	if got.Level != "ok" || len(got.Problems) != 0 {
		t.Errorf("level %s with %+v, want ok and no problem", got.Level, got.Problems)
	}
	if len(got.ClickHouse) != 1 || got.ClickHouse[0].Level != "ok" || !slices.Equal(got.ClickHouse[0].ReachedBy, []string{"a"}) {
		t.Errorf("ClickHouse is %+v, want one shard that a reaches", got.ClickHouse)
	}
	if got.Queue.Shards[0].Writer != "a" || got.Alerting.Held != alerting.Shards {
		t.Errorf("queue %+v and alerting %+v, want a as the writer and all parts held", got.Queue, got.Alerting)
	}
}

func TestHealthTellsProblems(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(l *healthLook)
		level   doctor.Level
		check   string
		message string
		runbook string
	}{
		{"a process is silent", func(l *healthLook) {
			l.with("b", func(n *heardNode) { n.Report, n.At = nil, healthNow.Add(-40*time.Second) })
		}, doctor.Failure, "process", "b (querier) does not answer; its last sign of life was 40s ago", "SeamarkDown"},
		{"a process is not ready", func(l *healthLook) {
			l.with("b", func(n *heardNode) {
				n.Report.add(doctor.Failure, "ready", "Look.", "", "it is not ready: NATS is not connected")
			})
		}, doctor.Failure, "ready", "NATS is not connected", ""},
		{"a clock is off", func(l *healthLook) {
			l.with("b", func(n *heardNode) { n.Ahead = 3 * time.Second })
		}, doctor.Warning, "clock", "the clock of b is 3s from this machine's", ""},
		{"versions differ", func(l *healthLook) {
			l.with("b", func(n *heardNode) { n.Version = "2" })
		}, doctor.Warning, "version", "1, 2", ""},
		{"nobody has a role", func(l *healthLook) {
			n := l.Nodes["a"]
			n.Roles = slices.DeleteFunc(slices.Clone(n.Roles), func(role string) bool { return role == string(RoleIngest) })
			l.Nodes["a"] = n
		}, doctor.Failure, "roles", "no process that answers has the role ingest", ""},
		{"nobody writes a shard", func(l *healthLook) { l.Queue.Shards[0].Writer = "gone" }, doctor.Failure, "queue", "no writer stores the shards logs.0", "SeamarkQueueGrows"},
		{"the queue cannot be read", func(l *healthLook) { l.QueueErr = errors.New("no quorum") }, doctor.Failure, "queue", "no quorum", ""},
		{"messages are set aside", func(l *healthLook) { l.Queue.DeadLetters = 3 }, doctor.Warning, "dead-letters", "3 messages", "SeamarkDeadLetters"},
		{"a stream is full", func(l *healthLook) {
			l.Engines = []doctor.Finding{{Level: doctor.Failure, Check: "streams", Message: "SEAMARK_LOGS_0 holds 1 GiB of 1 GiB", Advice: "Look."}}
		}, doctor.Failure, "streams", "SEAMARK_LOGS_0", "SeamarkQueueGrows"},
		{"a shard of the store is away for one", func(l *healthLook) {
			l.with("b", func(n *heardNode) {
				n.Report.ClickHouse = []shardLook{{Condition: store.Condition{Shard: 1}, Fault: "connection refused"}}
			})
		}, doctor.Failure, "clickhouse", "b does not reach ClickHouse shard 1: connection refused", ""},
		{"a partition has many parts", func(l *healthLook) { l.Nodes["a"].Report.ClickHouse[0].MostParts = mostParts }, doctor.Warning, "clickhouse", "1000 parts", ""},
		{"memory is short", func(l *healthLook) {
			l.Nodes["a"].Report.ClickHouse[0].Memory, l.Nodes["a"].Report.ClickHouse[0].MemoryLimit = 95, 100
		}, doctor.Warning, "clickhouse", "more than 90 % of the memory", ""},
		{"parts of the tenants are not evaluated", func(l *healthLook) { l.Nodes["a"].Report.AlertingShards = 30 }, doctor.Failure, "alerting", "30 of 32", "SeamarkAlertingShardsMissing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := well()
			c.change(l)
			got := l.judge()
			if len(got.Problems) != 1 {
				t.Fatalf("problems are %+v, want one", got.Problems)
			}
			p := got.Problems[0]
			if got.Level != string(c.level) || p.Level != string(c.level) || p.Check != c.check || !strings.Contains(p.Message, c.message) || p.Runbook != c.runbook || p.Advice == "" {
				t.Errorf("got level %s and %+v, want %s of %s with %q, runbook %q and advice", got.Level, p, c.level, c.check, c.message, c.runbook)
			}
		})
	}
}

func TestHealthPutsTheWorstFirst(t *testing.T) {
	l := well()
	l.Queue.DeadLetters, l.Queue.Shards[0].Writer = 1, ""
	got := l.judge()
	if got.Level != "failure" || got.Problems[0].Check != "queue" || got.Problems[1].Check != "dead-letters" {
		t.Errorf("got %s and %+v, want the failure before the warning", got.Level, got.Problems)
	}
}

// TestClocksAreCompared asks a node at 0 s that is 2 s ahead; the question takes 10 ms there, the look 500 ms, the answer 10 ms.
func TestClocksAreCompared(t *testing.T) {
	const ahead, way, look = 2 * time.Second, 10 * time.Millisecond, 500 * time.Millisecond
	r := &nodeReport{Received: healthNow.Add(way + ahead), Sent: healthNow.Add(way + look + ahead)}
	got := heardReport(r, healthNow, healthNow.Add(2*way+look))
	if got.Ahead != ahead || got.Uncertain != 2*way {
		t.Errorf("ahead %s up to %s, want %s up to %s", got.Ahead, got.Uncertain, ahead, 2*way)
	}
}
