package app

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// peers is a listener whose connections come from the given addresses, one after the other.
type peers struct{ from []string }

var errNoMore = errors.New("no more")

func (p *peers) Accept() (net.Conn, error) {
	if len(p.from) == 0 {
		return nil, errNoMore
	}
	at := net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(p.from[0]), 1))
	p.from = p.from[1:]
	a, b := net.Pipe()
	_ = b.Close()
	return &peer{Conn: a, at: at}, nil
}

func (*peers) Close() error   { return nil }
func (*peers) Addr() net.Addr { return &net.TCPAddr{} }

type peer struct {
	net.Conn
	at net.Addr
}

func (p *peer) RemoteAddr() net.Addr { return p.at }

// TestCapListener opens more connections than there are places, in all and from one address, and frees some.
func TestCapListener(t *testing.T) {
	refused := 0
	source := &peers{from: []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "10.0.0.1", "10.0.0.1", "10.0.0.1", "127.0.0.1"}}
	l := newCapListener(source, 6, 2, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, func() { refused++ })
	var open []net.Conn
	for {
		conn, err := l.Accept()
		if err != nil {
			require.ErrorIs(t, err, errNoMore)
			break
		}
		open = append(open, conn)
	}
	require.Len(t, open, 6, "two of the first address, one of the second, three of the proxy")
	require.Equal(t, 3, refused)
	require.NoError(t, open[0].Close())
	require.ErrorIs(t, func() error { _ = open[0].Close(); return errNoMore }(), errNoMore) // a second close gives back nothing
	source.from = []string{"192.0.2.1", "192.0.2.1"}
	_, err := l.Accept()
	require.NoError(t, err)
	_, err = l.Accept()
	require.ErrorIs(t, err, errNoMore)
	require.Equal(t, 4, refused)
}
