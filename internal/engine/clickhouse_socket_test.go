package engine_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
)

// TestSocketDial dials what is no socket as it is, and says so when there is no connection to be had at the socket. That connections outlive a
// process that is killed is TestQueryThatEndsTheReaderTwice in internal/e2e/crash.
func TestSocketDial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dial := engine.SocketDial(path)

	plain, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conn, err := dial(t.Context(), plain.Addr().String())
	require.NoError(t, err)
	require.Equal(t, plain.Addr().String(), conn.RemoteAddr().String())
	require.NoError(t, conn.Close())
	require.NoError(t, plain.Close())

	_, err = dial(t.Context(), path)
	require.ErrorContains(t, err, "no such file")
	socket, err := net.Listen("unix", path)
	require.NoError(t, err)
	go func() {
		if lease, err := socket.Accept(); err == nil {
			_ = lease.Close() // as while the engine is away
		}
	}()
	_, err = dial(t.Context(), path)
	require.ErrorContains(t, err, "the engine is away")
	require.NoError(t, socket.Close())
}
