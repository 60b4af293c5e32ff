package forward_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/forward"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// readHelo reads HELO by the specification: ["HELO", {"nonce": bin, "auth": bin, "keepalive": true}].
func readHelo(t *testing.T, c net.Conn) (nonce, auth []byte) {
	t.Helper()
	b := make([]byte, 256)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	rest, found := bytes.CutPrefix(b[:n], append(append([]byte{0x92, 0xa4}, "HELO"...), append([]byte{0x83, 0xa5}, "nonce"...)...))
	if !found || rest[0] != 0xc4 {
		t.Fatalf("got %q for a HELO", b[:n])
	}
	nonce, rest = rest[2:2+rest[1]], rest[2+rest[1]:]
	rest, found = bytes.CutPrefix(rest, append([]byte{0xa4}, "auth"...))
	if !found || rest[0] != 0xc4 {
		t.Fatalf("got %q for a HELO", b[:n])
	}
	auth, rest = rest[2:2+rest[1]], rest[2+rest[1]:]
	if want := append(append([]byte{0xa9}, "keepalive"...), 0xc3); !bytes.Equal(rest, want) {
		t.Fatalf("got %q for a HELO", b[:n])
	}
	return nonce, auth
}

func sum(parts ...string) string {
	h := sha512.Sum512([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(h[:])
}

const sharedKey = "a key that all agents know"

func handshake(o *forward.Options) { o.SharedKey, o.ServerName = sharedKey, "seamark.test" }

// pingOf answers HELO as Fluentd does.
func pingOf(nonce, auth []byte, key, user, password string) array {
	const host, salt = "agent.test", "0123456789abcdef"
	ping := array{"PING", host, salt, sum(salt, host, string(nonce), key), user, ""}
	if len(auth) > 0 {
		ping[5] = sum(string(auth), user, password)
	}
	return ping
}

// TestHandshake: a client with the shared key and a token as its user name; PONG proves that we have the key too.
func TestHandshake(t *testing.T) {
	withServer(t, handshake, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		nonce, auth := readHelo(t, c)
		if len(nonce) < 16 || len(auth) < 16 {
			t.Errorf("a nonce of %d bytes and a salt of %d", len(nonce), len(auth))
		}
		send(t, c, pingOf(nonce, auth, sharedKey, "b1", "anything"))
		digest := sum("0123456789abcdef", "seamark.test", string(nonce), sharedKey)
		receive(t, c, bytes.Join([][]byte{{0x95, 0xa4}, []byte("PONG"), {0xc3, 0xa0, 0xac}, []byte("seamark.test"), {0xd9, 128}, []byte(digest)}, nil))
		send(t, c, chunked("c1", "one"))
		receive(t, c, ack("c1"))
		if got := f.pushes(); len(got) != 1 || got[0].tenant != tenantB {
			t.Errorf("got %+v", got)
		}
		other := f.pipes.dial(t)
		if again, _ := readHelo(t, other); bytes.Equal(again, nonce) {
			t.Error("two connections have one nonce: an old PING could be replayed")
		}
		other.Close()
		c.Close()
	})
}

// TestHandshakeListenerToken: with a listener's token no user is asked for.
func TestHandshakeListenerToken(t *testing.T) {
	withServer(t, func(o *forward.Options) { handshake(o); fixedToken(o) }, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		nonce, auth := readHelo(t, c)
		if len(auth) > 0 {
			t.Errorf("a user is asked for with the salt %q", auth)
		}
		send(t, c, pingOf(nonce, auth, sharedKey, "", ""))
		_, _ = io.ReadFull(c, make([]byte, 2+4+2+1+len("seamark.test")+2+128))
		send(t, c, chunked("c1", "one"))
		receive(t, c, ack("c1"))
		if got := f.pushes(); len(got) != 1 || got[0].tenant != tenantA {
			t.Errorf("got %+v", got)
		}
		c.Close()
	})
}

// TestHandshakeRefused: PONG says why, has no digest, and the connection ends.
func TestHandshakeRefused(t *testing.T) {
	for name, c := range map[string]struct {
		answer      func(nonce, auth []byte) any
		reason, say string
		change      func(o *forward.Options)
	}{
		"another key": {func(n, a []byte) any { return pingOf(n, a, "guess", "a1", "x") }, "seamark-forward-key", "shared key", nil},
		"the digest of another nonce": {func(_, a []byte) any { return pingOf([]byte("old"), a, sharedKey, "a1", "x") },
			"seamark-forward-key", "shared key", nil},
		"an unknown token":   {func(n, a []byte) any { return pingOf(n, a, sharedKey, "zz", "x") }, "seamark-token-unknown", "unknown", nil},
		"no user":            {func(n, a []byte) any { return pingOf(n, a, sharedKey, "", "x") }, "seamark-stream-unproven", "username", nil},
		"a token to query":   {func(n, a []byte) any { return pingOf(n, a, sharedKey, "query", "x") }, "seamark-stream-scope", "scope", nil},
		"a message, no PING": {func(_, _ []byte) any { return chunked("c1", "one") }, "seamark-forward-ping", "shared key", nil},
		"a PING of five":     {func(n, a []byte) any { return pingOf(n, a, sharedKey, "a1", "x")[:5] }, "seamark-forward-ping", "six", nil},
		"a PING of numbers":  {func(_, _ []byte) any { return array{"PING", 1, 2, 3, 4, 5} }, "seamark-forward-ping", "six", nil},
		"a token in the open": {func(n, a []byte) any { return pingOf(n, a, sharedKey, "a1", "x") }, "seamark-stream-plaintext", "TLS",
			func(o *forward.Options) { o.Listen.AllowPlainTokens = false }},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, func(o *forward.Options) {
				handshake(o)
				if c.change != nil {
					c.change(o)
				}
			}, func(t *testing.T, f *fixture) {
				conn := f.pipes.dial(t)
				nonce, auth := readHelo(t, conn)
				send(t, conn, c.answer(nonce, auth))
				pong, err := io.ReadAll(conn)
				if err != nil {
					t.Fatal(err)
				}
				start := append(append([]byte{0x95, 0xa4}, "PONG"...), 0xc2)
				if !bytes.HasPrefix(pong, start) || !bytes.Contains(pong, []byte(c.say)) || !bytes.HasSuffix(pong, []byte{0xa0, 0xa0}) {
					t.Errorf("got %q", pong)
				}
				synctest.Wait()
				if f.counter(t, closedTotal, c.reason) != 1 || len(f.pushes()) != 0 {
					t.Errorf("stored %q; the log says %s", f.bodies(), f.log)
				}
			})
		})
	}
}

// TestHandshakeSilent: a client that never answers HELO loses its place.
func TestHandshakeSilent(t *testing.T) {
	withServer(t, handshake, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		readHelo(t, c)
		pass(31 * time.Second)
		expectClosed(t, c)
		if f.counter(t, closedTotal, "seamark-stream-silent") != 1 {
			t.Errorf("the log says %s", f.log)
		}
	})
}

// TestRevoked: a token that is revoked while its connection is open stores nothing more and gets no acknowledgement.
func TestRevoked(t *testing.T) {
	withServer(t, fixedToken, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, chunked("c1", "one"))
		receive(t, c, ack("c1"))
		f.mu.Lock()
		f.revoked["a1"] = true
		f.mu.Unlock()
		send(t, c, chunked("c2", "two"))
		if n, err := c.Read(make([]byte, 16)); err == nil {
			t.Errorf("%d bytes of an answer came", n)
		}
		if got := f.bodies(); !slices.Equal(got, []string{"one"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestServeMaxAttrs: a row has as many attributes as the tenant of the user's token may send at that moment. What is over that
// is left out and counted, its neighbours are whole, and the chunk is acknowledged.
func TestServeMaxAttrs(t *testing.T) {
	var most atomic.Int64 // of tenant A
	most.Store(2)
	withServer(t, func(o *forward.Options) {
		handshake(o)
		o.Listen.MaxAttrs = func(p seamark.Principal) int {
			if p.Tenant == tenantA {
				return int(most.Load())
			}
			return 100
		}
	}, func(t *testing.T, f *fixture) {
		many := array{eventTime(stamp), object{"log", "many", "a", "1", "b", "2", "c", "3"}}
		push := func(token, chunk string) {
			t.Helper()
			c := f.pipes.dial(t)
			nonce, auth := readHelo(t, c)
			send(t, c, pingOf(nonce, auth, sharedKey, token, "x"))
			_, _ = io.ReadFull(c, make([]byte, 2+4+2+1+len("seamark.test")+2+128)) // PONG
			send(t, c, array{"app", stream(many, line("few")), object{"chunk", chunk, "size", 2}})
			receive(t, c, ack(chunk))
			c.Close()
		}
		push("a1", "c1")
		most.Store(4)
		push("a1", "c2")
		push("b1", "c3")
		var got []string
		for _, p := range f.pushes() {
			got = append(got, p.attrs...)
		}
		want := []string{"a=1 _dropped_attributes=3", "tag=app", "a=1 b=2 c=3 tag=app", "tag=app", "a=1 b=2 c=3 tag=app", "tag=app"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(o *forward.Options){
		"no proof":           func(o *forward.Options) { o.SharedKey = "" },
		"no name":            func(o *forward.Options) { o.ServerName = "" },
		"messages too short": func(o *forward.Options) { o.MaxMessageBytes = 1 << 10 },
		"entries too short":  func(o *forward.Options) { o.MaxInflatedBytes = 1 << 10 },
		"too little memory":  func(o *forward.Options) { o.Listen.MaxMemoryBytes = 32 << 20 },
		"no attributes":      func(o *forward.Options) { o.Listen.MaxAttrs = nil },
		"no patience":        func(o *forward.Options) { o.AckPatience = 0 },
		"no listener":        func(o *forward.Options) { o.Listen.Listener = nil },
	} {
		o := forward.DefaultOptions()
		f := &fixture{}
		handshake(&o)
		o.Listen.Listener, o.Listen.Verify, o.Listen.Push = newPipes(), f.verify, f.push
		o.Listen.Catalog = func(seamark.Principal) seamark.Catalog { return nil }
		o.Listen.Logger, o.Listen.Registerer, o.Listen.Now = quiet(), newRegistry(), time.Now
		if _, err := forward.New(o); err != nil {
			t.Fatalf("the options without a fault are refused: %v", err)
		}
		o.Listen.Registerer = newRegistry()
		change(&o)
		if _, err := forward.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
