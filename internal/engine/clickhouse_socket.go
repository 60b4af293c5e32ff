package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// handover bounds how long a process waits for a connection to be handed over.
const handover = 10 * time.Second

// SocketDial fits clickhouse-go's Options.DialContext for a socket that ServeSocket serves, whose path is the address. Any other
// address, such as that of the engine's HTTP interface, which survives what its clients do, is dialled as it is.
func SocketDial(path string) func(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: handover}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		if addr != path {
			return dialer.DialContext(ctx, "tcp", addr)
		}
		lease, err := dialer.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		conn, err := takeConn(lease.(*net.UnixConn))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("take a connection over: %w", err), lease.Close())
		}
		return &leasedConn{Conn: conn, lease: lease}, nil
	}
}

// takeConn receives a connection as a file descriptor (unix(7), SCM_RIGHTS).
func takeConn(from *net.UnixConn) (net.Conn, error) {
	if err := from.SetReadDeadline(time.Now().Add(handover)); err != nil {
		return nil, err
	}
	one, control := make([]byte, 1), make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := from.ReadMsgUnix(one, control)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the engine is away")
	}
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(errors.New("no connection came along"), err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fds[0])
	file := os.NewFile(uintptr(fds[0]), "clickhouse")
	conn, err := net.FileConn(file)
	return conn, errors.Join(err, file.Close())
}

// leasedConn is a connection that another process has, too, which ends it when the lease ends, with this process if need be.
type leasedConn struct {
	net.Conn
	lease net.Conn
}

// Close implements net.Conn.
func (c *leasedConn) Close() error { return errors.Join(c.Conn.Close(), c.lease.Close()) }

// ServeSocket opens a unix socket, readable by this user alone, that hands out connections to the engine's native protocol. It is the way
// for processes that may be killed: the kernel resets the connections of such a process, which would end the engine (see DialClickHouse),
// unless another process has them, too. This one keeps each until its lease ends, and then says goodbye. Close the result before Stop.
func (c *ClickHouse) ServeSocket(path string) (closeSocket func(), err error) {
	listener, err := listenUnix(path)
	if err != nil {
		return nil, fmt.Errorf("serve ClickHouse socket: %w", err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { c.handOut(listener) })
	return func() {
		_ = listener.Close()
		serving.Wait()
	}, nil
}

// handOut gives each caller of the socket a connection, until the socket is closed.
func (c *ClickHouse) handOut(listener net.Listener) {
	for {
		lease, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // a lack of descriptors
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go func() {
			defer func() { _ = lease.Close() }()
			if err := c.lend(lease.(*net.UnixConn)); err != nil {
				c.options.Log.Debug("no connection is handed out", "error", err)
			}
		}()
	}
}

// lend hands one connection over, keeps it while the lease lasts, and ends it.
func (c *ClickHouse) lend(lease *net.UnixConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), handover)
	defer cancel()
	conn, err := DialClickHouse(ctx, c.ports.tcpAddr())
	if err != nil {
		return err // the caller sees the lease end
	}
	defer func() { _ = conn.Close() }()
	raw, err := conn.(*politeConn).SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		_, _, sent = lease.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(fd)), nil)
	})
	if err := errors.Join(err, sent); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, lease)
	return nil
}
