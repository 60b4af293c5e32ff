package abuse

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// raw is a case of TestRawRequests. In sent, TOKEN is the ingest token, and HIDDEN a whole push that a proxy would take for a
// body: were it answered, it would be somebody else's request.
type raw struct {
	name, sent string
	status     []int // 0 is a connection closed without an answer
	then       int   // status of a second answer, 0 when there must be none
}

// pushHead is the head of a push, to be followed by more headers.
const pushHead = "POST /loki/api/v1/push HTTP/1.1\r\nHost: seamark\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n"

func rawRequests() []raw {
	bad := []int{400}
	return []raw{
		{"content-length twice", pushHead + "Content-Length: 2\r\nContent-Length: 300\r\n\r\n{}HIDDEN", bad, 0},
		{"content-length list", pushHead + "Content-Length: 2, 300\r\n\r\n{}HIDDEN", bad, 0},
		{"content-length signed", pushHead + "Content-Length: +2\r\n\r\n{}HIDDEN", bad, 0},
		{"content-length negative", pushHead + "Content-Length: -1\r\n\r\n{}HIDDEN", bad, 0},
		{"content-length hexadecimal", pushHead + "Content-Length: 0x2\r\n\r\n{}HIDDEN", bad, 0},
		{"content-length too large", pushHead + "Content-Length: 99999999999999999999\r\n\r\n{}HIDDEN", bad, 0},
		{"content-length huge", pushHead + "Content-Length: 9223372036854775807\r\n\r\n{}HIDDEN", []int{413}, 0},
		{"unknown transfer-encoding", pushHead + "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", []int{400, 501}, 0},
		{"transfer-encoding twice", pushHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", []int{400, 501}, 0},
		{"transfer-encoding list", pushHead + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", []int{400, 501}, 0},
		{"transfer-encoding with a tab", pushHead + "Transfer-Encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", []int{400, 501}, 0},
		{"blank before colon", pushHead + "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}HIDDEN", bad, 0},
		// A folded line belongs to the header before it (RFC 9112, 5.2), so there is no body, and "{}POST" is no method.
		{"folded header", pushHead + " Content-Length: 2\r\n\r\n{}HIDDEN", bad, 400},
		{"nul in value", pushHead + "X-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}HIDDEN", bad, 0},
		{"bare cr in value", pushHead + "X-A: a\rContent-Length: 300\r\nContent-Length: 2\r\n\r\n{}HIDDEN", bad, 0},
		{"chunk size overflow", pushHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}\r\n0\r\n\r\nHIDDEN", bad, 0},
		{"chunk size signed", pushHead + "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\nHIDDEN", bad, 0},
		{"chunk longer than told", pushHead + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\nHIDDEN", bad, 0},
		{"endless chunk extension", pushHead + "Transfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 20<<10) + "\r\n{}\r\n0\r\n\r\nHIDDEN", bad, 0},
		{"no host", "POST /loki/api/v1/push HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\nContent-Length: 2\r\n\r\n{}HIDDEN", bad, 0},
		{"host twice", pushHead + "Host: other\r\nContent-Length: 2\r\n\r\n{}HIDDEN", bad, 0},
		{"odd host", "POST /loki/api/v1/push HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\n{}HIDDEN", bad, 0},
		{"odd method", "PO ST /loki/api/v1/push HTTP/1.1\r\nHost: seamark\r\n\r\nHIDDEN", bad, 0},
		{"odd version", "POST /loki/api/v1/push HTTP/3.7\r\nHost: seamark\r\n\r\nHIDDEN", []int{400, 505}, 0},
		{"no version", "POST /loki/api/v1/push\r\nHost: seamark\r\n\r\nHIDDEN", bad, 0},
		{"binary", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\nHIDDEN", []int{0, 400}, 0},
		{"large header", pushHead + "X-A: " + strings.Repeat("a", 64<<10) + "\r\nContent-Length: 2\r\n\r\n{}HIDDEN", []int{431}, 0},
		{"many headers", pushHead + strings.Repeat("X-A: a\r\n", 8<<10) + "Content-Length: 2\r\n\r\n{}HIDDEN", []int{431}, 0},
		{"long path", "POST /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: seamark\r\n\r\nHIDDEN", []int{414, 431}, 0},
		{"escape out of the root", "POST /../../etc/passwd HTTP/1.1\r\nHost: seamark\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}HIDDEN", []int{404, 405}, 0},
		{"odd escape", "POST /loki/%zz HTTP/1.1\r\nHost: seamark\r\n\r\nHIDDEN", bad, 0},
		{"connect", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nConnection: close\r\n\r\n", []int{400, 404, 405}, 0},
		{"unknown expectation", pushHead + "Expect: the-unexpected\r\nContent-Length: 2\r\n\r\n", []int{417}, 0},
		// net/http follows Transfer-Encoding, as RFC 9112, 6.3 lets it, and hides the other header from us; it does not close the
		// connection. What stands behind is a request of its own, with a credential of its own.
		{"both lengths", pushHead + "Content-Length: 300\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHIDDEN", bad, 204},
	}
}

// TestRawRequests writes requests that two readers could take for different ones, and wants them refused and the connection
// closed: what stands behind them must not be answered.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	hidden := goodLogs(time.Now(), 1)
	hidden = fmt.Appendf(nil, "%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", pushHead, len(hidden), hidden)
	for _, c := range rawRequests() {
		t.Run(c.name, func(t *testing.T) {
			sent := strings.ReplaceAll(strings.ReplaceAll(c.sent, "HIDDEN", string(hidden)), "TOKEN", g.account.Ingest)
			statuses, err := g.speak(sent)
			if err != nil {
				t.Fatal(err)
			}
			statuses = append(statuses, 0, 0)
			if !slices.Contains(c.status, statuses[0]) {
				t.Errorf("status %d, want one of %v", statuses[0], c.status)
			}
			if statuses[1] != c.then {
				t.Errorf("what stood behind the request got status %d, want %d", statuses[1], c.then)
			}
		})
	}
	g.alive()
}

// speak writes bytes on a connection of their own and returns the statuses of all answers, up to its end.
func (g *target) speak(sent string) ([]int, error) {
	conn, err := net.Dial("tcp", g.host())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	_, _ = io.WriteString(conn, sent) // the server may have hung up before the end
	_ = conn.(*net.TCPConn).CloseWrite()
	var statuses []int
	for reader := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses, nil
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		statuses = append(statuses, answer.StatusCode)
	}
}

// TestIdentityHeadersSayNothing sends the headers by which other systems name a tenant: the token alone does.
func TestIdentityHeadersSayNothing(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	other := harness.NewAccount(g.Admin(t), "other")
	const marker = "identity"
	at := time.Now()
	body := fmt.Appendf(nil, `{"streams":[{"stream":{"app":%q},"values":[["%d","one"]]}]}`, marker, at.UnixNano())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+lokiJSON.path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"X-Scope-OrgID", "X-Tenant", "X-Tenant-ID", "X-Seamark-Tenant", "THANOS-TENANT", "AccountID", "X-Remote-User", "X-Forwarded-User"} {
		req.Header.Set(name, other.Slug)
	}
	req.Header.Set("Authorization", "Bearer "+g.account.Ingest)
	req.Header.Set("Content-Type", "application/json")
	answer, err := g.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d", answer.StatusCode)
	}
	count := func(token string) (float64, error) {
		list, err := harness.LogQL(context.Background(), g.URL, token, `sum(count_over_time({app="`+marker+`"}[1h]))`)
		if err != nil || len(list) == 0 {
			return 0, err
		}
		return list[0].Point.Value, nil
	}
	testkit.Eventually(t, 30*time.Second, func() error {
		n, err := count(g.account.Query)
		if err == nil && n != 1 {
			err = fmt.Errorf("the token's own tenant has %v rows", n)
		}
		return err
	})
	if n, err := count(other.Query); err != nil || n != 0 {
		t.Errorf("the tenant that the headers name has %v rows, %v", n, err)
	}
}

// TestSkewedClocks sends samples of two days ago and two days ahead: the first are stored, the second refused and counted.
func TestSkewedClocks(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	for _, c := range []struct {
		skew   time.Duration
		status int
	}{{-48 * time.Hour, http.StatusNoContent}, {48 * time.Hour, http.StatusBadRequest}} {
		answer, err := g.push(remoteWrite, "snappy", goodRemoteWrite(t, time.Now().Add(c.skew)))
		if err != nil || answer.Status != c.status {
			t.Errorf("samples %s from now: %+v %v, want status %d", c.skew, answer, err, c.status)
		}
	}
	refused, err := g.Metric(t.Context(), "seamark_ingest_rejected_rows_total", `signal="metrics"`)
	if err != nil || refused != 2 {
		t.Errorf("%v refused samples are counted, %v; want 2", refused, err)
	}
}
