package isolation_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
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
				if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if err := websocket.Message.Receive(conn, &text); err != nil {
					t.Fatalf("the tail of %s shows %d lines, want 9: %v", s.Slug, shown, err)
				}
				if strings.Contains(text, w.other(s)) {
					t.Errorf("the tail of %s shows %s: %s", s.Slug, w.other(s), text)
				}
				if !strings.Contains(text, s.marker) {
					t.Errorf("the tail of %s shows %s, want its own marker", s.Slug, text)
				}
			}
			_ = conn.Close()
		}
	}
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
	config, err := websocket.NewConfig("ws://"+s.App.HTTPAddr()+"/loki/api/v1/tail?"+params, s.App.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.Header = bearer(s.tokens[credential])
	config.Header.Set("X-Scope-OrgID", string(w.sideOf(w.other(s)).ID))
	conn, err := config.DialContext(t.Context())
	if err != nil {
		t.Fatalf("tail of %s: %v", s.Slug, err)
	}
	return conn
}

// TestTailOrigin refuses pages of another origin that come with a person's cookie: browsers ask nobody before they open a
// WebSocket.
func TestTailOrigin(t *testing.T) {
	w := newWorld(t)
	open := func(origin string, header http.Header) error {
		t.Helper()
		config, err := websocket.NewConfig("ws://"+w.alpha.App.HTTPAddr()+"/loki/api/v1/tail?"+query("query", "{}"), origin)
		if err != nil {
			t.Fatal(err)
		}
		config.Header = header
		conn, err := config.DialContext(t.Context())
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	cookie := http.Header{"Cookie": {"seamark_session=" + w.alpha.tokens["viewer"]}}
	if err := open("https://evil.example.com", cookie); err == nil {
		t.Error("a page of another origin opened a tail with a person's cookie")
	}
	if err := open(w.alpha.App.URL(), cookie); err != nil {
		t.Errorf("the console's own page got %v", err)
	}
	if err := open("https://grafana.example.com", bearer(w.alpha.tokens["query token"])); err != nil {
		t.Errorf("Grafana with its own origin and a token got %v", err)
	}
}
