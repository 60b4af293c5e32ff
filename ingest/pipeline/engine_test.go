package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	acme  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAA")
	umbra = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBB")
)

// shelf is a pipeline.Source that a test fills.
type shelf struct {
	mu        sync.Mutex
	revisions map[seamark.TenantID]uint64
	texts     map[seamark.TenantID]string
}

func newShelf() *shelf {
	return &shelf{revisions: map[seamark.TenantID]uint64{}, texts: map[seamark.TenantID]string{}}
}

func (s *shelf) put(tenant seamark.TenantID, definitions string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revisions[tenant]++
	s.texts[tenant] = definitions
}

func (s *shelf) PipelineDefinitions(tenant seamark.TenantID) (revision uint64, definitions []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revisions[tenant], []byte(s.texts[tenant])
}

// book is a pipeline.Book in memory, shared by the nodes of a test. Documents go through JSON, as in KV.
type book struct {
	mu        sync.Mutex
	docs      map[string][]byte
	revisions map[string]uint64
	saves     int
	// between, when set, runs once after the next Find.
	between func()
}

var errTaken = errors.New("somebody else was first")

func newBook() *book { return &book{docs: map[string][]byte{}, revisions: map[string]uint64{}} }

func (b *book) Find(_ context.Context, key string) (pipeline.TenantStats, uint64, error) {
	b.mu.Lock()
	var doc pipeline.TenantStats
	var err error
	if body := b.docs[key]; body != nil {
		err = json.Unmarshal(body, &doc)
	}
	revision, between := b.revisions[key], b.between
	b.between = nil
	b.mu.Unlock()
	if between != nil {
		between()
	}
	return doc, revision, err
}

func (b *book) Save(_ context.Context, key string, doc pipeline.TenantStats, revision uint64) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.revisions[key] != revision {
		return 0, errTaken
	}
	body, err := json.Marshal(doc)
	b.docs[key] = body
	b.revisions[key]++
	b.saves++
	return b.revisions[key], err
}

func newEngine(t testing.TB, node string, s pipeline.Source, b pipeline.Book) *pipeline.Engine {
	t.Helper()
	e, err := pipeline.NewEngine(pipeline.EngineOptions{
		Options: options(), Source: s, Book: b, Node: node, FlushInterval: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func push(t testing.TB, e *pipeline.Engine, tenant seamark.TenantID, lines ...line) *seamark.Batch {
	t.Helper()
	cat := catalogtest.New()
	b := batchOf(t, cat, lines...)
	if err := e.Apply(t.Context(), seamark.Principal{Tenant: tenant}, cat, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func report(t testing.TB, e *pipeline.Engine, tenant seamark.TenantID) pipeline.Report {
	t.Helper()
	r, err := e.Report(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEngineFollowsItsSource(t *testing.T) {
	s := newShelf()
	e := newEngine(t, "n1", s, newBook())
	wantRows(t, push(t, e, acme, line{body: "x"}), "{app=shop} unknown x []")
	s.put(acme, one(`"kind":"drop","match":["log.body == \"x\""]`))
	wantRows(t, push(t, e, acme, line{body: "x"}, line{body: "y"}), "{app=shop} unknown y []")
	wantRows(t, push(t, e, umbra, line{body: "x"}), "{app=shop} unknown x []")
	s.put(acme, one(`"kind":"drop","match":["log.body == \"y\""]`))
	wantRows(t, push(t, e, acme, line{body: "x"}, line{body: "y"}), "{app=shop} unknown x []")
	s.put(acme, `[]`)
	wantRows(t, push(t, e, acme, line{body: "y"}), "{app=shop} unknown y []")
}

func TestEngineKeepsTheLastGoodDefinitions(t *testing.T) {
	s, b := newShelf(), newBook()
	e := newEngine(t, "n1", s, b)
	s.put(acme, one(`"kind":"drop","match":["log.body == \"x\""]`))
	push(t, e, acme, line{body: "x"})
	s.put(acme, one(`"kind":"drop","match":["of a later release"]`))
	wantRows(t, push(t, e, acme, line{body: "x"}, line{body: "y"}), "{app=shop} unknown y []")
	r := report(t, e, acme)
	if n := r.Nodes["n1"]; n.Fault == "" || n.Revision != 2 || r.Steps[0].Dropped != 2 {
		t.Errorf("got %+v", r)
	}
	other := newEngine(t, "n2", s, b) // it has no good ones
	wantRows(t, push(t, other, acme, line{body: "x"}), "{app=shop} unknown x []")
	if n := report(t, other, acme).Nodes["n2"]; n.Fault == "" {
		t.Errorf("got %+v", n)
	}
}

func TestCountersAddUpOverNodesRevisionsAndRestarts(t *testing.T) {
	s, b := newShelf(), newBook()
	definition := `[{"name":"p","enabled":true,"steps":[{"name":"drop","kind":"drop","match":["log.body == \"x\""]},{"name":"mask","kind":"redact","patterns":["email"]}]}]`
	s.put(acme, definition)
	first, second := newEngine(t, "n1", s, b), newEngine(t, "n2", s, b)
	push(t, first, acme, line{body: "x"}, line{body: "a@b.co"})
	push(t, second, acme, line{body: "y"})
	b.between = func() { // the other node writes its section in between
		if err := second.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, e := range []*pipeline.Engine{first, second} {
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(e *pipeline.Engine, in, dropped, masked uint64) {
		t.Helper()
		r := report(t, e, acme)
		if len(r.Steps) != 2 || r.Steps[0].In != in || r.Steps[0].Dropped != dropped || r.Steps[1].Changed != masked || r.Steps[1].In != in-dropped {
			t.Errorf("got %+v, want %d in, %d dropped, %d masked", r.Steps, in, dropped, masked)
		}
	}
	want(first, 3, 1, 1)
	want(second, 3, 1, 1)
	s.put(acme, definition+" ")
	push(t, first, acme, line{body: "x"}) // counters go on over a new revision
	want(first, 4, 2, 1)
	if err := first.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := newEngine(t, "n1", s, b) // and over a restart
	want(again, 4, 2, 1)
	push(t, again, acme, line{body: "a@b.co"})
	want(again, 5, 2, 2)
	if err := again.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(second, 5, 2, 2)
	if r := report(t, second, umbra); len(r.Steps) != 0 || len(r.Nodes) != 0 {
		t.Errorf("another tenant sees %+v", r)
	}
}

func TestNothingNewIsNotWritten(t *testing.T) {
	s, b := newShelf(), newBook()
	s.put(acme, one(`"kind":"drop","match":["true"]`))
	e := newEngine(t, "n1", s, b)
	push(t, e, acme, line{body: "x"})
	for range 3 {
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if b.saves != 1 {
		t.Errorf("%d writes, want 1", b.saves)
	}
}

func TestSilentNodesAreRetired(t *testing.T) {
	s, b := newShelf(), newBook()
	s.put(acme, one(`"kind":"drop","match":["true"]`))
	for i := range 40 {
		e := newEngine(t, "n"+string(rune('A'+i)), s, b)
		push(t, e, acme, line{body: "x"})
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e := newEngine(t, "last", s, b)
	r := report(t, e, acme)
	if len(r.Nodes) > 32 || r.Steps[0].Dropped != 40 {
		t.Errorf("%d nodes with %d dropped, want at most 32 with 40", len(r.Nodes), r.Steps[0].Dropped)
	}
}

func TestRunWritesWhenItEnds(t *testing.T) {
	s, b := newShelf(), newBook()
	s.put(acme, one(`"kind":"drop","match":["true"]`))
	e := newEngine(t, "n1", s, b)
	push(t, e, acme, line{body: "x"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.Run(ctx)
	doc, _, err := b.Find(t.Context(), string(acme))
	if err != nil || !slices.Equal(slices.Collect(maps.Keys(doc.Nodes)), []string{"n1"}) || doc.Nodes["n1"].Steps[0].Dropped != 1 {
		t.Errorf("got %+v, %v", doc, err)
	}
}

func TestEngineOptionsAreChecked(t *testing.T) {
	if _, err := pipeline.NewEngine(pipeline.EngineOptions{}); err == nil {
		t.Error("an engine without a source was made")
	}
}

func TestRequestsAndChangesAtOnce(t *testing.T) {
	s, b := newShelf(), newBook()
	s.put(acme, one(`"kind":"transform","statements":["merge_maps(log.attributes, ExtractGrokPatterns(log.body, \"%{WORD:w}\", true), \"upsert\")"]`))
	e := newEngine(t, "n1", s, b)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 20 {
				if got := text(push(t, e, acme, line{body: "word"}).Logs.AttrsOf(0)); got != "w=word" {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	wait.Go(func() {
		for range 5 {
			_, text := s.PipelineDefinitions(acme)
			s.put(acme, string(text)+" ")
			if err := e.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	wait.Wait()
	if got := report(t, e, acme).Steps[0].In; got != 80 {
		t.Errorf("%d records were counted, want 80", got)
	}
}
