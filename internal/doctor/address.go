package doctor

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Address is one that the process listens on.
type Address struct{ Flag, Addr string }

// server finds out whether a server works on the data folder, and what it says of itself.
func (e *exam) server(ctx context.Context) {
	pid, held := e.lockHolder()
	status, text, err := e.ready(ctx)
	e.running = held || err == nil
	switch {
	case err != nil && held:
		e.fail("server", "Look into its log. If it listens elsewhere, give the same --admin.listen here.",
			"process %d works in %s and does not answer on --admin.listen %s", pid, e.o.DataDir, e.o.Admin)
	case err != nil:
		e.ok("server", "none runs here: what only a running server knows is not checked")
	case status != http.StatusOK:
		e.fail("server", "The text names what is missing; see the checks below.", "the server on --admin.listen %s is not ready: %s", e.o.Admin, text)
	case strings.Contains(text, "\n"):
		e.warn("server", "See the part of docs/operations.md about the control plane being away.", "the server on --admin.listen %s is ready, but %s", e.o.Admin, after(text, "\n"))
	case text != "ready":
		e.running = false
		e.fail("server", "Give Seamark another --admin.listen, or end the other program.", "what answers on --admin.listen %s is no Seamark", e.o.Admin)
	default:
		e.ok("server", "the one on --admin.listen %s is ready", e.o.Admin)
	}
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

// ready asks the admin address as probes do.
func (e *exam) ready(ctx context.Context) (status int, text string, err error) {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+dialable(e.o.Admin)+"/readyz", http.NoBody)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	return resp.StatusCode, strings.TrimSpace(string(body)), err
}

// lockHolder returns the process that holds the data folder. It reads the kernel's table of locks: trying the lock could
// make a server fail that starts at this moment.
func (e *exam) lockHolder() (pid int, held bool) {
	inode, err := inodeOf(filepath.Join(e.o.DataDir, "lock"))
	if err != nil {
		return 0, false
	}
	table, err := os.ReadFile(e.path("/proc/locks"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], ":"+strconv.FormatUint(inode, 10)) {
			continue
		}
		pid, _ = strconv.Atoi(f[4]) // 0 for a process that this one may not see
		return pid, true
	}
	return 0, false
}

// addresses looks at each address without taking it.
func (e *exam) addresses(ctx context.Context) {
	for _, a := range e.o.Addresses {
		host, port, err := net.SplitHostPort(a.Addr)
		if err != nil {
			continue // the settings have told
		}
		if !e.local(ctx, a, host) || !e.permitted(a, port) {
			continue
		}
		e.occupied(ctx, a)
	}
}

// local reports whether the host of an address is this machine's.
func (e *exam) local(ctx context.Context, a Address, host string) bool {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		return true
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		e.fail("address", "Write an address of this machine, or mend its name resolution.", "--%s %s: %s cannot be resolved: %v", a.Flag, a.Addr, host, err)
		return false
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, ip := range found {
		for _, o := range own {
			if n, ok := o.(*net.IPNet); ok && n.IP.Equal(net.ParseIP(ip)) {
				return true
			}
		}
	}
	e.fail("address", "Write an address of this machine, or :"+portOf(a.Addr)+" for all of them.", "--%s %s: this machine has no address %s", a.Flag, a.Addr, some(found))
	return false
}

// permitted reports whether this user may listen on a port.
func (e *exam) permitted(a Address, port string) bool {
	n, err := strconv.Atoi(port)
	if err != nil || n == 0 || os.Geteuid() == 0 {
		return true
	}
	text, err := os.ReadFile(e.path("/proc/sys/net/ipv4/ip_unprivileged_port_start"))
	if err != nil {
		return true
	}
	first, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n >= first {
		return true
	}
	e.warn("address", "Use a higher port, or give the process CAP_NET_BIND_SERVICE.", "--%s %s: ports below %d need a capability", a.Flag, a.Addr, first)
	return false
}

// occupied sees whether somebody listens on an address, by connecting to it.
func (e *exam) occupied(ctx context.Context, a Address) {
	if portOf(a.Addr) == "0" {
		e.ok("address", "--%s %s: the system chooses a port", a.Flag, a.Addr)
		return
	}
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", dialable(a.Addr))
	if err == nil {
		_ = conn.Close()
	}
	switch {
	case err == nil && e.running:
		e.ok("address", "--%s %s is served", a.Flag, a.Addr)
	case err == nil:
		e.fail("address", "End that program, or give Seamark another address.", "--%s %s is taken by another program", a.Flag, a.Addr)
	case e.running:
		e.warn("address", "Give the flags here that the server has, or restart the server with these.", "--%s %s: the server that runs does not listen there", a.Flag, a.Addr)
	default:
		e.ok("address", "--%s %s is free", a.Flag, a.Addr)
	}
}

// dialable is where a listener on addr is reached on its own machine.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}

func portOf(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return port
}

// path is a file of the kernel's.
func (e *exam) path(name string) string { return filepath.Join(e.o.Root, name) }

// mode tells who may do what with a file, for messages.
func mode(info os.FileInfo) string { return fmt.Sprintf("%#o", info.Mode().Perm()) }
