package esbulk_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/esbulk"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestAppendResponse(t *testing.T) {
	body := "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"message\":\"x\"}\n{\"index\":{\"_index\":\"b\\\"\"}}\n{\"message\":\"y\"}\n"
	items, b := decode(t, body, esbulk.Options{})
	got := string(esbulk.AppendResponse([]byte("> "), items, &b.Rejected, 1500*time.Millisecond))
	want := `> {"took":1500,"errors":false,"items":[{"create":{"_index":"a","_id":"1","_version":1,"result":"created","status":201}},` +
		`{"index":{"_index":"b\"","_id":"` + got[len(got)-len(`0123456789abcdef","_version":1,"result":"created","status":201}}]}`):][:16] + `","_version":1,"result":"created","status":201}}]}`
	if got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestAppendResponseNamesRefusals(t *testing.T) {
	body := "{\"create\":{}}\n{\"message\":\"a\"}\n{\"delete\":{\"_id\":\"9\"}}\n{\"create\":{\"_id\":\"3\"}}\n{\"message\":\"b\"}\n{\"create\":{\"_id\":\"4\"}}\n{\"message\":\"c\"}\n{\"create\":{\"_id\":\"5\"}}\n{\"message\":\"d\"}\n"
	items, b := decode(t, body, esbulk.Options{Index: "i"})
	b.Rejected.Add(seamark.Logs, 1, "seamark-line-bytes", "A line is \"long\".")
	b.Rejected.LogRows = append(b.Rejected.LogRows, seamark.RejectedRow{Row: 1, Reason: 1})
	items[3].Refuse(http.StatusConflict, "seamark-row-duplicate", "It is stored.")
	items[4].Refuse(http.StatusTooManyRequests, "seamark-quota-rows", "Slow down.")
	var got struct {
		Took   int
		Errors bool
		Items  []map[string]struct {
			Index  string `json:"_index"`
			ID     string `json:"_id"`
			Status int
			Error  struct{ Type, Reason string }
		}
	}
	text := esbulk.AppendResponse(nil, items, &b.Rejected, -time.Second)
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if !got.Errors || got.Took != 0 || len(got.Items) != 5 {
		t.Fatalf("got %s, want errors and 5 items", text)
	}
	for i, want := range []struct {
		action, id string
		status     int
		kind       string
		reason     string
	}{
		{"create", "", 201, "", ""},
		{"delete", "9", 400, "document_parsing_exception", "The action delete of line 3 is not supported: lines are stored once and expire. Send create or index. [seamark-bulk-unsupported]"},
		{"create", "3", 400, "document_parsing_exception", `A line is "long". [seamark-line-bytes]`},
		{"create", "4", 409, "version_conflict_engine_exception", "It is stored. [seamark-row-duplicate]"},
		{"create", "5", 429, "es_rejected_execution_exception", "Slow down. [seamark-quota-rows]"},
	} {
		item, ok := got.Items[i][want.action]
		if !ok || item.Index != "i" || want.id != "" && item.ID != want.id || item.Status != want.status || item.Error.Type != want.kind || item.Error.Reason != want.reason {
			t.Errorf("item %d: got %+v, want %+v", i, got.Items[i], want)
		}
	}
}

func TestItemsWithoutIDGetDifferentOnes(t *testing.T) {
	items, b := decode(t, "{\"create\":{}}\n{\"message\":\"a\"}\n{\"create\":{}}\n{\"message\":\"a\"}\n", esbulk.Options{})
	var got struct {
		Items []map[string]struct {
			ID string `json:"_id"`
		}
	}
	if err := json.Unmarshal(esbulk.AppendResponse(nil, items, &b.Rejected, 0), &got); err != nil {
		t.Fatal(err)
	}
	if first, second := got.Items[0]["create"].ID, got.Items[1]["create"].ID; first == second || len(first) != 16 {
		t.Fatalf("got ids %q and %q", first, second)
	}
}

func TestAppendError(t *testing.T) {
	for status, kind := range map[int]string{400: "illegal_argument_exception", 401: "security_exception", 403: "security_exception", 404: "resource_not_found_exception",
		413: "content_too_long_exception", 429: "es_rejected_execution_exception", 503: "unavailable_shards_exception"} {
		var got struct {
			Error struct {
				Type, Reason string
				RootCause    []struct{ Type, Reason string } `json:"root_cause"`
			}
			Status int
		}
		text := esbulk.AppendError(nil, status, "seamark-x-y", `No "way".`)
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		const reason = `No "way". [seamark-x-y]`
		if got.Status != status || got.Error.Type != kind || got.Error.Reason != reason || len(got.Error.RootCause) != 1 || got.Error.RootCause[0].Type != kind || got.Error.RootCause[0].Reason != reason {
			t.Errorf("got %s", text)
		}
	}
}
