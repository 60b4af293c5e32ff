package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/doctor"
)

const (
	// mostParts is where ClickHouse begins to slow inserts into a partition down (parts_to_delay_insert).
	mostParts = 1000
	// nearlyFull is the share of its limit at which a server's memory is worth a look.
	nearlyFull = 0.9
)

// queueLook is where the queue stands.
type queueLook struct {
	Shards      []api.ShardHealth
	DeadLetters uint64
}

// lookAtQueue reads where each shard's stream and its writer stand.
func lookAtQueue(ctx context.Context, js jetstream.JetStream, leases *bus.LeaseDocs, checkpoints *ingest.CheckpointDocs) (queueLook, error) {
	all, err := bus.Overlook(ctx, js)
	if err != nil {
		return queueLook{}, err
	}
	q := queueLook{DeadLetters: all.DeadLetters}
	for _, s := range all.Shards {
		name := s.Shard.String()
		holder, err := bus.HolderOf(ctx, leases, ingest.WriterLease(s.Shard))
		if err != nil {
			return queueLook{}, err
		}
		doc, _, err := checkpoints.Find(ctx, name)
		if err != nil {
			return queueLook{}, err
		}
		stored := max(s.First, 1) - 1 // what was removed was stored
		if doc.StreamCreated.Equal(s.Created) {
			stored = max(stored, doc.Sequence)
		}
		q.Shards = append(q.Shards, api.ShardHealth{Shard: name, Bytes: s.Bytes, MaxBytes: s.MaxBytes, Waiting: s.Last - min(stored, s.Last), Writer: holder})
	}
	slices.SortFunc(q.Shards, func(a, b api.ShardHealth) int { return strings.Compare(a.Shard, b.Shard) })
	return q, nil
}

// healthLook is what was found out of an installation at one time.
type healthLook struct {
	Asked    time.Time
	Nodes    map[string]heardNode
	Engines  []doctor.Finding
	Queue    queueLook
	QueueErr error
}

// verdict collects what is made of it.
type verdict struct {
	look *healthLook
	out  *api.Health
}

// judge says of each part whether it is as it should be, and what to do where it is not.
func (l *healthLook) judge() *api.Health {
	v := &verdict{look: l, out: &api.Health{
		Level: string(doctor.OK), Asked: l.Asked, Problems: []api.HealthFinding{}, Checks: []api.HealthFinding{},
		Nodes: []api.NodeHealth{}, ClickHouse: []api.ClickHouseHealth{}, Queue: api.QueueHealth{Shards: []api.ShardHealth{}},
	}}
	v.nodes()
	v.roles()
	v.engines()
	v.queue()
	v.clickhouse()
	v.alerting()
	slices.SortStableFunc(v.out.Problems, func(a, b api.HealthFinding) int {
		return cmp.Or(cmp.Compare(severity(b.Level), severity(a.Level)), strings.Compare(a.Check, b.Check))
	})
	if len(v.out.Problems) > 0 {
		v.out.Level = v.out.Problems[0].Level
	}
	return v.out
}

func severity(level string) int {
	return slices.Index([]string{string(doctor.OK), string(doctor.Warning), string(doctor.Failure)}, level)
}

func (v *verdict) problem(f api.HealthFinding) { v.out.Problems = append(v.out.Problems, f) }

// names returns the processes' names in order.
func (l *healthLook) names() []string { return slices.Sorted(maps.Keys(l.Nodes)) }

// nodes judges each process.
func (v *verdict) nodes() {
	for _, name := range v.look.names() {
		n := v.look.Nodes[name]
		out := api.NodeHealth{
			Node: n.Node, Host: n.Host, Roles: n.Roles, Version: n.Version, Started: n.Started, Heard: n.At.UTC(),
			Level: string(doctor.Failure), State: "silent", Checks: []api.HealthFinding{},
		}
		if r := n.Report; r != nil {
			clock := doctor.JudgeClock(name, n.Ahead, n.Uncertain, maxClockDifference)
			r.add(clock.Level, clock.Check, clock.Advice, "", clock.Message)
			out.Level, out.State, out.Checks = string(r.Level), "ready", r.Checks
			if r.Missing != "" {
				out.State = "not_ready"
			}
			ahead := n.Ahead.Seconds()
			out.ClockAhead, out.MemoryBytes, out.AlertingShards = &ahead, r.Memory, r.AlertingShards
		} else {
			out.Checks = append(out.Checks, v.silent(&n))
		}
		for _, f := range out.Checks {
			if f.Level != string(doctor.OK) {
				v.problem(f)
			}
		}
		v.out.Nodes = append(v.out.Nodes, out)
	}
}

// silent says of a process that it does not answer.
func (v *verdict) silent(n *heardNode) api.HealthFinding {
	return api.HealthFinding{
		Level: string(doctor.Failure), Check: "process", Node: n.Node, Runbook: "SeamarkDown",
		Message: fmt.Sprintf("%s (%s) does not answer; its last sign of life was %s ago", n.Node, strings.Join(n.Roles, ", "), v.look.Asked.Sub(n.At).Round(time.Second)),
		Advice:  "See whether the process and its machine run, and whether it reaches NATS. One that was replaced is forgotten after a quarter of an hour.",
	}
}

// roles looks for roles that nobody has, and for versions that differ.
func (v *verdict) roles() {
	has, versions := map[Role]bool{}, map[string]bool{}
	for _, n := range v.look.Nodes {
		if n.Report == nil {
			continue
		}
		versions[n.Version] = true
		for _, role := range AllRoles() {
			has[role] = has[role] || n.has(role)
		}
	}
	for _, role := range AllRoles() {
		if has[role] {
			continue
		}
		level, advice := doctor.Failure, "Start a process with it."
		if role == RoleForwarder {
			level, advice = doctor.Warning, "Start a process with it where tenants have forwarders; they stand still."
		}
		v.problem(api.HealthFinding{Level: string(level), Check: "roles", Advice: advice, Message: fmt.Sprintf("no process that answers has the role %s", role)})
	}
	if len(versions) > 1 {
		v.problem(api.HealthFinding{
			Level: string(doctor.Warning), Check: "version", Advice: "Bring the upgrade to its end; docs/operations.md says in which order.",
			Message: "processes run different versions: " + strings.Join(slices.Sorted(maps.Keys(versions)), ", "),
		})
	}
}

// engines takes over what was found of the queue and the store.
func (v *verdict) engines() {
	for _, f := range v.look.Engines {
		out := api.HealthFinding{Level: string(f.Level), Check: f.Check, Message: f.Message, Advice: f.Advice}
		if f.Level != doctor.OK {
			if f.Check == "streams" {
				out.Runbook = "SeamarkQueueGrows"
			}
			v.problem(out)
		}
		v.out.Checks = append(v.out.Checks, out)
	}
}

// queue looks for shards that nobody stores, and for messages that were set aside.
func (v *verdict) queue() {
	if v.look.QueueErr != nil {
		v.problem(api.HealthFinding{Level: string(doctor.Failure), Check: "queue", Advice: "See that NATS is up, with most of its servers.", Message: "the queue cannot be read: " + v.look.QueueErr.Error()})
		return
	}
	v.out.Queue.DeadLetters = v.look.Queue.DeadLetters
	var alone []string
	for _, s := range v.look.Queue.Shards {
		if n, ok := v.look.Nodes[s.Writer]; !ok || n.Report == nil || !n.has(RoleWriter) {
			s.Writer = ""
			alone = append(alone, s.Shard)
		}
		v.out.Queue.Shards = append(v.out.Queue.Shards, s)
	}
	if len(alone) > 0 {
		v.problem(api.HealthFinding{
			Level: string(doctor.Failure), Check: "queue", Runbook: "SeamarkQueueGrows", Message: "no writer stores the shards " + strings.Join(alone, ", "),
			Advice: "Start a writer. After one has died another takes its shards within ten seconds.",
		})
	}
	if letters := v.look.Queue.DeadLetters; letters > 0 {
		v.problem(api.HealthFinding{
			Level: string(doctor.Warning), Check: "dead-letters", Runbook: "SeamarkDeadLetters", Message: fmt.Sprintf("%d messages could not be stored and are set aside", letters),
			Advice: "`seamark admin dead list` says which and why.",
		})
	}
}

// clickhouse joins what the processes say of each shard of the store.
func (v *verdict) clickhouse() {
	shards := map[int]*api.ClickHouseHealth{}
	for _, name := range v.look.names() {
		n := v.look.Nodes[name]
		if n.Report == nil {
			continue
		}
		for i := range n.Report.ClickHouse {
			look := &n.Report.ClickHouse[i]
			shard := shards[look.Shard]
			if shard == nil {
				shard = &api.ClickHouseHealth{Name: "shard " + strconv.Itoa(look.Shard), Level: string(doctor.OK), ReachedBy: []string{}, UnreachedBy: []string{}, Disks: []api.DiskHealth{}}
				shards[look.Shard] = shard
			}
			v.tell(shard, name, look)
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		v.judgeShard(shards[shard])
		v.out.ClickHouse = append(v.out.ClickHouse, *shards[shard])
	}
}

// tell adds what one process says of a shard.
func (v *verdict) tell(shard *api.ClickHouseHealth, node string, look *shardLook) {
	if look.Fault != "" {
		shard.UnreachedBy = append(shard.UnreachedBy, node)
		shard.Level = string(doctor.Failure)
		v.problem(api.HealthFinding{
			Level: string(doctor.Failure), Check: "clickhouse", Node: node, Message: fmt.Sprintf("%s does not reach ClickHouse %s: %s", node, shard.Name, look.Fault),
			Advice: "Start ClickHouse, or mend the network between. Nothing is lost while streams have room; queries are answered 503.",
		})
		return
	}
	shard.ReachedBy = append(shard.ReachedBy, node)
	shard.Version, shard.UptimeSeconds, shard.Parts, shard.MostPartitionParts = look.Version, look.Uptime.Seconds(), look.Parts, look.MostParts
	shard.Merges, shard.MemoryBytes, shard.MemoryLimitBytes = look.Merges, look.Memory, look.MemoryLimit
	shard.Disks = make([]api.DiskHealth, 0, len(look.Disks))
	for _, d := range look.Disks {
		shard.Disks = append(shard.Disks, api.DiskHealth{Name: d.Name, Path: d.Path, FreeBytes: d.Free, TotalBytes: d.Total})
	}
}

// judgeShard holds a shard's figures against what it can bear. Its disks are judged with the checks of engines and of processes.
func (v *verdict) judgeShard(s *api.ClickHouseHealth) {
	warn := func(message, advice string) {
		if s.Level == string(doctor.OK) {
			s.Level = string(doctor.Warning)
		}
		v.problem(api.HealthFinding{Level: string(doctor.Warning), Check: "clickhouse", Message: message, Advice: advice})
	}
	if s.MostPartitionParts >= mostParts {
		warn(fmt.Sprintf("a partition on ClickHouse %s has %d parts", s.Name, s.MostPartitionParts), "Merges do not keep up: give it faster disks or more processors, or lower --writer.inserts-per-second.")
	}
	if s.MemoryLimitBytes > 0 && float64(s.MemoryBytes) > nearlyFull*float64(s.MemoryLimitBytes) {
		warn(fmt.Sprintf("ClickHouse %s uses more than %d %% of the memory that it may", s.Name, int(nearlyFull*100)), "Give it more memory, or bound queries closer.")
	}
}

// alerting adds up the parts of the tenants that somebody evaluates.
func (v *verdict) alerting() {
	for _, n := range v.look.Nodes {
		if n.Report != nil {
			v.out.Alerting.Held += n.Report.AlertingShards
		}
	}
	v.out.Alerting.Shards = alerting.Shards
	if v.out.Alerting.Held < alerting.Shards {
		v.problem(api.HealthFinding{
			Level: string(doctor.Failure), Check: "alerting", Runbook: "SeamarkAlertingShardsMissing", Message: fmt.Sprintf("%d of %d parts of the tenants are evaluated", v.out.Alerting.Held, alerting.Shards),
			Advice: "Start alerting processes. After one has died the others take its part within twelve seconds.",
		})
	}
}
