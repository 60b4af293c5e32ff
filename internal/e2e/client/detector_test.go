package client_test

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
)

// detectorCalls drive the routes about detectors and suspects.
func detectorCalls() []call {
	var id string
	spec := client.DetectorSpec{Name: "Errors", Kind: client.DetectorKindAnomaly, Expr: new(`sum by (cluster) (rate(errors_total[5m]))`), IntervalSeconds: new(int64(300))}
	return []call{
		{"createDetector", func(t *testing.T, w *world) error {
			made, err := w.owner.CreateDetector(t.Context(), spec)
			if err != nil {
				return err
			}
			id = made.ID
			return nil
		}},
		{"listDetectors", func(t *testing.T, w *world) error { return one(w.owner.ListDetectors(t.Context(), nil)) }},
		{"findDetector", func(t *testing.T, w *world) error { return one(w.owner.FindDetector(t.Context(), id)) }},
		{"showDetectorStatus", func(t *testing.T, w *world) error { return one(w.owner.ShowDetectorStatus(t.Context(), id)) }},
		{"updateDetector", func(t *testing.T, w *world) error {
			var meta client.Meta
			if _, err := w.owner.FindDetector(t.Context(), id, client.Into(&meta)); err != nil {
				return err
			}
			changed := spec
			changed.Name = "MoreErrors"
			return one(w.owner.UpdateDetector(t.Context(), id, changed, client.IfMatch(meta.ETag)))
		}},
		{"previewDetector", func(t *testing.T, w *world) error {
			return one(w.owner.PreviewDetector(t.Context(), client.DetectorPreviewQuery{Detector: spec}))
		}},
		{"findSuspects", func(t *testing.T, w *world) error {
			return one(w.owner.FindSuspects(t.Context(), client.SuspectQuery{Labels: map[string]string{"namespace": "shop"}, Start: time.Now()}))
		}},
		{"deleteDetector", func(t *testing.T, w *world) error { return w.owner.DeleteDetector(t.Context(), id) }},
	}
}
