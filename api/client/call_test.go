package client

import (
	"io"
	"net/http"
	"testing"
)

func TestRedirect(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusSeeOther, "text/plain", "", "Location", "https://idp.example.com/authorize?x=1", "Set-Cookie", "a=b"),
		answer(http.StatusFound, "text/plain", "", "Location", "https://elsewhere.example.com/"), answer(http.StatusSeeOther, "text/plain", ""))
	var meta Meta
	to, err := c.StartProvider(t.Context(), "corp", nil, Into(&meta))
	if err != nil || to != "https://idp.example.com/authorize?x=1" || meta.Header.Get("Set-Cookie") != "a=b" {
		t.Errorf("got %q, %v and %v", to, err, meta.Header)
	}
	if _, err := c.ListClusters(t.Context(), nil); !IsStatus(err, http.StatusFound) {
		t.Errorf("where no redirect belongs: got %v", err)
	}
	if _, err := c.StartProvider(t.Context(), "corp", nil); err == nil {
		t.Error("a redirect to nowhere is no error")
	}
	if len(s.seen) != 3 {
		t.Errorf("%d requests, so a redirect was followed", len(s.seen))
	}
}

// TestRespondAsync sends queries to the background, of which one is answered at once.
func TestRespondAsync(t *testing.T) {
	begun := answer(http.StatusAccepted, "application/json", `{"id":"J1","state":"queued","path":"/loki/api/v1/query"}`)
	c, s, _ := start(t, []http.HandlerFunc{begun, begun, answer(http.StatusOK, "application/json", `{"status":"success"}`)}...)
	var logs, sql, none QueryJob
	if found, err := c.LokiQuery(t.Context(), nil, RespondAsync(&logs)); err != nil || found.Status != nil || logs.ID != "J1" || logs.State != "queued" {
		t.Errorf("got %+v and the job %+v, %v", found, logs, err)
	}
	stream, err := c.QuerySQL(t.Context(), SQLQuery{Query: "SELECT 1"}, RespondAsync(&sql))
	if err != nil || sql.ID != "J1" {
		t.Fatalf("got the job %+v, %v", sql, err)
	}
	if text, err := io.ReadAll(stream); err != nil || len(text) > 0 {
		t.Errorf("got %q, %v", text, err)
	}
	if found, err := c.LokiQuery(t.Context(), nil, RespondAsync(&none)); err != nil || found.Status != "success" || none.ID != "" {
		t.Errorf("answered at once: got %+v and the job %+v, %v", found, none, err)
	}
	for _, r := range s.seen {
		if r.Header.Get("Prefer") != "respond-async" {
			t.Errorf("%s: Prefer is %q", r.URL, r.Header.Get("Prefer"))
		}
	}
}
