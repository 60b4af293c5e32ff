package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Alertmanagers gives access to the tenants' Alertmanagers.
type Alertmanagers interface {
	// FindAlertmanagerConfig returns the configuration with masked secrets and its inline templates; NotFound without one.
	FindAlertmanagerConfig(ctx context.Context, tenant seamark.TenantID) (config string, templates map[string]string, err error)
	// SaveAlertmanagerConfig replaces the configuration; Invalid names the field that is not accepted.
	SaveAlertmanagerConfig(ctx context.Context, tenant seamark.TenantID, config string, templates map[string]string) error
	// DeleteAlertmanagerConfig goes back to the default, which notifies nobody; deleting nothing is no error.
	DeleteAlertmanagerConfig(ctx context.Context, tenant seamark.TenantID) error
	// Alertmanager returns the tenant's API v2, whose paths begin with /api/v2; Unavailable where it does not run. The
	// handler is good for one request.
	Alertmanager(ctx context.Context, tenant seamark.TenantID) (http.Handler, error)
	// SyncAlertmanager returns when every silence that was set so far is stored.
	SyncAlertmanager(ctx context.Context, tenant seamark.TenantID) error
}

// alertmanagerPrefix is where Grafana and amtool expect Alertmanager.
const alertmanagerPrefix = "/alertmanager"

// maxSilenceBodyBytes bounds the body of a silence. Without it one request can hold as much memory as it likes.
const maxSilenceBodyBytes = 64 << 10

// alertmanagerConfigYAML is Mimir's document around an Alertmanager configuration.
type alertmanagerConfigYAML struct {
	TemplateFiles      map[string]string `yaml:"template_files"`
	AlertmanagerConfig string            `yaml:"alertmanager_config"`
}

// alertmanagerHandlers answers the Alertmanager routes.
type alertmanagerHandlers struct{ managers Alertmanagers }

// AlertmanagerRoutes returns the routes of the configuration in Mimir's form and of Alertmanager's API v2. Alerts come from
// rules alone, so there is no POST of alerts.
func AlertmanagerRoutes(managers Alertmanagers) []httpx.Route {
	const config, v2, read = "/api/v1/alerts", alertmanagerPrefix + "/api/v2", "rules:read"
	h := alertmanagerHandlers{managers}
	routes := []httpx.Route{
		{Method: http.MethodGet, Path: config, Permission: read, Handler: h.findConfig},
		{Method: http.MethodPost, Path: config, Permission: "receivers:write", Handler: h.saveConfig},
		{Method: http.MethodDelete, Path: config, Permission: "receivers:write", Handler: h.deleteConfig},
		{Method: http.MethodPost, Path: v2 + "/silences", Permission: "silences:write", Handler: h.saveSilence},
		{Method: http.MethodDelete, Path: v2 + "/silence/:id", Permission: "silences:write", Handler: h.expireSilence},
	}
	for _, path := range []string{"/status", "/alerts", "/alerts/groups", "/receivers", "/silences", "/silence/:id"} {
		routes = append(routes, httpx.Route{Method: http.MethodGet, Path: v2 + path, Permission: read, Handler: h.read})
	}
	for i := range routes {
		routes[i].Dialect = httpx.Plain
	}
	return routes
}

func (h alertmanagerHandlers) findConfig(w http.ResponseWriter, r *httpx.Request) error {
	config, templates, err := h.managers.FindAlertmanagerConfig(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	if templates == nil {
		templates = map[string]string{}
	}
	return writeYAML(w, alertmanagerConfigYAML{AlertmanagerConfig: config, TemplateFiles: templates})
}

func (h alertmanagerHandlers) saveConfig(w http.ResponseWriter, r *httpx.Request) error {
	body, err := httpx.ReadBody(r)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	var doc alertmanagerConfigYAML
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the body is empty")
		}
		return seamark.Errorf(seamark.Invalid, "seamark-receiver-config",
			"The body is not a YAML document with alertmanager_config (text) and template_files (texts by name): %s.",
			strings.TrimPrefix(err.Error(), "yaml: "))
	}
	r.Change.Object = alertmanagerObject
	h.tellConfig(r, &r.Change.Before)
	if err := h.managers.SaveAlertmanagerConfig(r.Context(), r.Tenant(), doc.AlertmanagerConfig, doc.TemplateFiles); err != nil {
		return err
	}
	h.tellConfig(r, &r.Change.After)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (h alertmanagerHandlers) deleteConfig(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = alertmanagerObject
	h.tellConfig(r, &r.Change.Before)
	if err := h.managers.DeleteAlertmanagerConfig(r.Context(), r.Tenant()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// read hands a request to the tenant's API v2. That API writes its errors itself, in the form that amtool and Grafana
// know; it is the one exception from errors being written by the edge.
func (h alertmanagerHandlers) read(w http.ResponseWriter, r *httpx.Request) error {
	api, err := h.managers.Alertmanager(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	http.StripPrefix(alertmanagerPrefix, api).ServeHTTP(w, r.Request)
	return nil
}

// saveSilence makes a silence, or replaces one whose id the body has.
func (h alertmanagerHandlers) saveSilence(w http.ResponseWriter, r *httpx.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Request.Body, maxSilenceBodyBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return seamark.Errorf(seamark.TooLarge, "seamark-silence-large", "The silence is larger than the limit of %d bytes. Shorten its matchers or its comment.", maxSilenceBodyBytes)
	}
	if err != nil {
		return seamark.Wrap(err, seamark.Invalid, "seamark-body-short", "The body could not be read to its end.")
	}
	r.Request.Body = io.NopCloser(bytes.NewReader(body))
	before := h.silence(r, postedSilence(body))
	return h.change(w, r, func(answer []byte) {
		if id := savedSilence(answer); id != "" {
			r.Change.Object, r.Change.Before, r.Change.After = "silence/"+id, before, h.silence(r, id)
		}
	})
}

// expireSilence ends a silence; it can be read for some days more.
func (h alertmanagerHandlers) expireSilence(w http.ResponseWriter, r *httpx.Request) error {
	before := h.silence(r, r.Param("id"))
	return h.change(w, r, func([]byte) { r.Change.Before, r.Change.After = before, h.silence(r, r.Param("id")) })
}

// change is read for requests that change silences: the answer is held back until the change is stored, so that a
// silence that was acknowledged survives a crash. tell hears of a change that was made.
func (h alertmanagerHandlers) change(w http.ResponseWriter, r *httpx.Request, tell func(answer []byte)) error {
	held := newHeldResponse()
	if err := h.read(held, r); err != nil {
		return err
	}
	if held.status < http.StatusBadRequest {
		if err := h.managers.SyncAlertmanager(r.Context(), r.Tenant()); err != nil {
			return err
		}
		tell(held.body.Bytes())
	}
	for name, values := range held.header {
		w.Header()[name] = values
	}
	w.WriteHeader(held.status)
	_, err := w.Write(held.body.Bytes())
	return err
}

// heldResponse keeps an answer back. It implements http.ResponseWriter.
type heldResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newHeldResponse() *heldResponse {
	return &heldResponse{header: http.Header{}, status: http.StatusOK}
}

// Header implements http.ResponseWriter.
func (h *heldResponse) Header() http.Header { return h.header }

// WriteHeader implements http.ResponseWriter.
func (h *heldResponse) WriteHeader(status int) { h.status = status }

// Write implements http.ResponseWriter.
func (h *heldResponse) Write(p []byte) (int, error) { return h.body.Write(p) }
