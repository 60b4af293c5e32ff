package overload

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// A server with little room, and what takes it: bodies that stop in the middle.
const (
	smallBody = 900 << 10
	smallRoom = 2 << 20
	stalled   = 24          // senders at once, of which about eleven hold all the room
	stallBody = 120_000     // bytes that each announces
	stallSent = 100_000     // bytes that it sends, for which it may take half a minute
	padding   = 300 << 10   // of good pushes, so that they need more room than a stalled sender leaves
	shedQuota = 50          // rows a second, and at once
	shedDebt  = 2000        // rows of a push that is taken whole, and paid for in the next 40 s
	pressFor  = time.Minute // until when the room must be taken
)

// shed is a server under pressure, and a tenant within its quota beside one above it.
type shed struct {
	*harness.Server
	t          *testing.T
	calm, over *harness.Account
	client     *http.Client
}

// TestShedOrder wants every refusal to say what the sender should do, whatever else is wrong: 401 and 4xx to what can never
// succeed and 429 to who is over a quota, both before memory is asked for, and 503 to the rest while there is no memory.
func TestShedOrder(t *testing.T) {
	rows := strconv.Itoa(shedQuota)
	s := harness.Serve(t, t.TempDir(), "serve", "--ingest.max-body-bytes", strconv.Itoa(smallBody), "--ingest.max-inflated-bytes", strconv.Itoa(smallBody),
		"--ingest.max-inflight-bytes", strconv.Itoa(smallRoom), "--quota.rows-per-second", rows, "--quota.rows-burst", rows)
	x := &shed{Server: s, t: t, calm: harness.NewAccount(s.Admin(t), "calm"), over: harness.NewAccount(s.Admin(t), "over"), client: newClient(t, 16)}

	x.expect("a good push", x.send(x.calm.Ingest, mediaJSON, padded("1")), http.StatusNoContent, false)
	x.expect("an invalid push", x.send(x.calm.Ingest, mediaJSON, []byte("{")), http.StatusBadRequest, false)
	x.expect("a push over the quota at once", x.send(x.over.Ingest, mediaJSON, lines("over", "1", shedDebt)), http.StatusNoContent, false)
	x.expectQuota("a push over the quota")

	free := x.press()
	x.expectBusy("a good push under pressure", padded("2"))
	x.expectQuota("a push over the quota under pressure") // waiting for memory would not help its sender
	x.expect("no token under pressure", x.send("", mediaJSON, padded("3")), http.StatusUnauthorized, false)
	x.expect("an unknown format under pressure", x.send(x.calm.Ingest, "text/xml", []byte("<x/>")), http.StatusUnsupportedMediaType, false)
	x.expect("a push too large under pressure", x.send(x.calm.Ingest, mediaJSON, make([]byte, smallBody+1)), http.StatusRequestEntityTooLarge, false)
	// Nobody has read it, so nobody can say that it is invalid.
	x.expectBusy("an invalid push under pressure", []byte(strings.Repeat("{", padding)))
	x.expectReading()
	free()

	testkit.Eventually(t, pressFor, func() error {
		if answer := x.send(x.calm.Ingest, mediaJSON, padded("2")); answer.Status != http.StatusNoContent {
			return fmt.Errorf("the push that was to be repeated: %d %s", answer.Status, answer.Body)
		}
		return nil
	})
	x.expect("an invalid push after it", x.send(x.calm.Ingest, mediaJSON, []byte("{")), http.StatusBadRequest, false)
}

func (x *shed) send(token, media string, body []byte) *harness.Answer {
	x.t.Helper()
	answer, err := harness.Do(context.Background(), x.client, &harness.Request{URL: x.URL + pushPath, Token: token, Type: media, Body: body})
	if err != nil {
		x.t.Fatal(err)
	}
	return answer
}

// expect checks a status, and that Retry-After stands with the refusals that end, and with no other.
func (x *shed) expect(what string, answer *harness.Answer, status int, retry bool) {
	x.t.Helper()
	after := answer.Header.Get("Retry-After")
	if answer.Status != status {
		x.t.Errorf("%s got %d, want %d: %s", what, answer.Status, status, answer.Body)
	}
	if seconds, err := strconv.Atoi(after); retry != (err == nil && seconds > 0) {
		x.t.Errorf("%s got %d with Retry-After %q", what, answer.Status, after)
	}
}

// expectQuota pushes for the tenant that is over its quota.
func (x *shed) expectQuota(what string) {
	x.t.Helper()
	answer := x.send(x.over.Ingest, mediaJSON, lines("over", what, 1))
	x.expect(what, answer, http.StatusTooManyRequests, true)
	if !strings.Contains(string(answer.Body), "--quota.rows-per-second") {
		x.t.Errorf("429 does not name the limit: %s", answer.Body)
	}
}

// padded is a push of five lines in a large body.
func padded(id string) []byte {
	return append(lines("calm", id, 5), strings.Repeat(" ", padding)...)
}

// expectBusy pushes until the answer is 503: the room is not taken in the moment in which one stalled sender makes way for
// the next.
func (x *shed) expectBusy(what string, body []byte) {
	x.t.Helper()
	var answer *harness.Answer
	testkit.Eventually(x.t, pressFor, func() error {
		if answer = x.send(x.calm.Ingest, mediaJSON, body); answer.Status != http.StatusServiceUnavailable {
			return fmt.Errorf("%s got %d: %s", what, answer.Status, answer.Body)
		}
		return nil
	})
	x.expect(what, answer, http.StatusServiceUnavailable, true)
}

// press keeps the room for bodies taken until free is called.
func (x *shed) press() (free func()) {
	ctx, cancel := context.WithCancel(context.Background())
	x.t.Cleanup(cancel)
	var wait sync.WaitGroup
	for range stalled {
		wait.Go(func() {
			for ctx.Err() == nil {
				x.stall(ctx)
			}
		})
	}
	return func() { cancel(); wait.Wait() }
}

// stall sends the beginning of a body, and waits until the server hangs up or the pressure is to end.
func (x *shed) stall(ctx context.Context) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(x.URL, "http://"))
	if err != nil {
		x.t.Error(err)
		return
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		pushPath, x.calm.Ingest, mediaJSON, stallBody, strings.Repeat(" ", stallSent))
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// expectReading wants queries and readiness to go on while ingest sheds.
func (x *shed) expectReading() {
	x.t.Helper()
	if _, err := harness.LogQL(context.Background(), x.URL, x.calm.Query, `sum(count_over_time({app="calm"}[1h]))`); err != nil {
		x.t.Errorf("a query under pressure: %v", err)
	}
	answer, err := harness.Do(context.Background(), x.client, &harness.Request{Method: http.MethodGet, URL: x.AdminURL + "/readyz"})
	if err != nil || answer.Status != http.StatusOK {
		x.t.Errorf("readiness under pressure: %+v %v", answer, err)
	}
}
