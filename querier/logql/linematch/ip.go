package linematch

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// IP is a range of IP addresses of one family.
type IP struct{ first, last netip.Addr }

// ParseIP reads an address ("192.0.2.1", "::1"), a range of addresses ("10.0.0.1-10.0.0.9") or a network
// ("192.168.4.5/16").
func ParseIP(text string) (IP, error) {
	if strings.ContainsRune(text, '/') {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return IP{}, fmt.Errorf("%q is no network such as 192.168.0.0/16", text)
		}
		network = network.Masked()
		return IP{network.Addr(), lastOf(network)}, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	first, err := netip.ParseAddr(from)
	if err != nil || first.Zone() != "" {
		return IP{}, fmt.Errorf("%q is no IP address", from)
	}
	last, err := netip.ParseAddr(to)
	if err != nil || last.Zone() != "" {
		return IP{}, fmt.Errorf("%q is no IP address", to)
	}
	if first.Is4() != last.Is4() {
		return IP{}, errors.New("the ends of the range are an IPv4 and an IPv6 address")
	}
	if last.Less(first) {
		return IP{}, fmt.Errorf("the range ends with %s, which is before its start", last)
	}
	return IP{first, last}, nil
}

// lastOf returns the last address of a network.
func lastOf(network netip.Prefix) netip.Addr {
	bytes := network.Addr().AsSlice()
	for bit := network.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes) // as long as the network's own address
	return last
}

// Contains reports whether text has an address of the range somewhere.
func (ip IP) Contains(text string) bool {
	for i := 0; i < len(text); {
		if !ip.digit(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && ip.digit(text[i]) {
			i++
		}
		if ip.is(text[start:i]) {
			return true
		}
	}
	return false
}

// digit reports whether c can stand in an address of the range's family.
func (ip IP) digit(c byte) bool {
	if c >= '0' && c <= '9' || c == '.' {
		return true
	}
	return !ip.first.Is4() && (c == ':' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')
}

// is reports whether the run of an address' bytes is an address of the range. Punctuation may stand around it.
func (ip IP) is(run string) bool {
	// The shortest are ::1 and 1.1.1.1; most runs are numbers, which need no parsing.
	if ip.first.Is4() {
		run = strings.Trim(run, ".")
		if len(run) < len("1.1.1.1") || strings.Count(run, ".") != 3 {
			return false
		}
	} else if strings.Count(run, ":") < 2 {
		return false
	}
	if ip.holds(run) {
		return true
	}
	if ip.first.Is4() {
		return false
	}
	bare := strings.TrimRight(run, ".")
	if strings.HasSuffix(bare, ":") && !strings.HasSuffix(bare, "::") {
		bare = bare[:len(bare)-1]
	}
	if strings.HasPrefix(bare, ":") && !strings.HasPrefix(bare, "::") {
		bare = bare[1:]
	}
	return bare != run && ip.holds(bare)
}

func (ip IP) holds(text string) bool {
	addr, err := netip.ParseAddr(text)
	return err == nil && addr.Is4() == ip.first.Is4() && !addr.Less(ip.first) && !ip.last.Less(addr)
}

// Prefix returns a text that every address of the range begins with, as far as IPv4 spells it in one way; "" for none.
func (ip IP) Prefix() string {
	if !ip.first.Is4() {
		return ""
	}
	first, last := ip.first.String(), ip.last.String()
	if first == last {
		return first
	}
	end := 0
	for i := 0; i < len(first) && i < len(last) && first[i] == last[i]; i++ {
		if first[i] == '.' {
			end = i + 1
		}
	}
	return first[:end]
}
