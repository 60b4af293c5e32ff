package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DetectorFields are what a caller decides about a detector. Fields that its kind does not know are zero.
type DetectorFields struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind"` // anomaly, forecast, logpattern or absence
	Disabled    bool              `json:"disabled"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Interval    int64             `json:"interval_seconds,omitempty"`
	For         int64             `json:"for_seconds,omitempty"`
	Expr        string            `json:"expr,omitempty"`
	Language    string            `json:"language,omitempty"`
	Unit        string            `json:"unit,omitempty"`
	Direction   string            `json:"direction,omitempty"`
	History     int64             `json:"history_seconds,omitempty"`
	Sensitivity string            `json:"sensitivity,omitempty"`
	Threshold   float64           `json:"threshold,omitempty"`
	Horizon     int64             `json:"horizon_seconds,omitempty"`
	Confidence  float64           `json:"confidence,omitempty"`
	Selector    string            `json:"selector,omitempty"`
	Window      int64             `json:"window_seconds,omitempty"`
	Compare     int64             `json:"compare_seconds,omitempty"`
	MinLines    int64             `json:"min_lines,omitempty"`
	Silence     int64             `json:"silence_seconds,omitempty"`
	Forget      int64             `json:"forget_seconds,omitempty"`
	Changes     []string          `json:"changes,omitempty"`
	Levels      []string          `json:"levels,omitempty"`
	Signals     []string          `json:"signals,omitempty"`
	By          []string          `json:"by,omitempty"`
}

// Detector is a detector that is kept.
type Detector struct {
	ID string `json:"id"`
	DetectorFields
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

// DetectorStatus is what became of a detector's evaluations, and the alerts that it has.
type DetectorStatus struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	State     string          `json:"state"` // waiting, learning, ok, failing or disabled
	Evaluated *time.Time      `json:"evaluated_at,omitempty"`
	Took      float64         `json:"took_seconds"`
	Error     string          `json:"error,omitempty"`
	Series    int             `json:"series"`
	Learning  int             `json:"learning"`
	Firing    int             `json:"firing"`
	Alerts    []DetectorAlert `json:"alerts"`
}

// DetectorAlert is an alert that is pending or fires.
type DetectorAlert struct {
	State       string            `json:"state"` // pending or firing
	Labels      map[string]string `json:"labels"`
	Since       time.Time         `json:"since"`
	Value       string            `json:"value,omitempty"`
	Explanation string            `json:"explanation"`
}

// DetectorPreview is what a detector would have said.
type DetectorPreview struct {
	Step      int64                   `json:"step_seconds"`
	Series    []DetectorPreviewSeries `json:"series"`
	Alerts    []DetectorPreviewAlert  `json:"alerts"`
	Truncated bool                    `json:"truncated"`
	Watched   int                     `json:"watched"`
	Learning  int                     `json:"learning"`
}

// DetectorPreviewSeries is one series with its band.
type DetectorPreviewSeries struct {
	Labels map[string]string `json:"labels"`
	Points []DetectorPoint   `json:"points"`
}

// DetectorPoint is a value and what it was held against.
type DetectorPoint struct {
	Time  time.Time `json:"time"`
	Value float64   `json:"value"`
	Low   float64   `json:"low"`
	Mid   float64   `json:"mid"`
	High  float64   `json:"high"`
}

// DetectorPreviewAlert is an alert that would have been raised.
type DetectorPreviewAlert struct {
	Labels      map[string]string `json:"labels"`
	Start       time.Time         `json:"start"`
	End         *time.Time        `json:"end,omitempty"` // absent while it fires at the end
	Explanation string            `json:"explanation"`
}

// DetectorCheck sees a stored detector before it is changed or deleted; its error ends that.
type DetectorCheck func(Detector) error

// Detectors keeps the tenants' detectors. Errors are of kind Invalid for fields that cannot be evaluated, and NotFound for an id that
// the tenant does not have.
type Detectors interface {
	ListDetectors(ctx context.Context, tenant seamark.TenantID) ([]Detector, []DetectorStatus, error)
	CreateDetector(ctx context.Context, tenant seamark.TenantID, f DetectorFields) (Detector, error)
	UpdateDetector(ctx context.Context, tenant seamark.TenantID, id string, f DetectorFields, check DetectorCheck) (Detector, error)
	DeleteDetector(ctx context.Context, tenant seamark.TenantID, id string, check DetectorCheck) error
	PreviewDetector(ctx context.Context, tenant seamark.TenantID, f DetectorFields, r seamark.TimeRange) (*DetectorPreview, error)
}

type detectorHandlers struct {
	detectors Detectors
	now       func() time.Time
}

// DetectorRoutes returns the routes for detectors.
func DetectorRoutes(detectors Detectors, now func() time.Time) []httpx.Route {
	h := detectorHandlers{detectors, now}
	const all, one, read, write = "/api/v1/alerting/detectors", "/api/v1/alerting/detectors/:id", "rules:read", "rules:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: write, Action: "detector.create", Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: one, Permission: write, Action: "detector.update", Handler: h.update},
		{Method: http.MethodDelete, Path: one, Permission: write, Action: "detector.delete", Handler: h.delete},
		{Method: http.MethodGet, Path: one + "/status", Permission: read, Handler: h.status},
		{Method: http.MethodPost, Path: "/api/v1/alerting/detector-preview", Permission: read, Handler: h.preview},
	}
}

func (h detectorHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	found, _, err := h.detectors.ListDetectors(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	page, err := httpx.Paginate(r, found, func(d *Detector) string { return d.ID })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

// lookUp returns one detector and its status.
func (h detectorHandlers) lookUp(r *httpx.Request) (Detector, DetectorStatus, error) {
	found, status, err := h.detectors.ListDetectors(r.Context(), r.Tenant())
	if err != nil {
		return Detector{}, DetectorStatus{}, err
	}
	for i := range found {
		if found[i].ID == r.Param("id") {
			return found[i], status[i], nil
		}
	}
	return Detector{}, DetectorStatus{}, seamark.Errorf(seamark.NotFound, "seamark-detector-unknown", "There is no such detector.")
}

func (h detectorHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	d, _, err := h.lookUp(r)
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, d)
}

func (h detectorHandlers) status(w http.ResponseWriter, r *httpx.Request) error {
	_, status, err := h.lookUp(r)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, status)
}

func (h detectorHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	var in DetectorFields
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := h.detectors.CreateDetector(r.Context(), r.Tenant(), in)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "detector/"+d.ID, d
	return writeTagged(w, r, http.StatusCreated, d)
}

func (h detectorHandlers) update(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	r.Change.Object = "detector/" + id
	var in DetectorFields
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := h.detectors.UpdateDetector(r.Context(), r.Tenant(), id, in, checkChange[Detector](w, r))
	if err != nil {
		return err
	}
	r.Change.After = d
	return writeTagged(w, r, http.StatusOK, d)
}

func (h detectorHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	r.Change.Object = "detector/" + id
	if err := h.detectors.DeleteDetector(r.Context(), r.Tenant(), id, checkChange[Detector](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// detectorPreviewBody asks what a detector would have said.
type detectorPreviewBody struct {
	Detector DetectorFields `json:"detector"`
	Start    time.Time      `json:"start,omitzero"` // a day before the end unless told
	End      time.Time      `json:"end,omitzero"`   // now unless told
}

func (h detectorHandlers) preview(w http.ResponseWriter, r *httpx.Request) error {
	var in detectorPreviewBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	if in.End.IsZero() {
		in.End = h.now()
	}
	if in.Start.IsZero() {
		in.Start = in.End.Add(-24 * time.Hour)
	}
	p, err := h.detectors.PreviewDetector(r.Context(), r.Tenant(), in.Detector, seamark.TimeRange{Start: in.Start, End: in.End})
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, p)
}
