package alerting

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// errBlocked marks a refusal of the guard. Such a delivery is not tried again before the next flush: the address does not
// become public within seconds.
var errBlocked = errors.New("receivers must not be there")

// guard decides which addresses receivers may be dialled at. It checks the address that is about to be connected to,
// after name resolution, so neither a name that changes its address, nor a redirect, nor a URL made from alert labels
// gets around it. Every receiver dials through it, and the check at save time is the same function.
type guard struct {
	private  []netip.Prefix
	ports    []uint16
	resolver *net.Resolver                // nil is the system's
	own      func() ([]netip.Addr, error) // this machine's addresses
}

// newGuard returns a guard that lets through public addresses on the given ports, and the private prefixes on any port.
func newGuard(private []netip.Prefix, ports []uint16, resolver *net.Resolver) *guard {
	return &guard{private: private, ports: ports, resolver: resolver, own: interfaceAddrs}
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

// check returns nil when a receiver may be at target, else an error that wraps errBlocked and names the reason.
func (g *guard) check(target netip.AddrPort) error {
	addr := target.Addr().Unmap()
	if contains(g.private, addr) {
		return nil
	}
	if err := checkPublic(addr); err != nil {
		return err
	}
	own, err := g.own()
	if err != nil {
		return fmt.Errorf("%w: this machine's addresses are unknown: %w", errBlocked, err)
	}
	if slices.Contains(own, addr) {
		return fmt.Errorf("%w: %s is this machine", errBlocked, addr)
	}
	if !slices.Contains(g.ports, target.Port()) {
		return fmt.Errorf("%w: port %d is not among %v", errBlocked, target.Port(), g.ports)
	}
	return nil
}

func checkPublic(addr netip.Addr) error {
	switch {
	case !addr.IsValid():
		return fmt.Errorf("%w: not an address", errBlocked)
	case addr.Zone() != "":
		return fmt.Errorf("%w: %s belongs to one interface", errBlocked, addr)
	case !addr.IsGlobalUnicast() || addr.IsPrivate():
		return fmt.Errorf("%w: %s is not a public address", errBlocked, addr)
	case addr.Is4() && contains(deniedV4(), addr):
		return fmt.Errorf("%w: %s is not a public address", errBlocked, addr)
	case addr.Is6() && (!allowedV6().Contains(addr) || contains(deniedV6(), addr)):
		return fmt.Errorf("%w: %s is not a public address", errBlocked, addr)
	}
	return nil
}

// control implements net.Dialer.Control: it runs after the socket was made and before it is connected.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: network %s", errBlocked, network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errBlocked, err)
	}
	return g.check(target)
}

// dial connects to address if the guard lets it through. It is the DialContext of every receiver's transport.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Resolver: g.resolver, Control: g.control}
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
