package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// SuspectQuery is the alert that suspects are wanted for.
type SuspectQuery struct {
	Labels map[string]string
	Start  time.Time
	Window time.Duration
	Limit  int
}

// SuspectAnswer is what changed around the start of an alert, the likeliest cause first.
type SuspectAnswer struct {
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Items      []Suspect `json:"items"`
	Considered int       `json:"considered"`
	Missing    []string  `json:"missing"`
}

// Suspect is one thing that changed.
type Suspect struct {
	Kind      string            `json:"kind"`
	Score     float64           `json:"score"`
	Time      time.Time         `json:"time"`
	Cluster   string            `json:"cluster,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Object    string            `json:"object"`
	Summary   string            `json:"summary"`
	Relation  string            `json:"relation"`
	Evidence  []SuspectEvidence `json:"evidence"`
}

// SuspectEvidence is one observation about a suspect.
type SuspectEvidence struct {
	Source string    `json:"source"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"`
	Weight float64   `json:"weight"`
}

// SuspectFinder finds suspects in what the scope may see.
type SuspectFinder interface {
	FindSuspects(ctx context.Context, scope seamark.Scope, q SuspectQuery) (*SuspectAnswer, error)
}

// suspectBody is the request's body.
type suspectBody struct {
	Labels        map[string]string `json:"labels"`
	Start         time.Time         `json:"start"`
	WindowSeconds int64             `json:"window_seconds,omitempty"`
	Limit         int               `json:"limit,omitempty"`
}

// SuspectRoutes returns the route for suspects.
func SuspectRoutes(finder SuspectFinder) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodPost, Path: "/api/v1/alerting/suspects", Permission: "data:read", HonoursScope: true,
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			var in suspectBody
			if err := httpx.ReadJSON(r, &in); err != nil {
				return err
			}
			const most = 31 * 24 * 3600 // a number of seconds that a duration holds
			q := SuspectQuery{Labels: in.Labels, Start: in.Start, Window: time.Duration(max(-1, min(in.WindowSeconds, most))) * time.Second, Limit: in.Limit}
			found, err := finder.FindSuspects(r.Context(), r.Scope(), q)
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, found)
		},
	}}
}
