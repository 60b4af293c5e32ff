package app

import (
	"net"
	"net/netip"
	"sync"
)

// capListener bounds the open connections of a listener, in all and per address of the peer. What is over a bound is closed at
// once: waiting for a place would leave it to whoever holds the most.
type capListener struct {
	net.Listener
	max, maxPerIP int
	exempt        []netip.Prefix // proxies, behind which many peers have one address
	refused       func()

	mu    sync.Mutex // guards what follows
	open  int
	perIP map[netip.Addr]int
}

func newCapListener(ln net.Listener, limit, perIP int, exempt []netip.Prefix, refused func()) *capListener {
	return &capListener{Listener: ln, max: limit, maxPerIP: perIP, exempt: exempt, refused: refused, perIP: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (l *capListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		ip := peerOf(conn)
		if l.take(ip) {
			return &cappedConn{Conn: conn, release: func() { l.release(ip) }}, nil
		}
		l.refused()
		_ = conn.Close()
	}
}

func peerOf(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

func (l *capListener) counts(ip netip.Addr) bool {
	for _, p := range l.exempt {
		if p.Contains(ip) {
			return false
		}
	}
	return !ip.IsLoopback()
}

func (l *capListener) take(ip netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.max || l.counts(ip) && l.perIP[ip] >= l.maxPerIP {
		return false
	}
	l.open++
	l.perIP[ip]++
	return true
}

func (l *capListener) release(ip netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.perIP[ip]--; l.perIP[ip] == 0 {
		delete(l.perIP, ip)
	}
}

// cappedConn gives its place back when it is closed.
type cappedConn struct {
	net.Conn
	once    sync.Once
	release func()
}

// Close implements net.Conn.
func (c *cappedConn) Close() error {
	c.once.Do(c.release)
	return c.Conn.Close()
}
