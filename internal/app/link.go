package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/seamarkhq/seamark/internal/child"
)

// Link is what a process has to know of the one that has started it, to answer the requests that are passed on to it.
type Link struct {
	// Folder is this process's data folder; its sockets are in it.
	Folder string
	// Node is this process's name among its peers.
	Node string
	// NATSSocket is where the other's embedded NATS can be reached; "" with an outside one.
	NATSSocket string
	// ClickHouse is the other's embedded engine; nil with an outside one.
	ClickHouse *LinkedClickHouse
	// Lifeline says that the other sees to this process's idle threads, see child.Lifeline.
	Lifeline bool
	// Fallen says that a process before this one has ended by itself.
	Fallen bool
	// RootKeyFile and ExportDir are the other's.
	RootKeyFile, ExportDir string
}

// LinkedClickHouse is how another process's embedded ClickHouse is reached.
type LinkedClickHouse struct{ Socket, HTTP, User, Password, TenantSecret string }

// Names of the sockets in a link's folder.
const (
	frontSocket = "front.sock"
	storeSocket = "store.sock" // of the other process
	adminSocket = "admin.sock"
)

// Apply makes the options of a process those of the one that it is started for: the roles that read, with everything else as it
// is there.
func (l *Link) Apply(o *Options) {
	o.Link, o.Reader = l, nil
	o.Roles, o.DataDir, o.NodeID = readerRoles(), l.Folder, l.Node
	if o.Keys.RootFile == "" {
		o.Keys.RootFile = l.RootKeyFile
	}
	if o.Tenants.TransferDir == "" {
		o.Tenants.TransferDir = l.ExportDir
	}
	o.Logger = o.Logger.With("process", readerName)
}

// embedsNATS reports whether the bus is that of this server alone.
func (o *Options) embedsNATS() bool { return o.NATS.URL == "" }

// serveLocal serves a handler on a socket that this user's processes alone can reach.
func (a *App) serveLocal(ctx context.Context, name string, h http.Handler) error {
	path := filepath.Join(a.opts.DataDir, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, ln.Close())
	}
	a.serve(name, ln, h, nil)
	return nil
}

// linkedClientIP tells the address that the process which has passed a request on saw.
func linkedClientIP(r *http.Request) string { return r.Header.Get(child.ClientIPHeader) }

// linkClickHouse opens the way to this process's embedded engine, and returns nil without one.
func (a *App) linkClickHouse(folder string) (*LinkedClickHouse, error) {
	ch := a.clickhouse
	if ch == nil {
		return nil, nil //nolint:nilnil // an outside engine needs no way through this process
	}
	path := filepath.Join(folder, storeSocket)
	closeSocket, err := ch.ServeSocket(path)
	if err != nil {
		return nil, err
	}
	a.defers("store socket", func(context.Context) error { closeSocket(); return nil })
	_, http := ch.Addrs()
	return &LinkedClickHouse{Socket: path, HTTP: http, User: ch.AdminUser(), Password: ch.AdminPassword(), TenantSecret: ch.TenantSecret()}, nil
}
