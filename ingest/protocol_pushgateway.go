package ingest

import (
	"net/http"

	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// pushgatewayRoutes are Prometheus' Pushgateway.
func (f *front) pushgatewayRoutes(t *routeTable) {
	if f.ingester.opts.Groups == nil {
		return
	}
	push := func(take func(r *request, push *pushgateway.Push) error) *protocol {
		return &protocol{
			name: "pushgateway", signal: seamark.Metrics, dialect: httpx.Plain, foreign: true,
			prepare: func(_ http.ResponseWriter, r *request) (err error) {
				r.encoding = contentEncoding(r.http.Request)
				if r.push.Key, err = pushgateway.ParsePath(r.http.URL.EscapedPath()); err != nil {
					return err
				}
				r.push.TTL, err = pushgateway.ParseTTL(r.http.URL.Query().Get("ttl"))
				return err
			},
			decode: func(r *request) error {
				if err := r.batch.Reserve(len(r.body) * 5 / 4); err != nil { // the text format's reader holds a copy
					return err
				}
				r.push.ContentType, r.push.Body = r.http.Header.Get("Content-Type"), r.body
				return take(r, &r.push)
			},
			answer: func(w http.ResponseWriter, r *request) error {
				if r.http.Method == http.MethodDelete {
					w.WriteHeader(http.StatusAccepted)
				}
				return nil
			},
		}
	}
	const path = "/metrics/*"
	t.add(push(func(r *request, p *pushgateway.Push) error {
		return f.pushes.Put(r.http.Context(), r.http.Principal, p)
	}), http.MethodPut, path)
	t.add(push(func(r *request, p *pushgateway.Push) error {
		return f.pushes.Post(r.http.Context(), r.http.Principal, p)
	}), http.MethodPost, path)
	t.add(push(func(r *request, p *pushgateway.Push) error {
		return f.pushes.Delete(r.http.Context(), r.http.Principal, p.Key)
	}), http.MethodDelete, path)

	ask := &protocol{name: "pushgateway", dialect: httpx.Plain, foreign: true}
	alive := func(w http.ResponseWriter, _ *httpx.Request) error { _, err := w.Write([]byte("OK\n")); return err }
	t.handle(t.route(ask, http.MethodGet, httpx.Anonymous, alive), "/-/healthy", "/-/ready")
	list := t.route(&protocol{dialect: httpx.Prometheus}, http.MethodGet, "data:read", func(w http.ResponseWriter, r *httpx.Request) error {
		groups, err := f.pushes.List(r.Context(), r.Tenant())
		if err != nil {
			return err
		}
		body, err := pushgateway.AppendGroups(nil, groups)
		if err != nil {
			return err
		}
		return answerJSON(w, http.StatusOK, body)
	})
	t.handle(list, "/api/v1/metrics")
}
