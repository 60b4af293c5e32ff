package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Receiver is a receiver of a tenant's Alertmanager configuration.
type Receiver struct {
	Name         string   `json:"name"`
	Integrations []string `json:"integrations"` // such as slack[0]
}

// ReceiverTest is what a receiver is tried with. A nil Config tries what is stored.
type ReceiverTest struct {
	Config      *string           `json:"alertmanager_config"`
	Templates   map[string]string `json:"template_files"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// ReceiverTrial is what one integration made of the test alert.
type ReceiverTrial struct {
	Integration string  `json:"integration"`
	Status      string  `json:"status"` // sent, failed or blocked
	Code        int     `json:"code,omitempty"`
	Error       string  `json:"error,omitempty"`
	Seconds     float64 `json:"seconds"`
}

// Delivery is one attempt to tell a receiver of a group of alerts.
type Delivery struct {
	Number      uint64    `json:"-"` // rises with every attempt
	Time        time.Time `json:"time"`
	Receiver    string    `json:"receiver"`
	Integration string    `json:"integration"`
	GroupKey    string    `json:"group_key"`
	Alerts      int       `json:"alerts"`
	Attempt     int       `json:"attempt"`
	Status      string    `json:"status"`
	Code        int       `json:"code,omitempty"`
	Error       string    `json:"error,omitempty"`
	Retry       bool      `json:"retry"`
	Seconds     float64   `json:"seconds"`
	Test        bool      `json:"test"`
}

// Receivers lists and tries the tenants' receivers, and tells how they did.
type Receivers interface {
	// ListReceivers returns the receivers by name.
	ListReceivers(ctx context.Context, tenant seamark.TenantID) ([]Receiver, error)
	// TestReceiver sends a test alert to each integration of a receiver and returns what came of it; NotFound names a receiver
	// that there is not, Invalid what is wrong with the configuration or the alert.
	TestReceiver(ctx context.Context, tenant seamark.TenantID, name string, t *ReceiverTest) ([]ReceiverTrial, error)
	// ListDeliveries returns the attempts that the delivery log keeps, newest first; "" narrows nothing.
	ListDeliveries(ctx context.Context, tenant seamark.TenantID, receiver, status string) ([]Delivery, error)
}

// ReceiverRoutes returns the routes of receivers. Who may change receivers may try them: a test sends something.
func ReceiverRoutes(receivers Receivers) []httpx.Route {
	const path, read = "/api/v1/alerting/receivers", "rules:read"
	h := receiverHandlers{receivers}
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: h.list},
		{Method: http.MethodPost, Path: path + "/:name/test", Permission: "receivers:write", Action: httpx.NoChange, Handler: h.test},
		{Method: http.MethodGet, Path: "/api/v1/alerting/deliveries", Permission: read, Handler: h.deliveries},
	}
}

type receiverHandlers struct{ receivers Receivers }

func (h receiverHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	all, err := h.receivers.ListReceivers(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	page, err := httpx.Paginate(r, all, func(one *Receiver) string { return one.Name })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

// test takes no body for the test of what is stored.
func (h receiverHandlers) test(w http.ResponseWriter, r *httpx.Request) error {
	body, err := httpx.ReadBody(r)
	if err != nil {
		return err
	}
	var t ReceiverTest
	if len(bytes.TrimSpace(body)) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := httpx.ReadJSON(r, &t); err != nil {
			return err
		}
	}
	trials, err := h.receivers.TestReceiver(r.Context(), r.Tenant(), r.Param("name"), &t)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, struct {
		Items []ReceiverTrial `json:"items"`
	}{append([]ReceiverTrial{}, trials...)})
}

func (h receiverHandlers) deliveries(w http.ResponseWriter, r *httpx.Request) error {
	p, err := r.Page(httpx.DefaultPageEntries, httpx.MaxPageEntries)
	if err != nil {
		return err
	}
	status := r.URL.Query().Get("status")
	if !slices.Contains([]string{"", "sent", "failed", "blocked"}, status) {
		return seamark.Errorf(seamark.Invalid, "seamark-delivery-status", "Parameter status is %.32q; use sent, failed or blocked.", status)
	}
	all, err := h.receivers.ListDeliveries(r.Context(), r.Tenant(), r.URL.Query().Get("receiver"), status)
	if err != nil {
		return err
	}
	if p.After != "" {
		last, err := strconv.ParseUint(p.After, 10, 64)
		if err != nil {
			return seamark.Errorf(seamark.Invalid, "seamark-page-cursor", "Parameter cursor is not one of this list.")
		}
		all = slices.DeleteFunc(all, func(d Delivery) bool { return d.Number >= last })
	}
	list := httpx.List[Delivery]{Items: append([]Delivery{}, all[:min(len(all), p.Limit)]...)}
	if len(all) > p.Limit {
		list.NextCursor = p.Cursor(strconv.FormatUint(list.Items[p.Limit-1].Number, 10))
	}
	return httpx.WriteJSON(w, http.StatusOK, list)
}
