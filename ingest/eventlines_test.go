package ingest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/ledger"
)

// recorder is a ledger that remembers what it was told.
type recorder struct {
	mu    sync.Mutex // guards drops
	drops []ledger.Drop
}

func (r *recorder) Record(d ledger.Drop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drops = append(r.drops, d)
}

// take returns what was told since the last time as "<reason> x<rows>: <detail>".
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, d := range r.drops {
		list = append(list, fmt.Sprintf("%s x%d: %s", d.Reason, d.Rows, d.Detail))
	}
	r.drops = nil
	return list
}

// TestRefusalsNameWhatWasSent sends rows that are too old, too far ahead and too long: each is counted once, and called what its
// sender calls it, also where it would have become a log line.
func TestRefusalsNameWhatWasSent(t *testing.T) {
	r, told := newRig(t), &recorder{}
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	r.openFront(func(o *ingest.Options) {
		o.Registerer, o.Ledger, o.Now = prometheus.NewRegistry(), told, func() time.Time { return at }
		o.Limits.MaxLineBytes, o.Limits.MaxAge, o.Limits.MaxFuture = 1000, 24*time.Hour, time.Hour
	})
	const window = " lies outside the window from 24h0m0s behind to 1h0m0s ahead of the server's clock, which says 2026-03-04T05:06:07Z (--ingest.max-age, --ingest.max-future)."
	event := func(first, last time.Time, message string) string {
		return fmt.Sprintf(`{"kind":"Event","apiVersion":"v1","metadata":{"name":"e","namespace":"shop","uid":"1b4e28ba-2fa1-11d2-883f-0016d3cca427"},`+
			`"involvedObject":{"kind":"Pod","namespace":"shop","name":"web-1"},"reason":"BackOff","message":%q,"type":"Warning",`+
			`"firstTimestamp":%q,"lastTimestamp":%q}`, message, first.Format(time.RFC3339), last.Format(time.RFC3339))
	}
	audit := func(id string, at time.Time, uri string) string {
		return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":%q,"stage":"ResponseComplete","requestURI":%q,"verb":"get","stageTimestamp":%q}`,
			id, uri, at.Format(time.RFC3339))
	}
	old, long := at.Add(-25*time.Hour), strings.Repeat("x", 1000)

	w := r.push("/api/v1/push/events", "application/json", "["+event(at, at, "good")+","+event(old, old, "old")+"]")
	want := "seamark-time-window x1: An event of 2026-03-03T04:06:07Z" + window
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "1 of 3 rows were refused; the others are stored. "+want) // the good one is an event and a line
	require.Equal(t, []string{want}, told.take())

	w = r.push("/api/v1/push/events", "application/json", event(at.Add(2*time.Hour), at, "begins after its end"))
	want = "seamark-time-window x1: An event of 2026-03-04T07:06:07Z" + window
	require.Contains(t, w.Body.String(), "No row was stored; 1 were refused. "+want)
	require.Equal(t, []string{want}, told.take())

	w = r.push("/api/v1/push/events", "application/json", event(at, at, long))
	require.Contains(t, w.Body.String(), "1 of 2 rows were refused; the others are stored. seamark-line-bytes x1: An event has ")
	require.Contains(t, w.Body.String(), " bytes as a log line; the limit is 1000 (--ingest.max-line-bytes). It is stored as an event alone.")
	require.Len(t, told.take(), 1)

	list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + audit("a", at, "/api") + "," + audit("b", old, "/api") + "," + audit("c", at, long) + "]}"
	w = r.push("/api/v1/push/audit", "application/json", list)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, []string{
		"seamark-time-window x1: An audit event of 2026-03-03T04:06:07Z" + window,
		fmt.Sprintf("seamark-line-bytes x1: An audit event has %d bytes; the limit is 1000 (--ingest.max-line-bytes).", len(audit("c", at, long))),
	}, told.take())

	loki := fmt.Sprintf(`{"streams":[{"stream":{"app":"web"},"values":[["%d","old"],["%d",%q]]}]}`, old.UnixNano(), at.UnixNano(), long+"x")
	r.push("/loki/api/v1/push", "application/json", loki)
	require.Equal(t, []string{
		"seamark-time-window x1: A line of 2026-03-03T04:06:07Z" + window,
		"seamark-line-bytes x1: A line has 1001 bytes; the limit is 1000 (--ingest.max-line-bytes).",
	}, told.take()[:2])
}
