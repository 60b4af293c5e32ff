package transfer_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/internal/transfer"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

// source has the rows of some parts; writing the part named stop waits for the end of its context.
type source struct {
	mu      sync.Mutex // guards stop and written
	stop    string
	written []string
}

func (s *source) Parts(context.Context, seamark.TenantID) ([]string, error) {
	return []string{"logs/2026-01-01", "logs/2026-01-02", "samples/2026-01-01"}, nil
}

func (s *source) WritePart(ctx context.Context, id seamark.TenantID, part string, w io.Writer) (uint64, error) {
	s.mu.Lock()
	stop := s.stop == part
	s.written = append(s.written, part)
	s.mu.Unlock()
	if _, err := fmt.Fprintf(w, "{\"tenant\":%q}\n{\"part\":%q}\n", id, part); err != nil {
		return 0, err
	}
	if stop {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 2, nil
}

func (*source) Config(context.Context, seamark.TenantID) (any, error) {
	return map[string]string{"rules": "none"}, nil
}

func (s *source) parts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.written)
}

// rig is a keeper that runs.
type rig struct {
	*transfer.Keeper
	stop func()
}

func run(t *testing.T, js jetstream.JetStream, dir string, s *source, change ...func(*transfer.Options)) *rig {
	t.Helper()
	books, err := bus.OpenDocs[transfer.Book](t.Context(), js, "seamark_transfers", 1)
	if err != nil {
		t.Fatal(err)
	}
	o := transfer.Options{
		Dir: dir, Node: "n1", Keep: time.Hour, MaxBytes: 1 << 20, Books: books, Source: s, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Tenants: func() []seamark.TenantID { return []seamark.TenantID{tenantA, tenantB} },
	}
	for _, c := range change {
		c(&o)
	}
	k, err := transfer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return &rig{k, stop}
}

func (r *rig) start(t *testing.T, id seamark.TenantID) transfer.Job {
	t.Helper()
	job, err := r.Start(t.Context(), id)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return job
}

func (r *rig) await(t *testing.T, id seamark.TenantID, job string, state transfer.State) transfer.Job {
	t.Helper()
	var found transfer.Job
	testkit.Eventually(t, time.Minute, func() (err error) {
		if found, err = r.Find(t.Context(), id, job); err == nil && found.State != state {
			err = fmt.Errorf("the export is %s (%s), want %s", found.State, found.Fault, state)
		}
		return err
	})
	return found
}

// TestExport makes an export and reads its archive back: every part, its sum in the manifest, the configuration.
func TestExport(t *testing.T) {
	r := run(t, testkit.JetStream(t), t.TempDir(), &source{})
	job := r.await(t, tenantA, r.start(t, tenantA).ID, transfer.Done)
	if job.Rows != 6 || job.Parts != 3 || job.PartsDone != 3 || job.Expires.Sub(job.Finished) != time.Hour {
		t.Errorf("got %+v", job)
	}
	var out bytes.Buffer
	if err := r.WriteArchive(t.Context(), tenantA, job.ID, &out, func() {}); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(&out); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[head.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) != 5 || !strings.Contains(string(files["configuration.json"]), "rules") {
		t.Fatalf("the archive has %d files", len(files))
	}
	for line := range bytes.Lines(files["manifest.ndjson"]) {
		var p transfer.Piece
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(files[p.Name])
		if p.SHA256 != hex.EncodeToString(sum[:]) || p.Rows != 2 {
			t.Errorf("%s is not what the manifest says: %+v", p.Name, p)
		}
	}
	zipped, err := gzip.NewReader(bytes.NewReader(files["logs/2026-01-02.ndjson.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zipped)
	if err != nil || string(text) != "{\"tenant\":\""+string(tenantA)+"\"}\n{\"part\":\"logs/2026-01-02\"}\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

// TestExportGoesOn ends the process within an export: its successor writes what is missing, and nothing twice.
func TestExportGoesOn(t *testing.T) {
	js, dir := testkit.JetStream(t), t.TempDir()
	first := &source{stop: "logs/2026-01-02"}
	r := run(t, js, dir, first)
	job := r.start(t, tenantA)
	testkit.Eventually(t, time.Minute, func() error {
		if len(first.parts()) < 2 {
			return errors.New("the second part is not begun")
		}
		return nil
	})
	r.stop()
	second := &source{}
	r = run(t, js, dir, second)
	if job = r.await(t, tenantA, job.ID, transfer.Done); job.Rows != 6 {
		t.Errorf("got %d rows, want 6", job.Rows)
	}
	if got := strings.Join(second.parts(), " "); got != "logs/2026-01-02 samples/2026-01-01" {
		t.Errorf("the successor wrote %q, want what was not whole", got)
	}
}

func TestExportsAreTheirTenants(t *testing.T) {
	dir := t.TempDir()
	r := run(t, testkit.JetStream(t), dir, &source{})
	job := r.await(t, tenantA, r.start(t, tenantA).ID, transfer.Done)
	wantID := func(err error, id string) {
		t.Helper()
		if e, ok := errors.AsType[*seamark.Error](err); !ok || e.ID != id {
			t.Errorf("got %v, want %s", err, id)
		}
	}
	_, err := r.Find(t.Context(), tenantB, job.ID)
	wantID(err, "seamark-export-unknown")
	wantID(r.WriteArchive(t.Context(), tenantB, job.ID, io.Discard, func() {}), "seamark-export-unknown")
	wantID(r.Remove(t.Context(), tenantB, job.ID), "seamark-export-unknown")
	if err := r.Remove(t.Context(), tenantA, job.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, string(tenantA), job.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the files are still there: %v", err)
	}
}

// TestExportBounds refuses a second export beside a running one, and one that the disk has no room for.
func TestExportBounds(t *testing.T) {
	js := testkit.JetStream(t)
	slow := &source{stop: "logs/2026-01-01"}
	r := run(t, js, t.TempDir(), slow)
	job := r.start(t, tenantA)
	if _, err := r.Start(t.Context(), tenantA); seamark.KindOf(err) != seamark.Conflict {
		t.Errorf("a second export: got %v, want a conflict", err)
	}
	if err := r.WriteArchive(t.Context(), tenantA, job.ID, io.Discard, func() {}); seamark.KindOf(err) != seamark.Conflict {
		t.Errorf("the archive of a running export: got %v, want a conflict", err)
	}
	if err := r.Remove(t.Context(), tenantA, job.ID); err != nil {
		t.Fatal(err)
	}
	small := run(t, testkit.JetStream(t), t.TempDir(), &source{}, func(o *transfer.Options) { o.MaxBytes = 10 })
	if job := small.await(t, tenantB, small.start(t, tenantB).ID, transfer.Failed); !strings.Contains(job.Fault, "--tenants.export-max-bytes") {
		t.Errorf("the fault is %q, want the limit's name", job.Fault)
	}
}

// TestExpiredExports are removed, as are those of tenants that are gone.
func TestExpiredExports(t *testing.T) {
	clock := testkit.NewClock(time.Now())
	js, dir := testkit.JetStream(t), t.TempDir()
	living := []seamark.TenantID{tenantA, tenantB}
	r := run(t, js, dir, &source{}, func(o *transfer.Options) { o.Now = clock.Now })
	a := r.await(t, tenantA, r.start(t, tenantA).ID, transfer.Done)
	b := r.await(t, tenantB, r.start(t, tenantB).ID, transfer.Done)
	r.stop()
	clock.Advance(2 * time.Hour)
	living = living[:1]
	run(t, js, dir, &source{}, func(o *transfer.Options) {
		o.Now, o.Tenants = clock.Now, func() []seamark.TenantID { return living }
	})
	testkit.Eventually(t, time.Minute, func() error {
		for id, job := range map[seamark.TenantID]transfer.Job{tenantA: a, tenantB: b} {
			if _, err := os.Stat(filepath.Join(dir, string(id), job.ID)); !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("the export of %s is still there: %w", id, err)
			}
		}
		return nil
	})
}
