package tenant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const otherTenant seamark.TenantID = "01JYYYYYYYYYYYYYYYYYYYYYYY"

func tryPipelines(t testing.TB, js jetstream.JetStream, change ...func(*tenant.Options)) (*tenant.Pipelines, error) {
	t.Helper()
	opts := tenant.Options{JS: js, SyncTimeout: patience, ReconnectJitter: 10 * time.Millisecond}
	for _, c := range change {
		c(&opts)
	}
	p, err := tenant.OpenPipelines(t.Context(), opts)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Close(ctx); err != nil && t.Failed() {
			t.Logf("close pipelines: %v", err)
		}
	})
	return p, nil
}

func openPipelines(t testing.TB, js jetstream.JetStream, change ...func(*tenant.Options)) *tenant.Pipelines {
	t.Helper()
	p, err := tryPipelines(t, js, change...)
	if err != nil {
		t.Fatalf("open pipelines: %v", err)
	}
	return p
}

func savePipelines(t testing.TB, p *tenant.Pipelines, id seamark.TenantID, definitions string, revision uint64) tenant.PipelineList {
	t.Helper()
	list, err := p.SavePipelines(t.Context(), id, json.RawMessage(definitions), revision)
	if err != nil {
		t.Fatalf("save pipelines: %v", err)
	}
	return list
}

// knows is a check for eventually: the node has this revision and text.
func knows(p *tenant.Pipelines, id seamark.TenantID, revision uint64, want string) func() error {
	return func() error {
		if got, definitions := p.PipelineDefinitions(id); got != revision || string(definitions) != want {
			return fmt.Errorf("got revision %d, %s; want %d, %s", got, definitions, revision, want)
		}
		return nil
	}
}

func TestPipelinesReachEveryNode(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openPipelines(t, jetStream(t, n)), openPipelines(t, jetStream(t, n))
	if list := here.FindPipelines(t.Context(), someTenant); list.Revision != 0 || string(list.Definitions) != "[]" {
		t.Errorf("got %+v before there were any", list)
	}
	saved := savePipelines(t, here, someTenant, ` [ {"name": "a"} ] `, 0)
	if saved.Revision != 1 || saved.Updated.IsZero() {
		t.Errorf("got %+v", saved)
	}
	if err := knows(here, someTenant, 1, `[{"name":"a"}]`)(); err != nil {
		t.Errorf("the writer does not see its own change: %v", err)
	}
	eventually(t, knows(there, someTenant, 1, `[{"name":"a"}]`))
	savePipelines(t, there, someTenant, `[]`, 1)
	eventually(t, knows(here, someTenant, 2, `[]`))
	if err := knows(here, otherTenant, 0, "")(); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}

func TestPipelinesOfAnOldRevisionAreRefused(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openPipelines(t, jetStream(t, n)), openPipelines(t, jetStream(t, n))
	savePipelines(t, here, someTenant, `[1]`, 0)
	refuse := func(p *tenant.Pipelines, revision uint64) {
		t.Helper()
		_, err := p.SavePipelines(t.Context(), someTenant, json.RawMessage(`[9]`), revision)
		wantError(t, err, seamark.Conflict, "seamark-pipeline-changed")
	}
	refuse(here, 0)
	refuse(here, 2)
	refuse(there, 0)
	_, err := here.SavePipelines(t.Context(), otherTenant, json.RawMessage(`[]`), 7)
	wantError(t, err, seamark.Conflict, "seamark-pipeline-changed")
	savePipelines(t, there, someTenant, `[2]`, 1) // whether or not the watch was here already
	savePipelines(t, here, someTenant, `[3]`, 2)
	refuse(there, 1)
	eventually(t, knows(there, someTenant, 3, `[3]`))
}

func TestPipelinesOverALimitAreRefused(t *testing.T) {
	p := openPipelines(t, testkit.JetStream(t))
	for definitions, want := range map[string]string{
		`{}`: "not a JSON array", `null`: "not a JSON array", `[`: "not a JSON array", ``: "not a JSON array",
		`[` + strings.Repeat(`1,`, 32) + `1]`:     "33 pipelines; the limit is 32",
		`["` + strings.Repeat("x", 50<<10) + `"]`: "the limit is 49152",
		`["` + strings.Repeat("<", 10<<10) + `"]`: "the limit is 49152",
	} {
		_, err := p.SavePipelines(t.Context(), someTenant, json.RawMessage(definitions), 0)
		wantError(t, err, seamark.Invalid, "seamark-pipeline-invalid")
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %s", definitions, err, want)
		}
	}
	if _, err := p.SavePipelines(t.Context(), "", json.RawMessage(`[]`), 0); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("no tenant: got %v", err)
	}
	savePipelines(t, p, someTenant, `["`+strings.Repeat("x", 47<<10)+`"]`, 0)
}

func TestPipelinesStartFromTheirFileWhileKVIsAway(t *testing.T) {
	n := newFragileNATS(t)
	path := filepath.Join(t.TempDir(), "pipelines.json")
	first, err := tenant.OpenPipelines(t.Context(), tenant.Options{JS: n.connect(t), SnapshotPath: path, SyncTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	savePipelines(t, first, someTenant, `["kept"]`, 0)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.stop()
	brief := func(o *tenant.Options) { o.SyncTimeout = 100 * time.Millisecond }
	again := openPipelines(t, n.connect(t), brief, func(o *tenant.Options) { o.SnapshotPath = path })
	if err := knows(again, someTenant, 1, `["kept"]`)(); err != nil || again.Synced() {
		t.Errorf("from the file: %v, synced %t", err, again.Synced())
	}
	if _, err := again.SavePipelines(t.Context(), someTenant, json.RawMessage(`[]`), 1); seamark.KindOf(err) != seamark.Unavailable {
		t.Errorf("save without KV: got %v, want Unavailable", err)
	}
	if _, err := tryPipelines(t, n.connect(t), brief); seamark.KindOf(err) != seamark.Unavailable || err == nil {
		t.Errorf("without a file: got %v, want Unavailable", err)
	}
	n.start(t, n.folder)
	eventually(t, func() error {
		if !again.Synced() {
			return fmt.Errorf("not in sync, freshness %s", again.Freshness())
		}
		return nil
	})
	savePipelines(t, again, someTenant, `[]`, 1)
}

func TestPoisonedPipelinesLeaveTheLastGoodOnes(t *testing.T) {
	js := testkit.JetStream(t)
	p := openPipelines(t, js)
	savePipelines(t, p, someTenant, `["good"]`, 0)
	kv, err := js.KeyValue(t.Context(), "seamark_pipelines")
	if err != nil {
		t.Fatal(err)
	}
	for _, poison := range []string{`nonsense`, `{"v":1,"tenant":"` + string(otherTenant) + `","revision":2,"pipelines":[]}`, `{"v":1,"tenant":"` + string(someTenant) + `","revision":2,"pipelines":{}}`} {
		if _, err := kv.PutString(t.Context(), "pipeline."+string(someTenant), poison); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		if len(p.Faults()) != 1 || !strings.Contains(p.Faults()[0].Reason, "not a JSON array") {
			return fmt.Errorf("got faults %v", p.Faults())
		}
		return nil
	})
	if err := knows(p, someTenant, 1, `["good"]`)(); err != nil {
		t.Error(err)
	}
	savePipelines(t, p, someTenant, `["healed"]`, 1)
	eventually(t, func() error {
		if faults := p.Faults(); len(faults) != 0 {
			return fmt.Errorf("got faults %v", faults)
		}
		return nil
	})
}

func BenchmarkPipelineDefinitions(b *testing.B) {
	p := openPipelines(b, testkit.JetStream(b))
	savePipelines(b, p, someTenant, `[]`, 0)
	b.ReportAllocs()
	for b.Loop() {
		p.PipelineDefinitions(someTenant)
	}
}
