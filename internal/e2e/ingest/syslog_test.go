package ingest_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// dialSyslog opens a connection of a token's cluster.
func (x *account) dialSyslog(t *testing.T, secret string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", x.App.ListenAddr("syslog.listen"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprintf(conn, "<14>1 - - - - - [seamark@0 token=%q]\n", secret); err != nil {
		t.Fatal(err)
	}
	return conn
}

// say sends one message of RFC 5424.
func say(t *testing.T, conn net.Conn, app, text string) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "<14>1 %s host %s 1 - - %s\n", now().UTC().Format("2006-01-02T15:04:05.000000Z"), app, text); err != nil {
		t.Fatal(err)
	}
}

func (x *account) retries(t *testing.T) float64 {
	t.Helper()
	return x.metric(t, "seamark_ingest_stream_retries_total", `protocol="syslog"`)
}

// sayUntilRefused says lines one after the other until the server has been refused a push of its own connection, and returns them with
// those before. A line that is stored had room, since the debt of the one before was paid by then.
func (x *account) sayUntilRefused(t *testing.T, conn net.Conn, said []string) []string {
	t.Helper()
	before, refused := x.retries(t), false
	for !refused {
		text := fmt.Sprint("line ", len(said)+1)
		say(t, conn, "router", text)
		said = append(said, text+" changed")
		testkit.Eventually(t, within, func() error {
			if refused = x.retries(t) > before; refused || slices.Equal(x.bodies(t, `{cluster="narrow"}`), said) {
				return nil
			}
			return errors.New("no push was refused, and none is stored")
		})
	}
	return said
}

// TestSyslogWaitsForQuota is about a protocol that is not answered: what is over the quota waits on its connection, and is
// stored once when there is room, changed by the pipelines once.
func TestSyslogWaitsForQuota(t *testing.T) {
	x := newAccount(t, "syslog-quota")
	c, key := x.newCluster(t, "narrow", tenant.TokenSpec{})
	x.usePipelines(t, `[{"name":"p","enabled":true,"steps":[{"name":"mark","kind":"transform","match":["HasPrefix(log.body, \"line\")"],`+
		`"statements":["set(log.body, Concat([log.body, \"changed\"], \" \"))"]}]}]`)
	x.limitCluster(t, c, `{"bytes_per_second":2,"bytes_burst":20}`)
	conn := x.dialSyslog(t, key.secret)
	say(t, conn, "router", "line 1") // leaves a debt of some seconds
	x.awaitBodies(t, `{cluster="narrow"}`, "line 1 changed")
	said := x.sayUntilRefused(t, conn, []string{"line 1 changed"})
	x.limitCluster(t, c, `{}`)
	x.awaitBodies(t, `{cluster="narrow"}`, said...)
}

// TestSyslogMaxAttrs is about a limit of rows that only a tenant's quota tells: it holds on connections, too.
func TestSyslogMaxAttrs(t *testing.T) {
	x := newAccount(t, "syslog-attrs").asOperator(t)
	x.limitTenant(t, `{"max_attrs":3}`)
	_, key := x.newCluster(t, "narrow", tenant.TokenSpec{})
	conn := x.dialSyslog(t, key.secret)
	say(t, conn, "router", "few")
	x.awaitBodies(t, `{cluster="narrow"}`, "few")
	sent := now().UTC().Format("2006-01-02T15:04:05.000000Z")
	if _, err := fmt.Fprintf(conn, "<14>1 %s host router 1 - [x a=\"1\" b=\"2\"] many\n", sent); err != nil {
		t.Fatal(err)
	}
	x.awaitBodies(t, `{cluster="narrow"}`, "few", "many")
	for _, l := range x.logs(t, `{cluster="narrow"}`) {
		want := map[string]string{"few": "", "many": "2"}[l.Body]
		if got := l.Labels["_dropped_attributes"]; got != want {
			t.Errorf("%s: %q attributes were left out, want %q of %v", l.Body, got, want, l.Labels)
		}
	}
}
