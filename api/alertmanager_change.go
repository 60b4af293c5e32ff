package api

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// alertmanagerObject is what the log of changes calls a tenant's Alertmanager configuration.
const alertmanagerObject = "alertmanager/config"

// alertmanagerChange is a configuration as the log of changes sees it, with masked secrets. Of templates it has digests: their text is
// kept sealed, and what is secret in it nothing can tell.
type alertmanagerChange struct {
	Config    any               `json:"alertmanager_config"`
	Templates map[string]string `json:"template_files"`
}

// tellConfig puts the tenant's configuration as it stands into one side of a change. Without one the side stays nil: a change does
// not fail for its record.
func (h alertmanagerHandlers) tellConfig(r *httpx.Request, side *any) {
	config, templates, err := h.managers.FindAlertmanagerConfig(r.Context(), r.Tenant())
	if err != nil {
		return
	}
	digests := make(map[string]string, len(templates))
	for name, text := range templates {
		digests[name] = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))
	}
	*side = alertmanagerChange{Config: fieldsOf(config), Templates: digests}
}

// fieldsOf returns a YAML document with its fields, so that the log tells which of them differ; a text that is none as it is.
func fieldsOf(text string) any {
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return text
	}
	return withTextKeys(document)
}

// withTextKeys makes JSON's objects of YAML's mappings, whose keys may be numbers.
func withTextKeys(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = withTextKeys(member)
		}
	case map[any]any:
		object := make(map[string]any, len(v))
		for name, member := range v {
			object[fmt.Sprint(name)] = withTextKeys(member)
		}
		return object
	case []any:
		for i, element := range v {
			v[i] = withTextKeys(element)
		}
	}
	return value
}

// silence returns a silence as the tenant's API v2 shows it, nil when it shows none.
func (h alertmanagerHandlers) silence(r *httpx.Request, id string) any {
	if id == "" {
		return nil
	}
	api, err := h.managers.Alertmanager(r.Context(), r.Tenant())
	if err != nil {
		return nil
	}
	read, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "/api/v2/silence/"+url.PathEscape(id), http.NoBody)
	if err != nil {
		return nil
	}
	held := newHeldResponse()
	api.ServeHTTP(held, read)
	var document map[string]any
	if held.status != http.StatusOK || json.Unmarshal(held.body.Bytes(), &document) != nil {
		return nil
	}
	delete(document, "updatedAt") // differs after every change
	return document
}

// postedSilence returns the id of the silence that a POST replaces, "" for a new one, which has none.
func postedSilence(body []byte) string {
	var posted struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(body, &posted) // the API refuses what is no silence
	return posted.ID
}

// savedSilence returns the id that the answer to a POST tells.
func savedSilence(answer []byte) string {
	var saved struct {
		ID string `json:"silenceID"`
	}
	_ = json.Unmarshal(answer, &saved) // without an id the log has no more than that a silence was made
	return saved.ID
}
