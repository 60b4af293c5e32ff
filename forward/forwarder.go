package forward

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// List returns a tenant's forwarders by name, without the values of their secrets.
func (s *Service) List(ctx context.Context, tenant seamark.TenantID) ([]Definition, error) {
	docs, err := s.book.list(ctx, tenant)
	if err != nil {
		return nil, err
	}
	list := make([]Definition, len(docs))
	for i, doc := range docs {
		list[i] = doc.Definition
	}
	slices.SortFunc(list, func(a, b Definition) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// Find returns one forwarder without the values of its secrets; NotFound when there is none.
func (s *Service) Find(ctx context.Context, tenant seamark.TenantID, name string) (Definition, error) {
	doc, _, err := s.book.find(ctx, tenant, name)
	if err != nil {
		return Definition{}, err
	}
	return doc.Definition, nil
}

// Save creates or replaces a forwarder with what body says, a Definition as JSON. Where revision is told, or the body has one
// that is not 0, it must be that of the stored one, 0 for none; else the error is of kind Conflict. Secrets without a value stay as they are stored, as long as they go to the same destination. A new
// forwarder begins with what is pushed from now on.
func (s *Service) Save(ctx context.Context, tenant seamark.TenantID, name string, body []byte, revision *uint64) (Definition, error) {
	if err := tenant.Validate(); err != nil {
		return Definition{}, err
	}
	next, err := parseDefinition(name, body)
	if err != nil {
		return Definition{}, err
	}
	if err := next.normalise(&s.opts.Limits); err != nil {
		return Definition{}, err
	}
	if err := checkAddress(s.opts.Guard, &next.Target); err != nil {
		return Definition{}, err
	}
	if _, err := s.opts.Language.Compile(ctx, tenant, next.Filter); err != nil {
		return Definition{}, err
	}
	was, stored, err := s.book.find(ctx, tenant, name)
	if err != nil && seamark.KindOf(err) != seamark.NotFound {
		return Definition{}, err
	}
	have := uint64(0)
	if was != nil {
		have = was.Definition.Revision
	}
	if revision != nil && *revision != have || next.Revision != 0 && next.Revision != have {
		return Definition{}, changedMeanwhile(name)
	}
	doc, err := s.compose(ctx, tenant, next, was)
	if err != nil {
		return Definition{}, err
	}
	if err := s.book.save(ctx, doc, stored); err != nil {
		return Definition{}, err
	}
	return doc.Definition, nil
}

func parseDefinition(name string, body []byte) (*Definition, error) {
	next := &Definition{}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(next); err != nil {
		return nil, jsonFault(err)
	}
	if dec.More() {
		return nil, invalid("the body has text after its JSON document, at byte %d", dec.InputOffset())
	}
	if next.Name == "" {
		next.Name = name
	}
	if next.Name != name {
		return nil, invalid("name: the body has %.80q and the path %.80q", next.Name, name)
	}
	return next, nil
}

// jsonFault says what is wrong with a body without its values, which may be secrets.
func jsonFault(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid("%s: it has the wrong type, a JSON %s, at byte %d", cmp.Or(wrong.Field, "the body"), strings.Fields(wrong.Value)[0], wrong.Offset)
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalid("the body is not JSON at byte %d", wrong.Offset)
	}
	if text := err.Error(); strings.HasPrefix(text, "json: unknown field") {
		return invalid("%s", strings.TrimPrefix(text, "json: "))
	}
	return invalid("the body is not the JSON document of a forwarder")
}

// compose makes the next document, and for a new forwarder its positions.
func (s *Service) compose(ctx context.Context, tenant seamark.TenantID, next *Definition, was *document) (*document, error) {
	now := s.opts.Now().UTC()
	doc := &document{Version: docVersion, Tenant: tenant}
	if was != nil {
		if next.Signal != was.Definition.Signal {
			return nil, invalid("signal: it is %s and stays so; delete the forwarder, or make another one", was.Definition.Signal)
		}
		doc.ID, next.Created, next.Revision = was.ID, was.Definition.Created, was.Definition.Revision+1
	} else {
		list, err := s.book.list(ctx, tenant)
		if err != nil {
			return nil, err
		}
		if most := s.opts.Limits.MaxPerTenant; len(list) >= most {
			return nil, seamark.Errorf(seamark.Unprocessable, "seamark-forwarder-limit",
				"There are %d forwarders, the limit of a tenant. Remove one, or ask the operator to raise --forwarders.max-per-tenant.", len(list))
		}
		doc.ID, next.Created, next.Revision = rand.Text(), now, 1
	}
	next.Updated = now
	var err error
	if doc.Sealed, err = s.lockUp(ctx, tenant, next, was); err != nil {
		return nil, err
	}
	doc.Definition = *next
	if was == nil {
		err = s.begin(ctx, doc)
	}
	return doc, err
}

// begin writes where a new forwarder begins: at the end of each shard as it stands.
func (s *Service) begin(ctx context.Context, doc *document) error {
	follower := s.opts.Followers[doc.Definition.signal()]
	shards, err := follower.Shards(doc.Tenant)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		state, err := follower.State(ctx, shard)
		if err != nil {
			return away(err)
		}
		now := s.opts.Now().UTC()
		p := progress{Stream: state.Created, Sequence: state.Last, At: now, Updated: now}
		if _, err := s.ledger.save(ctx, progressKey(doc.Tenant, doc.ID, shard), &p, 0); err != nil {
			return away(err)
		}
	}
	return nil
}

// Delete removes a forwarder, its secrets and its position. Where revision is told, it must be that of the stored one; else the
// error is of kind Conflict.
func (s *Service) Delete(ctx context.Context, tenant seamark.TenantID, name string, revision *uint64) error {
	doc, stored, err := s.book.find(ctx, tenant, name)
	if err != nil {
		return err
	}
	var unchanged []jetstream.KVDeleteOpt
	if revision != nil {
		if *revision != doc.Definition.Revision {
			return changedMeanwhile(name)
		}
		unchanged = append(unchanged, jetstream.LastRevision(stored))
	}
	short, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	err = s.book.kv.Purge(short, doc.key(), unchanged...)
	switch {
	case isTaken(err):
		return changedMeanwhile(name)
	case err != nil:
		return away(err)
	}
	if err := s.ledger.remove(ctx, tenant, doc.ID); err != nil {
		// Nobody reads it any more: a forwarder of this name would have another id.
		s.opts.Logger.WarnContext(ctx, "the progress of a removed forwarder stays", slog.String("tenant", string(tenant)), slog.Any("error", err))
	}
	return nil
}

// testTimeout bounds a test: somebody waits for it.
const testTimeout = 15 * time.Second

// Trial is what a test came to.
type Trial struct {
	Batch   string  `json:"batch"` // id of what was sent
	Seconds float64 `json:"seconds"`
}

// Test sends one made-up row to a forwarder's target, and returns when the target has it. The error is of kind Unprocessable
// with what the target said.
func (s *Service) Test(ctx context.Context, tenant seamark.TenantID, name string) (Trial, error) {
	doc, _, err := s.book.find(ctx, tenant, name)
	if err != nil {
		return Trial{}, err
	}
	out, secrets, err := s.sinkFor(ctx, doc)
	if err != nil {
		return Trial{}, err
	}
	defer out.close()
	now := s.opts.Now()
	row := Row{Time: now.UnixNano(), Line: "Seamark tests the forwarder " + name, Labels: []seamark.Label{{Name: "seamark_test", Value: name}}}
	p := part{id: "test." + rand.Text(), forwarder: name, received: now, rows: []Row{row}}
	p.records = []record{{json: s.opts.Language.JSON(nil, &row), time: row.Time}}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	if err := out.send(ctx, &p); err != nil {
		return Trial{}, seamark.Errorf(seamark.Unprocessable, "seamark-forwarder-target", "The target did not take the test: %s.", strings.TrimSuffix(secrets.scrub(err.Error()), "."))
	}
	return Trial{Batch: p.id, Seconds: s.opts.Now().Sub(now).Seconds()}, nil
}
