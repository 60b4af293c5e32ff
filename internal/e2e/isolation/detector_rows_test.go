package isolation_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

const detectors = "/api/v1/alerting/detectors"

// detectorBody is a detector that is named after the tenant's marker and the test.
func detectorBody(s *side, name string) string {
	return `{"name":"` + s.marker + " " + name + `","kind":"anomaly","expr":"same{}","interval_seconds":600}`
}

// detector makes a detector with the admin token and returns its path.
func (s *side) detector(t *testing.T) string {
	t.Helper()
	got := s.Do(t, s.Admin, http.MethodPost, detectors, http.Header{"Content-Type": {inJSON}}, detectorBody(s, time.Now().Format(time.RFC3339Nano)))
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(got.Body), &made); err != nil || got.Status != http.StatusCreated {
		t.Fatalf("make a detector: %d %s", got.Status, got.Body)
	}
	path := detectors + "/" + made.ID
	t.Cleanup(func() { s.Do(t, s.Admin, http.MethodDelete, path, nil, "") })
	return path
}

// detectorRows: who reads rules reads detectors, who writes them writes those. Suspects are found in one's own data.
func detectorRows() []row {
	const one = detectors + "/:id"
	own := func(more string) func(t *testing.T, w *world, s *side) []request {
		return func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.detector(t) + more}, {path: w.otherSide(s).detector(t) + more, status: http.StatusNotFound}}
		}
	}
	return []row{
		{method: http.MethodGet, path: detectors, may: readers, status: http.StatusOK, shows: readers, sends: func(t *testing.T, _ *world, s *side) []request {
			s.detector(t)
			return []request{{}}
		}},
		{method: http.MethodPost, path: detectors, may: editors, status: http.StatusCreated, sends: func(t *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: inJSON, body: detectorBody(s, t.Name())},
				{contentType: inJSON, body: `{"name":"x","kind":"anomaly","expr":"sum("}`, status: http.StatusBadRequest},
			}
		}, after: removeDetectors},
		{method: http.MethodGet, path: one, may: readers, status: http.StatusOK, shows: readers, sends: own("")},
		{method: http.MethodGet, path: one + "/status", may: readers, status: http.StatusOK, shows: readers, sends: own("/status")},
		{method: http.MethodPut, path: one, may: editors, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{
				{path: s.detector(t), contentType: inJSON, body: detectorBody(s, "changed "+time.Now().Format(time.RFC3339Nano))},
				{path: w.otherSide(s).detector(t), contentType: inJSON, body: detectorBody(s, "changed"), status: http.StatusNotFound},
			}
		}},
		{method: http.MethodDelete, path: one, may: editors, status: http.StatusNoContent, sends: own("")},
		{method: http.MethodPost, path: "/api/v1/alerting/detector-preview", may: readers, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: inJSON, body: `{"detector":` + detectorBody(s, "preview") + `}`},
				{contentType: inJSON, body: `{"detector":{"name":"x","kind":"none"}}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodPost, path: "/api/v1/alerting/suspects", may: readers, status: http.StatusOK, sends: func(_ *testing.T, _ *world, _ *side) []request {
			return []request{
				{contentType: inJSON, body: `{"labels":{"namespace":"shop"},"start":"` + time.Now().UTC().Format(time.RFC3339) + `"}`},
				{contentType: inJSON, body: `{"labels":{}}`, status: http.StatusBadRequest},
			}
		}},
	}
}

// removeDetectors deletes what requests have made.
func removeDetectors(t *testing.T, s *side) {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(s.Do(t, s.Admin, http.MethodGet, detectors, nil, "").Body), &list); err != nil {
		t.Fatal(err)
	}
	for _, d := range list.Items {
		s.Do(t, s.Admin, http.MethodDelete, detectors+"/"+d.ID, nil, "")
	}
}
