package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/seamarkhq/seamark/alerting/packs"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// packPrefix begins the keys of packs' settings; an equals sign is in no group's key.
	packPrefix = "=pack."
	// packNamespace begins the namespaces of packs' groups.
	packNamespace = "seamark/"
)

// packDoc is what a tenant has chosen for a pack that is switched on. Its groups are not stored: each version of the server
// renders its own, so that an upgrade brings its rules along.
type packDoc struct {
	name       string
	Parameters map[string]string `json:"parameters,omitempty"`
}

func decodePack(name string, body []byte) (*packDoc, error) {
	doc := &packDoc{name: name}
	if err := json.Unmarshal(body, doc); err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errors.New("a pack without a name")
	}
	return doc, nil
}

// PackState is a pack as it stands for a tenant.
type PackState struct {
	packs.Pack
	Enabled bool
	// Chosen are the parameters that the tenant set; the others have their defaults.
	Chosen   map[string]string
	Revision uint64 // of the tenant's settings; 0 while the pack is off
}

// packGroups returns the groups of a pack that is switched on; none of one that this server does not know.
func (s *Service) packGroups(doc *packDoc) []RuleGroup {
	at := slices.IndexFunc(s.packs, func(p packs.Pack) bool { return p.Name == doc.name })
	if at < 0 {
		return nil
	}
	rendered, err := s.packs[at].Render(doc.Parameters, s.books)
	if err != nil { // New has rendered each pack with its defaults
		s.opts.Logger.Error("rule pack cannot be rendered", "pack", doc.name, "err", err)
		return nil
	}
	list := make([]RuleGroup, len(rendered))
	for i, g := range rendered {
		list[i] = RuleGroup{Namespace: packNamespace + doc.name, Language: g.Language, Group: g.RuleGroup, Pack: doc.name}
	}
	return list
}

// loadPacks reads the packs and checks all their rules.
func (s *Service) loadPacks() error {
	list, err := packs.Load()
	if err != nil {
		return fmt.Errorf("rule packs: %w", err)
	}
	for i := range list {
		p := &list[i]
		p.Groups = slices.DeleteFunc(p.Groups, func(g packs.Group) bool { return s.checkLanguage(g.Language) != nil })
	}
	s.packs = list
	return nil
}

// ListPacks returns all packs as they stand for the tenant, by name.
func (s *Service) ListPacks(_ context.Context, tenant seamark.TenantID) ([]PackState, error) {
	docs, err := s.rules.of(tenant)
	if err != nil {
		return nil, err
	}
	list := make([]PackState, len(s.packs))
	for i, p := range s.packs {
		list[i] = PackState{Pack: p}
		if doc, on := docs[packPrefix+p.Name]; on && doc.pack != nil {
			list[i].Enabled, list[i].Chosen = true, doc.pack.Parameters
			list[i].Revision = s.rules.revisionOf(tenant, packPrefix+p.Name)
		}
	}
	return list, nil
}

// FindPack returns one pack; NotFound when there is none of that name.
func (s *Service) FindPack(ctx context.Context, tenant seamark.TenantID, name string) (PackState, error) {
	list, err := s.ListPacks(ctx, tenant)
	if err != nil {
		return PackState{}, err
	}
	at := slices.IndexFunc(list, func(p PackState) bool { return p.Name == name })
	if at < 0 {
		return PackState{}, seamark.Errorf(seamark.NotFound, "seamark-pack-unknown", "There is no rule pack %q.", name)
	}
	return list[at], nil
}

// SavePack switches a pack on, or changes its parameters. The revision is that of SaveGroup.
func (s *Service) SavePack(ctx context.Context, tenant seamark.TenantID, name string, parameters map[string]string, revision *uint64) (PackState, error) {
	p, err := s.FindPack(ctx, tenant, name)
	if err != nil {
		return p, err
	}
	if err := p.Check(parameters); err != nil {
		return p, err
	}
	body, err := json.Marshal(packDoc{Parameters: parameters})
	if err != nil {
		return p, err
	}
	p.Enabled, p.Chosen = true, parameters
	p.Revision, err = s.rules.swap(ctx, tenant, packPrefix+name, body, revision)
	return p, err
}

// DeletePack switches a pack off; its alerts end. NotFound when it is not on.
func (s *Service) DeletePack(ctx context.Context, tenant seamark.TenantID, name string, revision *uint64) error {
	p, err := s.FindPack(ctx, tenant, name)
	if err != nil {
		return err
	}
	if !p.Enabled {
		return seamark.Errorf(seamark.NotFound, "seamark-pack-off", "The rule pack %q is not switched on.", name)
	}
	return s.rules.removeAt(ctx, tenant, packPrefix+name, revision)
}

// Runbook returns the text for an alert of a pack, Markdown; NotFound when there is none.
func (s *Service) Runbook(pack, alert string) (string, error) {
	for i := range s.packs {
		if text, ok := s.packs[i].Runbook(alert); ok && s.packs[i].Name == pack {
			return text, nil
		}
	}
	return "", seamark.Errorf(seamark.NotFound, "seamark-runbook-unknown", "There is no runbook for alert %q in rule pack %q.", alert, pack)
}
