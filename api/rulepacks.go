package api

import (
	"context"
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// RulePack is a pack of rules as it stands for a tenant.
type RulePack struct {
	Name        string              `json:"name"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Version     int                 `json:"version"`
	Needs       []string            `json:"needs"` // what must be sent for it
	Enabled     bool                `json:"enabled"`
	Parameters  map[string]string   `json:"parameters"` // as chosen; the others have their defaults
	Known       []RulePackParameter `json:"known_parameters"`
	Groups      []string            `json:"groups"`
	Alerts      []RulePackAlert     `json:"alerts"`
	Revision    uint64              `json:"-"`
}

// RulePackParameter is a figure that a tenant can choose.
type RulePackParameter struct {
	Name    string  `json:"name"`
	Kind    string  `json:"kind"` // number, duration or pattern
	Default string  `json:"default"`
	Help    string  `json:"help"`
	Min     float64 `json:"min"` // of numbers; both 0 bound nothing
	Max     float64 `json:"max"`
}

// RulePackAlert is an alert of a pack.
type RulePackAlert struct {
	Name     string `json:"name"`
	Severity string `json:"severity"`
	Language string `json:"language"`
	Runbook  string `json:"runbook"` // path of its text
}

// RulePacks keeps which packs of rules a tenant has switched on.
type RulePacks interface {
	ListPacks(ctx context.Context, tenant seamark.TenantID) ([]RulePack, error)
	// SavePack switches a pack on with parameters; the revision, unless it is nil, is the one that is replaced, 0 for none.
	SavePack(ctx context.Context, tenant seamark.TenantID, name string, parameters map[string]string, revision *uint64) (RulePack, error)
	// DeletePack switches it off.
	DeletePack(ctx context.Context, tenant seamark.TenantID, name string, revision *uint64) error
	// Runbook returns the text for an alert of a pack, Markdown.
	Runbook(pack, alert string) (string, error)
	// PackFile returns the pack with the tenant's parameters as a file for promtool and mimirtool: what is "rules" or "tests".
	PackFile(ctx context.Context, tenant seamark.TenantID, name, what string) ([]byte, error)
}

// RulePackRoutes returns the routes for packs of rules.
func RulePackRoutes(packs RulePacks) []httpx.Route {
	const path, read, write = alertingPath + "/packs", "rules:read", "rules:write"
	h := rulePackHandlers{packs}
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: h.list},
		{Method: http.MethodGet, Path: path + "/:pack", Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: path + "/:pack", Permission: write, Handler: h.save},
		{Method: http.MethodDelete, Path: path + "/:pack", Permission: write, Handler: h.delete},
		{Method: http.MethodGet, Path: path + "/:pack/runbooks/:alert", Permission: read, Handler: h.runbook},
		{Method: http.MethodGet, Path: path + "/:pack/files/:file", Permission: read, Handler: h.file},
	}
}

type rulePackHandlers struct{ packs RulePacks }

func (h rulePackHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.packs.ListPacks(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	page, err := httpx.Paginate(r, list, func(p *RulePack) string { return p.Name })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

func (h rulePackHandlers) named(r *httpx.Request) (RulePack, error) {
	name := pathName(r, "pack")
	list, err := h.packs.ListPacks(r.Context(), r.Tenant())
	if err != nil {
		return RulePack{}, err
	}
	for _, p := range list {
		if p.Name == name {
			return p, nil
		}
	}
	return RulePack{}, seamark.Errorf(seamark.NotFound, "seamark-pack-unknown", "There is no rule pack %q.", name)
}

func (h rulePackHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	p, err := h.named(r)
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, httpx.RevisionTag(p.Revision), p)
}

// expected returns the revision that a change replaces, nil where the request has no condition. A pack that is off does not exist.
func (h rulePackHandlers) expected(w http.ResponseWriter, r *httpx.Request) (condition httpx.Precondition, revision *uint64, err error) {
	condition = r.Precondition()
	if !condition.Given() {
		return condition, nil, nil
	}
	p, err := h.named(r)
	if err != nil {
		return condition, nil, err
	}
	if err := condition.Check(w, httpx.RevisionTag(p.Revision)); err != nil {
		return condition, nil, err
	}
	return condition, &p.Revision, nil
}

func (h rulePackHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	var in struct {
		Parameters map[string]string `json:"parameters"`
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	condition, expected, err := h.expected(w, r)
	if err != nil {
		return err
	}
	h.tellBefore(r)
	p, err := h.packs.SavePack(r.Context(), r.Tenant(), pathName(r, "pack"), in.Parameters, expected)
	if err != nil {
		return condition.Lost(err)
	}
	r.Change.After = choiceOf(&p)
	return httpx.WriteDocument(w, r, httpx.RevisionTag(p.Revision), p)
}

func (h rulePackHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	condition, expected, err := h.expected(w, r)
	if err != nil {
		return err
	}
	h.tellBefore(r)
	if err := h.packs.DeletePack(r.Context(), r.Tenant(), pathName(r, "pack"), expected); err != nil {
		return condition.Lost(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// packChoice is what a tenant has chosen of a pack, for the log of changes.
type packChoice struct {
	Enabled    bool              `json:"enabled"`
	Parameters map[string]string `json:"parameters"`
}

func choiceOf(p *RulePack) packChoice { return packChoice{p.Enabled, p.Parameters} }

// tellBefore tells the log of changes what a pack that is on is before it is changed.
func (h rulePackHandlers) tellBefore(r *httpx.Request) {
	if p, err := h.named(r); err == nil && p.Enabled {
		r.Change.Before = choiceOf(&p)
	}
}

func (h rulePackHandlers) runbook(w http.ResponseWriter, r *httpx.Request) error {
	text, err := h.packs.Runbook(pathName(r, "pack"), pathName(r, "alert"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	_, err = w.Write([]byte(text))
	return err
}

func (h rulePackHandlers) file(w http.ResponseWriter, r *httpx.Request) error {
	body, err := h.packs.PackFile(r.Context(), r.Tenant(), pathName(r, "pack"), pathName(r, "file"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, err = w.Write(body)
	return err
}
