package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/jobs"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

// world is what all nodes of a test share.
type world struct {
	t       *testing.T
	js      jetstream.JetStream
	clock   *testkit.Clock
	lost    time.Duration // long, so that no node of a busy machine takes over what another runs
	mu      sync.Mutex    // guards the following
	limits  jobs.Limits
	refuse  error    // what Stand answers
	ran     []string // node and text of every attempt
	perform func(ctx context.Context, node string, job *jobs.Job, w *jobs.Result) error
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, js: testkit.JetStream(t), clock: testkit.NewClock(time.Now()), lost: time.Hour, limits: jobs.DefaultLimits()}
	w.perform = func(_ context.Context, _ string, job *jobs.Job, out *jobs.Result) error {
		out.Head(http.StatusOK, "text/plain")
		_, err := fmt.Fprintf(out, "answer to %s", job.Request.Text)
		return err
	}
	return w
}

func (w *world) limitsOf(seamark.TenantID) jobs.Limits {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limits
}

// limit changes the limits of all tenants.
func (w *world) limit(change func(*jobs.Limits)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.limits)
}

type node struct {
	*jobs.Keeper
	w    *world
	stop func()
}

func (w *world) node(name string) *node {
	w.t.Helper()
	k, err := jobs.Open(w.t.Context(), jobs.Options{
		JS: w.js, Node: name, Concurrent: 1, StoreBytes: 32 << 20, Beat: 20 * time.Millisecond, Lost: w.lost,
		Limits: w.limitsOf, Logger: slog.New(slog.DiscardHandler), Now: w.clock.Now,
		Stand: func(context.Context, *jobs.Job) error { w.mu.Lock(); defer w.mu.Unlock(); return w.refuse },
		Perform: func(ctx context.Context, job *jobs.Job, out *jobs.Result) error {
			w.mu.Lock()
			w.ran = append(w.ran, name+" "+job.Request.Text)
			perform := w.perform
			w.mu.Unlock()
			return perform(ctx, name, job, out)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(stop)
	return &node{k, w, stop}
}

func (n *node) start(tenant seamark.TenantID, text string) jobs.Job {
	n.w.t.Helper()
	job, err := n.Start(n.w.t.Context(), tenant, jobs.Owner{Kind: seamark.Session, Login: "anna"}, jobs.Request{Method: "GET", Path: "/q", Language: "promql", Text: text})
	if err != nil {
		n.w.t.Fatal(err)
	}
	return job
}

func (n *node) await(job jobs.Job, state jobs.State) jobs.Job {
	n.w.t.Helper()
	var found jobs.Job
	testkit.Eventually(n.w.t, time.Minute, func() (err error) {
		if found, err = n.Find(n.w.t.Context(), job.Tenant, job.ID); err == nil && found.State != state {
			err = fmt.Errorf("the job is %s (%+v), want %s", found.State, found.Fault, state)
		}
		return err
	})
	return found
}

func (n *node) read(job jobs.Job) (answer jobs.Answer, body string, err error) {
	var out bytes.Buffer
	err = n.Read(n.w.t.Context(), job.Tenant, job.ID, func(a jobs.Answer) { answer = a }, func(p []byte) error { _, err := out.Write(p); return err })
	return answer, out.String(), err
}

func wantID(t *testing.T, err error, id string) {
	t.Helper()
	if e, ok := errors.AsType[*seamark.Error](err); !ok || e.ID != id {
		t.Errorf("got %v, want %s", err, id)
	}
}

func (w *world) performs(fn func(ctx context.Context, node string, job *jobs.Job, out *jobs.Result) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.perform = fn
}

// untilEnd holds a job until its context ends.
func untilEnd(ctx context.Context, _ string, _ *jobs.Job, _ *jobs.Result) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestJob runs a job with an answer of many pieces on one node and reads it on another, as its tenant alone.
func TestJob(t *testing.T) {
	w := newWorld(t)
	one, two := w.node("n1"), w.node("n2")
	big := strings.Repeat("0123456789", 200_000)
	w.performs(func(_ context.Context, _ string, _ *jobs.Job, out *jobs.Result) error {
		out.Watch(func() jobs.Progress { return jobs.Progress{Rows: 7, Bytes: 50, EstimateBytes: 100} })
		out.Head(http.StatusOK, "application/json")
		_, err := out.Write([]byte(big))
		return err
	})
	job := two.await(one.start(tenantA, "a"), jobs.Done)
	if job.Progress.Bytes != 50 || job.Progress.Rows != 7 || job.Progress.Share != 1 || job.Expires.Sub(job.Finished) != w.limits.Keep || job.Attempt != 1 {
		t.Errorf("got %+v", job)
	}
	answer, body, err := two.read(job)
	if err != nil || body != big || answer.Status != http.StatusOK || answer.ContentType != "application/json" {
		t.Errorf("got %+v with %d bytes, %v", answer, len(body), err)
	}
	other := job
	other.Tenant = tenantB
	_, _, err = two.read(other)
	wantID(t, err, "seamark-job-unknown")
	wantID(t, two.Remove(t.Context(), tenantB, job.ID, "eve"), "seamark-job-unknown")
	for _, id := range []string{"", ">", strings.ToLower(job.ID), job.ID + ".x"} {
		_, err := one.Find(t.Context(), tenantA, id)
		wantID(t, err, "seamark-job-unknown")
	}
	if err := one.Remove(t.Context(), tenantA, job.ID, "anna"); err != nil {
		t.Fatal(err)
	}
	_, err = two.Find(t.Context(), tenantA, job.ID)
	wantID(t, err, "seamark-job-unknown")
	if n := w.messages(); n != 0 {
		t.Errorf("%d messages of a deleted result are left", n)
	}
}

// messages counts what the stream of results holds.
func (w *world) messages() uint64 {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), "SEAMARK_RESULTS")
	if err != nil {
		w.t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

func TestRefusedJobKeepsItsAnswer(t *testing.T) {
	w := newWorld(t)
	n := w.node("n1")
	w.performs(func(_ context.Context, _ string, _ *jobs.Job, out *jobs.Result) error {
		out.Head(http.StatusUnprocessableEntity, "application/json")
		out.Refused(seamark.Errorf(seamark.Unprocessable, "seamark-query-series", "Too many series."))
		_, err := out.Write([]byte(`{"status":"error"}`))
		return err
	})
	job := n.await(n.start(tenantA, "a"), jobs.Failed)
	if answer, body, err := n.read(job); err != nil || answer.Status != http.StatusUnprocessableEntity || body != `{"status":"error"}` {
		t.Errorf("got %+v %s, %v", answer, body, err)
	}
	if job.Fault == nil || job.Fault.ID != "seamark-query-series" {
		t.Errorf("got %+v", job.Fault)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	one, two := w.node("n1"), w.node("n2")
	w.performs(untilEnd)
	job := one.await(one.start(tenantA, "a"), jobs.Running)
	_, _, err := one.read(job)
	wantID(t, err, "seamark-job-unfinished")
	if err := two.Remove(t.Context(), tenantA, job.ID, "anna"); err != nil {
		t.Fatal(err)
	}
	if job = one.await(job, jobs.Canceled); job.Canceler != "anna" {
		t.Errorf("got %+v", job)
	}
	_, _, err = one.read(job)
	wantID(t, err, "seamark-query-canceled")
	w.performs(func(_ context.Context, _ string, _ *jobs.Job, out *jobs.Result) error {
		out.Head(http.StatusNoContent, "")
		return nil
	})
	one.await(one.start(tenantA, "b"), jobs.Done) // the node has its place back
}

// TestJobMovesOn ends the process that runs a job: it goes back to the queue, and another node runs it.
func TestJobMovesOn(t *testing.T) {
	w := newWorld(t)
	one := w.node("n1")
	w.performs(untilEnd)
	job := one.await(one.start(tenantA, "a"), jobs.Running)
	w.performs(newWorldAnswer)
	one.stop()
	two := w.node("n2")
	if job = two.await(job, jobs.Done); job.Node != "n2" || job.Attempt != 1 {
		t.Errorf("got %+v, want a first attempt of n2", job)
	}
}

func newWorldAnswer(_ context.Context, _ string, _ *jobs.Job, out *jobs.Result) error {
	out.Head(http.StatusOK, "text/plain")
	_, err := out.Write([]byte("x"))
	return err
}

// TestLostJob has a node fall silent, as a crash does: the job is run again once, and fails when that node falls silent, too.
func TestLostJob(t *testing.T) {
	w := newWorld(t)
	w.lost = 200 * time.Millisecond
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	dead := func(name string) *node { // a node whose beats never come: they are later than the test
		k, err := jobs.Open(t.Context(), jobs.Options{
			JS: w.js, Node: name, Concurrent: 1, StoreBytes: 32 << 20, Beat: time.Hour, Lost: 4 * time.Hour, Limits: w.limitsOf,
			Stand: func(context.Context, *jobs.Job) error { return nil }, Logger: slog.New(slog.DiscardHandler), Now: w.clock.Now,
			Perform: func(context.Context, *jobs.Job, *jobs.Result) error { <-stuck; return errors.New("too late") },
		})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = k.Run(t.Context()) }()
		return &node{k, w, nil}
	}
	one := dead("n1")
	job := one.await(one.start(tenantA, "a"), jobs.Running)
	w.performs(newWorldAnswer)
	two := w.node("n2")
	if job = two.await(job, jobs.Done); job.Node != "n2" || job.Attempt != 2 {
		t.Errorf("got %+v, want the second attempt", job)
	}
	two.stop()
	job = two.start(tenantA, "b")
	for range 2 { // each is the process before it, started again
		two = dead("n3")
		job = two.await(job, jobs.Running)
	}
	if job = dead("n3").await(job, jobs.Failed); job.Fault.ID != "seamark-job-lost" || job.Attempt != 2 {
		t.Errorf("got %+v %+v, want that two attempts are all", job, job.Fault)
	}
}

// TestOwnerMustStillBeAllowed ends a job whose owner lost the permission, before it runs and while it does.
func TestOwnerMustStillBeAllowed(t *testing.T) {
	w := newWorld(t)
	n := w.node("n1")
	w.performs(untilEnd)
	job := n.await(n.start(tenantA, "a"), jobs.Running)
	testkit.Eventually(t, time.Minute, func() error { // a job is marked as running before its owner is asked for
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.ran) == 0 {
			return errors.New("the job is not performed yet")
		}
		return nil
	})
	w.mu.Lock()
	w.refuse = seamark.Errorf(seamark.Unauthenticated, "seamark-token-revoked", "Revoked.")
	w.mu.Unlock()
	for _, job := range []jobs.Job{job, n.start(tenantA, "b")} {
		if job = n.await(job, jobs.Failed); job.Fault == nil || job.Fault.ID != "seamark-token-revoked" {
			t.Errorf("got %+v", job.Fault)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ran) != 1 {
		t.Errorf("%v ran, want the first alone", w.ran)
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.limits = jobs.Limits{Timeout: time.Hour, MaxQueued: 1, MaxKept: 3, Keep: time.Hour, MaxResultBytes: 10}
	n := w.node("n1")
	w.performs(untilEnd)
	job := n.start(tenantA, "under way")
	_, err := n.Start(t.Context(), tenantA, jobs.Owner{}, jobs.Request{})
	wantID(t, err, "seamark-job-many")
	if err := n.Remove(t.Context(), tenantA, job.ID, "anna"); err != nil {
		t.Fatal(err)
	}
	n.await(job, jobs.Canceled)
	w.limit(func(l *jobs.Limits) { l.Timeout = 100 * time.Millisecond })
	if job = n.await(n.start(tenantA, "a"), jobs.Failed); job.Fault.ID != "seamark-job-timeout" {
		t.Errorf("got %+v", job.Fault)
	}
	w.limit(func(l *jobs.Limits) { l.Timeout = time.Hour })
	w.performs(func(_ context.Context, _ string, _ *jobs.Job, out *jobs.Result) error {
		out.Head(http.StatusOK, "text/plain")
		_, err := out.Write(make([]byte, 11))
		return err
	})
	if job = n.await(n.start(tenantA, "b"), jobs.Failed); job.Fault.ID != "seamark-job-large" || w.messages() != 0 {
		t.Errorf("got %+v and %d pieces", job.Fault, w.messages())
	}
	_, err = n.Start(t.Context(), tenantA, jobs.Owner{}, jobs.Request{})
	wantID(t, err, "seamark-job-kept")
	_, err = n.Start(t.Context(), tenantA, jobs.Owner{}, jobs.Request{Body: make([]byte, 33<<10)})
	wantID(t, err, "seamark-job-request")
	n.start(tenantB, "another tenant's")
}

// TestResultsExpire deletes the result first and the job later.
func TestResultsExpire(t *testing.T) {
	w := newWorld(t)
	n := w.node("n1")
	job := n.await(n.start(tenantA, "a"), jobs.Done)
	w.clock.Advance(w.limits.Keep)
	job = n.await(job, jobs.Expired)
	_, _, err := n.read(job)
	wantID(t, err, "seamark-job-expired")
	if w.messages() != 0 {
		t.Error("the expired result is still there")
	}
	w.clock.Advance(w.limits.Keep)
	testkit.Eventually(t, time.Minute, func() error {
		if list := n.List(""); len(list) != 0 {
			return fmt.Errorf("%d jobs are left", len(list))
		}
		return nil
	})
}

// TestTenantsTakeTurns queues many jobs of one tenant before one of another: the first slot that is free is the other's.
func TestTenantsTakeTurns(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.performs(func(_ context.Context, _ string, _ *jobs.Job, out *jobs.Result) error {
		<-release
		out.Head(http.StatusNoContent, "")
		return nil
	})
	one, two := w.node("n1"), w.node("n2")
	one.await(one.start(tenantA, "a1"), jobs.Running)
	for n := range 3 {
		one.start(tenantA, fmt.Sprintf("a%d", n+2))
	}
	w.awaitRuns(2)
	last := two.start(tenantB, "b1")
	testkit.Eventually(t, time.Minute, func() error {
		if len(one.List(tenantB)) == 0 || len(two.List(tenantB)) == 0 {
			return errors.New("a node has not heard of the other tenant's job")
		}
		return nil
	})
	release <- struct{}{} // one slot alone, so that nodes do not race for the next two jobs
	if ran := w.awaitRuns(3); !strings.HasSuffix(ran[2], " b1") {
		t.Errorf("ran %v, want the other tenant's job third", ran)
	}
	close(release)
	two.await(last, jobs.Done)
}

// awaitRuns waits until n attempts have begun, and returns them.
func (w *world) awaitRuns(n int) (ran []string) {
	w.t.Helper()
	testkit.Eventually(w.t, time.Minute, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if ran = slices.Clone(w.ran); len(ran) < n {
			return fmt.Errorf("%v run, want %d", ran, n)
		}
		return nil
	})
	return ran
}
