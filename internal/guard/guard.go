// Package guard decides which addresses a tenant's targets may be dialled at, so that what a tenant names, such as a webhook,
// cannot talk to what stands beside the server. It sees the address that is about to be connected to, after name resolution.
// Roles that dial for tenants import it.
package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// ErrBlocked marks a refusal of the guard. Trying again at once is of no use: the address does not become public within
// seconds.
var ErrBlocked = errors.New("targets must not be there")

// Options configures a Guard.
type Options struct {
	// Private are prefixes that may be dialled on any port, whatever lies there.
	Private []netip.Prefix
	// Ports are the ports of public addresses that may be dialled.
	Ports []uint16
	// PortsFrom lets all ports from this one on through, too; 0 lets none.
	PortsFrom uint16
	// Resolver is nil for the system's.
	Resolver *net.Resolver
	// Own returns this machine's addresses, which are refused though they may be public; nil asks the system.
	Own func() ([]netip.Addr, error)
}

// Guard checks the address that is about to be connected to, after name resolution, so neither a name that changes its
// address, nor a redirect, nor a URL made from a tenant's data gets around it. The check when a target is saved is the same
// function. It is safe for concurrent use.
type Guard struct{ opts Options }

// New returns a guard that lets through public addresses on the given ports, and the private prefixes on any port.
func New(o Options) *Guard {
	if o.Own == nil {
		o.Own = interfaceAddrs
	}
	return &Guard{opts: o}
}

// deniedV4 and allowedV6 follow the IANA special-purpose address registries. IPv4 is open with holes; of IPv6 only the
// part that is given out to networks is open, again with holes, so whatever is invented outside stays closed.
func deniedV4() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8",       // "this network"; Linux connects 0.0.0.0 to itself
		"10.0.0.0/8",      // RFC 1918
		"100.64.0.0/10",   // carrier-grade NAT, some clouds' metadata
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local, the metadata service of most clouds
		"172.16.0.0/12",   // RFC 1918
		"192.0.0.0/24",    // IETF protocol assignments, a cloud's metadata
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"192.168.0.0/16",  // RFC 1918
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, broadcast
	)
}

func allowedV6() netip.Prefix { return netip.MustParsePrefix("2000::/3") }

func deniedV6() []netip.Prefix {
	return prefixes(
		"2001::/23",     // protocol assignments, among them Teredo, which wraps IPv4
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4, which wraps IPv4
		"3fff::/20",     // documentation
	)
}

func prefixes(list ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(list))
	for i, s := range list {
		parsed[i] = netip.MustParsePrefix(s)
	}
	return parsed
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Check returns nil when a receiver may be at target, else an error that wraps ErrBlocked and names the reason.
func (g *Guard) Check(target netip.AddrPort) error {
	addr := target.Addr().Unmap()
	if contains(g.opts.Private, addr) {
		return nil
	}
	if err := checkPublic(addr); err != nil {
		return err
	}
	own, err := g.opts.Own()
	if err != nil {
		return fmt.Errorf("%w: this machine's addresses are unknown: %w", ErrBlocked, err)
	}
	if slices.Contains(own, addr) {
		return fmt.Errorf("%w: %s is this machine", ErrBlocked, addr)
	}
	if slices.Contains(g.opts.Ports, target.Port()) || g.opts.PortsFrom > 0 && target.Port() >= g.opts.PortsFrom {
		return nil
	}
	return fmt.Errorf("%w: port %d is not among %v%s", ErrBlocked, target.Port(), g.opts.Ports, g.opts.from())
}

func (o *Options) from() string {
	if o.PortsFrom == 0 {
		return ""
	}
	return fmt.Sprintf(" and those from %d on", o.PortsFrom)
}

func checkPublic(addr netip.Addr) error {
	switch {
	case !addr.IsValid():
		return fmt.Errorf("%w: not an address", ErrBlocked)
	case addr.Zone() != "":
		return fmt.Errorf("%w: %s belongs to one interface", ErrBlocked, addr)
	case !addr.IsGlobalUnicast() || addr.IsPrivate():
		return fmt.Errorf("%w: %s is not a public address", ErrBlocked, addr)
	case addr.Is4() && contains(deniedV4(), addr):
		return fmt.Errorf("%w: %s is not a public address", ErrBlocked, addr)
	case addr.Is6() && (!allowedV6().Contains(addr) || contains(deniedV6(), addr)):
		return fmt.Errorf("%w: %s is not a public address", ErrBlocked, addr)
	}
	return nil
}

// CheckURL refuses at save time what the dial would refuse later: schemes other than HTTP and addresses that are written
// out. Names are not resolved here, they may resolve to something else later; only the dial decides.
func (g *Guard) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return errors.New("it is not an absolute URL")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("scheme %q is not http or https", u.Scheme)
	}
	return g.CheckHost(u.Hostname(), u.Port(), map[string]uint16{"http": 80, "https": 443}[u.Scheme])
}

// CheckHost is CheckURL for a host and a port; standard stands for a port that is empty.
func (g *Guard) CheckHost(host, port string, standard uint16) error {
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return fmt.Errorf("port %q is not a port", port)
		}
		standard = uint16(n)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return nil //nolint:nilerr // a name
	}
	return g.Check(netip.AddrPortFrom(addr, standard))
}

// Control implements net.Dialer.Control: it runs after the socket was made and before it is connected.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: network %s", ErrBlocked, network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	}
	return g.Check(target)
}

// Dial connects to address if the guard lets it through. It is the DialContext of every receiver's transport.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Resolver: g.opts.Resolver, Control: g.Control}
	return d.DialContext(ctx, network, address)
}

func interfaceAddrs() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, addr.Unmap())
			}
		}
	}
	return addrs, nil
}
