package tenant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// maxPipelines bounds a tenant's pipelines. Without it their definitions take every node's memory.
	maxPipelines = 32
	// maxPipelineBytes bounds a tenant's definitions as they are stored; they stand in one document.
	maxPipelineBytes = 48 << 10
)

// PipelineList is a tenant's log pipelines, in their order. What they mean is for package ingest/pipeline to say; here they
// are JSON.
type PipelineList struct {
	Revision    uint64          // rises with every change; 0 when there never was one
	Definitions json.RawMessage // a JSON array, never changed; "[]" when there are none
	Updated     time.Time       // of the last change
}

// pipelineDoc is stored under the tenant's id.
type pipelineDoc struct {
	Version     int              `json:"v"`
	Tenant      seamark.TenantID `json:"tenant"`
	Revision    uint64           `json:"revision"`
	Definitions json.RawMessage  `json:"pipelines"`
	Updated     time.Time        `json:"updated"`
}

func (p *pipelineDoc) validate(key string) error {
	if _, err := seamark.ParseTenantID(key); err != nil {
		return err
	}
	if string(p.Tenant) != key {
		return fmt.Errorf("pipelines of %.40q stand under the key of another", p.Tenant)
	}
	if p.Revision == 0 {
		return errors.New("pipelines have no revision")
	}
	return checkDefinitions(p.Definitions)
}

// checkDefinitions holds definitions to the limits of storage.
func checkDefinitions(definitions json.RawMessage) error {
	var list []json.RawMessage
	if err := json.Unmarshal(definitions, &list); err != nil || list == nil {
		return errors.New("the pipelines are not a JSON array")
	}
	if len(list) > maxPipelines {
		return fmt.Errorf("there are %d pipelines; the limit is %d. Put steps of one purpose into one pipeline", len(list), maxPipelines)
	}
	if len(definitions) > maxPipelineBytes {
		return fmt.Errorf("the pipelines take %d bytes; the limit is %d. Shorten patterns, or remove pipelines that are off", len(definitions), maxPipelineBytes)
	}
	return nil
}

func (p *pipelineDoc) list() PipelineList {
	return PipelineList{Revision: p.Revision, Definitions: p.Definitions, Updated: p.Updated}
}

// PipelineDefinitions returns a tenant's definitions and their revision, from memory; revision 0 when it never had any. The
// bytes must not be changed. Ingest asks for every request.
func (p *Pipelines) PipelineDefinitions(tenant seamark.TenantID) (revision uint64, definitions []byte) {
	doc, _ := p.table.find(string(tenant))
	if doc == nil {
		return 0, nil
	}
	return doc.Revision, doc.Definitions
}

// FindPipelines returns the tenant's pipelines as this node knows them.
func (p *Pipelines) FindPipelines(_ context.Context, tenant seamark.TenantID) PipelineList {
	doc, _ := p.table.find(string(tenant))
	if doc == nil {
		return PipelineList{Definitions: json.RawMessage("[]")}
	}
	return doc.list()
}

// SavePipelines replaces the tenant's pipelines, whose revision must still be the given one; every node that is connected
// follows within milliseconds. The caller has compiled the definitions: what is stored must run. The error is of kind
// Invalid for definitions over a limit, and of kind Conflict when somebody else was first.
func (p *Pipelines) SavePipelines(ctx context.Context, tenant seamark.TenantID, definitions json.RawMessage, revision uint64) (PipelineList, error) {
	if err := tenant.Validate(); err != nil {
		return PipelineList{}, err
	}
	definitions, err := stored(definitions)
	if err != nil {
		return PipelineList{}, invalid(err, "seamark-pipeline-invalid")
	}
	next := pipelineDoc{
		Version: docVersion, Tenant: tenant, Revision: revision + 1, Definitions: definitions, Updated: p.opts.Now().UTC(),
	}
	key := string(tenant)
	if revision == 0 {
		err = p.table.create(ctx, key, &next)
		if errors.Is(err, errTaken) {
			err = pipelinesChanged()
		}
	} else {
		err = p.replace(ctx, key, &next)
	}
	if err != nil {
		return PipelineList{}, fmt.Errorf("save pipelines: %w", err)
	}
	return next.list(), nil
}

// replace writes next over the document with the revision before it.
func (p *Pipelines) replace(ctx context.Context, key string, next *pipelineDoc) error {
	if have, _ := p.table.find(key); have == nil || have.Revision != next.Revision-1 {
		// The caller may have read from a node that is ahead of this one.
		if err := p.table.refresh(ctx, key); errors.Is(err, errAbsent) {
			return pipelinesChanged()
		} else if err != nil {
			return err
		}
	}
	_, err := p.table.mutate(ctx, key, func(doc *pipelineDoc) error {
		if doc.Revision != next.Revision-1 {
			return pipelinesChanged()
		}
		*doc = *next
		return nil
	})
	if errors.Is(err, errAbsent) {
		return pipelinesChanged()
	}
	return err
}

// stored returns definitions as the document will hold them: encoding escapes <, > and &, which counts.
func stored(definitions json.RawMessage) (json.RawMessage, error) {
	if !json.Valid(definitions) {
		return nil, errors.New("the pipelines are not a JSON array")
	}
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, definitions); err != nil {
		return nil, errors.New("the pipelines are not a JSON array")
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	return escaped.Bytes(), checkDefinitions(escaped.Bytes())
}

func pipelinesChanged() error {
	return seamark.Errorf(seamark.Conflict, "seamark-pipeline-changed",
		"The pipelines were changed since they were read. Read them again and repeat the change on their new revision.")
}
