package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/store"
)

// Processes tell each other over core subjects that they live, and how they do when an operator asks: nothing is stored.
const (
	beatSubject   = "seamark.node.beat"
	whoSubject    = "seamark.node.who"
	reportSubject = "seamark.node.report"
	// beatInterval is how often a process says that it lives.
	beatInterval = 5 * time.Second
	// lookWithin bounds what a process looks at before it answers, and with it how long an answer waits for one that stands still.
	lookWithin = 2500 * time.Millisecond
)

// nodeBeat is what a process says of itself unasked.
type nodeBeat struct {
	Node, Host, Version string
	Roles               []string
	Started             time.Time
	Leaving             bool `json:",omitempty"` // it ends in order
}

// nodeReport is what it answers when it is asked.
type nodeReport struct {
	nodeBeat
	Level          doctor.Level
	Missing        string // what it is not ready for; "" when it is
	Memory         uint64
	AlertingShards int
	Checks         []api.HealthFinding
	ClickHouse     []shardLook
	// Received and Sent are when the question came and the answer left, on the clock of whoever answers.
	Received, Sent time.Time
}

// shardLook is a shard of the store as one process sees it.
type shardLook struct {
	store.Condition
	Fault string // instead of Err, which has no text in JSON
}

// healthTeller tells others about this process.
type healthTeller struct {
	nc   *nats.Conn
	self nodeBeat
	look func(ctx context.Context, r *nodeReport)
	now  func() time.Time
	log  *slog.Logger
}

// startHealthTeller begins to tell.
func (a *App) startHealthTeller(context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	t := &healthTeller{nc: a.nc, look: a.lookAtSelf, now: a.opts.Now, log: a.log, self: nodeBeat{Node: a.node, Host: host, Version: a.opts.Version, Started: a.opts.Now().UTC()}}
	for _, role := range a.opts.Roles {
		t.self.Roles = append(t.self.Roles, string(role))
	}
	return a.tellHealth(t)
}

func (a *App) tellHealth(t *healthTeller) error {
	asked, err := t.nc.Subscribe(reportSubject, t.answer)
	if err != nil {
		return err
	}
	who, err := t.nc.Subscribe(whoSubject, func(*nats.Msg) { t.beat(t.self) })
	if err != nil {
		return err
	}
	a.defers("questions about health", func(context.Context) error { // after the last sign of life
		gone := t.self
		gone.Leaving = true
		t.beat(gone)
		return errors.Join(who.Unsubscribe(), asked.Unsubscribe(), t.nc.Flush())
	})
	a.background("signs of life", t.run)
	return nil
}

func (t *healthTeller) run(ctx context.Context) error {
	tick := time.NewTicker(beatInterval)
	defer tick.Stop()
	for {
		t.beat(t.self)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (t *healthTeller) beat(b nodeBeat) {
	body, err := json.Marshal(b)
	if err == nil {
		err = t.nc.Publish(beatSubject, body)
	}
	if err != nil {
		t.log.Debug("a sign of life is not sent", "err", err)
	}
}

// answer tells whoever asks how this process does.
func (t *healthTeller) answer(m *nats.Msg) {
	body, err := json.Marshal(t.report(context.Background()))
	if err == nil {
		err = m.Respond(body)
	}
	if err != nil {
		t.log.Warn("a question about this process's health is not answered", "err", err)
	}
}

func (t *healthTeller) report(ctx context.Context) *nodeReport {
	r := &nodeReport{nodeBeat: t.self, Received: t.now()}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	t.look(ctx, r)
	r.Sent = t.now()
	return r
}

// lookAtSelf finds out how this process does. The machine is looked at by the process that others belong to.
func (a *App) lookAtSelf(ctx context.Context, r *nodeReport) {
	r.Level = doctor.OK
	warning, err := a.checkReady(ctx)
	if err != nil {
		r.Missing = err.Error()
		r.add(doctor.Failure, "ready", "Look into its log; the other problems here may be the cause.", "", "it is not ready: "+r.Missing)
	} else {
		r.add(doctor.OK, "ready", "", "", "it is ready")
	}
	if warning != "" {
		r.add(doctor.Warning, "directory", "See that NATS answers this process.", "SeamarkDirectoryStale", string(bytes.TrimSpace([]byte(warning))))
	}
	if faults := a.directory.Faults(); len(faults) > 0 {
		r.add(doctor.Warning, "directory", "Its log names the documents; the next change of each mends it.", "SeamarkDirectoryFaults",
			"documents of the control plane cannot be read, and their last good ones count")
	}
	if a.disk != nil && a.disk.Full() {
		r.add(doctor.Failure, "disk", "Make room; it goes on by itself.", "", "the disk of --data-dir is as full as it may be: ingest answers 503")
	}
	if a.opts.Link == nil {
		for _, f := range doctor.ExamineProcess(a.opts.Examination()).Findings {
			r.add(f.Level, f.Check, f.Advice, "", f.Message)
		}
	}
	if a.alerting != nil {
		r.AlertingShards = a.alerting.Held()
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	r.Memory = memory.Sys - memory.HeapReleased
	if a.store != nil {
		for _, c := range a.store.Conditions(ctx) {
			look := shardLook{Condition: c}
			if c.Err != nil {
				look.Err, look.Fault = nil, cmp.Or(c.Err.Error(), "it does not answer")
			}
			r.ClickHouse = append(r.ClickHouse, look)
		}
	}
}

func (r *nodeReport) add(level doctor.Level, check, advice, runbook, message string) {
	r.Level = doctor.Worst(r.Level, level)
	r.Checks = append(r.Checks, api.HealthFinding{Level: string(level), Check: check, Message: message, Advice: advice, Runbook: runbook, Node: r.Node})
}

// has reports whether the process has a role.
func (b *nodeBeat) has(role Role) bool { return slices.Contains(b.Roles, string(role)) }
