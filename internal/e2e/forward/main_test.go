// Package forward_test forwards logs from the built binary to real targets, through crashes of the server and outages of the
// targets, and compares what has arrived with what was pushed.
package forward_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const within = 2 * time.Minute

// world is a server with a tenant that may forward to this machine.
type world struct {
	*harness.Server
	*harness.Account
	admin string // a token that may change forwarders
	dir   string
}

func serve(t *testing.T, dir string, more ...string) *harness.Server {
	t.Helper()
	return harness.Serve(t, dir, append([]string{"serve", "--writer.max-batch-age", "100ms", "--forwarders.allowed-targets", "127.0.0.0/8"}, more...)...)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.Server = serve(t, w.dir)
	w.Account = harness.NewAccount(w.Admin(t), "acme")
	var token struct {
		Token string `json:"token"`
	}
	harness.Admin(t, w.dir, &token, "token", "create", "acme", "--kind", "admin")
	w.admin = token.Token
	return w
}

// restart kills the server as a crash does and starts it again.
func (w *world) restart(t *testing.T) {
	t.Helper()
	w.Kill()
	w.Server = serve(t, w.dir)
}

// do sends a control-plane request and decodes its answer into out, when that is not nil.
func (w *world) do(t *testing.T, method, path, body string, status int, out any) {
	t.Helper()
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: method, URL: w.URL + path, Token: w.admin, Type: "application/json", Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != status {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, a.Body)
		}
	}
}

// report is the part of a forwarder's status that the tests look at.
type report struct {
	State       string  `json:"state"`
	LagMessages uint64  `json:"lag_messages"`
	LagSeconds  float64 `json:"lag_seconds"`
	Delivered   uint64  `json:"delivered_rows"`
	Filtered    uint64  `json:"filtered_rows"`
	Failed      uint64  `json:"failed_rows"`
	Lost        uint64  `json:"lost_messages"`
	LastError   *struct {
		Message string `json:"message"`
	} `json:"last_error"`
}

// until waits for a status that check has nothing against.
func (w *world) until(t *testing.T, name string, check func(r report) bool) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		var r report
		w.do(t, http.MethodGet, "/api/v1/forwarders/"+name+"/status", "", http.StatusOK, &r)
		if !check(r) {
			return fmt.Errorf("status of %s: %+v", name, r)
		}
		return nil
	})
}

// line is a log line of a test; its labels are those of its stream.
type line struct{ app, text string }

// push sends lines in one request and returns whether the server has acknowledged them.
func (w *world) push(t *testing.T, lines ...line) bool {
	t.Helper()
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][]string        `json:"values"`
	}
	var streams []stream
	now := time.Now().UnixNano()
	for i, l := range lines {
		streams = append(streams, stream{map[string]string{"app": l.app, "namespace": "shop"}, [][]string{{strconv.FormatInt(now+int64(i), 10), l.text}}})
	}
	body, err := json.Marshal(map[string]any{"streams": streams})
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/loki/api/v1/push", Token: w.Ingest, Type: "application/json", Body: body})
	return err == nil && a.Status == http.StatusNoContent
}

// target is a webhook. While down it answers 503.
type target struct {
	*httptest.Server
	mu      sync.Mutex // guards all below
	down    bool
	batches map[string][]row // what was acknowledged, by batch
	repeats int
	auth    string
}

type row struct {
	Time   time.Time         `json:"time"`
	Line   string            `json:"line"`
	Labels map[string]string `json:"labels"`
	Parsed map[string]string `json:"parsed"`
}

func newTarget(t *testing.T) *target {
	t.Helper()
	h := &target{batches: map[string][]row{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		rows, err := decode(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil || h.down {
			out.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		id := r.Header.Get("X-Seamark-Batch")
		if have, ok := h.batches[id]; ok {
			h.repeats++
			if fmt.Sprint(have) != fmt.Sprint(rows) {
				t.Errorf("batch %s came again with other rows", id)
			}
		}
		h.batches[id], h.auth = rows, r.Header.Get("Authorization")
	}))
	t.Cleanup(h.Close)
	return h
}

func decode(body io.Reader) ([]row, error) {
	plain, err := gzip.NewReader(body)
	if err != nil {
		return nil, err
	}
	var rows []row
	for dec := json.NewDecoder(plain); ; {
		var r row
		if err := dec.Decode(&r); err == io.EOF {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
}

func (h *target) setDown(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = down
}

// lines counts the different batches' rows by their text.
func (h *target) lines() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	count := map[string]int{}
	for _, rows := range h.batches {
		for _, r := range rows {
			count[r.Line]++
		}
	}
	return count
}

// has waits until the target has each of the lines once.
func (h *target) has(t *testing.T, want []string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := h.lines()
		for _, text := range want {
			if got[text] == 0 {
				return fmt.Errorf("%d of %d lines; %q is missing", len(got), len(want), text)
			}
		}
		return nil
	})
}

func (h *target) definition(filter, more string) string {
	return fmt.Sprintf(`{"filter":%q,"target":{"webhook":{"url":%q%s}},"batch":{"max_rows":50,"max_age_seconds":1}}`, filter, h.URL+"/in", more)
}

func texts(prefix string, from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, prefix+strings.Repeat("0", 5-len(strconv.Itoa(i)))+strconv.Itoa(i))
	}
	return list
}
