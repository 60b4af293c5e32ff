package app

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// pipelines joins the tenants' definitions, which the directory's part keeps, with the engine that runs them.
type pipelines struct {
	store  *tenant.Pipelines
	engine *pipeline.Engine
	opts   pipeline.Options
}

// openPipelines makes the definitions known to this process, and runs them where it takes data.
func (a *App) openPipelines(ctx context.Context) error {
	definitions, err := tenant.OpenPipelines(ctx, tenant.Options{
		JS: a.js, Replicas: a.opts.NATS.Replicas, SnapshotPath: filepath.Join(a.opts.DataDir, "pipelines.json"), StartTimeout: a.opts.StartTimeout, Now: a.opts.Now, Logger: a.log,
	})
	if err != nil {
		return err
	}
	a.defers("pipelines", definitions.Close)
	book, err := bus.OpenDocs[pipeline.TenantStats](ctx, a.js, "seamark_pipeline_stats", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	o := pipeline.Options{Limits: a.opts.Ingest.Limits, Now: a.opts.Now}
	engine, err := pipeline.NewEngine(pipeline.EngineOptions{Options: o, Source: definitions, Book: book, Node: a.node, Logger: a.log})
	if err != nil {
		return err
	}
	a.pipelines = &pipelines{store: definitions, engine: engine, opts: o}
	if a.opts.has(RoleIngest) {
		a.background("pipeline counters", func(ctx context.Context) error { engine.Run(ctx); return nil })
		a.settles("pipeline counters", time.Second, engine.Flush)
	}
	return nil
}

// FindPipelines implements api.PipelineStore.
func (p *pipelines) FindPipelines(ctx context.Context, id seamark.TenantID) (api.Pipelines, error) {
	return pipelineList(p.store.FindPipelines(ctx, id)), nil
}

// SavePipelines implements api.PipelineStore: what cannot be compiled is not stored.
func (p *pipelines) SavePipelines(ctx context.Context, id seamark.TenantID, definitions []byte, revision uint64) (api.Pipelines, error) {
	parsed, err := pipeline.Parse(definitions)
	if err != nil {
		return api.Pipelines{}, err
	}
	if _, err := pipeline.Compile(p.opts, parsed...); err != nil {
		return api.Pipelines{}, err
	}
	saved, err := p.store.SavePipelines(ctx, id, definitions, revision)
	if err != nil {
		return api.Pipelines{}, err
	}
	return pipelineList(saved), nil
}

func pipelineList(l tenant.PipelineList) api.Pipelines {
	out := api.Pipelines{Revision: l.Revision, Pipelines: l.Definitions}
	if !l.Updated.IsZero() {
		out.Updated = &l.Updated
	}
	return out
}

// TryPipeline implements api.PipelineStore.
func (p *pipelines) TryPipeline(ctx context.Context, _ seamark.TenantID, body []byte) (json.RawMessage, error) {
	var dry pipeline.DryRun
	if err := dry.Unmarshal(body); err != nil {
		return nil, err
	}
	report, err := pipeline.Try(ctx, p.opts, &dry, ingest.ScratchCatalog(p.opts.Limits))
	if err != nil {
		return nil, err
	}
	return json.Marshal(report)
}

// PipelineStats implements api.PipelineStore.
func (p *pipelines) PipelineStats(ctx context.Context, id seamark.TenantID) (api.PipelineStats, error) {
	report, err := p.engine.Report(ctx, id)
	if err != nil {
		return api.PipelineStats{}, err
	}
	out := api.PipelineStats{Steps: []api.PipelineStep{}, Nodes: []api.PipelineNode{}}
	for _, s := range report.Steps {
		out.Steps = append(out.Steps, api.PipelineStep{
			Pipeline: s.Pipeline, Step: s.Step, Kind: string(s.Kind), In: s.In, Changed: s.Changed, Dropped: s.Dropped, Errors: s.Errors, Nanos: s.Nanos,
		})
	}
	for _, name := range slices.Sorted(maps.Keys(report.Nodes)) {
		n := report.Nodes[name]
		out.Nodes = append(out.Nodes, api.PipelineNode{Node: name, Revision: n.Revision, Updated: n.Updated.Truncate(time.Millisecond), Fault: n.Fault})
	}
	return out, nil
}
