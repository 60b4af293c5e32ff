package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
)

// tails opens a live tail and pushes a line that it must show.
func tails(t *testing.T, w *world) error {
	var meta client.Meta
	tail, err := w.query.LokiTail(t.Context(), &client.LokiTailParams{Query: new(`{app="tailed"}`)}, client.Into(&meta))
	if err != nil {
		return err
	}
	if meta.Status != http.StatusSwitchingProtocols {
		t.Errorf("the status is %d", meta.Status)
	}
	now := strconv.FormatInt(time.Now().UnixNano(), 10)
	push := client.LokiPush{Streams: []client.LokiPush_Streams{{Stream: map[string]string{"app": "tailed"}, Values: [][]any{{now, "as it arrives"}}}}}
	if err := w.ingest.PushLoki(t.Context(), jsonBody(push)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	text, err := tail.Next(ctx)
	if err != nil {
		return err
	}
	var message struct {
		Streams []struct {
			Stream map[string]string
			Values [][]string
		}
	}
	if err := json.Unmarshal(text, &message); err != nil {
		return err
	}
	if s := message.Streams; len(s) != 1 || s[0].Stream["app"] != "tailed" || len(s[0].Values) != 1 || s[0].Values[0][0] != now || s[0].Values[0][1] != "as it arrives" {
		t.Errorf("got %s, want the line", text)
	}
	return tail.Close()
}
