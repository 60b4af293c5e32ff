package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// silencer is an API v2 with silences. A replaced silence gets another id, as Alertmanager gives it where its matchers change.
type silencer struct {
	*managers
	silences map[string]map[string]any
}

func (s *silencer) Alertmanager(context.Context, seamark.TenantID) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		switch r.Method {
		case http.MethodPost:
			body, _ := io.ReadAll(r.Body)
			made := map[string]any{}
			if json.Unmarshal(body, &made) != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			id = "new"
			if made["id"] != nil {
				id = "newer"
			}
			made["id"], made["state"], made["updatedAt"] = id, "active", time.Now()
			s.silences[id] = made
			_, _ = io.WriteString(w, `{"silenceID":"`+id+`"}`)
		case http.MethodDelete:
			if s.silences[id] == nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			s.silences[id]["state"] = "expired"
		default:
			if s.silences[id] == nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_ = json.NewEncoder(w).Encode(s.silences[id])
		}
	}), nil
}

// toldChange is what the log of changes was told of a request: the object, and both documents as JSON.
type toldChange struct{ object, before, after string }

// tellingEdge is an edge that keeps the last change.
func tellingEdge(t *testing.T, m api.Alertmanagers) (edge, *toldChange) {
	t.Helper()
	last := &toldChange{}
	text := func(document any) string {
		written, err := json.Marshal(document)
		if err != nil {
			t.Errorf("the log cannot keep %v: %v", document, err)
		}
		return string(written)
	}
	e, err := httpx.New(httpx.Options{
		Routes: api.AlertmanagerRoutes(m), Verifier: tokens{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		Changed: func(r *httpx.Request, route *httpx.Route, _ int, _ *seamark.Error) {
			*last = toldChange{r.ChangeObject(route), text(r.Change.Before), text(r.Change.After)}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return edge{t, e}, last
}

// told sends a change and compares what the log was told of it.
func told(t *testing.T, e edge, last *toldChange, method, path, body string, status int, want toldChange) {
	t.Helper()
	if w := e.do(tenantA, method, path, body); w.Code != status {
		t.Fatalf("%s answered %d %s, want %d", method, w.Code, w.Body, status)
	}
	if *last != want {
		t.Errorf("%s: the log was told %+v, want %+v", method, *last, want)
	}
}

func TestAlertmanagerConfigChangesAreTold(t *testing.T) {
	e, last := tellingEdge(t, newManagers())
	const path = "/api/v1/alerts"
	change := func(method, body string, status int, want toldChange) {
		t.Helper()
		told(t, e, last, method, path, body, status, want)
	}
	const (
		object = "alertmanager/config"
		first  = `{"alertmanager_config":{"receivers":[{"name":"r"}],"route":{"match":{"404":"x"},"receiver":"r"}},"template_files":{"short":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}`
		second = `{"alertmanager_config":"a: [","template_files":{}}`
	)
	change(http.MethodPost, "template_files: {short: x}\nalertmanager_config: |\n  route: {receiver: r, match: {404: x}}\n  receivers: [{name: r}]\n",
		http.StatusCreated, toldChange{object, "null", first})
	change(http.MethodPost, "template_files: {}\nalertmanager_config: 'a: ['\n", http.StatusCreated, toldChange{object, first, second})
	change(http.MethodDelete, "", http.StatusOK, toldChange{object, second, "null"})
}

func TestSilenceChangesAreTold(t *testing.T) {
	e, last := tellingEdge(t, &silencer{newManagers(), map[string]map[string]any{}})
	const path = "/alertmanager/api/v2/silence"
	change := func(method, path, body string, status int, want toldChange) {
		t.Helper()
		told(t, e, last, method, path, body, status, want)
	}
	const (
		first   = `{"comment":"a","id":"new","state":"active"}`
		second  = `{"comment":"b","id":"newer","state":"active"}`
		expired = `{"comment":"b","id":"newer","state":"expired"}`
	)
	change(http.MethodPost, path+"s", `{"comment":"a"}`, http.StatusOK, toldChange{"silence/new", "null", first})
	change(http.MethodPost, path+"s", `{"comment":"b","id":"new"}`, http.StatusOK, toldChange{"silence/newer", first, second})
	change(http.MethodDelete, path+"/newer", "", http.StatusOK, toldChange{"silence/newer", second, expired})
	change(http.MethodDelete, path+"/none", "", http.StatusNotFound, toldChange{"silence/none", "null", "null"})
	change(http.MethodPost, path+"s", `no silence`, http.StatusBadRequest, toldChange{"", "null", "null"})
}
