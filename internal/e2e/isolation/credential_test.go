package isolation_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// credential is what stands in a request's headers, and the status with which every route refuses it.
type credential struct {
	name   string
	header http.Header
	status int
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// withChecksum completes the text of a token with its CRC-32 in base 62, as anybody who reads the pattern can.
func withChecksum(text string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum, tail := crc32.ChecksumIEEE([]byte(text)), [6]byte{}
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = digits[sum%62]
		sum /= 62
	}
	return text + string(tail[:])
}

// badCredentials is every way in which a credential can be wrong, whatever the route.
func badCredentials(t *testing.T, s *side) []credential {
	t.Helper()
	list := []credential{
		{"none", http.Header{}, http.StatusUnauthorized},
		{"no token", bearer(""), http.StatusUnauthorized},
		{"malformed", bearer("hello"), http.StatusUnauthorized},
		{"unknown scheme", http.Header{"Authorization": {`Digest username="x"`}}, http.StatusUnauthorized},
		{"broken basic", http.Header{"Authorization": {"Basic !!!"}}, http.StatusUnauthorized},
		{"cut off", bearer(s.Admin[:len(s.Admin)-1]), http.StatusUnauthorized},
		{"bad checksum", bearer(s.Admin[:len(s.Admin)-1] + flip(s.Admin[len(s.Admin)-1:])), http.StatusUnauthorized},
		{"too long", bearer("smk_" + strings.Repeat("x", 5000)), http.StatusUnauthorized},
		{"unknown", bearer(withChecksum("smk_admin_000000000000_" + strings.Repeat("0", 30))), http.StatusUnauthorized},
		{"another kind's name", bearer(withChecksum(strings.Replace(s.Query[:len(s.Query)-6], "_query_", "_admin_", 1))), http.StatusUnauthorized},
		{"tenant in a header alone", http.Header{"X-Scope-Orgid": {string(s.ID)}}, http.StatusUnauthorized},
		{"unsigned session", bearer(unsigned(s.tokens["owner"])), http.StatusUnauthorized},
	}
	wrong := s.Admin[:len(s.Admin)-7] + flip(s.Admin[len(s.Admin)-7:len(s.Admin)-6])
	list = append(list, credential{"wrong secret", bearer(withChecksum(wrong)), http.StatusUnauthorized})
	return append(list, deadCredentials(t, s)...)
}

// deadCredentials were good once.
func deadCredentials(t *testing.T, s *side) []credential {
	t.Helper()
	d := s.App.Directory()
	revoked := func(spec tenant.TokenSpec) string {
		token, secret, err := d.CreateToken(t.Context(), s.ID, spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.RevokeToken(t.Context(), s.ID, token.KeyID); err != nil {
			t.Fatal(err)
		}
		return secret
	}
	list := []credential{
		{"revoked admin", bearer(revoked(tenant.TokenSpec{Kind: seamark.AdminToken, Name: "x"})), http.StatusUnauthorized},
		{"revoked ingest", bearer(revoked(tenant.TokenSpec{Kind: seamark.IngestToken, Name: "x", Cluster: s.Cluster.ID})), http.StatusUnauthorized},
		{"expired", bearer(expired(t, s)), http.StatusUnauthorized},
		{"signed out", bearer(signedOut(t, s)), http.StatusUnauthorized},
	}
	gone, err := d.CreateCluster(t.Context(), s.ID, tenant.ClusterSpec{Name: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	orphan := s.Token(t, tenant.TokenSpec{Kind: seamark.IngestToken, Name: "x", Cluster: gone.ID})
	if err := d.DeleteCluster(t.Context(), s.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	list = append(list, credential{"deleted cluster", bearer(orphan), http.StatusUnauthorized})
	suspended, deleted := inprocess.NewTenant(t, s.App, "suspended", "same"), inprocess.NewTenant(t, s.App, "deleted", "same")
	dying := inprocess.NewTenant(t, s.App, "dying", "same")
	if _, err := d.BeginDeletion(t.Context(), dying.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SuspendTenant(t.Context(), suspended.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteTenant(t.Context(), deleted.ID); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*inprocess.Tenant{"suspended": suspended, "dying": dying, "deleted": deleted} {
		list = append(list, credential{name + " tenant's admin", bearer(x.Admin), http.StatusForbidden},
			credential{name + " tenant's query", bearer(x.Query), http.StatusForbidden}, credential{name + " tenant's ingest", bearer(x.Ingest), http.StatusForbidden})
	}
	return list
}

func expired(t *testing.T, s *side) string {
	t.Helper()
	token := s.Token(t, tenant.TokenSpec{Kind: seamark.AdminToken, Name: "short", Expires: time.Now().Add(100 * time.Millisecond)})
	testkit.Eventually(t, time.Minute, func() error {
		if got := s.Do(t, token, http.MethodGet, "/api/v1/clusters", nil, "").Status; got != http.StatusUnauthorized {
			return fmt.Errorf("got %d of a token that expires at once, want 401", got)
		}
		return nil
	})
	return token
}

func signedOut(t *testing.T, s *side) string {
	t.Helper()
	session := signIn(t, s, s.login(seamark.RoleOwner))
	if got := s.Do(t, session, http.MethodDelete, "/api/v1/session", nil, "").Status; got != http.StatusNoContent {
		t.Fatalf("sign out: got %d, want 204", got)
	}
	return session
}

// flip returns another letter.
func flip(letter string) string {
	if letter == "a" {
		return "b"
	}
	return "a"
}

// unsigned is the session with the algorithm "none" and no signature.
func unsigned(session string) string {
	parts := strings.Split(session, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"seamark-session+jwt"}`)) + "." + parts[1] + "."
}

// refusal sends only the head of a request that announces a body, and returns the answer. The server must give it without
// asking for the body: it would say 100 Continue the moment anything read from it.
func refusal(t *testing.T, addr, method, path string, header http.Header) inprocess.Response {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n", method, path, addr)
	if err := header.Write(&head); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, head.String()+"\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: no answer to the head alone: %v", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return inprocess.Response{Status: answer.StatusCode, Header: answer.Header, Body: string(body)}
}
