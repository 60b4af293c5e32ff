package isolation_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestTails opens tails of everything for two tenants whose streams are the same, pushes to both, and wants each tail to show
// what is its own, from the store and live, and nothing else. The marker stands in lines, labels and metadata.
func TestTails(t *testing.T) {
	w := newWorld(t)
	for _, s := range []*side{w.alpha, w.beta} {
		for _, credential := range []string{"query token", "viewer"} {
			conn := dialTail(t, w, s, credential)
			late := *w
			for range 3 { // the other one first and last, so that its lines would come
				late.start = time.Now() // a body that was sent already is the same request again
				late.pushLogs(t, w.sideOf(w.other(s)))
				late.pushLogs(t, s)
			}
			late.pushLogs(t, w.sideOf(w.other(s)))
			for shown, text := 0, ""; shown < 3*3; shown += strings.Count(text, `["`) {
				var err error
				if text, err = readTail(t.Context(), conn); err != nil {
					t.Fatalf("the tail of %s shows %d lines, want 9: %v", s.Slug, shown, err)
				}
				if strings.Contains(text, w.other(s)) {
					t.Errorf("the tail of %s shows %s: %s", s.Slug, w.other(s), text)
				}
				if !strings.Contains(text, s.marker) {
					t.Errorf("the tail of %s shows %s, want its own marker", s.Slug, text)
				}
			}
			_ = conn.CloseNow()
		}
	}
}

// readTail waits for a tail's next message.
func readTail(ctx context.Context, conn *websocket.Conn) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, text, err := conn.Read(ctx)
	return string(text), err
}

func (w *world) sideOf(marker string) *side {
	if marker == w.alpha.marker {
		return w.alpha
	}
	return w.beta
}

// dialTail opens a tail of all that a side may see, with the other tenant's id in the header that other systems take it from.
func dialTail(t *testing.T, w *world, s *side, credential string) *websocket.Conn {
	t.Helper()
	params := query("query", `{app=~".+"}`, "limit", "0", "start", strconv.FormatInt(time.Now().Add(time.Minute).UnixNano(), 10))
	header := bearer(s.tokens[credential])
	header.Set("Origin", s.App.URL())
	header.Set("X-Scope-OrgID", string(w.sideOf(w.other(s)).ID))
	conn, _, err := websocket.Dial(t.Context(), s.App.URL()+"/loki/api/v1/tail?"+params, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatalf("tail of %s: %v", s.Slug, err)
	}
	return conn
}

// TestTailOrigin refuses pages of another origin that come with a person's cookie: browsers ask nobody before they open a
// WebSocket.
func TestTailOrigin(t *testing.T) {
	w := newWorld(t)
	open := func(origin string, header http.Header) int {
		t.Helper()
		header = header.Clone()
		header.Set("Origin", origin)
		address := w.alpha.App.URL() + "/loki/api/v1/tail?" + query("query", "{}")
		conn, answer, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPHeader: header})
		if err == nil {
			_ = conn.CloseNow()
		}
		if answer == nil {
			t.Fatalf("no answer to a page of %s: %v", origin, err)
		}
		return answer.StatusCode
	}
	cookie := http.Header{"Cookie": {"seamark_session=" + w.alpha.tokens["viewer"]}}
	if status := open("https://evil.example.com", cookie); status != http.StatusForbidden {
		t.Errorf("a page of another origin with a person's cookie got %d, want 403", status)
	}
	if status := open(w.alpha.App.URL(), cookie); status != http.StatusSwitchingProtocols {
		t.Errorf("the console's own page got %d, want 101", status)
	}
	if status := open("https://grafana.example.com", bearer(w.alpha.tokens["query token"])); status != http.StatusSwitchingProtocols {
		t.Errorf("Grafana with its own origin and a token got %d, want 101", status)
	}
}
